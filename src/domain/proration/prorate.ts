import { type Instant, lengthMs, type Period } from "../calendar/index.ts";
import { invariant } from "../errors.ts";
import { type Decimal, decimal, type Money, money, negateMoney, subtractMoney } from "../money/index.ts";

/**
 * The part of a period's amount that falls before `at`, by elapsed time: exact to the millisecond, rounded
 * once, half-even. All of it from the period's end on, none of it until its start.
 */
export function usedShare(amount: Money, within: Period, at: Instant): Money {
  const until = Math.min(Math.max(at, within.start), within.end);
  return shareOf(amount, until - within.start, lengthMs(within));
}

/** The rest: what {@link usedShare} leaves over, so that the two always sum to `amount`. */
export function unusedShare(amount: Money, within: Period, at: Instant): Money {
  return subtractMoney(amount, usedShare(amount, within, at));
}

/**
 * Divides a period's amount at the given instants, in order and inside the period. Each segment is rounded
 * once, half-even, and the last takes what is left: the segments always sum to `amount`, and none has the
 * other sign.
 */
export function split(amount: Money, within: Period, at: readonly Instant[]): Money[] {
  if (amount.amountMinor < 0n) return split(negateMoney(amount), within, at).map(negateMoney);
  const segments: Money[] = [];
  let start = within.start;
  let left = amount;
  for (const end of at) {
    invariant(start <= end && end <= within.end, "a period is divided at instants inside it, in order");
    const share = shareOf(amount, end - start, lengthMs(within));
    const segment = share.amountMinor < left.amountMinor ? share : left;
    segments.push(segment);
    left = subtractMoney(left, segment);
    start = end;
  }
  return [...segments, left];
}

/**
 * The quantity that `part` of a full period includes: proportional to time, rounded half-even to whole
 * units. A full period includes exactly what the price says.
 */
export function prorateIncluded(included: Decimal, full: Period, part: Period): Decimal {
  invariant(full.start <= part.start && part.end <= full.end, "the part lies inside the full period");
  if (lengthMs(part) === lengthMs(full)) return included;
  return included.times(milliseconds(lengthMs(part))).dividedBy(milliseconds(lengthMs(full)), 0, "half-even");
}

function shareOf(amount: Money, partMs: number, wholeMs: number): Money {
  invariant(wholeMs > 0, "a period that is divided is not empty");
  const scaled = decimal(amount.amountMinor).times(milliseconds(partMs));
  return money(scaled.dividedBy(milliseconds(wholeMs), 0, "half-even").toBigInt(), amount.currency);
}

function milliseconds(count: number): Decimal {
  return decimal(BigInt(count));
}
