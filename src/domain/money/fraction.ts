import { invariant } from "../errors.ts";
import { type Decimal, decimalOfUnits, type RoundingMode } from "./decimal.ts";

/**
 * An exact quotient of two integers, for what decimals cannot hold, such as a third. Everything but
 * {@link Fraction.rounded} is exact. It is not reduced; equal fractions may look different.
 */
export class Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;

  constructor(numerator: bigint, denominator = 1n) {
    invariant(denominator > 0n, "the denominator of a fraction is above zero");
    this.numerator = numerator;
    this.denominator = denominator;
  }

  static ofDecimal({ text }: Decimal): Fraction {
    const point = text.indexOf(".");
    if (point === -1) return new Fraction(BigInt(text));
    const places = text.length - point - 1;
    return new Fraction(BigInt(text.slice(0, point) + text.slice(point + 1)), 10n ** BigInt(places));
  }

  plus(other: Fraction): Fraction {
    if (this.denominator === other.denominator) {
      return new Fraction(this.numerator + other.numerator, this.denominator);
    }
    return new Fraction(
      this.numerator * other.denominator + other.numerator * this.denominator,
      this.denominator * other.denominator,
    );
  }

  minus(other: Fraction): Fraction {
    return this.plus(other.negated());
  }

  times(other: Fraction): Fraction {
    return new Fraction(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  /** Dividing by zero is a bug and throws. */
  dividedBy(divisor: Fraction): Fraction {
    const sign = divisor.isNegative() ? -1n : 1n;
    return new Fraction(
      this.numerator * divisor.denominator * sign,
      this.denominator * divisor.numerator * sign,
    );
  }

  negated(): Fraction {
    return new Fraction(-this.numerator, this.denominator);
  }

  /** -1, 0 or 1, as `sort` wants it. */
  compare(other: Fraction): -1 | 0 | 1 {
    const left = this.numerator * other.denominator;
    const right = other.numerator * this.denominator;
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }

  isZero(): boolean {
    return this.numerator === 0n;
  }

  isNegative(): boolean {
    return this.numerator < 0n;
  }

  /** The largest integer that is not above it. */
  floor(): Fraction {
    const { numerator, denominator } = this;
    const truncated = numerator / denominator;
    return new Fraction(numerator % denominator < 0n ? truncated - 1n : truncated);
  }

  /** The smallest integer that is not below it. */
  ceil(): Fraction {
    return this.negated().floor().negated();
  }

  /** The nearest decimal of at most `places` fraction digits; rounds once. */
  rounded(places: number, mode: RoundingMode): Decimal {
    if (this.denominator === 1n) return decimalOfUnits(this.numerator, 0);
    const scaled = this.numerator * 10n ** BigInt(places);
    const whole = scaled / this.denominator;
    const rest = magnitude(scaled % this.denominator);
    if (rest === 0n || !isAwayFromZero(mode, rest * 2n - this.denominator, whole)) {
      return decimalOfUnits(whole, places);
    }
    return decimalOfUnits(this.isNegative() ? whole - 1n : whole + 1n, places);
  }
}

/** `beyondHalf` is above zero when the rest is more than half a step, and zero for a tie. */
function isAwayFromZero(mode: RoundingMode, beyondHalf: bigint, whole: bigint): boolean {
  if (mode === "up" || mode === "down") return mode === "up";
  if (beyondHalf !== 0n) return beyondHalf > 0n;
  return mode === "half-up" || whole % 2n !== 0n;
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
