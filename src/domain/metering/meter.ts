import { InvariantViolation } from "../errors.ts";
import { type Decimal, maxDecimal, sumDecimals, zero } from "../money/index.ts";
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
 * `filter` count. `dimensions` name the members that split the quantity, such as the model.
 */
export type Meter = {
  readonly key: string;
  readonly eventType: string;
  readonly aggregation: Aggregation;
  readonly property?: string;
  readonly value?: string;
  readonly filter?: readonly Condition[];
  readonly dimensions: readonly string[];
  readonly unit?: Unit;
};

/** A meter as it was published: version 1, 2, 3… of its key; none ever changes. */
export type MeterVersion = Meter & { readonly version: number };

/**
 * One quantity out of quantities, in any order and any grouping; zero when there are none. Only for aggregations
 * whose quantities can be put together again; the others need the states of windows (see `quantityOf`).
 */
export function aggregate(aggregation: Aggregation, quantities: readonly Decimal[]): Decimal {
  switch (aggregation) {
    case "count":
    case "sum":
      return sumDecimals(quantities);
    case "max":
      return quantities.reduce(maxDecimal, zero);
    default:
      throw new InvariantViolation(`quantities of ${aggregation} cannot be put together again`);
  }
}
