import { type Decimal, minDecimal, sumDecimals, zero } from "../money/index.ts";

/** Decimals of the minor unit that a share is rounded to: those of the ledger, so that shares sum there too. */
export const sharePlaces = 8;

/**
 * Divides `total` in proportion to `weights`, none negative, some above zero: each share is rounded down to the ledger's decimals,
 * and what is left over goes to the largest, within its weight where the total is within all of them. The shares sum to
 * `total` exactly, and no share of a total within the weights is more than its weight.
 */
export function distribute(total: Decimal, weights: readonly Decimal[]): Decimal[] {
  const sum = sumDecimals(weights);
  const shares = weights.map((weight) => total.times(weight).dividedBy(sum, sharePlaces, "down"));
  let left = total.minus(sumDecimals(shares));
  const isWithin = !total.isGreaterThan(sum);
  const largestFirst = weights
    .map((weight, index) => ({ weight, index }))
    .toSorted((one, other) => other.weight.compare(one.weight));
  for (const { weight, index } of largestFirst) {
    const share = shares[index] ?? zero;
    const more = isWithin ? minDecimal(left, weight.minus(share)) : left;
    shares[index] = share.plus(more);
    left = left.minus(more);
    if (left.isZero()) break;
  }
  return shares;
}
