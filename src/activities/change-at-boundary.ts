import { type PlannedBoundary, plannedBoundary } from "../db/billing/planned-boundary.ts";
import {
  resolveScheduled,
  type ScheduledChange,
  supersedeScheduled,
} from "../db/billing/scheduled-changes.ts";
import {
  insertChange,
  insertTerms,
  type StoredSubscription,
  termsHistory,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { endAt } from "./agree-change.ts";

/**
 * Makes the changes that were agreed for the beginning of a period, which is charged by them when the one before it closes.
 * Answers with the row as it is then.
 */
export async function changeAtBoundary(
  tx: Tx,
  row: StoredSubscription,
  at: Instant,
  changes: readonly ScheduledChange[],
): Promise<StoredSubscription> {
  const before = (await termsHistory(tx, row.id)).at(-1);
  invariant(before, "a subscription has terms");
  const planned = await plannedBoundary(tx, row, before, at, changes);
  await noteOutcomes(tx, row, planned, at);
  if (planned.ends) return await endAt(tx, row, at);
  const first = planned.outcomes.find(({ outcome }) => outcome === "applied");
  if (first === undefined || planned.after === null) return row;
  await insertTerms(tx, row.id, first.change.changeId, planned.after);
  await updateSubscription(tx, row.id, planned.updates);
  return { ...row, ...planned.updates };
}

async function noteOutcomes(
  tx: Tx,
  row: StoredSubscription,
  { outcomes }: PlannedBoundary,
  at: Instant,
): Promise<void> {
  for (const { change, outcome, refusal } of outcomes) {
    const { subscriptionId, changeId, kind, request } = change;
    await resolveScheduled(tx, change, outcome, at, refusal);
    if (outcome !== "applied") continue;
    if (kind === "resume") {
      const isOfPause = (ahead: ScheduledChange) => ahead.cause === "pause" && ahead.effectiveAt > at;
      await supersedeScheduled(tx, subscriptionId, at, isOfPause);
    }
    const made = { changeId, kind, effectiveAt: at, request, lines: [], invoiceId: null };
    await insertChange(tx, row, made);
  }
}
