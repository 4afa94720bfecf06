import { Big } from "big.js";
import { BillingError } from "../errors.ts";

/** How a value between two steps is rounded; "down" is towards zero, "up" away from it. */
export type RoundingMode = "half-even" | "half-up" | "down" | "up";

export class DecimalInvalidError extends BillingError {
  readonly code = "decimal_invalid";
}

const integerDigitsMax = 38;
const fractionDigitsMax = 20;
const plainDecimal = new RegExp(`^-?\\d{1,${integerDigitsMax}}(?:\\.\\d{1,${fractionDigitsMax}})?$`);
const canonicalDecimal = /^(?:0|-?(?:[1-9]\d*|0(?=\.))(?:\.\d*[1-9])?)$/;

const roundingModes = { down: 0, "half-up": 1, "half-even": 2, up: 3 } as const;

/**
 * An exact decimal number. Sums, differences and products are exact; a quotient says where and how it
 * is rounded. `text` is canonical ("1.5", never "1.50", "-0" or "1e3"), so equal numbers have equal text.
 */
export class Decimal {
  readonly text: string;
  // Made when arithmetic asks for it: most quantities of usage events are only read and written.
  #made: Big | undefined;

  /** Use {@link decimal}, which checks its input; a text given here is canonical. */
  constructor(value: Big | string) {
    if (typeof value === "string") {
      this.text = value;
    } else {
      this.text = value.toFixed();
      this.#made = value;
    }
  }

  get #big(): Big {
    this.#made ??= new Big(this.text);
    return this.#made;
  }

  plus(other: Decimal): Decimal {
    return new Decimal(this.#big.plus(other.#big));
  }

  minus(other: Decimal): Decimal {
    return new Decimal(this.#big.minus(other.#big));
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.#big.times(other.#big));
  }

  /** The quotient, rounded exactly once, to `places` fraction digits. Dividing by zero is a bug and throws. */
  dividedBy(divisor: Decimal, places: number, mode: RoundingMode): Decimal {
    const Quotient = Big();
    Quotient.DP = places;
    Quotient.RM = roundingModes[mode];
    return new Decimal(new Big(new Quotient(this.#big).div(divisor.#big)));
  }

  rounded(places: number, mode: RoundingMode): Decimal {
    return new Decimal(this.#big.round(places, roundingModes[mode]));
  }

  negated(): Decimal {
    return new Decimal(this.#big.neg());
  }

  /** -1, 0 or 1, as `sort` wants it. */
  compare(other: Decimal): -1 | 0 | 1 {
    return this.#big.cmp(other.#big);
  }

  equals(other: Decimal): boolean {
    return this.text === other.text;
  }

  isLessThan(other: Decimal): boolean {
    return this.compare(other) < 0;
  }

  isGreaterThan(other: Decimal): boolean {
    return this.compare(other) > 0;
  }

  isZero(): boolean {
    return this.text === "0";
  }

  isNegative(): boolean {
    return this.text.startsWith("-");
  }

  isInteger(): boolean {
    return !this.text.includes(".");
  }

  /** The same number as a bigint; only for integers (see {@link Decimal.rounded}), anything else throws. */
  toBigInt(): bigint {
    return BigInt(this.text);
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
  return new Decimal(canonicalDecimal.test(text) ? text : new Big(text));
}

/** Exactly `units` × 10^-places, however large. */
export function decimalOfUnits(units: bigint, places: number): Decimal {
  return new Decimal(places === 0 ? units.toString() : new Big(`${units}e-${places}`));
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
  const text = String(value);
  if (Number.isInteger(value)) return new Decimal(text);
  return decimal(text.includes("e") ? new Big(text).toFixed() : text, field);
}

export const zero = decimal("0");

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
