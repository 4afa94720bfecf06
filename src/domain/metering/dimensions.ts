import { BillingError } from "../errors.ts";
import { type BandedDimension, compileBands } from "./bands.ts";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { memberReader } from "./member.ts";
import type { UsageEvent } from "./usage-event.ts";

type EventData = UsageEvent["data"];

/** One value for each dimension a meter declares. */
export type Dimensions = Readonly<Record<string, string>>;

/** The canonical text of dimensions, equal for equal dimensions: `{"class":"input","model":"large"}`. */
export function dimensionsKey(dimensions: Dimensions): string {
  return canonicalJson(dimensions);
}

/** The longest dimension value, in UTF-16 code units. */
export const dimensionLengthMax = 200;

export class UsageDimensionInvalidError extends BillingError {
  readonly code = "usage_dimension_invalid";
}

/** How a meter's dimensions are read from an event, and how the key of what was read is written. */
export type DimensionReader = {
  readonly read: (data: EventData) => Dimensions;
  /** The same text as `dimensionsKey`, without sorting. */
  readonly keyOf: (dimensions: Dimensions) => string;
};

/** A dimension that the event lacks, or that is null, is the empty text. @throws, from `read`, UsageDimensionInvalidError */
export function compileDimensions(
  names: readonly string[],
  banded: readonly BandedDimension[] = [],
): DimensionReader {
  if (names.length === 0) return { read: () => none, keyOf: () => "{}" };
  const bandOf = new Map(banded.map((each) => [each.dimension, compileBands(each)]));
  const members = names.toSorted().map((name, index) => ({
    name,
    valueIn: bandOf.get(name) ?? memberReader(name),
    opening: `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`,
  }));
  return {
    read: (data) => {
      const dimensions: Record<string, string> = {};
      for (const { name, valueIn } of members) dimensions[name] = dimensionValue(valueIn(data), name);
      return dimensions;
    },
    keyOf: (dimensions) => {
      let key = "";
      for (const { name, opening } of members) key += opening + JSON.stringify(dimensions[name]);
      return `${key}}`;
    },
  };
}

const none: Dimensions = {};

function dimensionValue(value: JsonValue | undefined, name: string): string {
  const text = value ?? "";
  if (typeof text === "string" && text.length <= dimensionLengthMax) return text;
  throw new UsageDimensionInvalidError(
    `dimension ${name} must be text of at most ${dimensionLengthMax} characters`,
    `data.${name}`,
  );
}
