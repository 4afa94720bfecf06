import { BillingError } from "../errors.ts";
import { type Decimal, decimal, decimalOfJsonNumber } from "../money/index.ts";
import type { JsonValue } from "./canonical-json.ts";
import type { Dimensions, Meter } from "./meter.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What one usage event adds to one meter. */
export type Contribution = {
  readonly meterKey: string;
  readonly dimensions: Dimensions;
  readonly quantity: Decimal;
};

/** The longest dimension value, in UTF-16 code units. */
export const dimensionLengthMax = 200;

/** The most one event may add to a meter, so that no sum of them outgrows the database's numeric. */
export const quantityMax = decimal("1000000000000000000");

const oneEvent = decimal("1");

export class UsagePropertyMissingError extends BillingError {
  readonly code = "usage_property_missing";
}

export class UsageQuantityInvalidError extends BillingError {
  readonly code = "usage_quantity_invalid";
}

export class UsageQuantityNegativeError extends BillingError {
  readonly code = "usage_quantity_negative";
}

export class UsageQuantityTooLargeError extends BillingError {
  readonly code = "usage_quantity_too_large";
}

export class UsageDimensionInvalidError extends BillingError {
  readonly code = "usage_dimension_invalid";
}

/**
 * What an event adds to each meter of its type; an empty list when no meter wants it. A declared
 * dimension that the event lacks, or that is null, counts as the empty string "".
 * @throws one of the refusals above, with `field` such as "data.input_tokens"
 */
export function measure(event: UsageEvent, meters: readonly Meter[]): Contribution[] {
  return meters
    .filter((meter) => meter.eventType === event.type)
    .map((meter) => ({
      meterKey: meter.key,
      dimensions: dimensionsOf(event, meter),
      quantity: quantityOf(event, meter),
    }));
}

function dimensionsOf(event: UsageEvent, meter: Meter): Dimensions {
  return Object.fromEntries(meter.dimensions.map((name) => [name, dimensionValue(event, name)]));
}

function dimensionValue(event: UsageEvent, name: string): string {
  const value = member(event, name) ?? "";
  if (typeof value !== "string" || value.length > dimensionLengthMax) {
    throw new UsageDimensionInvalidError(
      `dimension ${name} must be text of at most ${dimensionLengthMax} characters`,
      `data.${name}`,
    );
  }
  return value;
}

function quantityOf(event: UsageEvent, meter: Meter): Decimal {
  if (meter.property === undefined) return oneEvent;
  const field = `data.${meter.property}`;
  const value = member(event, meter.property);
  if (value === undefined) {
    throw new UsagePropertyMissingError(
      `meter ${meter.key} needs ${field}, which the event does not have`,
      field,
    );
  }
  const quantity = parseQuantity(value, field);
  if (quantity.isNegative()) {
    throw new UsageQuantityNegativeError(`${field} must not be negative, it is ${quantity}`, field);
  }
  if (quantity.isGreaterThan(quantityMax)) {
    throw new UsageQuantityTooLargeError(`${field} must be at most ${quantityMax}, it is ${quantity}`, field);
  }
  return quantity;
}

function parseQuantity(value: JsonValue, field: string): Decimal {
  if (typeof value === "number" && value > Number.MAX_SAFE_INTEGER) {
    throw new UsageQuantityTooLargeError(`${field} is too large for a JSON number: send decimal text`, field);
  }
  try {
    if (typeof value === "number") return decimalOfJsonNumber(value, field);
    if (typeof value === "string") return decimal(value, field);
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    throw new UsageQuantityInvalidError(`${field}: ${error.message}`, field);
  }
  throw new UsageQuantityInvalidError(`${field} must be a number, or a decimal as text`, field);
}

// Only what the sender wrote: "constructor" is no property of an empty event.
function member(event: UsageEvent, name: string): JsonValue | undefined {
  return Object.hasOwn(event.data, name) ? event.data[name] : undefined;
}
