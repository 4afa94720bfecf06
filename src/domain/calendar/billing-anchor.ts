import { BillingError } from "../errors.ts";
import type { Instant } from "./instant.ts";
import type { Period } from "./period.ts";
import { addDuration } from "./time-zone.ts";

export const intervalUnits = ["day", "week", "month", "year"] as const;

export type IntervalUnit = (typeof intervalUnits)[number];

/** How long one billing period is: `{ unit: "month", count: 3 }` is a quarter. */
export type BillingInterval = { readonly unit: IntervalUnit; readonly count: number };

/** Where periods count from, how long they are, and whose calendar says so. */
export type BillingAnchor = {
  readonly at: Instant;
  readonly interval: BillingInterval;
  readonly timeZone: string;
};

export class IntervalInvalidError extends BillingError {
  readonly code = "interval_invalid";
}

const averageMs: Record<IntervalUnit, number> = {
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30.436875 * 86_400_000,
  year: 365.2425 * 86_400_000,
};

/**
 * The start of period `index`; period 0 starts at the anchor. Always counted from the anchor itself, so
 * that a short month leaves no trace: 31 January, 28 February, 31 March. The local clock time is kept
 * over changes of daylight saving time; one that is skipped moves to as long after the change, one that
 * happens twice means the first.
 * @throws IntervalInvalidError unless the interval is a whole number of units, at least one
 */
export function boundary(anchor: BillingAnchor, index: number): Instant {
  const { unit, count } = checkedInterval(anchor.interval);
  return addDuration(anchor.at, { [`${unit}s`]: index * count }, anchor.timeZone);
}

/**
 * The period `index`. It is empty only where the local calendar left out that whole day (Apia had no
 * 30 December 2011) and periods are a day long.
 */
export function periodAt(anchor: BillingAnchor, index: number): Period {
  return { start: boundary(anchor, index), end: boundary(anchor, index + 1) };
}

/** The one period that contains `at`, which may lie before the anchor (then `index` is negative). */
export function periodContaining(anchor: BillingAnchor, at: Instant): { index: number; period: Period } {
  const { unit, count } = checkedInterval(anchor.interval);
  // Average lengths come within a period or two; the calendar itself decides.
  let index = Math.floor((at - anchor.at) / (averageMs[unit] * count));
  let period = periodAt(anchor, index);
  while (at < period.start) {
    index -= 1;
    period = { start: boundary(anchor, index), end: period.start };
  }
  while (at >= period.end) {
    index += 1;
    period = { start: period.end, end: boundary(anchor, index + 1) };
  }
  return { index, period };
}

function checkedInterval(interval: BillingInterval): BillingInterval {
  if (!intervalUnits.includes(interval.unit) || !Number.isSafeInteger(interval.count) || interval.count < 1) {
    throw new IntervalInvalidError(
      `${JSON.stringify(interval)} is not an interval: write one such as 1 month`,
    );
  }
  return interval;
}
