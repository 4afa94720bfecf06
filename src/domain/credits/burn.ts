import type { Instant } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import { type BurnOrder, spendingOrder, usualBurnOrder } from "./burn-order.ts";
import type { CreditGrant } from "./credit-grant.ts";

/** An amount, always positive, taken from one grant. */
export interface Draw {
  readonly grantId: string;
  readonly amount: LedgerAmount;
}

export class BurnAmountInvalidError extends BillingError {
  readonly code = "burn_amount_invalid";
}

export interface Burn {
  /** In the order they were drawn. */
  readonly draws: readonly Draw[];
  /** What the grants did not cover: overage. */
  readonly uncovered: LedgerAmount;
}

/**
 * Spends `amount` from the grants, all in its currency, in their {@link spendingOrder}.
 * @throws BurnAmountInvalidError for a negative amount, or grants of several currencies
 */
export function burn(
  grants: readonly CreditGrant[],
  amount: LedgerAmount,
  asOf: Instant,
  order: BurnOrder = usualBurnOrder,
): Burn {
  requireNotNegative(amount);
  requireOneCurrency(grants);
  const sources = spendingOrder(grants, asOf, order).map(({ id, remaining }) => ({
    grantId: id,
    amount: remaining,
  }));
  const { taken, left } = take(sources, amount);
  return { draws: taken, uncovered: left };
}

export interface Unburn {
  /** What goes back to each grant, the newest draw first. */
  readonly restored: readonly Draw[];
  /** What was never drawn, so cannot go back. */
  readonly excess: LedgerAmount;
}

/**
 * Runs a burn backwards: `amount` goes back where it came from, the last draw first.
 * @throws BurnAmountInvalidError for a negative amount
 */
export function unburn(draws: readonly Draw[], amount: LedgerAmount): Unburn {
  requireNotNegative(amount);
  const { taken, left } = take(draws.toReversed(), amount);
  return { restored: taken, excess: left };
}

/** Takes from the sources, in their order, until the amount is there; what is taken keeps what its source says. */
export function take<Source extends Draw>(
  sources: readonly Source[],
  amount: LedgerAmount,
): { readonly taken: Source[]; readonly left: LedgerAmount } {
  const taken: Source[] = [];
  let left = amount;
  for (const source of sources) {
    if (left === 0n) break;
    const part = source.amount < left ? source.amount : left;
    if (part === 0n) continue;
    taken.push({ ...source, amount: part });
    left = ledgerAmount(left - part);
  }
  return { taken, left };
}

/** @throws BurnAmountInvalidError for grants of several currencies */
export function requireOneCurrency(grants: readonly CreditGrant[]): void {
  if (new Set(grants.map(({ currency }) => currency)).size > 1) {
    throw new BurnAmountInvalidError("grants of one currency are burned at a time");
  }
}

/** @throws BurnAmountInvalidError for a negative amount */
export function requireNotNegative(amount: LedgerAmount): void {
  if (amount < 0n)
    throw new BurnAmountInvalidError(`${amount} cannot be burned or given back: it is negative`);
}
