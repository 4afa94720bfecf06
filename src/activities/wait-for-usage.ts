import type { AgreedPeriod } from "../db/billing/agreed-period.ts";
import { graceAfter } from "../db/billing/agreed-rows.ts";
import { type StoredSubscription, updateSubscription } from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import { giveUpAt, type UsageCompleteness, waitForUsage } from "../domain/invoicing/index.ts";

/** The policy of a deployment. */
export interface WaitingForUsage {
  /** How long after the grace a close may wait for usage to be complete; 0 closes at once. */
  readonly usageWaitMsMax: number;
}

/** A period that was not closed, because usage of it is missing. */
export interface PeriodWaits {
  readonly outcome: "waiting";
  /** When to come again. */
  readonly until: string;
  /** From then on it is closed as it is. */
  readonly giveUpAt: string;
  readonly completeUntil: string;
  readonly source: string;
  readonly meterKey: string;
}

/**
 * Null when the period is to be closed now. Otherwise it is put off: whoever asked comes again, and the net for missed
 * wake-ups leaves it alone until the limit.
 */
export async function waitForSources(
  tx: Tx,
  row: StoredSubscription,
  { period, followingEnd }: Pick<AgreedPeriod, "period" | "followingEnd">,
  {
    usage,
    at,
    usageWaitMsMax,
  }: WaitingForUsage & { readonly usage: UsageCompleteness; readonly at: Instant },
): Promise<PeriodWaits | null> {
  const dueAt = graceAfter(row, period.end);
  const nextDueAt = followingEnd === null ? null : graceAfter(row, followingEnd);
  const limit = giveUpAt(dueAt, usageWaitMsMax, nextDueAt);
  const until = waitForUsage(usage, { period, dueAt, giveUpAt: limit, at });
  if (until === null || usage.heldBackBy === null) return null;
  await updateSubscription(tx, row.id, { nextCloseAt: limit, closeWaitsFor: "usage" });
  return {
    outcome: "waiting",
    until: isoOf(until),
    giveUpAt: isoOf(limit),
    completeUntil: isoOf(usage.completeUntil),
    ...usage.heldBackBy,
  };
}
