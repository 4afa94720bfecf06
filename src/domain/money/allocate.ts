import { invariant } from "../errors.ts";
import { type Money, money, negateMoney } from "./money.ts";

/**
 * Divides `total` in proportion to `weights`, by largest remainder: each part is its exact share rounded
 * down, and the minor units left over go one each to the parts that lost most, the earlier first. The
 * parts always sum to `total`; those of a negative total mirror those of the positive one.
 */
export function allocate(total: Money, weights: readonly bigint[]): Money[] {
  if (total.amountMinor < 0n) return allocate(negateMoney(total), weights).map(negateMoney);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0n);
  invariant(
    weights.every((weight) => weight >= 0n),
    "no weight is negative",
  );
  invariant(weightSum > 0n, "an allocation has a weight above zero");

  const shares = weights.map((weight, index) => {
    const scaled = total.amountMinor * weight;
    return { index, whole: scaled / weightSum, remainder: scaled % weightSum };
  });
  const leftOver = total.amountMinor - shares.reduce((sum, share) => sum + share.whole, 0n);
  // Sorting is stable: among equals the earlier part comes first.
  const byLoss = shares.toSorted((a, b) => compareBigInt(b.remainder, a.remainder));
  const favoured = new Set(byLoss.slice(0, Number(leftOver)).map((share) => share.index));
  return shares.map(({ index, whole }) => money(favoured.has(index) ? whole + 1n : whole, total.currency));
}

function compareBigInt(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
