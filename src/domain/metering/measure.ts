import { BillingError } from "../errors.ts";
import { type Decimal, decimal } from "../money/index.ts";
import type { JsonValue } from "./canonical-json.ts";
import { compileDimensions, type Dimensions, dimensionLengthMax } from "./dimensions.ts";
import { evaluate } from "./expression/evaluate.ts";
import { parseExpression } from "./expression/parse-expression.ts";
import { compileFilter } from "./filter.ts";
import { memberReader } from "./member.ts";
import type { Meter, MeterVersion } from "./meter.ts";
import { numberIn, requireInRange, requireWithin, UsagePropertyMissingError } from "./quantity.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What one usage event adds to one version of a meter. */
export type Contribution = {
  readonly meterKey: string;
  readonly meterVersion: number;
  readonly dimensions: Dimensions;
  /** `dimensionsKey(dimensions)`. */
  readonly dimensionsKey: string;
  /** What is aggregated, in the meter's own unit; one for each event where events or values are counted. */
  readonly quantity: Decimal;
  /** Of unique_count only: the value, as JSON, so that the text "5" is not the number 5. */
  readonly value?: string;
};

/** Meters made ready to measure many events: parsed once, by the type of event they read. */
export type CompiledMeters = ReadonlyMap<string, readonly CompiledMeter[]>;

type CompiledMeter = (data: EventData) => Contribution | null;
type EventData = UsageEvent["data"];

/** The decimals of a computed quantity, which is rounded once, half to even: as many as an event may send. */
export const quantityDecimals = 20;

const one = decimal("1");

export class UsageValueInvalidError extends BillingError {
  readonly code = "usage_value_invalid";
}

/** A meter without a version is the first of its key. @throws ExpressionInvalidError */
export function compileMeters(meters: readonly (Meter | MeterVersion)[]): CompiledMeters {
  const byType = Map.groupBy(meters, ({ eventType }) => eventType);
  return new Map([...byType].map(([type, ofType]) => [type, ofType.map(compileMeter)]));
}

/**
 * What an event adds to each meter of its type whose filter it passes: an empty list when it passes none, null
 * when no meter reads events of this type. A declared dimension that the event lacks, or that is null, counts as
 * the empty string "".
 * @throws a refusal with `field` such as "data.input_tokens"
 */
export function contributionsOf(event: UsageEvent, meters: CompiledMeters): Contribution[] | null {
  const ofType = meters.get(event.type);
  if (ofType === undefined) return null;
  const contributions: Contribution[] = [];
  for (const contributionTo of ofType) {
    const contribution = contributionTo(event.data);
    if (contribution !== null) contributions.push(contribution);
  }
  return contributions;
}

/** The same for a single event. @throws also ExpressionInvalidError */
export function measure(event: UsageEvent, meters: readonly (Meter | MeterVersion)[]): Contribution[] {
  return contributionsOf(event, compileMeters(meters)) ?? [];
}

function compileMeter(meter: Meter | MeterVersion): CompiledMeter {
  const meterKey = meter.key;
  const meterVersion = "version" in meter ? meter.version : 1;
  const passes = meter.filter === undefined ? undefined : compileFilter(meter.filter);
  const { read, keyOf } = compileDimensions(meter.dimensions, meter.bands);
  const quantityIn = compileQuantity(meter);
  const valueIn = meter.aggregation === "unique_count" ? compileValue(meter) : undefined;
  return (data) => {
    if (passes !== undefined && !passes(data)) return null;
    const dimensions = read(data);
    const contribution = {
      meterKey,
      meterVersion,
      dimensions,
      dimensionsKey: keyOf(dimensions),
      quantity: quantityIn(data),
    };
    return valueIn === undefined ? contribution : { ...contribution, value: valueIn(data) };
  };
}

function compileQuantity({ aggregation, property, value, negative }: Meter): (data: EventData) => Decimal {
  const inRange = negative === "counted" ? requireWithin : requireInRange;
  if (aggregation === "unique_count") return () => one;
  if (property !== undefined) {
    const field = `data.${property}`;
    const read = memberReader(property);
    return (data) => inRange(numberIn(read(data), field), field);
  }
  if (value !== undefined) {
    const expression = parseExpression(value);
    const field = expression.kind === "member" ? expression.field : "data";
    return (data) => inRange(evaluate(expression, data).rounded(quantityDecimals, "half-even"), field);
  }
  return () => one;
}

function compileValue({ property = "" }: Meter): (data: EventData) => string {
  const field = `data.${property}`;
  const read = memberReader(property);
  return (data) => {
    const value = read(data);
    if (value === undefined) {
      throw new UsagePropertyMissingError(`a meter needs ${field}, which the event does not have`, field);
    }
    if (isCountable(value)) return JSON.stringify(value);
    throw new UsageValueInvalidError(
      `${field} must be text of at most ${dimensionLengthMax} characters, true or false, or a number that is exact in JSON`,
      field,
    );
  };
}

function isCountable(value: JsonValue): boolean {
  if (typeof value === "string") return value.length <= dimensionLengthMax;
  // Of larger numbers JSON readers take several for one.
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  return typeof value === "boolean";
}
