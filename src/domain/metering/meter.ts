import { unreachable } from "../errors.ts";
import { type Decimal, maxDecimal, sumDecimals, zero } from "../money/index.ts";
import { canonicalJson } from "./canonical-json.ts";

export const aggregations = ["count", "sum", "max"] as const;

/** How contributions become one quantity: how many, how much together, or the largest. */
export type Aggregation = (typeof aggregations)[number];

/**
 * How usage events of one type become a quantity. `property` names the member of the event's data that is
 * summed or of which the maximum is taken ("count" has none); `dimensions` name the members that split
 * the quantity, such as the model.
 */
export type Meter = {
  readonly key: string;
  readonly eventType: string;
  readonly aggregation: Aggregation;
  readonly property?: string;
  readonly dimensions: readonly string[];
};

/** One value for each dimension a meter declares. */
export type Dimensions = Readonly<Record<string, string>>;

/** The canonical text of dimensions, equal for equal dimensions: `{"class":"input","model":"large"}`. */
export function dimensionsKey(dimensions: Dimensions): string {
  return canonicalJson(dimensions);
}

/** One quantity out of many, in any order and any grouping; zero when there are none. */
export function aggregate(aggregation: Aggregation, quantities: readonly Decimal[]): Decimal {
  switch (aggregation) {
    case "count":
    case "sum":
      return sumDecimals(quantities);
    case "max":
      return quantities.reduce(maxDecimal, zero);
    default:
      return unreachable(aggregation);
  }
}
