import { invariant } from "../errors.ts";
import { Fraction } from "./fraction.ts";
import { type Money, money, negateMoney } from "./money.ts";

/**
 * Where the minor units go that are left over. largest_remainder: one each to the parts that lost most by rounding down, the
 * earlier first. last: each part is rounded by itself, half-even, and the last takes the rest, as the segments of a period do.
 */
export const remainderRules = ["largest_remainder", "last"] as const;
export type RemainderRule = (typeof remainderRules)[number];

/**
 * What is rounded down of a negative total. mirrored: the amount, so that the parts are those of the positive total with
 * another sign. floored: the number, so that -33.33 is -34 before what is left over is handed out.
 */
export const negativeRules = ["mirrored", "floored"] as const;

export type AllocationOptions = {
  readonly remainder?: RemainderRule;
  readonly negative?: (typeof negativeRules)[number];
};

/**
 * Divides `total` in proportion to `weights`. The parts always sum to `total`; unless the options say otherwise, by largest
 * remainder and mirrored: the parts of a refund are those of the payment.
 */
export function allocate(
  total: Money,
  weights: readonly bigint[],
  { remainder = "largest_remainder", negative = "mirrored" }: AllocationOptions = {},
): Money[] {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0n);
  invariant(
    weights.every((weight) => weight >= 0n),
    "no weight is negative",
  );
  invariant(weightSum > 0n, "an allocation has a weight above zero");
  const divide = remainder === "last" ? restToTheLast : byLargestRemainder;
  if (total.amountMinor >= 0n || negative === "floored") return divide(total, weights, weightSum);
  return divide(negateMoney(total), weights, weightSum).map(negateMoney);
}

function byLargestRemainder(total: Money, weights: readonly bigint[], weightSum: bigint): Money[] {
  const shares = weights.map((weight, index) => {
    const scaled = total.amountMinor * weight;
    const whole = floorOf(scaled, weightSum);
    return { index, whole, remainder: scaled - whole * weightSum };
  });
  const leftOver = total.amountMinor - shares.reduce((sum, share) => sum + share.whole, 0n);
  // Sorting is stable: among equals the earlier part comes first.
  const byLoss = shares.toSorted((a, b) => compareBigInt(b.remainder, a.remainder));
  const favoured = new Set(byLoss.slice(0, Number(leftOver)).map((share) => share.index));
  return shares.map(({ index, whole }) => money(favoured.has(index) ? whole + 1n : whole, total.currency));
}

function restToTheLast(total: Money, weights: readonly bigint[], weightSum: bigint): Money[] {
  let left: bigint = total.amountMinor;
  // A last part of weight zero is due nothing, so not the rest either.
  const last = weights.findLastIndex((weight) => weight > 0n);
  return weights.map((weight, index) => {
    const share = new Fraction(total.amountMinor * weight, weightSum).rounded(0, "half-even").toBigInt();
    const part = index === last ? left : withinRest(share, left);
    left -= part;
    return money(part, total.currency);
  });
}

/** Several parts that are all rounded up may come to more than there is. */
function withinRest(share: bigint, left: bigint): bigint {
  const isBeyond = left >= 0n ? share > left : share < left;
  return isBeyond ? left : share;
}

function floorOf(dividend: bigint, divisor: bigint): bigint {
  const truncated = dividend / divisor;
  return dividend % divisor < 0n ? truncated - 1n : truncated;
}

function compareBigInt(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
