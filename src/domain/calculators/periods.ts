import {
  type AgreedAnchor,
  type AnchorRule,
  agreedPeriodAt,
  anchorAfterTrial,
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
  /** A first time that is not charged, from the start on; none when left out. */
  readonly trial?: QuotedTrial;
}

export interface QuotedTrial {
  readonly length: BillingInterval;
  /** Whether the periods after it count from its end, or from its start. */
  readonly anchor: "trial_end" | "trial_start";
}

export interface NumberedPeriod {
  /** 0 is the period that starts at the anchor; negative before it. */
  readonly index: number;
  readonly period: Period;
  /** Whether it is the first part, up to the day of the calendar. */
  readonly isPart: boolean;
  readonly isTrial: boolean;
}

/**
 * Periods in a row, from the one that `from` lies in. By a calendar rule, and with a trial, none is before the start.
 * @throws AnchorRuleInvalidError
 */
export function calculatePeriods(question: PeriodsQuestion): NumberedPeriod[] {
  const { start, rule, interval, timeZone, from, count, trial } = question;
  const anchor = anchorFor(rule, { start, interval, timeZone });
  if (rule.type === "anniversary" && trial === undefined) {
    const first = periodContaining(anchor, from).index;
    return Array.from({ length: count }, (_, offset) => ({
      index: first + offset,
      period: periodAt(anchor, first + offset),
      isPart: false,
      isTrial: false,
    }));
  }
  const history = trial === undefined ? [{ effectiveAt: start, anchor }] : withTrial(question, trial);
  const periods: NumberedPeriod[] = [];
  for (let at = from > start ? from : start; periods.length < count; ) {
    const { index, period, full, agreed } = agreedPeriodAt(history, at);
    const isTrial = agreed.isTrial === true;
    periods.push({ index, period, isPart: full.start < period.start, isTrial });
    at = period.end;
  }
  return periods;
}

function withTrial(
  { start, rule, interval, timeZone }: PeriodsQuestion,
  { length, anchor: choice }: QuotedTrial,
): AgreedAnchor[] {
  const anchor = { at: start, interval: length, timeZone };
  const after = anchorAfterTrial(periodAt(anchor, 0), choice, { rule, interval, timeZone });
  return [{ effectiveAt: start, anchor, isTrial: true }, after];
}
