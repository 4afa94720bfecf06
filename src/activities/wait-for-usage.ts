import type { AgreedPeriod } from "../db/billing/agreed-period.ts";
import { graceAfter } from "../db/billing/agreed-rows.ts";
import { type StoredSubscription, updateSubscription } from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import { earliestOf, type Instant, isoOf, latestOf } from "../domain/calendar/index.ts";
import { giveUpAt, type UsageCompleteness, waitForUsage } from "../domain/invoicing/index.ts";

/** The policy of a deployment. */
export interface WaitingForUsage {
  /** How long after the grace a close may wait for usage to be complete; 0 closes at once. */
  readonly usageWaitMsMax: number;
}

/** A period that was not closed: because usage of it, or of one that is on the same invoice, is missing, or may still come. */
export type PeriodWaits = WaitsForUsage | WaitsForGrace;

export interface WaitsForUsage {
  readonly outcome: "waiting";
  /** Whose usage is missing, where several are on the same invoice. */
  readonly subscriptionId?: string;
  /** When to come again. */
  readonly until: string;
  /** From then on it is closed as it is. */
  readonly giveUpAt: string;
  readonly completeUntil: string;
  readonly source: string;
  readonly meterKey: string;
}

/** The grace of another subscription that is on the same invoice is longer. */
export interface WaitsForGrace {
  readonly outcome: "waiting";
  readonly until: string;
  /** Whose grace it is. */
  readonly grantedTo: string;
}

/** A period whose usage is complete or not. */
interface PeriodOfUsage {
  readonly row: StoredSubscription;
  readonly agreed: Pick<AgreedPeriod, "period" | "followingEnd">;
  readonly usage: UsageCompleteness;
}

/**
 * Null when periods that one invoice closes are to be closed now. Otherwise all of them are put off, until the slowest is
 * thought to be complete: whoever asked comes again, and the net for missed wake-ups leaves them alone until the limit.
 */
export async function waitForSources(
  tx: Tx,
  periods: readonly PeriodOfUsage[],
  { at, usageWaitMsMax }: WaitingForUsage & { readonly at: Instant },
): Promise<WaitsForUsage | null> {
  const dueAt = latestOf(periods.map(({ row, agreed }) => graceAfter(row, agreed.period.end)));
  const following = periods.flatMap(({ row, agreed: { followingEnd } }) =>
    followingEnd === null ? [] : [graceAfter(row, followingEnd)],
  );
  const limit = giveUpAt(dueAt, usageWaitMsMax, following.length === 0 ? null : earliestOf(following));
  const waiting = periods.flatMap(({ row, agreed: { period }, usage }) => {
    const until = waitForUsage(usage, { period, dueAt, giveUpAt: limit, at });
    return until === null || usage.heldBackBy === null ? [] : [{ row, until, ...usage, ...usage.heldBackBy }];
  });
  const slowest = waiting.toSorted((one, other) => other.until - one.until)[0];
  if (slowest === undefined) return null;
  for (const { row } of periods)
    await updateSubscription(tx, row.id, { nextCloseAt: limit, closeWaitsFor: "usage" });
  const { until, completeUntil, source, meterKey } = slowest;
  return {
    outcome: "waiting",
    ...(periods.length > 1 ? { subscriptionId: slowest.row.id } : {}),
    until: isoOf(until),
    giveUpAt: isoOf(limit),
    completeUntil: isoOf(completeUntil),
    ...{ source, meterKey },
  };
}
