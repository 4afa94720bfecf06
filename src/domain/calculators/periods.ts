import {
  type AnchorRule,
  agreedPeriodAt,
  anchorFor,
  type BillingInterval,
  type Instant,
  type Period,
  periodAt,
  periodContaining,
} from "../calendar/index.ts";

export interface PeriodsQuestion {
  /** Where periods count from, or where somebody subscribes whose periods begin on days of the calendar. */
  readonly start: Instant;
  readonly rule: AnchorRule;
  readonly interval: BillingInterval;
  readonly timeZone: string;
  /** Anywhere in the first period that is asked for. */
  readonly from: Instant;
  readonly count: number;
}

export interface NumberedPeriod {
  /** 0 is the period that starts at the anchor; negative before it. */
  readonly index: number;
  readonly period: Period;
  /** Whether it is the first part, up to the day of the calendar. */
  readonly isPart: boolean;
}

/**
 * Periods in a row, from the one that `from` lies in. By a calendar rule none is before the start, which cuts the first one.
 * @throws AnchorRuleInvalidError
 */
export function calculatePeriods({
  start,
  rule,
  interval,
  timeZone,
  from,
  count,
}: PeriodsQuestion): NumberedPeriod[] {
  const anchor = anchorFor(rule, { start, interval, timeZone });
  if (rule.type === "anniversary") return whole(periodContaining(anchor, from).index);
  const first = agreedPeriodAt([{ effectiveAt: start, anchor }], from > start ? from : start);
  const isPart = first.period.start > first.full.start;
  return [{ index: first.index, period: first.period, isPart }, ...whole(first.index + 1)].slice(0, count);

  function whole(index: number): NumberedPeriod[] {
    return Array.from({ length: count }, (_, offset) => ({
      index: index + offset,
      period: periodAt(anchor, index + offset),
      isPart: false,
    }));
  }
}
