import type { CostPlusModel } from "../catalog/index.ts";
import { invariant } from "../errors.ts";
import { decimal, zero } from "../money/index.ts";
import type { PricedCell } from "./priced-cells.ts";
import type { MeasuredCell } from "./usage-measure.ts";

const hundred = decimal("100");
const hundredth = decimal("0.01");

/** Measured cells, each at what a unit of it cost when it was used, and the mark-up on that. */
export function costPlusCells(model: CostPlusModel, cells: readonly MeasuredCell[]): PricedCell[] {
  const factor = decimal(model.markupPercent).plus(hundred).times(hundredth);
  return cells.map(({ dimensions, quantity, cost }) => {
    invariant(cost !== undefined, "what is priced by its cost was measured with it");
    const { unitCostMinor, since } = cost;
    return {
      cell: dimensions,
      quantity,
      unitPriceMinor: (unitCostMinor ?? zero).times(factor),
      isPriced: unitCostMinor !== null,
      costSince: since,
    };
  });
}
