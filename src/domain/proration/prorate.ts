import type { Instant, Period } from "../calendar/index.ts";
import { invariant } from "../errors.ts";
import {
  type AllocationOptions,
  allocate,
  type Decimal,
  decimal,
  Fraction,
  type Money,
  money,
  subtractMoney,
} from "../money/index.ts";
import { elapsedTime, type PeriodMeasure } from "./measure.ts";

/**
 * The part of a period's amount that falls before `at`, rounded once, half-even: by the measure, or by elapsed time to the
 * millisecond. All of it from the period's end on, none of it until its start.
 */
export function usedShare(amount: Money, within: Period | PeriodMeasure, at: Instant): Money {
  const { whole, passed } = asMeasure(within);
  const share = new Fraction(amount.amountMinor * passed(at), whole).rounded(0, "half-even");
  return money(share.toBigInt(), amount.currency);
}

/** The rest: what {@link usedShare} leaves over, so that the two always sum to `amount`. */
export function unusedShare(amount: Money, within: Period | PeriodMeasure, at: Instant): Money {
  return subtractMoney(amount, usedShare(amount, within, at));
}

/** What falls from `part.start` to `part.end`: parts in a row sum to the whole, however they are cut. */
export function shareOfPart(amount: Money, within: Period | PeriodMeasure, part: Period): Money {
  return subtractMoney(usedShare(amount, within, part.end), usedShare(amount, within, part.start));
}

/**
 * Divides a period's amount at the given instants, in order and inside the period. The segments always sum to `amount`:
 * each is rounded once, half-even, and the last takes what is left, unless the options say otherwise. None has another
 * sign than the amount, and those of a credit mirror those of the charge.
 */
export function split(
  amount: Money,
  within: Period | PeriodMeasure,
  at: readonly Instant[],
  options: AllocationOptions = {},
): Money[] {
  const { full, whole, passed } = asMeasure(within);
  const bounds = [full.start, ...at, full.end];
  invariant(
    bounds.every((bound, index) => index === 0 || (bounds[index - 1] ?? bound) <= bound),
    "a period is divided at instants inside it, in order",
  );
  const cuts = [0n, ...at.map(passed), whole];
  const weights = cuts.slice(1).map((cut, index) => cut - (cuts[index] ?? 0n));
  return allocate(amount, weights, { remainder: "last", ...options });
}

/**
 * What `part` of a full period has of a quantity that all of it has: up to the part's end, rounded half-even to whole units,
 * less the same up to its start. So parts in a row sum to the quantity, however they are cut.
 */
export function shareOfQuantity(quantity: Decimal, within: PeriodMeasure, part: Period): Decimal {
  const { full, whole, passed } = within;
  invariant(full.start <= part.start && part.end <= full.end, "the part lies inside the full period");
  const until = (at: Instant): Decimal =>
    passed(at) === whole
      ? quantity
      : quantity.times(decimal(passed(at))).dividedBy(decimal(whole), 0, "half-even");
  return until(part.end).minus(until(part.start));
}

const asMeasure = (within: Period | PeriodMeasure): PeriodMeasure =>
  "passed" in within ? within : elapsedTime(within);
