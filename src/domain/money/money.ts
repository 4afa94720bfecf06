import { BillingError } from "../errors.ts";
import { type Currency, currency, currencyExponent } from "./currency.ts";
import type { Decimal, RoundingMode } from "./decimal.ts";

declare const brand: unique symbol;

/** Whole minor units of some currency (cents of usd, yen of jpy), within a signed 64-bit integer. */
export type MinorUnits = bigint & { readonly [brand]: "MinorUnits" };

/** An amount that can be invoiced and paid. */
export type Money = { readonly amountMinor: MinorUnits; readonly currency: Currency };

export class CurrencyMismatchError extends BillingError {
  readonly code = "currency_mismatch";
  constructor(left: Currency, right: Currency) {
    super(`amounts in ${left} and ${right} cannot be combined`);
  }
}

export class AmountInvalidError extends BillingError {
  readonly code = "amount_invalid";
}

// What a PostgreSQL bigint and every JSON-speaking client with 64-bit integers can hold.
const minorUnitsMax = 2n ** 63n - 1n;

/** @throws AmountInvalidError beyond the 64-bit range */
export function minorUnits(value: bigint, field?: string): MinorUnits {
  if (value > minorUnitsMax || value < -minorUnitsMax) {
    throw new AmountInvalidError(`${value} minor units is more than an amount can hold`, field);
  }
  return value as MinorUnits;
}

/** Parses whole minor units as they stand on a wire, "1250". @throws AmountInvalidError */
export function parseMinorUnits(text: string, field?: string): MinorUnits {
  if (typeof text !== "string" || !/^-?\d{1,19}$/.test(text)) {
    throw new AmountInvalidError(
      `${JSON.stringify(text)} is not an amount: write whole minor units as text, such as "1250"`,
      field,
    );
  }
  return minorUnits(BigInt(text), field);
}

/** `money(1250n, "usd")` is 12.50 USD. @throws CurrencyUnknownError, AmountInvalidError */
export function money(amountMinor: bigint, currencyCode: string): Money {
  return { amountMinor: minorUnits(amountMinor), currency: currency(currencyCode) };
}

export function addMoney(left: Money, right: Money): Money {
  requireSameCurrency(left, right);
  return money(left.amountMinor + right.amountMinor, left.currency);
}

export function subtractMoney(left: Money, right: Money): Money {
  return addMoney(left, negateMoney(right));
}

export function negateMoney(amount: Money): Money {
  return money(-amount.amountMinor, amount.currency);
}

/** The sum in `currencyCode`, which an empty list needs. @throws CurrencyMismatchError */
export function sumMoney(amounts: readonly Money[], currencyCode: Currency): Money {
  return amounts.reduce(addMoney, money(0n, currencyCode));
}

/** -1, 0 or 1, as `sort` wants it. @throws CurrencyMismatchError */
export function compareMoney(left: Money, right: Money): -1 | 0 | 1 {
  requireSameCurrency(left, right);
  if (left.amountMinor === right.amountMinor) return 0;
  return left.amountMinor < right.amountMinor ? -1 : 1;
}

export function isZero(amount: Money): boolean {
  return amount.amountMinor === 0n;
}

/** The one place where an exact amount, in minor units with decimals, becomes money. */
export function roundToMinor(exactMinor: Decimal, of: Currency, mode: RoundingMode = "half-even"): Money {
  return money(exactMinor.rounded(0, mode).toBigInt(), of);
}

/** For people: "12.50 USD", "-0.05 USD", "1250 JPY". */
export function formatMoney(amount: Money): string {
  const exponent = currencyExponent(amount.currency);
  const sign = amount.amountMinor < 0n ? "-" : "";
  const digits = amount.amountMinor
    .toString()
    .replace("-", "")
    .padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  const fraction = exponent === 0 ? "" : `.${digits.slice(point)}`;
  return `${sign}${digits.slice(0, point)}${fraction} ${amount.currency.toUpperCase()}`;
}

function requireSameCurrency(left: Money, right: Money): void {
  if (left.currency !== right.currency) throw new CurrencyMismatchError(left.currency, right.currency);
}
