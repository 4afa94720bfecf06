import type { Currency } from "./currency.ts";
import { type Decimal, decimal, type RoundingMode, sumDecimals } from "./decimal.ts";
import { type Money, money, roundToMinor } from "./money.ts";

/**
 * Rounds several exact amounts so that they sum to their exact sum, rounded once: each is rounded down, and the minor units
 * that are then missing go one each to those that lost most, the earlier first.
 */
export function roundTogether(
  exactMinor: readonly Decimal[],
  of: Currency,
  mode: RoundingMode = "half-even",
): Money[] {
  const floors = exactMinor.map(floorOf);
  const net = roundToMinor(sumDecimals(exactMinor), of, mode).amountMinor;
  // Rounding each down loses less than one unit of each, so what is missing is less than their number.
  const missing = Number(net - floors.reduce((sum, floor) => sum + floor, 0n));
  const byLoss = exactMinor
    .map((exact, index) => ({ index, lost: exact.minus(decimal(floors[index] ?? 0n)) }))
    .toSorted((one, other) => other.lost.compare(one.lost));
  const favoured = new Set(byLoss.slice(0, missing).map(({ index }) => index));
  return floors.map((floor, index) => money(favoured.has(index) ? floor + 1n : floor, of));
}

function floorOf(exact: Decimal): bigint {
  return exact.rounded(0, exact.isNegative() ? "up" : "down").toBigInt();
}
