import type { Price, StairstepModel, TieredModel, UsageModel } from "../catalog/index.ts";
import { unreachable } from "../errors.ts";
import { type Decimal, decimal } from "../money/index.ts";

/** The most decimals of a minor unit that a price may have. */
const priceDecimalsMax = 12;

/**
 * A price times a factor: every amount of it, and nothing that says how much is free or where a tier ends. Fees stay whole
 * minor units, rounded half-even; unit prices keep up to twelve decimals.
 */
export function scaledPrice(price: Price, factor: Decimal): Price {
  switch (price.type) {
    case "flat":
      return { ...price, amountMinor: scaled(price.amountMinor, factor, 0) };
    case "seat":
      return {
        ...price,
        unitAmountMinor: scaled(price.unitAmountMinor, factor, 0),
        ...(price.model === undefined ? {} : { model: scaledSteps(price.model, factor) }),
      };
    case "usage":
      return { ...price, model: scaledModel(price.model, factor) };
  }
}

function scaledModel(model: UsageModel, factor: Decimal): UsageModel {
  const times = (price: string) => scaled(price, factor, priceDecimalsMax);
  switch (model.type) {
    case "per_unit":
      return { ...model, unitPriceMinor: times(model.unitPriceMinor) };
    case "package":
      return { ...model, packagePriceMinor: times(model.packagePriceMinor) };
    case "graduated":
    case "volume":
    case "stairstep":
      return scaledSteps(model, factor);
    case "percentage":
      return {
        ...model,
        percent: times(model.percent),
        ...(model.feePerEventMinor === undefined ? {} : { feePerEventMinor: times(model.feePerEventMinor) }),
        ...(model.perEventMinMinor === undefined ? {} : { perEventMinMinor: times(model.perEventMinMinor) }),
        ...(model.perEventMaxMinor === undefined ? {} : { perEventMaxMinor: times(model.perEventMaxMinor) }),
      };
    case "matrix":
      return {
        ...model,
        cells: model.cells.map((cell) => ({ ...cell, unitPriceMinor: times(cell.unitPriceMinor) })),
        defaultUnitPriceMinor:
          model.defaultUnitPriceMinor === null ? null : times(model.defaultUnitPriceMinor),
      };
    case "cost_plus":
      return { ...model, markupPercent: scaledMarkup(model.markupPercent, factor) };
    default:
      return unreachable(model);
  }
}

function scaledSteps<Model extends TieredModel | StairstepModel>(model: Model, factor: Decimal): Model {
  const times = (price: string) => scaled(price, factor, priceDecimalsMax);
  if (model.type === "stairstep") {
    return { ...model, steps: model.steps.map((step) => ({ ...step, priceMinor: times(step.priceMinor) })) };
  }
  return {
    ...model,
    tiers: model.tiers.map((tier) => ({
      ...tier,
      unitPriceMinor: times(tier.unitPriceMinor),
      flatMinor: times(tier.flatMinor),
    })),
  };
}

/** The mark-up that makes cost × (1 + mark-up) so many times what it was. */
function scaledMarkup(markupPercent: string, factor: Decimal): string {
  const hundred = decimal("100");
  const times = decimal(markupPercent).plus(hundred).times(factor).minus(hundred);
  return times.rounded(priceDecimalsMax, "half-even").text;
}

const scaled = (price: string, factor: Decimal, places: number): string =>
  decimal(price).times(factor).rounded(places, "half-even").text;
