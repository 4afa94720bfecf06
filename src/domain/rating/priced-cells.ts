import type { NegativeQuantity } from "../catalog/index.ts";
import { type Dimensions, dimensionsKey } from "../metering/index.ts";
import { type Decimal, minDecimal, sumDecimals, zero } from "../money/index.ts";
import { type RatedAmount, type RatedTier, ratedUnits, sumOfTiers } from "./rated-amount.ts";
import type { MeasuredCell } from "./usage-measure.ts";

/** What was used of one combination of dimension values, and what a unit of it costs. */
export type PricedCell = {
  readonly cell: Dimensions;
  readonly quantity: Decimal;
  readonly unitPriceMinor: Decimal;
  readonly isPriced: boolean;
  readonly costSince?: string;
};

/** Cells told apart by the named dimensions only, and by the cost of their time; in the order of their values. */
export function projectedCells(cells: readonly MeasuredCell[], names: readonly string[]): MeasuredCell[] {
  const grouped = new Map<string, MeasuredCell>();
  for (const { dimensions: all, quantity, cost } of cells) {
    const dimensions = Object.fromEntries(names.map((name) => [name, all[name] ?? ""]));
    const key = `${dimensionsKey(dimensions)} ${cost?.since ?? ""}`;
    const before = grouped.get(key);
    const together = before === undefined ? quantity : before.quantity.plus(quantity);
    grouped.set(key, { dimensions, quantity: together, ...(cost === undefined ? {} : { cost }) });
  }
  return [...grouped].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, cell]) => cell);
}

/** Each cell at its own price. The included quantity comes off in the order of the cells. */
export function rateCells(
  total: Decimal,
  cells: readonly PricedCell[],
  included: Decimal,
  negative: NegativeQuantity,
): RatedAmount {
  let left = included;
  const tiers: RatedTier[] = [];
  for (const { cell, quantity, unitPriceMinor, isPriced, costSince } of cells) {
    if (quantity.isNegative() && negative === "clamped") continue;
    const free = quantity.isNegative() ? zero : minDecimal(quantity, left);
    left = left.minus(free);
    const billable = quantity.minus(free);
    if (billable.isZero()) continue;
    const marks = {
      cell,
      ...(costSince === undefined ? {} : { costSince }),
      ...(isPriced ? {} : { isNotPriced: true as const }),
    };
    tiers.push(ratedUnits(billable, unitPriceMinor, marks));
  }
  return {
    quantity: total,
    includedQuantity: included.minus(left),
    billableQuantity: sumDecimals(tiers.map(({ quantity }) => quantity)),
    exactMinor: sumOfTiers(tiers),
    tiers,
  };
}
