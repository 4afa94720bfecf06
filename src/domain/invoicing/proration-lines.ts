import { type Instant, isoOf, type Period } from "../calendar/index.ts";
import { compareMoney, type Money, money, negateMoney } from "../money/index.ts";
import { paidForWhole, unusedShare } from "../proration/index.ts";
import type { ChargedPrice } from "./charged-time.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { Terms } from "./terms.ts";
import {
  partDetail,
  planMeasure,
  prorationOf,
  type TimeCharge,
  timeChargesOf,
  timeLine,
  titleOf,
} from "./time-charge.ts";
import { advanceLines, type PeriodFrame } from "./time-charges.ts";

/** The period that a change falls into. */
export interface ChangeCourse extends PeriodFrame {
  readonly period: Period;
  /** What was charged for it in advance; null while that is still to come, and will be charged by the terms of its start. */
  readonly charged: readonly ChargedPrice[] | null;
  /** The period that begins with the change, where another anchor ends the one in course. */
  readonly next: { readonly period: Period; readonly full: Period } | null;
}

/** A period as the calendar has it, charged as its first terms say. */
export function wholeCourse(period: Period, timeZone = "UTC"): ChangeCourse {
  return { period, full: period, timeZone, charged: null, next: null };
}

/**
 * What a change inside a period costs: for every price whose charge differs, a credit for the unused part of what was
 * charged and a charge for the rest of the period at the new price, measured as the plan of the price says. Both are taken
 * from the amounts of whole periods, so any number of changes in a row sums exactly to what was used. When a new period
 * begins with the change, everything is handed back, and charged for that period.
 */
export function prorationLines(
  before: Terms,
  after: Terms,
  course: ChangeCourse,
  at: Instant,
): InvoiceLine[] {
  const old = timeChargesOf(before, "in_advance");
  const next = timeChargesOf(after, "in_advance");
  const isNewPeriod = course.next !== null;
  const left = old.filter((charge) => isNewPeriod || !next.some((other) => sameCharge(charge, other)));
  const taken = next.filter((charge) => isNewPeriod || !old.some((other) => sameCharge(charge, other)));
  const credits = creditLines(left, taken, course, at);
  return [
    ...credits,
    ...(course.next === null
      ? taken.flatMap((charge) => chargeLine(charge, course, at))
      : firstLines(after, course.next, course.timeZone)),
  ];
}

/** The unused part of everything charged in advance, when a subscription ends at `at`. */
export function endingCredits(before: Terms, course: ChangeCourse, at: Instant): InvoiceLine[] {
  return prorationLines(before, { ...before, items: [] }, course, at);
}

/** What of the charge is for time after `at`, handed back; only what was charged, and never more than was paid for it. */
function creditLines(
  left: readonly TimeCharge[],
  taken: readonly TimeCharge[],
  course: ChangeCourse,
  at: Instant,
): InvoiceLine[] {
  if (course.charged === null) {
    return left.flatMap((charge) => creditLine(charge, { whole: charge.amount, most: null }, course, at));
  }
  return course.charged.flatMap((charged) => {
    const charge = [...left, ...taken].find((candidate) => isFor(charged, candidate));
    if (charge === undefined) return [];
    const { currency } = charge.plan;
    const quantity = Number(charged.quantity ?? charge.quantity);
    const basis =
      prorationOf(charge.plan).creditBasis === "list"
        ? { whole: money(charged.wholeMinor, currency), most: null }
        : { whole: paidForWhole(charged, currency), most: money(charged.paidMinor, currency) };
    return creditLine({ ...charge, quantity }, basis, course, at);
  });
}

function creditLine(
  charge: TimeCharge,
  { whole, most }: { readonly whole: Money; readonly most: Money | null },
  { period, full, timeZone }: ChangeCourse,
  at: Instant,
): InvoiceLine[] {
  const { unit, creditBasis } = prorationOf(charge.plan);
  if (unit === "none") return [];
  const measure = planMeasure(charge.plan, full, timeZone);
  const unused = unusedShare(whole, measure, at);
  const credit = negateMoney(most === null || compareMoney(unused, most) < 0 ? unused : most);
  if (credit.amountMinor === 0n) return [];
  const rest = { start: at, end: full.end };
  const detail = {
    ...partDetail(charge.plan, measure, whole, rest),
    periodStart: isoOf(period.start),
    creditBasis,
  };
  const { tiers: _tiers, ...untiered } = charge;
  const title = `Unused time on ${titleOf(charge)}`;
  return [
    {
      ...timeLine(untiered, rest, credit, { earning: "deferred", title, detail }),
      kind: "proration_credit",
    },
  ];
}

function chargeLine(
  charge: TimeCharge,
  { period, full, timeZone }: ChangeCourse,
  at: Instant,
): InvoiceLine[] {
  const { plan, amount: whole } = charge;
  if (prorationOf(plan).unit === "none") return [];
  const measure = planMeasure(plan, full, timeZone);
  const amount = unusedShare(whole, measure, at);
  if (amount.amountMinor === 0n) return [];
  const rest = { start: at, end: full.end };
  const detail = { ...partDetail(plan, measure, whole, rest), periodStart: isoOf(period.start) };
  const title = `Remaining time on ${titleOf(charge)}`;
  return [
    {
      ...timeLine(charge, rest, amount, { earning: "deferred", title, detail }),
      kind: "proration_charge",
    },
  ];
}

/** What the period that begins with a change costs: as any other, or its share where it is the rest of one. */
function firstLines(
  after: Terms,
  { period, full }: NonNullable<ChangeCourse["next"]>,
  timeZone: string,
): InvoiceLine[] {
  const lines = advanceLines(after, period, { full, timeZone });
  if (period.start === full.start) return lines;
  return lines.map((line) => ({
    ...line,
    kind: "proration_charge",
    description: `Remaining time on ${line.description}`,
  }));
}

function sameCharge(one: TimeCharge, other: TimeCharge): boolean {
  return (
    one.plan.key === other.plan.key &&
    one.plan.version === other.plan.version &&
    one.price.key === other.price.key &&
    one.quantity === other.quantity &&
    one.amount.amountMinor === other.amount.amountMinor
  );
}

function isFor(charged: ChargedPrice, { plan, price }: TimeCharge): boolean {
  return (
    charged.planKey === plan.key && charged.planVersion === plan.version && charged.priceKey === price.key
  );
}
