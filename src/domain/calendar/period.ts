import { BillingError } from "../errors.ts";
import { type Instant, isoOf } from "./instant.ts";

/** A stretch of time, half-open: `start` belongs to it, `end` to the next one. */
export type Period = { readonly start: Instant; readonly end: Instant };

export class PeriodInvalidError extends BillingError {
  readonly code = "period_invalid";
}

/** @throws PeriodInvalidError unless `start` is before `end` */
export function period(start: Instant, end: Instant, field?: string): Period {
  if (start >= end) {
    throw new PeriodInvalidError(
      `a period must start before it ends, not ${isoOf(start)} to ${isoOf(end)}`,
      field,
    );
  }
  return { start, end };
}

export function contains(within: Period, at: Instant): boolean {
  return within.start <= at && at < within.end;
}

/** What two periods share, or null when they do not overlap. */
export function intersect(left: Period, right: Period): Period | null {
  const start = left.start > right.start ? left.start : right.start;
  const end = left.end < right.end ? left.end : right.end;
  return start < end ? { start, end } : null;
}

export function lengthMs(of: Period): number {
  return of.end - of.start;
}
