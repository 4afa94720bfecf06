import type { SnapshotClaims, SnapshotContent } from "./claims.ts";
import { type ReadyFeature, readyFeature } from "./local-decision.ts";

/** What is held of a customer: the newest content that was signed, and until when it may be used. */
export interface HeldSnapshot {
  readonly content: SnapshotContent;
  readonly features: ReadonlyMap<string, ReadyFeature>;
  readonly digest: string;
  readonly position: string;
  /** Epoch milliseconds. */
  readonly signedAtMs: number;
  readonly expiresAtMs: number;
  /** The time of a customer on a test clock, which does not go by itself; null where time does. */
  readonly stillAtMs: number | null;
}

/** Why claims that are rightly signed are not taken all the same. */
export type NotTakenCode =
  | "snapshot_of_another"
  | "snapshot_expired"
  | "snapshot_older"
  | "renewal_of_another";

export type Taken =
  | { readonly held: HeldSnapshot }
  | { readonly notTaken: NotTakenCode; readonly message: string };

export interface TakingRules {
  readonly customer: string;
  readonly nowMs: number;
  /** How far our clock may be behind or ahead. */
  readonly toleranceMs: number;
}

/**
 * What is held after some claims came. While what is held may be used, nothing that is older is taken: somebody may have kept it
 * from before the change. When it has expired, so has everything that was signed before it.
 */
export function take(
  held: HeldSnapshot | undefined,
  claims: SnapshotClaims,
  { customer, nowMs, toleranceMs }: TakingRules,
): Taken {
  const [signedAtMs, expiresAtMs] = [claims.iat * 1_000, claims.exp * 1_000];
  if (claims.sub !== customer) return notTaken("snapshot_of_another", `it is of the customer ${claims.sub}`);
  if (expiresAtMs + toleranceMs <= nowMs)
    return notTaken("snapshot_expired", "it was to be used until before now");
  const isUsable = held !== undefined && held.expiresAtMs + toleranceMs > nowMs;
  if (isUsable && isOlder(claims, held)) return notTaken("snapshot_older", "a newer one is held");
  const { content, digest, position, as_of } = claims;
  if (content === undefined) {
    return held?.digest === digest
      ? { held: { ...held, position, signedAtMs, expiresAtMs } }
      : notTaken("renewal_of_another", "what it renews is not held");
  }
  const features = new Map(Object.entries(content.features).map(([key, each]) => [key, readyFeature(each)]));
  const stillAtMs = content.clock === "test" ? Date.parse(as_of) : null;
  return { held: { content, features, digest, position, signedAtMs, expiresAtMs, stillAtMs } };
}

function isOlder({ position, iat }: SnapshotClaims, held: HeldSnapshot): boolean {
  const [ours, theirs] = [BigInt(held.position), BigInt(position)];
  return theirs < ours || (theirs === ours && iat * 1_000 < held.signedAtMs);
}

const notTaken = (code: NotTakenCode, message: string): Taken => ({ notTaken: code, message });

/** It is rightly signed, but not to be used. */
export class SnapshotNotTakenError extends Error {
  readonly code: NotTakenCode;

  constructor(code: NotTakenCode, message: string) {
    super(message);
    this.name = "SnapshotNotTakenError";
    this.code = code;
  }
}
