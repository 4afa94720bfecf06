/** How a value between two steps is rounded; "down" is towards zero, "up" away from it. */
export type RoundingMode = "half-even" | "half-up" | "down" | "up";

/** The whole number next to a quotient, rounded once. @param denominator above zero */
export function roundedQuotient(numerator: bigint, denominator: bigint, mode: RoundingMode): bigint {
  const whole = numerator / denominator;
  const rest = numerator - whole * denominator;
  if (rest === 0n || mode === "down") return whole;
  const isNegative = rest < 0n;
  const beyondHalf = (isNegative ? -rest : rest) * 2n - denominator;
  if (mode === "half-even" && (beyondHalf < 0n || (beyondHalf === 0n && whole % 2n === 0n))) return whole;
  if (mode === "half-up" && beyondHalf < 0n) return whole;
  return isNegative ? whole - 1n : whole + 1n;
}

const powers = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));

/** Ten to a power of zero or more. */
export const powerOfTen = (exponent: number): bigint => powers[exponent] ?? 10n ** BigInt(exponent);
