import type { Instant } from "../calendar/index.ts";
import type { Currency, LedgerAmount } from "../money/index.ts";

/**
 * Bought by the customer, or given by us: as a promotion, which is less revenue when it is used, or to make something
 * good, which is an expense when it is given.
 */
export type CreditGrantKind = "paid" | "promotional" | "goodwill";

/** Prepaid value that is spent and expires. */
export interface CreditGrant {
  readonly id: string;
  readonly kind: CreditGrantKind;
  /** Low is spent first. */
  readonly priority: number;
  readonly remaining: LedgerAmount;
  readonly effectiveAt: Instant;
  /** The first instant at which it can no longer be spent; null: never. */
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
  readonly currency: Currency;
}

export function isSpendable(grant: CreditGrant, asOf: Instant): boolean {
  return (
    grant.remaining > 0n && grant.effectiveAt <= asOf && (grant.expiresAt === null || asOf < grant.expiresAt)
  );
}

/**
 * The grants that can be spent at `asOf`, in their order: priority, soonest to expire (never last), given before
 * paid, effective first, created first, id. The order that loses the customer least, and the same every time.
 */
export function spendingOrder(grants: readonly CreditGrant[], asOf: Instant): CreditGrant[] {
  return grants.filter((grant) => isSpendable(grant, asOf)).sort(comparePrecedence);
}

function comparePrecedence(left: CreditGrant, right: CreditGrant): number {
  return (
    left.priority - right.priority ||
    compareExpiry(left.expiresAt, right.expiresAt) ||
    Number(left.kind === "paid") - Number(right.kind === "paid") ||
    left.effectiveAt - right.effectiveAt ||
    left.createdAt - right.createdAt ||
    (left.id < right.id ? -1 : 1)
  );
}

function compareExpiry(left: Instant | null, right: Instant | null): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  return left - right;
}
