import { Temporal } from "temporal-polyfill";
import { type AnchorRule, AnchorRuleInvalidError } from "./anchor-rule.ts";
import type { BillingAnchor, BillingInterval } from "./billing-anchor.ts";
import { type Instant, instantOfEpochMs } from "./instant.ts";
import { localTime } from "./time-zone.ts";

/** From when somebody subscribes, how long his periods are, and whose calendar says so. */
export interface AnchoredStart {
  readonly start: Instant;
  readonly interval: BillingInterval;
  readonly timeZone: string;
}

type CalendarRule = Extract<AnchorRule, { type: "calendar" }>;

/** The dates that a rule names, one interval apart; 0 is the first whose midnight is not before the start. */
type BoundaryDate = (index: number) => Temporal.PlainDate;

/**
 * The anchor that a plan's rule gives to who subscribes at `start`. That of a calendar rule may lie before the start: it is
 * a boundary that has the very day and a midnight, so that neither a short month nor a skipped midnight leaves a trace in
 * the others. Periods of twelve months or parts of them begin in the rule's month (quarters in January, April, July and
 * October), all other multiples count from the first such day that comes.
 * @throws AnchorRuleInvalidError for a part that the interval has no use for
 */
export function anchorFor(rule: AnchorRule | undefined, subscribed: AnchoredStart): BillingAnchor {
  const { start: at, interval, timeZone } = subscribed;
  if (rule === undefined || rule.type === "anniversary") return { at, interval, timeZone };
  const [fault] = anchorRuleFaults(rule, interval);
  if (fault !== undefined) throw new AnchorRuleInvalidError(fault.message, fault.field);
  return { at: reference(boundaryDates(rule, subscribed), rule, timeZone), interval, timeZone };
}

/** Leap days are at most eight years apart; of every third year, twenty-four. */
const yearsBackMax = 48;

function reference(dateAt: BoundaryDate, { day }: CalendarRule, zone: string): Instant {
  const first = dateAt(0);
  let best: Temporal.PlainDate | null = null;
  let date = first;
  for (let step = 1; date.year >= first.year - yearsBackMax; step += 1) {
    if (hasMidnight(date, zone)) {
      if (day === undefined || date.day === day) return midnight(date, zone);
      if (best === null || date.day > best.day) best = date;
    }
    date = dateAt(-step);
  }
  return midnight(best ?? first, zone);
}

function boundaryDates(rule: CalendarRule, { start, interval, timeZone }: AnchoredStart): BoundaryDate {
  const today = localTime(start, timeZone).toPlainDate();
  const { unit, count } = interval;
  const isFirst = (date: Temporal.PlainDate) => midnight(date, timeZone) >= start;
  if (unit === "day" || unit === "week") {
    const ahead = unit === "day" ? 0 : ((rule.weekday ?? 1) - today.dayOfWeek + 7) % 7;
    let first = today.add({ days: ahead });
    while (!isFirst(first)) first = first.add({ [`${unit}s`]: 1 });
    return (index) => first.add({ [`${unit}s`]: index * count });
  }
  const months = unit === "year" ? 12 * count : count;
  // The distance of two months that both begin a period, where the calendar has a say in it.
  const cycle = unit === "year" ? 12 : 12 % count === 0 ? count : 1;
  const ofMonth = (month: Temporal.PlainYearMonth) =>
    month.toPlainDate({ day: Math.min(rule.day ?? 1, month.daysInMonth) });
  let first = today.toPlainYearMonth();
  while ((first.month - (rule.month ?? 1)) % cycle !== 0 || !isFirst(ofMonth(first))) {
    first = first.add({ months: 1 });
  }
  return (index) => ofMonth(first.add({ months: index * months }));
}

/** What a clock that skips midnight shows next is not a midnight. */
function hasMidnight(date: Temporal.PlainDate, zone: string): boolean {
  const local = localTime(midnight(date, zone), zone);
  return local.toPlainTime().equals(new Temporal.PlainTime()) && local.toPlainDate().equals(date);
}

function midnight(date: Temporal.PlainDate, zone: string): Instant {
  const time = new Temporal.PlainTime();
  return instantOfEpochMs(date.toZonedDateTime({ timeZone: zone, plainTime: time }).epochMilliseconds);
}

/** The parts of a rule that the interval has no use for, and what to do about each. */
export function anchorRuleFaults(
  rule: AnchorRule,
  { unit, count }: BillingInterval,
): { readonly field: string; readonly message: string }[] {
  if (rule.type === "anniversary") return [];
  const useful = {
    weekday: unit === "week",
    day: unit === "month" || unit === "year",
    month: unit === "year" || (unit === "month" && count > 1 && 12 % count === 0),
  };
  return (["weekday", "day", "month"] as const)
    .filter((field) => rule[field] !== undefined && !useful[field])
    .map((field) => ({
      field,
      message: `periods of ${count} ${unit} have no ${field} to begin on: remove it`,
    }));
}
