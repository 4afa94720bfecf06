import type { NegativeQuantity, UsageModel } from "../catalog/index.ts";
import { InvariantViolation, unreachable } from "../errors.ts";
import { Decimal, decimal, minDecimal, sumDecimals, zero } from "../money/index.ts";
import { costPlusCells } from "./cost-plus.ts";
import { rateGraduated } from "./graduated.ts";
import { matrixCells } from "./matrix.ts";
import { ratePackage } from "./package.ts";
import { ratePerUnit } from "./per-unit.ts";
import { rateEvents, ratePercentage } from "./percentage.ts";
import { projectedCells, rateCells } from "./priced-cells.ts";
import { type RatedAmount, type RatedTier, ratedUnits, sumOfTiers } from "./rated-amount.ts";
import { rateStairstep } from "./stairstep.ts";
import type { MeasuredBucket, UsageMeasure } from "./usage-measure.ts";
import { rateVolume } from "./volume.ts";

/**
 * What a period's whole usage costs. The included part comes off first and is free; tiers and packages
 * count from the first billable unit. Nothing billable costs nothing, unless the model says otherwise.
 *
 * Always rate the total: pricing fragments one by one would start the tiers anew (see
 * {@link rateDifference}).
 * @param usage a quantity, or a measure where the model asks for cells, events or buckets
 * @param included of a percentage: the amount that is free
 * @param negative what a quantity below zero costs: nothing, or what it would cost above zero, negative
 */
export function rateUsage(
  model: UsageModel,
  usage: Decimal | UsageMeasure,
  included: Decimal,
  negative: NegativeQuantity = "clamped",
): RatedAmount {
  if (usage instanceof Decimal) return rateMeasured(model, { total: usage }, included, negative);
  return usage.buckets === undefined
    ? rateMeasured(model, usage, included, negative)
    : rateBuckets(model, usage.buckets, included, negative);
}

/**
 * What is owed more (or, when negative, less) once usage already billed as `before` turns out to be
 * `after`: the price of the one total less the price of the other.
 */
export function rateDifference(
  model: UsageModel,
  before: Decimal | UsageMeasure,
  after: Decimal | UsageMeasure,
  included: Decimal,
): Decimal {
  return rateUsage(model, after, included).exactMinor.minus(rateUsage(model, before, included).exactMinor);
}

function rateMeasured(
  model: UsageModel,
  { total, cells = [], events }: UsageMeasure,
  included: Decimal,
  negative: NegativeQuantity,
): RatedAmount {
  switch (model.type) {
    case "matrix":
    case "cost_plus": {
      const used = projectedCells(cells, model.dimensions);
      const priced = model.type === "matrix" ? matrixCells(model, used) : costPlusCells(model, used);
      return rateCells(total, priced, included, negative);
    }
    case "percentage": {
      const isAmountFree = model.freeAmountMinor !== undefined || !included.isZero();
      if (events === undefined) break;
      return rateEvents(model, total, events, isAmountFree ? included : null, negative);
    }
  }
  return rateTotal(model, total, included, negative);
}

function rateTotal(
  model: UsageModel,
  quantity: Decimal,
  included: Decimal,
  negative: NegativeQuantity,
): RatedAmount {
  if (quantity.isNegative()) {
    return negative === "mirrored"
      ? mirrored(rateTotal(model, quantity.negated(), included, negative))
      : { ...rateTotal(model, zero, included, negative), quantity };
  }
  const includedQuantity = minDecimal(quantity, included);
  const billableQuantity = quantity.minus(includedQuantity);
  const tiers = billableQuantity.isZero() ? tiersAtZero(model) : tiersOf(model, billableQuantity);
  return { quantity, includedQuantity, billableQuantity, exactMinor: sumOfTiers(tiers), tiers };
}

/** The same below zero: what every tier counts and costs changes its sign. What is due for nothing stays due. */
function mirrored(amount: RatedAmount): RatedAmount {
  const { quantity, includedQuantity, billableQuantity, exactMinor, tiers } = amount;
  const counted = { quantity: quantity.negated(), includedQuantity: includedQuantity.negated() };
  if (billableQuantity.isZero()) return { ...amount, ...counted };
  return {
    ...counted,
    billableQuantity: billableQuantity.negated(),
    exactMinor: exactMinor.negated(),
    tiers: tiers.map((tier) => ({
      ...tier,
      quantity: tier.quantity.negated(),
      flatMinor: tier.flatMinor.negated(),
      exactMinor: tier.exactMinor.negated(),
    })),
  };
}

/** Every bucket for itself; the included quantity comes off the first of them. */
function rateBuckets(
  model: UsageModel,
  buckets: readonly MeasuredBucket[],
  included: Decimal,
  negative: NegativeQuantity,
): RatedAmount {
  let left = included;
  const rated = buckets.map(({ start, quantity }) => {
    const amount = rateTotal(model, quantity, left, negative);
    left = left.minus(amount.includedQuantity);
    return { ...amount, tiers: amount.tiers.map((tier) => ({ ...tier, bucket: start })) };
  });
  return {
    quantity: sumDecimals(rated.map(({ quantity }) => quantity)),
    includedQuantity: included.minus(left),
    billableQuantity: sumDecimals(rated.map(({ billableQuantity }) => billableQuantity)),
    exactMinor: sumDecimals(rated.map(({ exactMinor }) => exactMinor)),
    tiers: rated.flatMap(({ tiers }) => tiers),
  };
}

/** What is due when nothing is billable. */
function tiersAtZero(model: UsageModel): RatedTier[] {
  switch (model.type) {
    case "package":
      return model.atZero === "one_package"
        ? [ratedUnits(decimal("1"), decimal(model.packagePriceMinor))]
        : [];
    case "graduated":
    case "volume":
      return model.flatAtZero ? rateVolume(model.tiers, zero) : [];
    case "stairstep":
      return model.flatAtZero ? rateStairstep(model.steps, zero) : [];
    default:
      return [];
  }
}

function tiersOf(model: UsageModel, billable: Decimal): RatedTier[] {
  switch (model.type) {
    case "per_unit":
      return ratePerUnit(model, billable);
    case "package":
      return ratePackage(model, billable);
    case "graduated":
      return rateGraduated(model.tiers, billable);
    case "volume":
      return rateVolume(model.tiers, billable);
    case "stairstep":
      return rateStairstep(model.steps, billable);
    case "percentage":
      return ratePercentage(model, billable);
    case "matrix":
    case "cost_plus":
      throw new InvariantViolation("a price with cells is rated by its cells");
    default:
      return unreachable(model);
  }
}
