import type { Instant } from "../calendar/index.ts";
import type { Currency, LedgerAmount } from "../money/index.ts";
import type { GrantScope } from "./grant-scope.ts";

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
  /** What it may pay; everything when left out. */
  readonly scope?: GrantScope;
  /** Whether it is what a recurring grant left over. */
  readonly isRollover?: boolean;
  /** The user or team whose requests alone may spend it, by its number as a spender; left out where anything of the customer may. */
  readonly heldBy?: bigint;
}

export function isSpendable(grant: CreditGrant, asOf: Instant): boolean {
  return (
    grant.remaining > 0n && grant.effectiveAt <= asOf && (grant.expiresAt === null || asOf < grant.expiresAt)
  );
}
