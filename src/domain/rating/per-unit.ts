import type { PerUnitModel } from "../catalog/index.ts";
import { type Decimal, decimal } from "../money/index.ts";
import { type RatedTier, ratedUnits } from "./rated-amount.ts";

/** Every unit costs the same. */
export function ratePerUnit(model: PerUnitModel, billable: Decimal): RatedTier[] {
  return [ratedUnits(billable, decimal(model.unitPriceMinor))];
}
