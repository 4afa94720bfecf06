import type { Instant, Period } from "../calendar/index.ts";
import type { CreditGrant } from "../credits/index.ts";
import type { Meter } from "../metering/index.ts";
import { type Currency, isZero, type Money, money, subtractMoney, sumMoney, zero } from "../money/index.ts";
import { carriedLine } from "./carried-line.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { addUpInvoice, type InvoiceTotals } from "./invoice-totals.ts";
import { stretchesOf, type Terms, termsAt } from "./terms.ts";
import { advanceLines, arrearsLines } from "./time-charges.ts";
import {
  type BookedUsage,
  type RatedUsage,
  rateStretches,
  type StretchUsage,
  usageLines,
} from "./usage-charges.ts";

/** A period that was closed before and has had usage since. */
export interface LatePeriod {
  /** As it is, and as it would have been without an early end: what included quantities are for. */
  readonly period: Period;
  readonly full: Period;
  /** The versions that measured it. */
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
  readonly booked: readonly BookedUsage[];
}

/** Everything that decides an invoice of a period: recorded facts only, so it can be derived again at any time. */
export interface PeriodFacts {
  readonly currency: Currency;
  /** The period to close; shorter than `full` when the subscription ended inside it. */
  readonly period: Period;
  readonly full: Period;
  /** The period that begins, which is charged in advance; null when the subscription has ended. */
  readonly next: Period | null;
  /** All terms, ascending. */
  readonly terms: readonly Terms[];
  readonly meters: readonly Meter[];
  readonly usage: readonly StretchUsage[];
  readonly late: readonly LatePeriod[];
  /** Lines of changes that waited for this invoice. */
  readonly waiting: readonly InvoiceLine[];
  readonly grants: readonly CreditGrant[];
  readonly customerBalance: Money;
  /** Too small to be charged so far. */
  readonly carried: Money;
  readonly asOf: Instant;
}

export interface ClosedPeriod {
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotals;
  readonly rated: readonly RatedUsage[];
  readonly late: readonly { readonly period: Period; readonly rated: readonly RatedUsage[] }[];
  /** The differences that late usage makes, per earlier period; negative ones went to the customer's balance. */
  readonly corrections: readonly { readonly period: Period; readonly lines: readonly InvoiceLine[] }[];
}

/** Works out the invoice that closes a period. The preview of a period is the same function, not stored. */
export function closePeriod(facts: PeriodFacts): ClosedPeriod {
  const { period, full, next, terms, meters, usage, currency } = facts;
  const rated = rateStretches(usage, full, meters);
  const late = facts.late.map((earlier) => ({
    period: earlier.period,
    rated: rateStretches(earlier.usage, earlier.full, earlier.meters),
    booked: earlier.booked,
  }));
  const corrections = late.map((earlier) => ({
    period: earlier.period,
    lines: usageLines(earlier.rated, earlier.booked),
  }));
  const lateCredits = corrections.flatMap((correction) => correction.lines.filter(isTooMuch));
  const lines = [
    ...usageLines(rated, null),
    ...corrections.flatMap((correction) =>
      correction.lines.map((line) => (isTooMuch(line) ? credited(line) : line)),
    ),
    ...arrearsLines(stretchesOf(terms, period), full),
    ...(next === null ? [] : advanceLines(termsAt(terms, next.start), next)),
    ...facts.waiting,
    ...(isZero(facts.carried) ? [] : [carriedLine("carried_over", facts.carried, period)]),
  ];
  const customerBalance = subtractMoney(
    facts.customerBalance,
    sumMoney(
      lateCredits.map(({ amount }) => amount),
      currency,
    ),
  );
  const settled = addUpInvoice(lines, { ...facts, customerBalance });
  return { ...settled, rated, late, corrections };
}

/** Late usage can lower an amount: a volume price may fall with the quantity. */
function isTooMuch({ amount }: InvoiceLine): boolean {
  return amount.amountMinor < 0n;
}

/** What was billed too much goes to the customer's balance; the line says so and asks for nothing. */
function credited(line: InvoiceLine): InvoiceLine {
  return {
    ...line,
    exactMinor: zero,
    amount: money(0n, line.amount.currency),
    detail: { ...line.detail, creditedToBalanceMinor: (-line.amount.amountMinor).toString() },
  };
}
