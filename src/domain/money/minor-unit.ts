import { type Currency, currency, currencyExponent } from "./currency.ts";
import { type Decimal, decimal, type RoundingMode } from "./decimal.ts";
import { type LedgerAmount, ledgerAmountOfExact } from "./ledger-amount.ts";
import { type Money, money, roundToMinor } from "./money.ts";

/** Whose minor unit is meant: that of ISO 4217, which is ours, or the one Stripe counts in. */
export const minorUnitConventions = ["iso", "stripe"] as const;

export type MinorUnitConvention = (typeof minorUnitConventions)[number];

/** `decimals` of the major unit make one minor unit; an amount is a multiple of `step` of them. */
export type MinorUnit = { readonly decimals: number; readonly step: bigint };

/**
 * Where Stripe differs from ISO 4217 (source: its page on currencies, zero-decimal and special cases): krónur and shillings
 * have no fraction and are still sent as hundredths, ariary are sent whole, and the last digit of three is always zero.
 */
const stripeMinorUnits: Readonly<Record<string, MinorUnit>> = {
  isk: { decimals: 2, step: 100n },
  ugx: { decimals: 2, step: 100n },
  mga: { decimals: 0, step: 1n },
  bhd: { decimals: 3, step: 10n },
  jod: { decimals: 3, step: 10n },
  kwd: { decimals: 3, step: 10n },
  omr: { decimals: 3, step: 10n },
  tnd: { decimals: 3, step: 10n },
};

/** How a currency is counted. */
export function minorUnitOf(of: Currency, convention: MinorUnitConvention = "iso"): MinorUnit {
  const own = { decimals: currencyExponent(of), step: 1n };
  return convention === "iso" ? own : (stripeMinorUnits[of] ?? own);
}

/** Major units ("12.5" dollars) in minor units (1250 cents), exact: still to be rounded. */
export function exactMinorOf(major: Decimal, { decimals }: MinorUnit): Decimal {
  return major.times(decimal(10n ** BigInt(decimals)));
}

/** Minor units in major ones, exact. */
export function exactMajorOf(minor: Decimal, { decimals }: MinorUnit): Decimal {
  return minor.times(decimal(decimals === 0 ? "1" : `0.${"1".padStart(decimals, "0")}`));
}

/** Rounds once, to an amount that the minor unit has: to tens or hundreds of it where its step says so. */
export function roundToMinorUnit(
  exactMinor: Decimal,
  of: Currency,
  { step }: MinorUnit,
  mode: RoundingMode = "half-even",
): Money {
  if (step === 1n) return roundToMinor(exactMinor, of, mode);
  return money(exactMinor.dividedBy(decimal(step), 0, mode).toBigInt() * step, of);
}

/** An amount as Stripe counts it, exact to the ledger's resolution: its fees may be below what we can invoice. */
export function ledgerAmountAtStripe(amount: bigint, currencyCode: string): LedgerAmount {
  const of = currency(currencyCode);
  const major = exactMajorOf(decimal(amount), minorUnitOf(of, "stripe"));
  return ledgerAmountOfExact(exactMinorOf(major, minorUnitOf(of)));
}
