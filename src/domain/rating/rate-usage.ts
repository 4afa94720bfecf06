import type { UsageModel } from "../catalog/index.ts";
import { invariant, unreachable } from "../errors.ts";
import { type Decimal, minDecimal } from "../money/index.ts";
import { rateGraduated } from "./graduated.ts";
import { ratePackage } from "./package.ts";
import { ratePerUnit } from "./per-unit.ts";
import { type RatedAmount, type RatedTier, sumOfTiers } from "./rated-amount.ts";
import { rateVolume } from "./volume.ts";

/**
 * What a period's whole quantity costs. The included part comes off first and is free; tiers and packages
 * count from the first billable unit. Nothing billable costs nothing: no flat fee, no package.
 *
 * Always rate the total: pricing fragments one by one would start the tiers anew (see
 * {@link rateDifference}).
 */
export function rateUsage(model: UsageModel, quantity: Decimal, included: Decimal): RatedAmount {
  invariant(!quantity.isNegative() && !included.isNegative(), "quantities are not negative");
  const includedQuantity = minDecimal(quantity, included);
  const billableQuantity = quantity.minus(includedQuantity);
  const tiers = billableQuantity.isZero() ? [] : rateBillable(model, billableQuantity);
  return { quantity, includedQuantity, billableQuantity, exactMinor: sumOfTiers(tiers), tiers };
}

/**
 * What is owed more (or, when negative, less) once a quantity already billed as `before` turns out to be
 * `after`: the price of the one total less the price of the other.
 */
export function rateDifference(
  model: UsageModel,
  before: Decimal,
  after: Decimal,
  included: Decimal,
): Decimal {
  return rateUsage(model, after, included).exactMinor.minus(rateUsage(model, before, included).exactMinor);
}

function rateBillable(model: UsageModel, billable: Decimal): RatedTier[] {
  switch (model.type) {
    case "per_unit":
      return ratePerUnit(model, billable);
    case "package":
      return ratePackage(model, billable);
    case "graduated":
      return rateGraduated(model.tiers, billable);
    case "volume":
      return rateVolume(model.tiers, billable);
    default:
      return unreachable(model);
  }
}
