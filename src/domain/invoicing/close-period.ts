import type { Instant, Period } from "../calendar/index.ts";
import type { CreditGrant } from "../credits/index.ts";
import { invariant } from "../errors.ts";
import type { Meter } from "../metering/index.ts";
import { addMoney, type Currency, isZero, type Money, money } from "../money/index.ts";
import { adjustmentLines } from "./adjustment-lines.ts";
import type { AdvanceCharged } from "./advance-charged.ts";
import { linesInAdvance } from "./advance-discounts.ts";
import type { BilledBefore } from "./billed-before.ts";
import { carriedLine } from "./carried-line.ts";
import { type Correction, correctionOf, toBalance } from "./correction.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { addUpTogether, type InvoiceTotals } from "./invoice-totals.ts";
import { netRounding } from "./net-rounding.ts";
import { type RatedPeriod, ratedUntil, ratePeriod } from "./rate-period.ts";
import type { RatedAdjustment } from "./rated-adjustment.ts";
import type { ReservedCredit } from "./reserved-credit.ts";
import type { GivenTax } from "./tax-lines.ts";
import { type Terms, termsAt } from "./terms.ts";
import { type RatedUsage, type StretchUsage, usageLines } from "./usage-charges.ts";
import { creditPolicyOf, type UsageCredit } from "./usage-credit.ts";

/** What had been used in a period by an instant inside it, where what may pay for it changes: where a grant takes effect, or ends. */
export interface UsageUntil {
  readonly at: Instant;
  readonly usage: readonly StretchUsage[];
  /** As far as it had been reported when the period was billed before; left out where it was not. */
  readonly before?: readonly StretchUsage[];
}

/** A period that was closed before and has had usage since. */
export interface LatePeriod extends BilledBefore {
  /** As it is, and as it would have been without an early end: what included quantities are for. */
  readonly period: Period;
  readonly full: Period;
  /** The versions that measured it. */
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
  readonly usageUntil?: readonly UsageUntil[];
  /** Of the subscription; 0 when left out. */
  readonly periodIndex?: number;
  readonly advance?: readonly AdvanceCharged[];
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
  /** Where that is a first part of a longer one, or follows a trial; a whole period, counted on from this one, when left out. */
  readonly nextFrame?: { readonly full: Period; readonly periodIndex: number };
  /** Of the subscription: 0, or left out, is its first period. */
  readonly periodIndex?: number;
  /** All terms as they were agreed, ascending: what their prices are in a period is decided here. */
  readonly terms: readonly Terms[];
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
  /** What was billed of the period at thresholds; left out where nothing was. */
  readonly before?: BilledBefore;
  readonly late: readonly LatePeriod[];
  /** What was charged in advance for the period: minimums, caps and commitments count it. */
  readonly advance?: readonly AdvanceCharged[];
  /** Lines of changes that waited for this invoice. */
  readonly waiting: readonly InvoiceLine[];
  readonly grants: readonly CreditGrant[];
  /** Of receipts of the period and of those with late usage; grants have it beside what anything else may draw. */
  readonly reserved?: readonly ReservedCredit[];
  readonly usageUntil?: readonly UsageUntil[];
  readonly customerBalance: Money;
  /** Too small to be charged so far. */
  readonly carried: Money;
  /** Reckoned outside for what it comes to; left out where nobody reckons tax, and before it is known. */
  readonly tax?: GivenTax;
  readonly asOf: Instant;
}

/** A period as it was rated, with its lines. */
export interface ClosedPart {
  readonly lines: readonly InvoiceLine[];
  readonly rated: readonly RatedUsage[];
  readonly adjusted: readonly RatedAdjustment[];
  readonly late: readonly RatedPeriod[];
  /** The period itself, less what thresholds billed of it; null where they billed nothing. */
  readonly rest: Correction | null;
  /** The differences that late usage makes, per earlier period; negative ones went back to who had paid. */
  readonly corrections: readonly Correction[];
}

export interface ClosedPeriod extends ClosedPart {
  readonly totals: InvoiceTotals;
}

/** Periods of several subscriptions that one invoice closes. */
export interface ClosedTogether {
  readonly parts: readonly ClosedPart[];
  readonly totals: InvoiceTotals;
}

/** Works out the invoice that closes a period. The preview of a period is the same function, not stored. */
export function closePeriod(facts: PeriodFacts): ClosedPeriod {
  const { parts, totals } = closeTogether([facts]);
  const [part] = parts;
  invariant(part, "a part is closed");
  return { ...part, totals };
}

/**
 * Works out the invoice that closes periods of several subscriptions. Each is rated by itself; credit pays one after the other,
 * in the order given; the customer's balance, which is the same in all of them, pays the sum.
 * @param facts at least one, as {@link carriedOnce} leaves them
 */
export function closeTogether(facts: readonly PeriodFacts[]): ClosedTogether {
  const parts = facts.map(partOf);
  return settle(facts, parts);
}

