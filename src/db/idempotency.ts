import { createHash } from "node:crypto";
import { rows, sql, type Tx } from "./database.ts";

/** Whose key, and which: keys of different callers never meet. */
export interface IdempotencyKey {
  readonly actor: string;
  readonly key: string;
}

export interface IdempotentRequest extends IdempotencyKey {
  /** Method and route, for people who read the table. */
  readonly operation: string;
  /** SHA-256 over all that makes it the same request. */
  readonly requestHash: Uint8Array;
}

export type ClaimOutcome =
  | { readonly status: "claimed"; readonly claim: number }
  | { readonly status: "answered"; readonly httpStatus: number; readonly response: string }
  | { readonly status: "in_progress" }
  | { readonly status: "reused" };

/** Longer than any request takes. A process that died leaves the key free after this. */
const claimSeconds = 60;

/**
 * Tries to become the one that works on this request. The claim's age is measured by the database's clock,
 * because it is compared between processes and has nothing to do with the time of billing.
 */
export async function claimIdempotencyKey(tx: Tx, request: IdempotentRequest): Promise<ClaimOutcome> {
  const [claimed] = await rows<{ claim: number }>(
    tx,
    sql`insert into access.idempotency_key as kept (actor, key, operation, request_hash, claimed_until)
        values (${request.actor}, ${request.key}, ${request.operation}, ${request.requestHash},
                clock_timestamp() + make_interval(secs => ${claimSeconds}))
        on conflict (actor, key) do update set claimed_until = excluded.claimed_until, claim = kept.claim + 1
          where kept.status is null and kept.claimed_until <= clock_timestamp()
            and kept.request_hash = excluded.request_hash
        returning claim`,
  );
  return claimed ? { status: "claimed", claim: claimed.claim } : standingOf(tx, request);
}

async function standingOf(tx: Tx, { actor, key, requestHash }: IdempotentRequest): Promise<ClaimOutcome> {
  const [kept] = await rows<{ same: boolean; status: number | null; response: string | null }>(
    tx,
    sql`select request_hash = ${requestHash} as same, status, response::text as response
        from access.idempotency_key where actor = ${actor} and key = ${key}`,
  );
  // Gone between the two statements: the one that worked on it was refused, and the caller may ask again.
  if (kept === undefined) return { status: "in_progress" };
  if (!kept.same) return { status: "reused" };
  if (kept.status === null || kept.response === null) return { status: "in_progress" };
  return { status: "answered", httpStatus: kept.status, response: kept.response };
}

/** Keeps the answer for ever. Without effect when another process has taken the claim over meanwhile. */
export async function keepAnswer(
  tx: Tx,
  { actor, key }: IdempotencyKey,
  answer: { readonly claim: number; readonly httpStatus: number; readonly response: string },
): Promise<void> {
  await tx.execute(sql`update access.idempotency_key set status = ${answer.httpStatus}, response = ${answer.response}::json
    where actor = ${actor} and key = ${key} and claim = ${answer.claim} and status is null`);
}

/** For a request that was refused and had no effect: the key is free, for another body too. */
export async function forgetClaim(tx: Tx, { actor, key }: IdempotencyKey, claim: number): Promise<void> {
  await tx.execute(sql`delete from access.idempotency_key
    where actor = ${actor} and key = ${key} and claim = ${claim} and status is null`);
}

/** For a request of unknown effect: the same request may run again at once, no other may use the key. */
export async function endClaim(tx: Tx, { actor, key }: IdempotencyKey, claim: number): Promise<void> {
  await tx.execute(sql`update access.idempotency_key set claimed_until = clock_timestamp()
    where actor = ${actor} and key = ${key} and claim = ${claim} and status is null`);
}

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The id of what a request creates, made from the caller's key: whoever repeats the request, in whatever process and
 * after whatever crash, creates the same thing. For example `cus_` and 22 letters and digits (130 bits).
 */
export function derivedId(prefix: string, actor: string, idempotencyKey: string): string {
  const fact = JSON.stringify([prefix, actor, idempotencyKey]);
  let rest = BigInt(`0x${createHash("sha256").update(fact).digest("hex")}`);
  let text = "";
  for (let place = 0; place < 22; place++, rest /= 62n) text += digits[Number(rest % 62n)];
  return `${prefix}_${text}`;
}
