import { BillingError } from "../errors.ts";
import { powerOfTen, type RoundingMode, roundedQuotient } from "./rounding.ts";

export type { RoundingMode } from "./rounding.ts";

export class DecimalInvalidError extends BillingError {
  readonly code = "decimal_invalid";
}

const integerDigitsMax = 38;
const fractionDigitsMax = 20;
const plainDecimal = new RegExp(`^-?\\d{1,${integerDigitsMax}}(?:\\.\\d{1,${fractionDigitsMax}})?$`);

/**
 * An exact decimal number: `units` × 10^-`places`. Sums, differences and products are exact; a quotient says where and
 * how it is rounded. `places` is as small as can be, and `text` canonical ("1.5", never "1.50", "-0" or "1e3"), so equal
 * numbers have equal fields and equal text.
 */
export class Decimal {
  readonly units: bigint;
  readonly places: number;
  #text: string | undefined;

  /** Use {@link decimal} or {@link decimalOfUnits}; what is given here has no zeros at the end of its places. */
  constructor(units: bigint, places: number) {
    this.units = units;
    this.places = places;
  }

  get text(): string {
    this.#text ??= textOf(this.units, this.places);
    return this.#text;
  }

  plus(other: Decimal): Decimal {
    const { units, places } = this;
    if (places === other.places) return decimalOfUnits(units + other.units, places);
    // The last digit of the longer one stays as it is, so there is no zero to take off.
    return places > other.places
      ? new Decimal(units + scaledUp(other.units, places - other.places), places)
      : new Decimal(scaledUp(units, other.places - places) + other.units, other.places);
  }

  minus(other: Decimal): Decimal {
    const { units, places } = this;
    if (places === other.places) return decimalOfUnits(units - other.units, places);
    return places > other.places
      ? new Decimal(units - scaledUp(other.units, places - other.places), places)
      : new Decimal(scaledUp(units, other.places - places) - other.units, other.places);
  }

  times(other: Decimal): Decimal {
    return decimalOfUnits(this.units * other.units, this.places + other.places);
  }

  /** The quotient, rounded exactly once, to `places` fraction digits. Dividing by zero is a bug and throws. */
  dividedBy(divisor: Decimal, places: number, mode: RoundingMode): Decimal {
    const sign = divisor.units < 0n ? -1n : 1n;
    const numerator = sign * scaledUp(this.units, divisor.places + places);
    const denominator = sign * scaledUp(divisor.units, this.places);
    return decimalOfUnits(roundedQuotient(numerator, denominator, mode), places);
  }

  rounded(places: number, mode: RoundingMode): Decimal {
    if (this.places <= places) return this;
    return decimalOfUnits(roundedQuotient(this.units, powerOfTen(this.places - places), mode), places);
  }

  negated(): Decimal {
    return new Decimal(-this.units, this.places);
  }

  /** -1, 0 or 1, as `sort` wants it. */
  compare(other: Decimal): -1 | 0 | 1 {
    const [left, right] =
      this.places >= other.places
        ? [this.units, scaledUp(other.units, this.places - other.places)]
        : [scaledUp(this.units, other.places - this.places), other.units];
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }

  equals(other: Decimal): boolean {
    return this.units === other.units && this.places === other.places;
  }

  isLessThan(other: Decimal): boolean {
    return this.compare(other) < 0;
  }

  isGreaterThan(other: Decimal): boolean {
    return this.compare(other) > 0;
  }

  isZero(): boolean {
    return this.units === 0n;
  }

  isNegative(): boolean {
    return this.units < 0n;
  }

  isInteger(): boolean {
    return this.places === 0;
  }

  /** The same number as a bigint; only for integers (see {@link Decimal.rounded}), anything else throws. */
  toBigInt(): bigint {
    if (this.places > 0) throw new RangeError(`${this.text} is not a whole number`);
    return this.units;
  }

  /** Refuses "<" and "+", which would work on the text: "9" is not less than "10" there. */
  valueOf(): never {
    throw new TypeError("decimals are compared and added by their methods");
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/**
 * Parses plain decimal text such as "0.0003": no exponent, no sign "+", no leading or trailing point, at
 * most 38 integer and 20 fraction digits. JavaScript numbers are refused, for they are not exact.
 * @throws DecimalInvalidError naming `field`
 */
export function decimal(value: string | bigint, field?: string): Decimal {
  const text = typeof value === "bigint" ? value.toString() : value;
  if (typeof text !== "string" || !plainDecimal.test(text)) {
    throw new DecimalInvalidError(
      `${describe(value)} is not a decimal: write plain text such as "12.5", ` +
        `with at most ${integerDigitsMax} digits before the point and ${fractionDigitsMax} after it`,
      field,
    );
  }
  return storedDecimal(text);
}

/** The decimal of a text that was checked, or written by ourselves: a product may have more digits than input. */
export function storedDecimal(text: string): Decimal {
  const point = text.indexOf(".");
  if (point === -1) return new Decimal(BigInt(text), 0);
  return decimalOfUnits(BigInt(text.slice(0, point) + text.slice(point + 1)), text.length - point - 1);
}

/** Exactly `units` × 10^-places, however large. */
export function decimalOfUnits(units: bigint, places: number): Decimal {
  let shortest = units;
  let left = places;
  while (left > 0 && shortest % 10n === 0n) {
    shortest /= 10n;
    left -= 1;
  }
  return new Decimal(shortest, left);
}

/**
 * The decimal that a JSON number was written as: 0.1 becomes "0.1", 1e-7 becomes "0.0000001".
 * @throws DecimalInvalidError for NaN, Infinity, and numbers so large that JSON readers disagree on them
 */
export function decimalOfJsonNumber(value: number, field?: string): Decimal {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new DecimalInvalidError(
      `${value} is not an exact number: send large values as decimal text`,
      field,
    );
  }
  if (Number.isInteger(value)) return new Decimal(BigInt(value), 0);
  const [digits = "", exponent] = String(value).split("e-");
  if (exponent === undefined) return decimal(digits, field);
  const [whole = "", fraction = ""] = digits.split(".");
  return decimal(decimalOfUnits(BigInt(whole + fraction), fraction.length + Number(exponent)).text, field);
}

export const zero = new Decimal(0n, 0);

/** The exact sum; zero for an empty list. */
export function sumDecimals(values: readonly Decimal[]): Decimal {
  return values.reduce((sum, value) => sum.plus(value), zero);
}

export function minDecimal(left: Decimal, right: Decimal): Decimal {
  return left.isLessThan(right) ? left : right;
}

export function maxDecimal(left: Decimal, right: Decimal): Decimal {
  return left.isGreaterThan(right) ? left : right;
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  return typeof value === "number" ? `the number ${value}` : typeof value;
}

const scaledUp = (units: bigint, places: number): bigint =>
  places === 0 ? units : units * powerOfTen(places);

function textOf(units: bigint, places: number): string {
  if (places === 0) return units.toString();
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  const point = digits.length - places;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
