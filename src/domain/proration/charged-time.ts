import { Fraction, type Money, money } from "../money/index.ts";

/** What one price was last charged for time of a period. */
export interface ChargedTime {
  readonly planKey: string;
  readonly planVersion: number;
  readonly priceKey: string;
  /** For the whole period, at the price. */
  readonly wholeMinor: bigint;
  /** What the line asked for: less where it was for a part of the period. */
  readonly billedMinor: bigint;
  /** What was really asked for: after discounts and credit notes. */
  readonly paidMinor: bigint;
}

/**
 * What a whole period would have cost at the rate at which the line was paid: 20.00 with a coupon of 50 % is 10.00. A
 * credit for time that is left is a share of it.
 */
export function paidForWhole({ wholeMinor, billedMinor, paidMinor }: ChargedTime, currency: string): Money {
  if (billedMinor === 0n) return money(0n, currency);
  const exact = new Fraction(wholeMinor * paidMinor, billedMinor);
  return money(exact.rounded(0, "half-even").toBigInt(), currency);
}
