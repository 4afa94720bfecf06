import type { Stripe } from "stripe";
import { amountToCollect, stripeAmount } from "./amounts.ts";

/** One line of our invoice, as Stripe is to show it. Amounts are whole minor units as decimal text. */
export type MirrorLine = {
  readonly lineId: string;
  readonly description: string;
  readonly amountMinor: string;
  /** The period the line is for, as epoch milliseconds. */
  readonly period?: { readonly start: number; readonly end: number };
};

/** Stripe's limit on the lines of one invoice is 250; one is kept for rounding. */
const linesMax = 249;
/** Lines sent in one call, so that a request stays small. */
const batchSize = 100;
const descriptionLengthMax = 500;

/**
 * Our lines as Stripe's, in batches for `addLines`. Beyond 249 lines the last one stands for all that are left,
 * with their exact sum: Stripe's page is a mirror, the whole invoice is ours. Where Stripe cannot take an amount exactly, a line
 * for rounding makes their sum what is to be collected.
 */
export function lineBatches(
  lines: readonly MirrorLine[],
  { totalMinor, currency }: { readonly totalMinor: string; readonly currency: string },
): Stripe.InvoiceAddLinesParams.Line[][] {
  const shown = withinLimit(lines).map((line) => stripeLine(line, currency));
  const rounding =
    amountToCollect(totalMinor, currency) - shown.reduce((sum, { amount = 0 }) => sum + amount, 0);
  const isExact = sumOf(lines) === BigInt(totalMinor);
  if (rounding !== 0 && isExact) {
    shown.push({
      amount: rounding,
      description: "Rounding",
      discountable: false,
      metadata: { reckoner_line: "rounding" },
    });
  }
  const batches = [];
  for (let from = 0; from < shown.length; from += batchSize)
    batches.push(shown.slice(from, from + batchSize));
  return batches;
}

function withinLimit(lines: readonly MirrorLine[]): readonly MirrorLine[] {
  if (lines.length <= linesMax) return lines;
  const rest = lines.slice(linesMax - 1);
  const aggregate = {
    lineId: "further-lines",
    description: `${rest.length} further lines`,
    amountMinor: String(sumOf(rest)),
  };
  return [...lines.slice(0, linesMax - 1), aggregate];
}

function sumOf(lines: readonly MirrorLine[]): bigint {
  return lines.reduce((total, line) => total + BigInt(line.amountMinor), 0n);
}

function stripeLine(line: MirrorLine, currency: string): Stripe.InvoiceAddLinesParams.Line {
  return {
    amount: stripeAmount(line.amountMinor, currency),
    description: line.description.slice(0, descriptionLengthMax),
    discountable: false,
    metadata: { reckoner_line: line.lineId },
    ...(line.period && { period: { start: seconds(line.period.start), end: seconds(line.period.end) } }),
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
