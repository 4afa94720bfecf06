import {
  type BillingAnchor,
  type Instant,
  type Period,
  periodAt,
  periodContaining,
} from "../calendar/index.ts";

export interface PeriodsQuestion {
  readonly anchor: BillingAnchor;
  /** Anywhere in the first period that is asked for. */
  readonly from: Instant;
  readonly count: number;
}

export interface NumberedPeriod {
  /** 0 is the period that starts at the anchor; negative before it. */
  readonly index: number;
  readonly period: Period;
}

/** The periods of an anchor in a row, from the one that `from` lies in. */
export function calculatePeriods({ anchor, from, count }: PeriodsQuestion): NumberedPeriod[] {
  const first = periodContaining(anchor, from).index;
  return Array.from({ length: count }, (_, offset) => {
    const index = first + offset;
    return { index, period: periodAt(anchor, index) };
  });
}
