import type { Instant } from "../calendar/index.ts";
import { type CreditGrant, isSpendable } from "./credit-grant.ts";

/**
 * What decides which of two grants is spent first.
 * rollover: what was rolled over. priority: the lower number. expiry: the sooner, never last. cost: what was given, before
 * what was paid for. scope: the one that fewer things can be paid with. effective, created: the earlier.
 */
export const burnCriteria = [
  "rollover",
  "priority",
  "expiry",
  "cost",
  "scope",
  "effective",
  "created",
] as const;
export type BurnCriterion = (typeof burnCriteria)[number];

/** Orders that a policy can name, each criterion before the next; what they leave open the id decides. */
export const burnOrders = {
  priority_first: ["priority", "expiry", "cost", "scope", "effective", "created"],
  expiry_first: ["expiry", "cost", "priority", "scope", "effective", "created"],
  rollover_first: ["rollover", "priority", "cost", "scope", "expiry", "effective", "created"],
} as const satisfies Record<string, readonly BurnCriterion[]>;
export type BurnOrder = keyof typeof burnOrders;

export const usualBurnOrder: BurnOrder = "priority_first";

/** The grants that can be spent at `asOf`, in the order in which they are: the same however they are given. */
export function spendingOrder(
  grants: readonly CreditGrant[],
  asOf: Instant,
  order: BurnOrder = usualBurnOrder,
): CreditGrant[] {
  return inBurnOrder(
    grants.filter((grant) => isSpendable(grant, asOf)),
    order,
  );
}

/** All of the grants, spendable or not, in their order. */
export function inBurnOrder<Grant extends CreditGrant>(grants: readonly Grant[], order: BurnOrder): Grant[] {
  const criteria = burnOrders[order];
  return grants.toSorted((left, right) => {
    for (const criterion of criteria) {
      const difference = comparisons[criterion](left, right);
      if (difference !== 0) return difference;
    }
    return left.id < right.id ? -1 : 1;
  });
}

type Comparison = (left: CreditGrant, right: CreditGrant) => number;

const by =
  (rank: (grant: CreditGrant) => number): Comparison =>
  (left, right) => {
    const [first, second] = [rank(left), rank(right)];
    // Two that never expire are equal, and infinity less infinity is no number.
    return first === second ? 0 : first - second;
  };

const comparisons: Record<BurnCriterion, Comparison> = {
  rollover: by(({ isRollover }) => (isRollover === true ? 0 : 1)),
  priority: by(({ priority }) => priority),
  expiry: by(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY),
  cost: by(({ kind }) => (kind === "paid" ? 1 : 0)),
  scope: by(({ scope }) => scope?.length ?? Number.POSITIVE_INFINITY),
  effective: by(({ effectiveAt }) => effectiveAt),
  created: by(({ createdAt }) => createdAt),
};
