import { BillingError } from "../errors.ts";
import { Fraction, type RoundingMode } from "../money/index.ts";

/**
 * What a meter's quantity is billed in: `name` for people; `factor` turns the meter's own unit into it, "3600",
 * "0.001" or "1/1073741824". A quantity is converted exactly, as a whole, and rounded once.
 */
export type Unit = {
  readonly name: string;
  readonly factor?: string;
  /** Where the quantity is rounded, at most 12; left out, nothing is rounded that need not be. */
  readonly decimals?: number;
  /** Half to even when left out. */
  readonly rounding?: UnitRounding;
};

export const unitRoundings = ["half_even", "half_up", "up", "down"] as const;

export type UnitRounding = (typeof unitRoundings)[number];

export class FactorInvalidError extends BillingError {
  readonly code = "factor_invalid";
}

const modes: Readonly<Record<UnitRounding, RoundingMode>> = {
  half_even: "half-even",
  half_up: "half-up",
  up: "up",
  down: "down",
};

const factorForm = /^(?<whole>\d{1,18})(?:\.(?<decimals>\d{1,12})|\/(?<divisor>\d{1,18}))?$/;

/** Parses "3600", "0.001" or "1/1073741824". @throws FactorInvalidError also for zero and for a divisor of zero */
export function parseFactor(text: string, field?: string): Fraction {
  const { whole = "", decimals = "", divisor = "1" } = factorForm.exec(text)?.groups ?? {};
  const numerator = BigInt(whole + decimals);
  const denominator = BigInt(divisor) * 10n ** BigInt(decimals.length);
  if (numerator === 0n || denominator === 0n) {
    const message = 'write a factor above zero, such as "3600", "0.001" or "1/1073741824"';
    throw new FactorInvalidError(message, field);
  }
  return new Fraction(numerator, denominator);
}

/** One text for all ways to write a factor: "0.50" and "2/4" are "1/2". @throws FactorInvalidError */
export function canonicalFactor(text: string): string {
  const { numerator, denominator } = parseFactor(text);
  const common = greatestCommonDivisor(numerator, denominator);
  return denominator === common ? `${numerator / common}` : `${numerator / common}/${denominator / common}`;
}

/** How the quantities of a unit are rounded. */
export const roundingOf = ({ rounding = "half_even" }: Unit): RoundingMode => modes[rounding];

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
