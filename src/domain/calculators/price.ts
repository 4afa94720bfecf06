import { looksAtEvents, type NegativeQuantity, type UsageModel } from "../catalog/index.ts";
import { BillingError } from "../errors.ts";
import {
  type Currency,
  type Decimal,
  decimal,
  type Money,
  type RoundingMode,
  roundToMinor,
} from "../money/index.ts";
import { type RatedAmount, rateUsage, type UsageMeasure } from "../rating/index.ts";

export interface PriceQuestion {
  readonly model: UsageModel;
  /** Each is the whole usage of a period, priced for itself. */
  readonly measures: readonly UsageMeasure[];
  readonly included: Decimal;
  readonly negative: NegativeQuantity;
  readonly currency: Currency;
  readonly rounding: RoundingMode;
}

export interface PricedMeasure {
  readonly rated: RatedAmount;
  readonly amount: Money;
}

/** What the model is reckoned on is not what was given. */
export class PriceMeasureError extends BillingError {
  readonly code = "price_measure_invalid";
}

/** What usage costs, tier by tier. @throws PriceMeasureError where the model needs events or cells and has none */
export function calculatePrice(question: PriceQuestion): PricedMeasure[] {
  const { model, measures, included, negative, currency, rounding } = question;
  // Of a percentage an amount is free, not a quantity.
  const free = model.type === "percentage" ? decimal(model.freeAmountMinor ?? "0") : included;
  return measures.map((measure) => {
    requireMeasured(model, measure);
    const rated = rateUsage(model, measure, free, negative);
    return { rated, amount: roundToMinor(rated.exactMinor, currency, rounding) };
  });
}

function requireMeasured(model: UsageModel, { cells, events }: UsageMeasure): void {
  const needsCells = model.type === "matrix" || model.type === "cost_plus";
  if (needsCells !== (cells !== undefined)) {
    const message = needsCells
      ? `a price of type ${model.type} is reckoned on quantities by dimension values: write cells`
      : `a price of type ${model.type} has no dimensions: write quantities instead of cells`;
    throw new PriceMeasureError(message, "cells");
  }
  if (model.type === "cost_plus" && cells?.some(({ cost }) => cost === undefined)) {
    throw new PriceMeasureError("a mark-up needs the cost: write unit_cost_minor in every cell", "cells");
  }
  if (model.type === "percentage" && looksAtEvents(model) && events === undefined) {
    throw new PriceMeasureError("this percentage looks at single events: write their amounts", "events");
  }
  if (model.type !== "percentage" && events !== undefined) {
    const message = `a price of type ${model.type} is reckoned on the total: write quantities instead of events`;
    throw new PriceMeasureError(message, "events");
  }
}
