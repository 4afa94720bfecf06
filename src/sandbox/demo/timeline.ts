import {
  addDuration,
  type BillingAnchor,
  type CalendarDuration,
  type Instant,
  instant,
  type Period,
  periodAt,
} from "../../domain/calendar/index.ts";
import { graceHours } from "./catalog.ts";

/** All subscriptions of the demo start here, on 1 April 2026: a month of 30 days makes sums that are easy to follow. */
export const demoStart = instant("2026-04-01T00:00:00Z");

const anchor: BillingAnchor = { at: demoStart, interval: { unit: "month", count: 1 }, timeZone: "UTC" };

export const demoMonth = (index: number): Period => periodAt(anchor, index);

/** What happens to the cast, all in the first month but for the new card. */
export const moments = {
  creditsBought: after(demoStart, { days: 5 }),
  upgraded: after(demoStart, { days: 10 }),
  cancellationAsked: after(demoStart, { days: 19 }),
  cardReplaced: after(demoStart, { days: 22 }),
  // The close is 6 hours into the month, the first retry 3 days after it: both lie behind.
  newCard: after(demoMonth(0).end, { days: 4 }),
} as const;

const stopDays = [3, 5, 10, 15, 19, 22, 26];

/** When the test clock stands still, and what for. */
export interface Timeline {
  /** The months with usage. */
  readonly months: readonly MonthTimes[];
  /** Ascending; the last is when the last period has been closed. */
  readonly stops: readonly Instant[];
  /** The stops at which everybody's period has been closed since the one before. */
  readonly closings: ReadonlySet<Instant>;
}

export interface MonthTimes {
  readonly month: Period;
  readonly inGrace: Instant;
  readonly closed: Instant;
  readonly afterClose: Instant | null;
}

/**
 * The stops of a demo with usage in `monthsOfUsage` months. One period more than the first is always closed, so that
 * usage reported after the first close is billed too.
 */
export function timelineOf(monthsOfUsage: number): Timeline {
  const monthsClosed = Math.max(2, monthsOfUsage);
  const months = Array.from({ length: monthsClosed }, (_, index) => {
    const month = demoMonth(index);
    const isLast = index === monthsClosed - 1;
    return {
      month,
      inGrace: after(month.end, { hours: graceHours - 4 }),
      closed: after(month.end, { hours: graceHours + 1 }),
      afterClose: isLast ? null : after(month.end, { days: 1 }),
    };
  });
  const usageStops = months
    .slice(0, monthsOfUsage)
    .flatMap(({ month, inGrace, afterClose }) => [
      ...stopDays.map((days) => after(month.start, { days })),
      month.end,
      inGrace,
      ...(afterClose === null ? [] : [afterClose]),
    ]);
  const all = [...usageStops, ...Object.values(moments), ...months.map(({ closed }) => closed)];
  const stops = [...new Set(all)].toSorted((left, right) => left - right);
  const closings = new Set(months.map(({ closed }) => closed));
  return { months: months.slice(0, monthsOfUsage), stops, closings };
}

function after(at: Instant, duration: CalendarDuration): Instant {
  return addDuration(at, duration, "UTC");
}
