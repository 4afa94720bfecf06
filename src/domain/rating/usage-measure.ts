import type { Dimensions } from "../metering/index.ts";
import type { Decimal } from "../money/index.ts";

/** What a price is reckoned on: all usage of a stretch of unchanged terms, as the meter reads it. */
export type UsageMeasure = {
  readonly total: Decimal;
  /** For matrix and cost_plus: the total by dimension values. */
  readonly cells?: readonly MeasuredCell[];
  /** For a percentage that judges events: what each contributed, in the order of their times. */
  readonly events?: readonly Decimal[];
  /** Where every bucket is priced for itself, in the order of time; the total is their sum. */
  readonly buckets?: readonly MeasuredBucket[];
  /** Where the maxima of buckets are priced together: what the total is made of. */
  readonly maxima?: readonly MeasuredBucket[];
};

export type MeasuredCell = {
  /** Those of the model, or more. */
  readonly dimensions: Dimensions;
  readonly quantity: Decimal;
  /** For cost_plus: what a unit cost when it was used. */
  readonly cost?: UnitCost;
};

export type UnitCost = {
  /** Null where the table has no cost for these dimension values. */
  readonly unitCostMinor: Decimal | null;
  /** Since when the cost had held, as ISO time. */
  readonly since: string;
};

export type MeasuredBucket = {
  /** When the bucket began on the customer's clock, as ISO time. */
  readonly start: string;
  readonly quantity: Decimal;
};
