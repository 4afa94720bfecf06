import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import type { ForeseenOfChange, ThoughtOfChange } from "./foreseen-change.ts";
import { type ExpectedClosing, ForeseenClosings } from "./foreseen-closings.ts";
import type { StoredSubscription } from "./subscriptions.ts";

export type ForeseenIssue =
  | ({ readonly kind: "change" } & ForeseenOfChange)
  | { readonly kind: "closing"; readonly at: Instant; readonly closing: ExpectedClosing };

/**
 * All that will be issued for a subscription until so many of its periods are closed, in the order of time, as if changes were
 * asked for now, one after the other; with the usage of now. Nothing is stored: call it in `inSnapshot`.
 * @throws SubscriptionRefusal, SubscriptionRuleError as such a change would
 */
export async function foreseenInvoices(
  tx: Tx,
  row: StoredSubscription,
  { now, changes, periods }: ForeseenInvoicesAsked,
): Promise<ForeseenIssue[]> {
  const foreseen = await ForeseenClosings.of(tx, row, now);
  for (const change of changes) await foreseen.ask(row.id, change);
  const issues: ForeseenIssue[] = [];
  for (let closed = 0; closed < periods; closed += 1) {
    const closing = await foreseen.next(row.id);
    issues.push(...foreseen.takeOfChanges(row.id).map((each) => ({ kind: "change" as const, ...each })));
    if (closing === null) break;
    const [first] = closing.periods;
    issues.push({ kind: "closing", at: first?.facts.asOf ?? now, closing });
  }
  return issues;
}

export interface ForeseenInvoicesAsked {
  readonly now: Instant;
  readonly changes: readonly ThoughtOfChange[];
  /** At most so many periods are closed: fewer, where the subscription ends. */
  readonly periods: number;
}
