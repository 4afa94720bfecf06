import { graceAfter } from "../db/billing/agreed-rows.ts";
import { updateSubscription } from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import type { PeriodDue } from "./periods-due.ts";
import type { WaitsForGrace } from "./wait-for-usage.ts";

/**
 * The later grace counts for all periods that one invoice closes. Null when all of them are over; otherwise they are due
 * together, when the last one is, and who asked comes again then.
 */
export async function waitForGrace(
  tx: Tx,
  periods: readonly PeriodDue[],
  at: Instant,
): Promise<WaitsForGrace | null> {
  if (periods.length === 1) return null;
  const dues = periods.map(({ standing: { row }, agreed }) => ({
    row,
    dueAt: graceAfter(row, agreed.period.end),
  }));
  const last = dues.reduce((latest, each) => (each.dueAt > latest.dueAt ? each : latest));
  if (last.dueAt <= at) return null;
  for (const { row } of dues) {
    if (row.nextCloseAt !== null && row.nextCloseAt < last.dueAt) {
      await updateSubscription(tx, row.id, { nextCloseAt: last.dueAt, closeWaitsFor: "usage" });
    }
  }
  return { outcome: "waiting", until: isoOf(last.dueAt), grantedTo: last.row.id };
}
