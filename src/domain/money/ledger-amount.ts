import { type Currency, currencyExponent } from "./currency.ts";
import { type Decimal, decimal } from "./decimal.ts";
import { AmountInvalidError, type Money } from "./money.ts";

declare const brand: unique symbol;
declare const sumBrand: unique symbol;

/** A sum of ledger amounts, in their unit. It has no limit: two amounts of 38 digits may have a sum of 39. */
export type LedgerSum = bigint & { readonly [sumBrand]: "LedgerSum" };

/**
 * An amount in 10⁻⁸ of a currency's minor unit, the ledger's resolution: the price of one token is far
 * below a cent. At most 38 digits, as `numeric(38,0)` holds.
 */
export type LedgerAmount = LedgerSum & { readonly [brand]: "LedgerAmount" };

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

/** A sum that was made elsewhere, in 10⁻⁸ of the minor unit. */
export const ledgerSum = (units: bigint): LedgerSum => units as LedgerSum;

/** Zero for none. */
export function sumLedger(amounts: readonly LedgerSum[]): LedgerSum {
  return ledgerSum(amounts.reduce((sum, amount) => sum + amount, 0n));
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

/** In minor units, exact and canonical, whatever the size: "1250", "0.00000001", "-0.78". */
export const minorText = (amount: LedgerSum): string => pointed(amount, placesBelowMinor, 0);

/** In major units, exact: "7.3456", "150.00". At least the currency's own decimals, and as many more as there are. */
export function majorText(amount: LedgerSum, of: Currency): string {
  const exponent = currencyExponent(of);
  return pointed(amount, exponent + placesBelowMinor, exponent);
}

/** `units` × 10^-places as plain text with at least `placesMin` digits after the point. */
function pointed(units: bigint, places: number, placesMin: number): string {
  const sign = units < 0n ? "-" : "";
  const digits = units
    .toString()
    .replace("-", "")
    .padStart(places + 1, "0");
  const point = digits.length - places;
  const shown = digits.slice(point, point + placesMin) + digits.slice(point + placesMin).replace(/0+$/, "");
  return `${sign}${digits.slice(0, point)}${shown === "" ? "" : `.${shown}`}`;
}
