import {
  anchorFor,
  type BillingInterval,
  type Instant,
  instantOfEpochMs,
  type Period,
  periodContaining,
} from "../calendar/index.ts";
import type { CalendarUnit, LimitWindow, WindowLength } from "../catalog/index.ts";
import { unreachable } from "../errors.ts";
import { eventAheadMinutesMax, windowOf } from "../metering/index.ts";

/** What decides where a window lies. */
export interface WindowFrame {
  readonly now: Instant;
  /** The customer's. */
  readonly timeZone: string;
  /** Null: without a subscription, a billing cycle is a month of the customer's calendar. */
  readonly cycle: Period | null;
  /** When the limit began to hold. */
  readonly since: Instant;
  /** When a window of first use was opened that is open now; null when none is. */
  readonly openedAt: Instant | null;
}

/** The window that is open now. */
export interface OpenWindow {
  /** Of which usage counts; null before the first use. */
  readonly period: Period | null;
  /** When it begins anew with nothing used; null where it never does so at once. */
  readonly resetsAt: Instant | null;
}

const minuteMs = 60_000;
const lengthsMs: Readonly<Record<WindowLength["unit"], number>> = {
  minute: minuteMs,
  hour: 60 * minuteMs,
  day: 24 * 60 * minuteMs,
  week: 7 * 24 * 60 * minuteMs,
};

/** A length by a stopwatch, in milliseconds. */
export const lengthOfWindowMs = ({ unit, count }: WindowLength): number => count * lengthsMs[unit];

/**
 * The window of a limit at `now`. Windows that have no fixed ends are widened to whole minutes, which is what usage is kept
 * by: a rolling one is longer by up to a minute, never shorter.
 */
export function windowAt(window: LimitWindow, frame: WindowFrame): OpenWindow {
  const { now, timeZone, cycle, since, openedAt } = frame;
  switch (window.type) {
    case "calendar":
      return ending(calendarWindow(window.unit, now, timeZone));
    case "billing_cycle":
      return ending(cycle ?? calendarWindow("month", now, timeZone));
    case "rolling":
      return {
        period: { start: minuteOf(now - lengthOfWindowMs(window.length)), end: soon(now) },
        resetsAt: null,
      };
    case "first_use": {
      if (openedAt === null) return { period: null, resetsAt: null };
      const end = instantOfEpochMs(openedAt + lengthOfWindowMs(window.length));
      return ending({ start: openedAt, end });
    }
    case "never":
      return { period: { start: minuteOf(Math.min(since, now)), end: soon(now) }, resetsAt: null };
    default:
      return unreachable(window);
  }
}

const ending = (period: Period): OpenWindow => ({ period, resetsAt: period.end });

const minuteOf = (at: number): Instant => instantOfEpochMs(Math.floor(at / minuteMs) * minuteMs);

/** After everything that is taken in now: its time may be ahead of our clock. */
const soon = (now: Instant): Instant => minuteOf(now + (eventAheadMinutesMax + 1) * minuteMs);

const intervals: Readonly<Record<Exclude<CalendarUnit, "hour" | "day">, BillingInterval>> = {
  week: { unit: "week", count: 1 },
  month: { unit: "month", count: 1 },
  quarter: { unit: "month", count: 3 },
  year: { unit: "year", count: 1 },
};

/** Weeks begin on Monday; hours and days are those of usage by window. */
function calendarWindow(unit: CalendarUnit, now: Instant, timeZone: string): Period {
  if (unit === "hour" || unit === "day") return windowOf(now, unit, timeZone);
  const anchor = anchorFor({ type: "calendar" }, { start: now, interval: intervals[unit], timeZone });
  return periodContaining(anchor, now).period;
}
