import type { Instant } from "../calendar/index.ts";
import type { Aggregation } from "../metering/index.ts";
import { type Decimal, maxDecimal, zero } from "../money/index.ts";
import type { OpenWindow } from "./limit-window.ts";
import type { MergedLimit } from "./merge.ts";

/** A limit with what is used of it. */
export interface LimitState {
  readonly limit: MergedLimit;
  /** "customer", or the dimensions whose values have it for themselves, such as "user". */
  readonly level: string;
  readonly window: OpenWindow;
  /** Null where nobody said whose usage counts. */
  readonly used: Decimal | null;
  /** Never below zero; null like `used`. */
  readonly left: Decimal | null;
  /** Whether what is asked fits. False where it is not known what is used. */
  readonly fits: boolean;
}

/** Of a meter that tells the largest or the newest, what is used does not grow by what is asked. */
const used = (aggregation: Aggregation, before: Decimal, asked: Decimal): Decimal =>
  aggregation === "max" ? maxDecimal(before, asked) : before.plus(asked);

/** @param before what is used of the limit, null where it is not known whose */
export function limitState(
  limit: MergedLimit,
  window: OpenWindow,
  before: Decimal | null,
  { asked, aggregation }: { readonly asked: Decimal; readonly aggregation: Aggregation },
): LimitState {
  const level = limit.per.length === 0 ? "customer" : limit.per.join("+");
  if (before === null) return { limit, level, window, used: null, left: null, fits: false };
  return {
    limit,
    level,
    window,
    used: before,
    left: maxDecimal(limit.amount.minus(before), zero),
    fits: !used(aggregation, before, asked).isGreaterThan(limit.amount),
  };
}

/**
 * Whether a limit is one for what is asked: of usage with other values of dimensions it says nothing. Where the asker does
 * not say a value, it is.
 */
export function isLimitOf({ where }: MergedLimit, subject: Readonly<Record<string, string>>): boolean {
  return Object.entries(where).every(([name, value]) => (subject[name] ?? value) === value);
}

/** Whose usage counts for a limit: the values of dimensions, null where the subject does not say all of them. */
export function scopeOfLimit(
  { per, where }: MergedLimit,
  subject: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | null {
  const own = per.map((name): [string, string | undefined] => [name, subject[name]]);
  if (own.some(([, value]) => value === undefined)) return null;
  return { ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ""])), ...where };
}

/** Of limits that are reached the one that holds longest, and of those the narrowest: when it is over, all are. */
export function decidingLimit(reached: readonly LimitState[]): LimitState | undefined {
  const end = ({ window }: LimitState): number => window.resetsAt ?? Number.POSITIVE_INFINITY;
  return reached.toSorted(
    (one, other) => compareEnds(end(other), end(one)) || other.limit.per.length - one.limit.per.length,
  )[0];
}

const compareEnds = (one: number, other: number): number => (one === other ? 0 : one - other);

/** What was used at a time, in a window of a minute or an hour that ends there. */
export interface UsedUntil {
  readonly end: Instant;
  readonly quantity: Decimal;
}

/**
 * When so much fits again into a rolling window if nothing more is used; null when it never does. @param usage of the window, in
 * the order of time
 */
export function fitsAgainAt(
  amount: Decimal,
  asked: Decimal,
  usage: readonly UsedUntil[],
  lengthMs: number,
): number | null {
  let left = usage.reduce((sum, { quantity }) => sum.plus(quantity), asked);
  if (asked.isGreaterThan(amount)) return null;
  for (const { end, quantity } of usage) {
    left = left.minus(quantity);
    if (!left.isGreaterThan(amount)) return end + lengthMs;
  }
  return null;
}
