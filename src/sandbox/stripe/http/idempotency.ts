import { createHash } from "node:crypto";
import type { Account } from "../state/account.ts";
import type { KeptReply } from "../state/own-objects.ts";
import type { Transaction } from "../state/transaction.ts";
import type { FormTree, FormValue } from "./form.ts";
import { StripeRefusal } from "./refusal.ts";

const keyLengthMax = 255;
/** Stripe may forget a key after a day; the stand-in always does, so that relying on longer is found out. */
const keptSeconds = 24 * 60 * 60;

/** One request's claim on an idempotency key. */
export type KeyClaim = { readonly key: string; readonly requestHash: string };

export function claimOf(key: string, method: string, path: string, form: FormTree): KeyClaim {
  if (key.length > keyLengthMax) {
    const message = `Idempotency keys can be at most ${keyLengthMax} characters.`;
    throw new StripeRefusal(400, { type: "invalid_request_error", message }, { beforeExecution: true });
  }
  const canonical = JSON.stringify([method, path, sorted(form)]);
  return { key, requestHash: createHash("sha256").update(canonical).digest("hex") };
}

function sorted(value: FormValue): unknown {
  if (typeof value === "string") return value;
  return Object.keys(value)
    .toSorted()
    .map((name) => [name, sorted(value[name] ?? "")]);
}

/** The reply to replay, if this key was used before. Throws when it was used for another request. */
export function keptReply(account: Account, claim: KeyClaim): KeptReply | undefined {
  const kept = account.rows("kept_reply").get(rowId(claim.key));
  if (kept === undefined || account.now() - kept.created >= keptSeconds) return undefined;
  if (kept.request_hash === claim.requestHash) return kept;
  const message =
    "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
    `Try using a key other than '${claim.key}' if you meant to execute a different request.`;
  throw new StripeRefusal(400, { type: "idempotency_error", message }, { beforeExecution: true });
}

export function keepReply(
  tx: Transaction,
  claim: KeyClaim,
  reply: { requestId: string; status: number; body: string },
): void {
  tx.put({
    id: rowId(claim.key),
    object: "kept_reply",
    created: tx.now,
    request_hash: claim.requestHash,
    request_id: reply.requestId,
    status: reply.status,
    body: reply.body,
  });
}

export function keyInUse(): StripeRefusal {
  const message =
    "There is currently another in-progress request using this Idempotent Key. Please try again later.";
  const error = { type: "idempotency_error", code: "idempotency_key_in_use", message } as const;
  return new StripeRefusal(409, error, { beforeExecution: true });
}

function rowId(key: string): string {
  return `key/${key}`;
}
