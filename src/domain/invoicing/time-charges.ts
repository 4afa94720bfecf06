import type { Period } from "../calendar/index.ts";
import { shareOfPart } from "../proration/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { Terms, TermsStretch } from "./terms.ts";
import {
  partDetail,
  planMeasure,
  prorationOf,
  seatCharge,
  type TimeCharge,
  timeChargesOf,
  timeLine,
} from "./time-charge.ts";

/** On whose calendar a period lies, and the whole of which it may be a part. */
export interface PeriodFrame {
  readonly full: Period;
  readonly timeZone: string;
}

/**
 * The lines for a period that is about to begin: base fees and seats, in full; for a first part up to a day of the calendar
 * its share, or nothing where the plan gives it away.
 */
export function advanceLines(
  terms: Terms,
  period: Period,
  { full, timeZone }: PeriodFrame = { full: period, timeZone: "UTC" },
): InvoiceLine[] {
  const isPart = period.start > full.start;
  const rule = terms.items[0]?.plan.anchor;
  if (isPart && rule?.type === "calendar" && rule.stub === "free") return [];
  return timeChargesOf(terms, "in_advance").flatMap((charge) => {
    const { plan, amount: whole } = charge;
    const measure = planMeasure(plan, full, timeZone);
    const amount = isPart ? shareOfPart(whole, measure, { start: period.start, end: full.end }) : whole;
    if (amount.amountMinor === 0n) return [];
    const detail = isPart ? partDetail(plan, measure, whole, { start: period.start, end: full.end }) : {};
    return [timeLine(charge, period, amount, { earning: "deferred", detail })];
  });
}

/** A price while its quantity stayed the same, in parts of the period that follow each other. */
interface Held {
  readonly charge: TimeCharge;
  readonly part: Period;
}

/**
 * Fees and seats billed after the fact, for the part of the period in which they were agreed. Seats are counted by their
 * history: each number for the time that it held, or the most that there were for all the time that the plan was agreed.
 * Where a plan charges whole periods only, what holds at the end of the period is charged, in full.
 */
export function arrearsLines(
  stretches: readonly TermsStretch[],
  full: Period,
  timeZone = "UTC",
): InvoiceLine[] {
  const [first] = stretches;
  const last = stretches.at(-1);
  if (first === undefined || last === undefined) return [];
  const period = { start: first.start, end: last.end };
  return heldInArrears(stretches).flatMap(({ charge, part }) => {
    const { plan, amount: whole } = charge;
    const of = prorationOf(plan).unit === "none" ? period : full;
    const measure = planMeasure(plan, of, timeZone);
    const amount = shareOfPart(whole, measure, part);
    if (amount.amountMinor === 0n) return [];
    return [
      timeLine(charge, part, amount, { earning: "earned", detail: partDetail(plan, measure, whole, part) }),
    ];
  });
}

/** By price, in the order in which they were agreed, and of each in the order of time. */
function heldInArrears(stretches: readonly TermsStretch[]): Held[] {
  const held = stretches.flatMap((stretch) =>
    timeChargesOf(stretch.terms, "in_arrears").map((charge) => ({
      charge,
      part: { start: stretch.start, end: stretch.end },
    })),
  );
  return [...Map.groupBy(held, ({ charge }) => sourceKeyOf(charge)).values()].flatMap((ofPrice) =>
    joined(atPeak(ofPrice)),
  );
}

/** Of a price that counts the most seats: that number for all the time. */
function atPeak(held: readonly Held[]): readonly Held[] {
  const quantity = Math.max(...held.map(({ charge }) => charge.quantity));
  return held.map(({ charge, part }) => {
    const { plan, price } = charge;
    if (price.type !== "seat" || price.counting !== "peak") return { charge, part };
    return { charge: seatCharge(plan, price, quantity + price.includedSeats), part };
  });
}

/** What did not change makes no line of its own. */
function joined(held: readonly Held[]): Held[] {
  const runs: Held[] = [];
  for (const { charge, part } of held) {
    const before = runs.at(-1);
    if (before?.part.end === part.start && before.charge.quantity === charge.quantity) {
      runs[runs.length - 1] = { charge, part: { start: before.part.start, end: part.end } };
    } else {
      runs.push({ charge, part });
    }
  }
  return runs;
}

function sourceKeyOf({ plan, price }: TimeCharge): string {
  return `${plan.key}/${plan.version}/${price.key}`;
}
