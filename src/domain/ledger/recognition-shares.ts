import { type Instant, instantOfEpochMs, intersect, lengthMs, type Period } from "../calendar/index.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";

/** What a day's service earns of an amount that was invoiced in advance. */
export interface RecognitionShare {
  /** The day, UTC; the first and last of a period may be parts of days. */
  readonly day: Period;
  readonly amount: LedgerAmount;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Divides what was invoiced in advance among the days of its period, in proportion to the time of each: every share is
 * rounded down to the ledger's resolution, and the last day takes the remainder. The shares sum to the amount exactly.
 * After a change inside the period, divide what is left over what is left of it.
 */
export function recognitionShares(amount: LedgerAmount, served: Period): RecognitionShare[] {
  const days = daysOf(served);
  const whole = BigInt(lengthMs(served));
  let left: bigint = amount;
  return days.map((day, index) => {
    const share = index === days.length - 1 ? left : (amount * BigInt(lengthMs(day))) / whole;
    left -= share;
    return { day, amount: ledgerAmount(share) };
  });
}

function daysOf(served: Period): Period[] {
  const days: Period[] = [];
  for (let start = startOfDay(served.start); start < served.end; start = nextDay(start)) {
    const day = intersect(served, { start, end: nextDay(start) });
    if (day !== null) days.push(day);
  }
  return days;
}

function startOfDay(at: Instant): Instant {
  return instantOfEpochMs(Math.floor(at / dayMs) * dayMs);
}

function nextDay(start: Instant): Instant {
  return instantOfEpochMs(start + dayMs);
}