/** What was carried to the next invoice comes back once: with the first period. */
export function carriedOnce<Facts extends PeriodFacts>(facts: readonly Facts[]): Facts[] {
  return facts.map((each, place) => (place === 0 ? each : { ...each, carried: money(0n, each.currency) }));
}

/** The place of the first period that has anything on the invoice: the invoice is named after it. */
export const firstBilled = ({ parts }: Pick<ClosedTogether, "parts">): number =>
  Math.max(
    0,
    parts.findIndex(({ lines }) => lines.length > 0),
  );

/** Tax is of the whole invoice: it is kept with the first period that has anything on it. */
export function withTax<Facts extends PeriodFacts>(
  facts: readonly Facts[],
  closed: ClosedTogether,
  tax: GivenTax,
): Facts[] {
  const first = firstBilled(closed);
  return facts.map((each, place) => (place === first ? { ...each, tax } : each));
}

/** Such as a subscription is closed for once it has ended: only what has come late of its periods is on that invoice. */
export const isOfNoTime = ({ start, end }: Period): boolean => start === end;

const nothingRated = (period: Period): RatedPeriod => ({ period, rated: [], adjusted: [], fees: [] });

/** What an invoice says that it is for: the period that it closes, or those whose late usage it bills. */
export function billedTime({ period, late }: Pick<PeriodFacts, "period" | "late">): Period {
  const [first, ...others] = isOfNoTime(period) ? late.map((earlier) => earlier.period) : [period];
  if (first === undefined) return period;
  return others.reduce(
    ({ start, end }, each) => ({
      start: each.start < start ? each.start : start,
      end: each.end > end ? each.end : end,
    }),
    first,
  );
}

/** What a period comes to by itself, before anything pays for it. */
function partOf(facts: PeriodFacts): ClosedPart {
  const { period, currency, before } = facts;
  const creditPolicy = creditPolicyOf(facts.terms, period);
  const own = isOfNoTime(period) ? nothingRated(period) : ratePeriod(facts, facts);
  const late = facts.late.map((earlier) => ratePeriod(earlier, facts));
  const corrections = late.map((again, index) => correctionOf(again, facts.late[index], creditPolicy));
  const rest = before === undefined ? null : correctionOf(own, before, creditPolicy, "thresholds");
  const lateLines = corrections.flatMap((correction) => correction.lines);
  const besides = [
    ...chargesOfNext(facts),
    ...facts.waiting,
    ...(isZero(facts.carried) ? [] : [carriedLine("carried_over", facts.carried, period)]),
  ];
  // As if nothing of it were billed yet: all of a period together is rounded as a whole.
  const whole = [
    ...usageLines(own.rated, null),
    ...lateLines,
    ...own.fees,
    ...adjustmentLines(own.adjusted, null),
    ...besides,
  ];
  const lines = rest === null ? whole : [...rest.lines, ...lateLines, ...besides];
  const { rounding = "line" } = termsAt(facts.terms, period.start).items[0]?.plan ?? {};
  const rounded = rounding === "net" ? [...lines, ...netRounding(whole, currency, period)] : lines;
  const { rated, adjusted } = own;
  return { lines: rounded, rated, adjusted, late, rest, corrections };
}

/** Adds up what periods are billed at, with what the customer's grants and balance pay. */
export function settle<Part extends Pick<ClosedPart, "lines" | "rest" | "corrections">>(
  facts: readonly PeriodFacts[],
  parts: readonly Part[],
): { readonly parts: readonly Part[]; readonly totals: InvoiceTotals } {
  const [first] = facts;
  invariant(first, "an invoice has a part");
  const { currency, customerBalance, asOf } = first;
  const tax = facts.find((each) => each.tax !== undefined)?.tax;
  const corrections = parts.flatMap(({ rest, corrections: ofPart }) =>
    rest === null ? ofPart : [rest, ...ofPart],
  );
  const added = addUpTogether(
    parts.map(({ lines }, place) => ({ lines, credit: creditOf(facts[place] ?? first) })),
    {
      ...{ currency, asOf, ...(tax === undefined ? {} : { tax }) },
      customerBalance: addMoney(customerBalance, toBalance(corrections, currency)),
    },
  );
  return {
    parts: parts.map((part, place) => ({ ...part, lines: added.parts[place] ?? [] })),
    totals: added.totals,
  };
}

/** What pays for the usage of a period, and by which rules. */
function creditOf(facts: PeriodFacts): UsageCredit {
  const { period, late } = facts;
  return {
    ...facts,
    creditPolicy: creditPolicyOf(facts.terms, period),
    billed: [period, ...late.map((earlier) => earlier.period)],
    ratedUntil: ratedUntil(facts),
  };
}

/** What the period that begins is charged with, by its own prices. */
function chargesOfNext(facts: PeriodFacts): InvoiceLine[] {
  const { next, nextFrame, terms, periodIndex = 0, timeZone = "UTC" } = facts;
  if (next === null) return [];
  const { full, periodIndex: nextIndex } = nextFrame ?? { full: next, periodIndex: periodIndex + 1 };
  return linesInAdvance(termsAt(terms, next.start), next, nextIndex, { full, timeZone });
}
