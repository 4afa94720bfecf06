import {
  type BillingInterval,
  civilDays,
  daysOf30,
  type Instant,
  lengthMs,
  type Period,
} from "../calendar/index.ts";
import type { ProrationPolicy } from "../catalog/index.ts";
import { invariant, unreachable } from "../errors.ts";

/** How far a period has come: `passed` of `whole` units, from none at its start to all of them at its end. */
export interface PeriodMeasure {
  readonly full: Period;
  readonly whole: bigint;
  readonly passed: (at: Instant) => bigint;
}

/** A whole period of an interval, on somebody's calendar. */
export interface ProratedPeriod {
  readonly full: Period;
  readonly interval: BillingInterval;
  readonly timeZone: string;
}

/** Measures a period as a plan's policy says. Months of thirty are for months and years; days and weeks have their own. */
export function measureOf(
  { full, interval, timeZone }: ProratedPeriod,
  { unit, changeDayBelongsTo }: Pick<ProrationPolicy, "unit" | "changeDayBelongsTo">,
): PeriodMeasure {
  if (unit === "second") return elapsedTime(full);
  if (unit === "none") return wholePeriod(full);
  // The day of a change is used up when it belongs to what was agreed before.
  const usedToday = changeDayBelongsTo === "old" ? 1 : 0;
  const days = (at: Instant) => civilDays(full.start, at, timeZone) + usedToday;
  const months = monthsOf(interval);
  if (unit === "day" || months === 0) return counted(full, civilDays(full.start, full.end, timeZone), days);
  if (unit === "fixed_30") return counted(full, 30 * months, days);
  if (unit === "30_360") {
    const whole = daysOf30(full.start, full.end, timeZone);
    return counted(full, whole, (at) => daysOf30(full.start, at, timeZone) + usedToday);
  }
  return unreachable(unit);
}

/** Elapsed time, exact to the millisecond. */
export function elapsedTime(of: Period): PeriodMeasure {
  return counted(of, lengthMs(of), (at) => at - of.start);
}

/** Nothing has passed until everything has. */
function wholePeriod(of: Period): PeriodMeasure {
  return counted(of, 1, () => 0);
}

function counted(of: Period, whole: number, count: (at: Instant) => number): PeriodMeasure {
  invariant(whole > 0, "a period that is divided is not empty");
  return {
    full: of,
    whole: BigInt(whole),
    passed(at) {
      if (at <= of.start) return 0n;
      if (at >= of.end) return BigInt(whole);
      return BigInt(Math.min(Math.max(count(at), 0), whole));
    },
  };
}

function monthsOf({ unit, count }: BillingInterval): number {
  if (unit === "year") return 12 * count;
  return unit === "month" ? count : 0;
}
