import { Fraction, type RoundingMode } from "../money/index.ts";

/**
 * What a meter's quantity is billed in: `name` for people; `factor` turns the meter's own unit into it, "3600",
 * "0.001" or "1/1073741824". A quantity is converted exactly, as a whole, and rounded once.
 */
export type Unit = {
  readonly name: string;
  readonly factor?: string;
  /** Where the quantity is rounded, at most 12; left out, at 12 with a factor, and not at all without one. */
  readonly decimals?: number;
  /** Half to even when left out. */
  readonly rounding?: UnitRounding;
};

export const unitRoundings = ["half_even", "half_up", "up", "down"] as const;

export type UnitRounding = (typeof unitRoundings)[number];

const modes: Readonly<Record<UnitRounding, RoundingMode>> = {
  half_even: "half-even",
  half_up: "half-up",
  up: "up",
  down: "down",
};

// With a point or as a quotient; at most 18 digits on either side, so that its canonical text is one too.
const factorForm =
  /^(?:(?<numerator>\d{1,18})(?:\/(?<denominator>\d{1,18}))?|(?<whole>\d{1,6})\.(?<decimals>\d{1,12}))$/;

/** Whether a text is a factor above zero. */
export function isFactor(text: string): boolean {
  const [numerator, denominator] = partsOf(text);
  return numerator > 0n && denominator > 0n;
}

/** The value of a text that {@link isFactor}. */
export function parseFactor(text: string): Fraction {
  return new Fraction(...partsOf(text));
}

/** One text for all ways to write a factor: "0.50" and "2/4" are "1/2". */
export function canonicalFactor(text: string): string {
  const { numerator, denominator } = parseFactor(text);
  const common = greatestCommonDivisor(numerator, denominator);
  return denominator === common ? `${numerator / common}` : `${numerator / common}/${denominator / common}`;
}

/** How the quantities of a unit are rounded. */
export const roundingOf = ({ rounding = "half_even" }: Unit): RoundingMode => modes[rounding];

/** Numerator and denominator; zeros for what is no factor. */
function partsOf(text: string): [numerator: bigint, denominator: bigint] {
  const {
    whole = "",
    decimals = "",
    numerator = `0${whole}${decimals}`,
    denominator,
  } = factorForm.exec(text)?.groups ?? {};
  return [
    BigInt(numerator),
    denominator === undefined ? 10n ** BigInt(decimals.length) : BigInt(denominator),
  ];
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
