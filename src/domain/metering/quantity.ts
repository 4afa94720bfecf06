import { BillingError } from "../errors.ts";
import { type Decimal, decimal, decimalOfJsonNumber } from "../money/index.ts";
import type { JsonValue } from "./canonical-json.ts";

/** The most one event may add to a meter, so that no sum of them outgrows the database's numeric. */
export const quantityMax = decimal("1000000000000000000");

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

/**
 * The number that an event's member says, as a JSON number or as decimal text.
 * @throws UsagePropertyMissingError, UsageQuantityInvalidError, UsageQuantityTooLargeError with `field`
 */
export function numberIn(value: JsonValue | undefined, field: string): Decimal {
  if (value === undefined) {
    throw new UsagePropertyMissingError(`a meter needs ${field}, which the event does not have`, field);
  }
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

/**
 * Refuses what no meter may add.
 * @throws UsageQuantityNegativeError, UsageQuantityTooLargeError with `field`
 */
export function requireInRange(quantity: Decimal, field: string): Decimal {
  if (quantity.isNegative()) {
    throw new UsageQuantityNegativeError(`${field} must not be negative, it is ${shown(quantity)}`, field);
  }
  return requireWithin(quantity, field);
}

/** Refuses what is too far from zero. @throws UsageQuantityTooLargeError with `field` */
export function requireWithin(quantity: Decimal, field: string): Decimal {
  // Shorter than the largest is smaller; most are.
  if (quantity.text.length < quantityMax.text.length) return quantity;
  const size = quantity.isNegative() ? quantity.negated() : quantity;
  if (!size.isGreaterThan(quantityMax)) return quantity;
  const bound = quantity.isNegative() ? `at least -${quantityMax}` : `at most ${quantityMax}`;
  throw new UsageQuantityTooLargeError(`${field} must be ${bound}, it is ${shown(quantity)}`, field);
}

/** A product of many members may have thousands of digits. */
const shown = ({ text }: Decimal): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
