import { BillingError } from "../domain/errors.ts";
import {
  currency,
  decimal,
  exactMajorOf,
  exactMinorOf,
  minorUnitOf,
  type RoundingMode,
  roundToMinorUnit,
} from "../domain/money/index.ts";

/*
 * We count as ISO 4217 does, Stripe nearly: krónur and shillings are sent as hundredths, ariary whole, and of three decimals the
 * last is zero. Every amount that goes to Stripe or comes from it passes through here.
 */

export class StripeAmountInvalidError extends BillingError {
  readonly code = "stripe_amount_invalid";

  constructor(amountMinor: string) {
    super(
      `${amountMinor} is not an amount Stripe can take: whole minor units of at most eight digits`,
      "amountMinor",
    );
  }
}

/** Stripe counts smaller than we do, and says an amount that we have no minor unit for. */
export class StripeAmountInexactError extends BillingError {
  readonly code = "stripe_amount_inexact";

  constructor(amount: number, code: string) {
    super(`${amount} as Stripe counts ${code} is no whole number of minor units`);
  }
}

const amountDigitsMax = 8;
const wholeMinor = new RegExp(`^-?\\d{1,${amountDigitsMax}}$`);

/**
 * Our minor units as Stripe counts them, rounded as `mode` says where it cannot be said exactly. Stripe's JSON holds amounts as
 * numbers; eight digits are exact.
 * @throws StripeAmountInvalidError beyond them, or for anything but whole minor units
 */
export function stripeAmount(
  amountMinor: string,
  currencyCode: string,
  mode: RoundingMode = "half-even",
): number {
  if (!/^-?\d{1,19}$/.test(amountMinor)) throw new StripeAmountInvalidError(amountMinor);
  const of = currency(currencyCode);
  const theirs = minorUnitOf(of, "stripe");
  const exact = exactMinorOf(exactMajorOf(decimal(BigInt(amountMinor)), minorUnitOf(of)), theirs);
  const text = roundToMinorUnit(exact, of, theirs, mode).amountMinor.toString();
  if (!wholeMinor.test(text)) throw new StripeAmountInvalidError(amountMinor);
  return Number(text);
}

/** What we ask for: rounded up where Stripe cannot take it exactly, so that it pays what is due; the rest is the customer's. */
export const amountToCollect = (amountMinor: string, currencyCode: string): number =>
  stripeAmount(amountMinor, currencyCode, "up");

/** What Stripe says, in our minor units. @throws StripeAmountInexactError */
export function isoMinorOf(amount: number, currencyCode: string): string {
  const exact = exactIsoMinor(amount, currencyCode);
  const whole = exact.rounded(0, "down");
  if (whole.compare(exact) !== 0) throw new StripeAmountInexactError(amount, currencyCode);
  return whole.toBigInt().toString();
}

function exactIsoMinor(amount: number, currencyCode: string) {
  const of = currency(currencyCode);
  return exactMinorOf(exactMajorOf(decimal(BigInt(amount)), minorUnitOf(of, "stripe")), minorUnitOf(of));
}
