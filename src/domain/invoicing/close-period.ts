import type { Instant, Period } from "../calendar/index.ts";
import type { CreditGrant } from "../credits/index.ts";
import type { Meter } from "../metering/index.ts";
import { addMoney, type Currency, isZero, type Money } from "../money/index.ts";
import { adjustPeriod } from "./adjust-period.ts";
import { adjustmentLines } from "./adjustment-lines.ts";
import type { AdvanceCharged } from "./advance-charged.ts";
import { linesInAdvance } from "./advance-discounts.ts";
import { carriedLine } from "./carried-line.ts";
import { type Correction, correctionOf, toBalance } from "./correction.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { addUpInvoice, type InvoiceTotals } from "./invoice-totals.ts";
import { netRounding } from "./net-rounding.ts";
import type { BookedAdjustment, RatedAdjustment } from "./rated-adjustment.ts";
import type { RecordedDraw } from "./returned-draws.ts";
import { pricedTerms, type Terms, termsAt } from "./terms.ts";
import { arrearsLines } from "./time-charges.ts";
import {
  type BookedUsage,
  type RatedUsage,
  rateStretches,
  type StretchUsage,
  usageLines,
} from "./usage-charges.ts";
import { creditPolicyOf } from "./usage-credit.ts";

/** A period that was closed before and has had usage since. */
export interface LatePeriod {
  /** As it is, and as it would have been without an early end: what included quantities are for. */
  readonly period: Period;
  readonly full: Period;
  /** The versions that measured it. */
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
  readonly booked: readonly BookedUsage[];
  /** What adjustments came to, as it was stored. */
  readonly adjusted?: readonly BookedAdjustment[];
  /** Of the subscription; 0 when left out. */
  readonly periodIndex?: number;
  readonly advance?: readonly AdvanceCharged[];
  /** What credit paid of it so far, in the order in which it was drawn. */
  readonly draws?: readonly RecordedDraw[];
}

/** Everything that decides an invoice of a period: recorded facts only, so it can be derived again at any time. */
export interface PeriodFacts {
  readonly currency: Currency;
  /** Of the customer: what a day is. UTC when left out. */
  readonly timeZone?: string;
  /** The period to close; shorter than `full` when the subscription ended inside it. */
  readonly period: Period;
  readonly full: Period;
  /** The period that begins, which is charged in advance; null when the subscription has ended. */
  readonly next: Period | null;
  /** Of the subscription: 0, or left out, is its first period. */
  readonly periodIndex?: number;
  /** All terms as they were agreed, ascending: what their prices are in a period is decided here. */
  readonly terms: readonly Terms[];
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
  readonly late: readonly LatePeriod[];
  /** What was charged in advance for the period: minimums, caps and commitments count it. */
  readonly advance?: readonly AdvanceCharged[];
  /** Lines of changes that waited for this invoice. */
  readonly waiting: readonly InvoiceLine[];
  readonly grants: readonly CreditGrant[];
  /** The usage until each instant, inside the period, at which a grant takes effect or ends. */
  readonly usageUntil?: readonly { readonly at: Instant; readonly usage: readonly StretchUsage[] }[];
  readonly customerBalance: Money;
  /** Too small to be charged so far. */
  readonly carried: Money;
  readonly asOf: Instant;
}

export interface ClosedPeriod {
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotals;
  readonly rated: readonly RatedUsage[];
  readonly adjusted: readonly RatedAdjustment[];
  readonly late: readonly RatedPeriod[];
  /** The differences that late usage makes, per earlier period; negative ones went back to who had paid. */
  readonly corrections: readonly Correction[];
}

/** What a period comes to, cumulative. */
export interface RatedPeriod {
  readonly period: Period;
  readonly rated: readonly RatedUsage[];
  readonly adjusted: readonly RatedAdjustment[];
  /** In arrears. */
  readonly fees: readonly InvoiceLine[];
}

/** Works out the invoice that closes a period. The preview of a period is the same function, not stored. */
export function closePeriod(facts: PeriodFacts): ClosedPeriod {
  const { period, full, meters, currency, periodIndex = 0 } = facts;
  const creditPolicy = creditPolicyOf(facts.terms, period);
  const { rated, adjusted, fees } = ratePeriod(facts, facts);
  const late = facts.late.map((earlier) => ratePeriod(earlier, facts));
  const corrections = late.map((again, index) => correctionOf(again, facts.late[index], creditPolicy));
  const lines = [
    ...usageLines(rated, null),
    ...corrections.flatMap((correction) => correction.lines),
    ...fees,
    ...adjustmentLines(adjusted, null),
    ...chargesOfNext(facts),
    ...facts.waiting,
    ...(isZero(facts.carried) ? [] : [carriedLine("carried_over", facts.carried, period)]),
  ];
  const { rounding = "line" } = termsAt(facts.terms, period.start).items[0]?.plan ?? {};
  const rounded = rounding === "net" ? [...lines, ...netRounding(lines, currency, period)] : lines;
  const settled = addUpInvoice(rounded, {
    ...facts,
    customerBalance: addMoney(facts.customerBalance, toBalance(corrections, currency)),
    creditPolicy,
    billed: [period, ...late.map((earlier) => earlier.period)],
    ratedUntil: (facts.usageUntil ?? []).map((until) => ({
      at: until.at,
      rated: rateStretches(pricedUsage(until.usage, periodIndex), full, meters),
    })),
  });
  return { ...settled, rated, adjusted, late, corrections };
}

/** Usage, fees in arrears, and adjustments on both. */
function ratePeriod(
  facts: Pick<LatePeriod, "period" | "full" | "meters" | "usage" | "periodIndex" | "advance">,
  { currency, timeZone = "UTC" }: Pick<PeriodFacts, "currency" | "timeZone">,
): RatedPeriod {
  const { period, full, meters, periodIndex = 0, advance = [] } = facts;
  const usage = pricedUsage(facts.usage, periodIndex);
  const stretches = usage.map(({ stretch }) => stretch);
  const rated = rateStretches(usage, full, meters);
  const fees = arrearsLines(stretches, full, timeZone);
  const charges = { period, full, timeZone, periodIndex, currency, stretches, rated, fees, advance };
  return { period, rated, fees, adjusted: adjustPeriod(charges) };
}

/** What the period that begins is charged with, by its own prices. */
function chargesOfNext({ next, terms, periodIndex = 0, timeZone = "UTC" }: PeriodFacts): InvoiceLine[] {
  if (next === null) return [];
  const frame = { full: next, timeZone };
  return linesInAdvance(termsAt(terms, next.start), next, periodIndex + 1, frame);
}

function pricedUsage(usage: readonly StretchUsage[], periodIndex: number): StretchUsage[] {
  return usage.map(({ stretch, ...read }) => {
    const [terms = stretch.terms] = pricedTerms([stretch.terms], periodIndex);
    return { ...read, stretch: { ...stretch, terms } };
  });
}
