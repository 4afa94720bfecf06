import { invariant } from "../errors.ts";
import { type Decimal, decimalOfUnits } from "./decimal.ts";
import { powerOfTen, type RoundingMode, roundedQuotient } from "./rounding.ts";

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

  static ofDecimal({ units, places }: Decimal): Fraction {
    return new Fraction(units, powerOfTen(places));
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
    const scaled = this.numerator * powerOfTen(places);
    return decimalOfUnits(roundedQuotient(scaled, this.denominator, mode), places);
  }
}
