import type { PackageModel } from "../catalog/index.ts";
import { type Decimal, decimal, zero } from "../money/index.ts";
import { type RatedTier, ratedTier } from "./rated-amount.ts";

/** Whole packages: one that was begun counts in full when rounding "up", not at all when "down". */
export function ratePackage(model: PackageModel, billable: Decimal): RatedTier[] {
  const packages = billable.dividedBy(decimal(model.packageSize), 0, model.rounding);
  if (packages.isZero()) return [];
  const unitPriceMinor = decimal(model.packagePriceMinor);
  return [ratedTier({ from: zero, to: null, quantity: packages, unitPriceMinor, flatMinor: zero })];
}
