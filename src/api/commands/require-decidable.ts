import type { DecisionOutcome } from "../../db/ledger/adjustments.ts";
import { RequestRefusedError } from "../refusals.ts";

/** A request that may wait for a second person, as far as deciding about it goes. */
export interface DecidableRequest {
  readonly status: string;
  readonly requestedBy: string;
  readonly decidedBy: string | null;
}

/**
 * One who asked may withdraw; another one approves or rejects; and nobody decides twice.
 * @param resource what it is, as its codes begin: `adjustment` for `adjustment_not_pending`
 * @throws RequestRefusedError `{resource}_not_pending`, `requester_only` or `approver_is_requester`
 */
export function requireDecidable(
  resource: string,
  { status, requestedBy, decidedBy }: DecidableRequest,
  { outcome }: { readonly outcome: DecisionOutcome },
  actor: string,
): void {
  if (status !== "pending_approval") {
    const message = `it is ${status}${decidedBy === null ? " and needed no approval" : ` by ${decidedBy}`}`;
    throw new RequestRefusedError(`${resource}_not_pending`, message);
  }
  if (outcome === "withdrawn" && actor !== requestedBy) {
    throw new RequestRefusedError("requester_only", `only who asked for it, ${requestedBy}, may withdraw it`);
  }
  if (outcome !== "withdrawn" && actor === requestedBy) {
    const message = "this key has asked for it: another key must decide, or withdraw it";
    throw new RequestRefusedError("approver_is_requester", message);
  }
}
