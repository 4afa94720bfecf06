import { type Decimal, decimal } from "./decimal.ts";
import { AmountInvalidError, type Money } from "./money.ts";

declare const brand: unique symbol;

/**
 * An amount in 10⁻⁸ of a currency's minor unit, the ledger's resolution: the price of one token is far
 * below a cent. At most 38 digits, as `numeric(38,0)` holds.
 */
export type LedgerAmount = bigint & { readonly [brand]: "LedgerAmount" };

const placesBelowMinor = 8;
const unitsPerMinor = 10n ** BigInt(placesBelowMinor);
const ledgerAmountLimit = 10n ** 38n;

/** @throws AmountInvalidError beyond 38 digits */
export function ledgerAmount(value: bigint): LedgerAmount {
  if (value >= ledgerAmountLimit || value <= -ledgerAmountLimit) {
    throw new AmountInvalidError(`${value} is more than a ledger amount can hold`);
  }
  return value as LedgerAmount;
}

/** Exact: money is whole minor units. */
export function ledgerAmountOfMoney(amount: Money): LedgerAmount {
  return ledgerAmount(amount.amountMinor * unitsPerMinor);
}

/** Minor units with decimals, rounded half-even at the eighth. */
export function ledgerAmountOfExact(exactMinor: Decimal): LedgerAmount {
  return ledgerAmount(exactMinor.times(decimal(unitsPerMinor)).rounded(0, "half-even").toBigInt());
}

/** The same amount in minor units with at most eight decimals; exact. */
export function exactOfLedgerAmount(amount: LedgerAmount): Decimal {
  return decimal(amount).dividedBy(decimal(unitsPerMinor), placesBelowMinor, "half-even");
}
