import type { Instant, Period } from "../calendar/index.ts";
import type { CreditGrant, CreditPolicy } from "../credits/index.ts";
import type { Meter } from "../metering/index.ts";
import {
  addMoney,
  type Currency,
  exactOfLedgerAmount,
  isZero,
  type Money,
  roundToMinor,
  sumDecimals,
  sumMoney,
  zero,
} from "../money/index.ts";
import { carriedLine } from "./carried-line.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { addUpInvoice, type InvoiceTotals } from "./invoice-totals.ts";
import { type GivenBackLine, givenBack, type RecordedDraw } from "./returned-draws.ts";
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
  /** What credit paid of it so far, in the order in which it was drawn. */
  readonly draws?: readonly RecordedDraw[];
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
  /** The usual one when left out. */
  readonly creditPolicy?: CreditPolicy;
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
  readonly late: readonly { readonly period: Period; readonly rated: readonly RatedUsage[] }[];
  /** The differences that late usage makes, per earlier period; negative ones went back to who had paid. */
  readonly corrections: readonly Correction[];
}

export interface Correction {
  readonly period: Period;
  /** As they are on the invoice. */
  readonly lines: readonly InvoiceLine[];
  /** Those of them that came to less than was billed. */
  readonly givenBack: readonly GivenBackLine[];
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
  const corrections = late.map(({ period: of, rated: again, booked }, index) =>
    correctionOf(of, usageLines(again, booked), facts.late[index], facts.creditPolicy),
  );
  const lines = [
    ...usageLines(rated, null),
    ...corrections.flatMap((correction) => correction.lines),
    ...arrearsLines(stretchesOf(terms, period), full),
    ...(next === null ? [] : advanceLines(termsAt(terms, next.start), next)),
    ...facts.waiting,
    ...(isZero(facts.carried) ? [] : [carriedLine("carried_over", facts.carried, period)]),
  ];
  const settled = addUpInvoice(lines, {
    ...facts,
    customerBalance: addMoney(facts.customerBalance, toBalance(corrections, currency)),
    billed: [period, ...late.map((earlier) => earlier.period)],
    ratedUntil: (facts.usageUntil ?? []).map((until) => ({
      at: until.at,
      rated: rateStretches(until.usage, full, meters),
    })),
  });
  return { ...settled, rated, late, corrections };
}

/** Late usage can lower an amount: a volume price may fall with the quantity. */
function correctionOf(
  period: Period,
  differences: readonly InvoiceLine[],
  late: LatePeriod | undefined,
  policy: CreditPolicy | undefined,
): Correction {
  const back = differences.map((line) =>
    line.exactMinor.isLessThan(zero) ? givenBack(line, late?.draws ?? [], late?.booked ?? [], policy) : null,
  );
  return {
    period,
    lines: differences.map((line, index) => back[index]?.line ?? line),
    givenBack: back.filter((given) => given !== null),
  };
}

/** What corrections put on the customer's balance, as far as it can pay an invoice: whole minor units. */
function toBalance(corrections: readonly Correction[], currency: Currency): Money {
  const given = corrections.flatMap((correction) => correction.givenBack);
  const credited = given.flatMap(({ returned }) => returned.filter(({ to }) => to === "balance"));
  const exact = sumDecimals(credited.map(({ amount }) => exactOfLedgerAmount(amount)));
  const money = given.map(({ moneyToBalance }) => moneyToBalance);
  return addMoney(sumMoney(money, currency), roundToMinor(exact, currency, "down"));
}
