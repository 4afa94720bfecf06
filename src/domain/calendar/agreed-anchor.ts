import { invariant } from "../errors.ts";
import type { AnchorRule } from "./anchor-rule.ts";
import { type BillingAnchor, type BillingInterval, periodContaining } from "./billing-anchor.ts";
import { anchorFor } from "./calendar-anchor.ts";
import { type Instant, instantOfEpochMs } from "./instant.ts";
import { intersect, type Period } from "./period.ts";

/** An anchor, and from when on a subscription's periods count by it: until the next one was agreed. */
export interface AgreedAnchor {
  readonly effectiveAt: Instant;
  readonly anchor: BillingAnchor;
  /** One period of it is a trial: no number of periods counts that one. */
  readonly isTrial?: true;
}

/** A period of a subscription. */
export interface AnchoredPeriod {
  readonly period: Period;
  /** The anchor's own period: longer than `period` where that is a first part, or was cut by another anchor. */
  readonly full: Period;
  /** Of `full`, counted from the anchor. */
  readonly index: number;
  readonly agreed: AgreedAnchor;
}

/**
 * The period that contains `at`, by the anchor agreed for then. An anchor that comes inside a period ends it: the periods
 * of a subscription tile its life, whatever anchors it had.
 * @param history ascending by `effectiveAt`; the first is from the subscription's start on, which is not after `at`
 */
export function agreedPeriodAt(history: readonly AgreedAnchor[], at: Instant): AnchoredPeriod {
  const position = history.findLastIndex(({ effectiveAt }) => effectiveAt <= at);
  const agreed = history[position];
  invariant(agreed, "a subscription has an anchor at every instant of its life");
  const { index, period: full } = periodContaining(agreed.anchor, at);
  const until = history[position + 1]?.effectiveAt ?? full.end;
  const period = intersect(full, { start: agreed.effectiveAt, end: until });
  invariant(period, "an instant lies in its period");
  return { period, full, index, agreed };
}

/**
 * Whether an anchor begins inside a period, which it ends: then its first period is charged by the change that brought it.
 * Where it begins with a period, that is charged as any other, when the one before it closes. The first anchor of a
 * subscription begins its life, which is charged at once.
 */
export function beginsInside(history: readonly AgreedAnchor[], { effectiveAt }: AgreedAnchor): boolean {
  const before = history.filter((agreed) => agreed.effectiveAt < effectiveAt);
  if (before.length === 0) return true;
  return agreedPeriodAt(before, instantOfEpochMs(effectiveAt - 1)).full.end > effectiveAt;
}

/** What a plan says of its periods, and whose calendar they are on. */
export interface PeriodTerms {
  readonly rule: AnchorRule | undefined;
  readonly interval: BillingInterval;
  readonly timeZone: string;
}

/**
 * The anchor after the interval changed at `at`, or when a new period is wanted then. "reset" begins a period there, or a
 * first part up to the plan's day of the calendar; "keep" counts the new interval from the anchor there was, so that what is
 * left until its next boundary is a part of a period.
 */
export function changedAnchor(
  current: BillingAnchor,
  { rule, interval, timeZone }: PeriodTerms,
  at: Instant,
  choice: "reset" | "keep",
): AgreedAnchor {
  const anchor =
    choice === "reset"
      ? anchorFor(rule, { start: at, interval, timeZone })
      : { at: current.at, interval, timeZone };
  return { effectiveAt: at, anchor };
}

/**
 * The anchor of who pays after a trial. "trial_end": periods count from its end. "trial_start": they count from the
 * start, as if it had been paid, so that what is left of the period then is a part of one.
 */
export function anchorAfterTrial(
  trial: Period,
  choice: "trial_end" | "trial_start",
  plan: PeriodTerms,
): AgreedAnchor {
  const start = choice === "trial_end" ? trial.end : trial.start;
  return { effectiveAt: trial.end, anchor: anchorFor(plan.rule, { ...plan, start }) };
}
