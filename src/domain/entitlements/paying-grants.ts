import type { Instant } from "../calendar/index.ts";
import {
  type BurnOrder,
  type CreditGrant,
  type GrantScope,
  isInScope,
  spendingOrder,
  type UsedItem,
} from "../credits/index.ts";
import type { PaymentBucket } from "./payment.ts";

/** Buckets that hold credit, which is set aside for a request before it runs. */
export type HeldBucket = Extract<PaymentBucket, "seat_allowance" | "team_pool" | "prepaid_credits">;

/** A grant that may pay for requests of a user. */
export interface PayingGrant {
  readonly grant: CreditGrant;
  readonly bucket: HeldBucket;
}

/** Those on the way from a user up, the narrowest first: their numbers, and the one that is the user's own. */
export interface SpendingWay {
  readonly spenders: readonly bigint[];
  /** Null where nobody said who asks, or he was never named. */
  readonly user: bigint | null;
}

/**
 * What pays for requests before money does: what the user holds, what the teams above him hold, the nearest first, and what
 * anybody may spend; each in the order of the plan's policy. What others hold is not among it.
 */
export function payingGrants(
  grants: readonly CreditGrant[],
  { spenders, user }: SpendingWay,
  now: Instant,
  order?: BurnOrder,
): PayingGrant[] {
  const holders: readonly (bigint | undefined)[] = [...spenders, undefined];
  return holders.flatMap((holder) =>
    spendingOrder(
      grants.filter(({ heldBy }) => heldBy === holder),
      now,
      order,
    ).map((grant) => ({ grant, bucket: bucketOf(holder, user) })),
  );
}

function bucketOf(holder: bigint | undefined, user: bigint | null): HeldBucket {
  if (holder === undefined) return "prepaid_credits";
  return holder === user ? "seat_allowance" : "team_pool";
}

/** Whether a grant may pay for all that a request is charged: one that may pay for a part of it pays for none of it before it is billed. */
export const paysForAll = (scope: GrantScope | undefined, charged: readonly UsedItem[]): boolean =>
  charged.every((item) => isInScope(scope, item));

/** When what may pay changes next, by the time alone; null when it does not. */
export function payingChangesAt(grants: readonly CreditGrant[], now: Instant): Instant | null {
  const instants = grants.flatMap(({ effectiveAt, expiresAt }) => [effectiveAt, expiresAt ?? []].flat());
  return instants.filter((at) => at > now).toSorted((one, other) => one - other)[0] ?? null;
}
