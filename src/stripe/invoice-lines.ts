import type { Stripe } from "stripe";
import { BillingError } from "../domain/errors.ts";

/** One line of our invoice, as Stripe is to show it. Amounts are whole minor units as decimal text. */
export type MirrorLine = {
  readonly lineId: string;
  readonly description: string;
  readonly amountMinor: string;
  /** The period the line is for, as epoch milliseconds. */
  readonly period?: { readonly start: number; readonly end: number };
};

export class StripeAmountInvalidError extends BillingError {
  readonly code = "stripe_amount_invalid";

  constructor(amountMinor: string) {
    super(
      `${amountMinor} is not an amount Stripe can take: whole minor units of at most eight digits`,
      "amountMinor",
    );
  }
}

/** Stripe's limit on the lines of one invoice. */
const linesMax = 250;
/** Lines sent in one call, so that a request stays small. */
const batchSize = 100;
const amountDigitsMax = 8;
const descriptionLengthMax = 500;

/**
 * Our lines as Stripe's, in batches for `addLines`. Beyond 250 lines the last one stands for all that are left,
 * with their exact sum: Stripe's page is a mirror, the whole invoice is ours.
 */
export function lineBatches(lines: readonly MirrorLine[]): Stripe.InvoiceAddLinesParams.Line[][] {
  const shown = withinLimit(lines).map(stripeLine);
  const batches = [];
  for (let from = 0; from < shown.length; from += batchSize)
    batches.push(shown.slice(from, from + batchSize));
  return batches;
}

function withinLimit(lines: readonly MirrorLine[]): readonly MirrorLine[] {
  if (lines.length <= linesMax) return lines;
  const rest = lines.slice(linesMax - 1);
  const sum = rest.reduce((total, line) => total + BigInt(line.amountMinor), 0n);
  const aggregate = {
    lineId: "further-lines",
    description: `${rest.length} further lines`,
    amountMinor: String(sum),
  };
  return [...lines.slice(0, linesMax - 1), aggregate];
}

function stripeLine(line: MirrorLine): Stripe.InvoiceAddLinesParams.Line {
  return {
    amount: stripeAmount(line.amountMinor),
    description: line.description.slice(0, descriptionLengthMax),
    discountable: false,
    metadata: { reckoner_line: line.lineId },
    ...(line.period && { period: { start: seconds(line.period.start), end: seconds(line.period.end) } }),
  };
}

/** Stripe's JSON holds amounts as numbers; eight digits are exact. Throws {@link StripeAmountInvalidError}. */
export function stripeAmount(amountMinor: string): number {
  const pattern = new RegExp(`^-?\\d{1,${amountDigitsMax}}$`);
  if (!pattern.test(amountMinor)) throw new StripeAmountInvalidError(amountMinor);
  return Number(amountMinor);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
