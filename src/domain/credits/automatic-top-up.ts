import { type Instant, instantOfEpochMs, type Period } from "../calendar/index.ts";
import type { LedgerAmount, Money } from "../money/index.ts";

/** Buys credit by itself when little is left. */
export interface TopUpRule {
  /** At this or less that can still be spent, credit is bought. */
  readonly threshold: LedgerAmount;
  readonly amount: Money;
  /** The most that is bought by itself in a month of the customer's calendar; null: no limit. */
  readonly monthlyLimit: Money | null;
  /** Not sooner than this after the one before was begun. */
  readonly coolDownSeconds: number;
}

/** outstanding: begun, and not paid. withdrawn: it will not be paid any more, and nothing was got. */
export type TopUpState = "outstanding" | "paid" | "withdrawn";

export interface BegunTopUp {
  readonly state: TopUpState;
  readonly amount: Money;
  readonly begunAt: Instant;
}

export interface TopUpFacts {
  /** What can be spent of all credit, less what usage that is not billed yet will draw. */
  readonly left: LedgerAmount;
  /** By this rule and those before it, in any order. */
  readonly begun: readonly BegunTopUp[];
  /** The customer's month that is now. */
  readonly month: Period;
  readonly now: Instant;
}

export type TopUpDecision =
  | { readonly type: "begin" }
  | {
      readonly type: "wait";
      readonly why: "enough_left" | "outstanding" | "cooling_down" | "monthly_limit";
      /** When it may be otherwise though nothing else has changed; null when only something else can change it. */
      readonly lookAt: Instant | null;
    };

/**
 * Whether credit is to be bought now. While one purchase is outstanding none is begun, so a crossing begins one; when it is paid and
 * too little is left all the same, the next is begun after the cool-down.
 */
export function decideTopUp(rule: TopUpRule, { left, begun, month, now }: TopUpFacts): TopUpDecision {
  if (left > rule.threshold) return wait("enough_left", null);
  if (begun.some(({ state }) => state === "outstanding")) return wait("outstanding", null);
  const newest = Math.max(...begun.map(({ begunAt }) => begunAt));
  const coolUntil = newest + rule.coolDownSeconds * 1_000;
  if (coolUntil > now) return wait("cooling_down", instantOfEpochMs(coolUntil));
  const inMonth = begun.filter(
    ({ state, begunAt }) => state !== "withdrawn" && begunAt >= month.start && begunAt < month.end,
  );
  const bought = inMonth.reduce((sum, { amount }) => sum + amount.amountMinor, 0n);
  const { monthlyLimit, amount } = rule;
  if (monthlyLimit !== null && bought + amount.amountMinor > monthlyLimit.amountMinor) {
    return wait("monthly_limit", month.end);
  }
  return { type: "begin" };
}

const wait = (
  why: Extract<TopUpDecision, { type: "wait" }>["why"],
  lookAt: Instant | null,
): TopUpDecision => ({ type: "wait", why, lookAt });
