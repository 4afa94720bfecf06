import { type Instant, instantOfEpochMs, type Period } from "../calendar/index.ts";
import type { Watermark } from "../metering/index.ts";

/** How far the usage of a priced meter is complete. */
export interface MeterWatermark {
  readonly meterKey: string;
  readonly watermark: Watermark;
}

/** How complete a period's usage was when it was rated: a fact of the invoice. */
export interface UsageCompleteness {
  /** The period's end when nothing was missing. */
  readonly completeUntil: Instant;
  /** The weakest of what is known of the meters: an estimate when any is one. */
  readonly knownBy: Watermark["kind"];
  /** Null when the period is complete. */
  readonly heldBackBy: { readonly source: string; readonly meterKey: string } | null;
}

/** What the watermarks of all meters that were priced in a period say of it. */
export function usageCompleteness(period: Period, meters: readonly MeterWatermark[]): UsageCompleteness {
  const kinds = meters.map(({ watermark }) => watermark.kind);
  let complete: UsageCompleteness = { completeUntil: period.end, knownBy: weakest(kinds), heldBackBy: null };
  for (const { meterKey, watermark } of meters) {
    if (watermark.kind === "none" || watermark.completeUntil >= complete.completeUntil) continue;
    const { source, completeUntil, kind } = watermark;
    complete = { completeUntil, knownBy: kind, heldBackBy: { source, meterKey } };
  }
  return complete;
}

/** The same of several periods that are closed together: that of the one that is furthest behind. Undefined of none. */
export function completenessTogether(usages: readonly UsageCompleteness[]): UsageCompleteness | undefined {
  const [first, ...others] = usages;
  if (first === undefined) return undefined;
  const last = others.reduce((low, each) => (each.completeUntil < low.completeUntil ? each : low), first);
  return last.heldBackBy === null
    ? { ...last, knownBy: weakest(usages.map(({ knownBy }) => knownBy)) }
    : last;
}

const weakest = (kinds: readonly Watermark["kind"][]): Watermark["kind"] =>
  (["estimated", "reported"] as const).find((kind) => kinds.includes(kind)) ?? "none";

export interface CloseTimes {
  readonly period: Period;
  /** The period's end and the grace. */
  readonly dueAt: Instant;
  /** The close is not put off beyond this. */
  readonly giveUpAt: Instant;
  readonly at: Instant;
}

const stepMsMin = 60_000;
const stepMsMax = 15 * 60_000;

/** When to look again at a period whose usage is not complete; null when it is closed now, complete or not. */
export function waitForUsage(
  { completeUntil, knownBy, heldBackBy }: UsageCompleteness,
  { period, dueAt, giveUpAt, at }: CloseTimes,
): Instant | null {
  if (heldBackBy === null || at >= giveUpAt) return null;
  // An estimate moves with the clock, so it is known when it will have passed. Of reports nobody knows; the longer none
  // has come, the less one more minute matters.
  const stepMs =
    knownBy === "estimated"
      ? period.end - completeUntil
      : Math.min(Math.max(at - dueAt, stepMsMin), stepMsMax);
  return instantOfEpochMs(Math.min(at + stepMs, giveUpAt));
}

/**
 * Until when a close may be put off: as long as the deployment says, but not until the next period is due, which cannot be
 * closed before this one.
 */
export function giveUpAt(dueAt: Instant, waitMsMax: number, nextDueAt: Instant | null): Instant {
  const limit = dueAt + waitMsMax;
  return instantOfEpochMs(nextDueAt === null ? limit : Math.max(dueAt, Math.min(limit, nextDueAt)));
}
