import type { PackageModel } from "../catalog/index.ts";
import { type Decimal, decimal } from "../money/index.ts";
import { type RatedTier, ratedUnits } from "./rated-amount.ts";

/** Whole packages: one that was begun counts in full when rounding "up", not at all when "down". */
export function ratePackage(model: PackageModel, billable: Decimal): RatedTier[] {
  const packages = billable.dividedBy(decimal(model.packageSize), 0, model.rounding);
  return packages.isZero() ? [] : [ratedUnits(packages, decimal(model.packagePriceMinor))];
}
