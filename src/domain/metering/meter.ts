import { InvariantViolation } from "../errors.ts";
import { type Decimal, maxDecimal, minDecimal, sumDecimals, zero } from "../money/index.ts";
import type { BandedDimension } from "./bands.ts";
import type { Condition } from "./filter.ts";
import type { Unit } from "./unit.ts";

export const aggregations = [
  "count",
  "sum",
  "max",
  "min",
  "latest",
  "unique_count",
  "time_weighted_sum",
  "average",
] as const;

/** How contributions become one quantity; docs/meters.md has an example of each. */
export type Aggregation = (typeof aggregations)[number];

/**
 * How usage events of one type become a quantity. What is measured is `property`, a member of the event's data, or
 * `value`, computed from several by an expression; "count" has neither. Only events that keep every condition of
 * `filter` count. `dimensions` name the members that split the quantity, such as the model; `bands` says which of them
 * are not read but follow from how large a value is. Quantities below zero are refused, unless a sum counts them.
 */
export type Meter = {
  readonly key: string;
  readonly eventType: string;
  readonly aggregation: Aggregation;
  readonly property?: string;
  readonly value?: string;
  readonly filter?: readonly Condition[];
  readonly dimensions: readonly string[];
  readonly bands?: readonly BandedDimension[];
  readonly unit?: Unit;
  readonly negative?: "refused" | "counted";
};

/** A meter as it was published: version 1, 2, 3… of its key; none ever changes. */
export type MeterVersion = Meter & { readonly version: number };

/** Whether the quantities of parts make the quantity of the whole; otherwise the whole must be read by itself. */
export const isComposable = (aggregation: Aggregation): boolean =>
  aggregation !== "latest" && aggregation !== "unique_count" && aggregation !== "average";

/**
 * One quantity out of those of parts, in any order and any grouping; zero when there are none. Only for aggregations
 * that are composable.
 */
export function aggregate(aggregation: Aggregation, quantities: readonly Decimal[]): Decimal {
  switch (aggregation) {
    case "count":
    case "sum":
    case "time_weighted_sum":
      return sumDecimals(quantities);
    case "max":
      return quantities.reduce(maxDecimal, zero);
    case "min":
      return quantities.reduce((least, quantity) => minDecimal(least, quantity), quantities[0] ?? zero);
    default:
      throw new InvariantViolation(`quantities of ${aggregation} cannot be put together again`);
  }
}
