import type { PerUnitModel } from "../catalog/index.ts";
import { type Decimal, decimal, zero } from "../money/index.ts";
import { type RatedTier, ratedTier } from "./rated-amount.ts";

/** Every unit costs the same. */
export function ratePerUnit(model: PerUnitModel, billable: Decimal): RatedTier[] {
  const unitPriceMinor = decimal(model.unitPriceMinor);
  return [ratedTier({ from: zero, to: null, quantity: billable, unitPriceMinor, flatMinor: zero })];
}
