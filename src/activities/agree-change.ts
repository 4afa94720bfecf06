import { endedAt, reanchored, statusAfter } from "../db/billing/agreed-rows.ts";
import { insertScheduled, supersedeScheduled } from "../db/billing/scheduled-changes.ts";
import { insertTerms, type StoredSubscription, updateSubscription } from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import { tellCanceled } from "../db/notices/notices-of-facts.ts";
import { type AgreedAnchor, type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import type { Terms } from "../domain/invoicing/index.ts";
import { requirePauseEnds } from "../domain/lifecycle/index.ts";
import type { SubscriptionChange } from "../workflows/messages.ts";

/** A change that is decided: what is agreed from then on. */
export interface Agreement {
  readonly changeId: string;
  readonly change: SubscriptionChange;
  readonly at: Instant;
  /** Null when the subscription ends. */
  readonly after: Terms | null;
  readonly anchor: AgreedAnchor | null;
}

/**
 * Writes down what is agreed from now on: terms, and where periods lie; or the end. Answers with the row as it is then.
 * @throws CommandShapeError where a pause would be over before it begins, as one agreed for later may be by then
 */
export async function agree(
  tx: Tx,
  row: StoredSubscription,
  { changeId, change, at, after, anchor }: Agreement,
): Promise<StoredSubscription> {
  if (after === null) return await endAt(tx, row, at);
  if (change.kind === "pause") requirePauseEnds(isoOf(at), change.resumesAt);
  await agreeBesides(tx, row, changeId, change, at);
  await insertTerms(tx, row.id, changeId, after);
  const updates = {
    ...statusAfter(change),
    ...(anchor === null ? {} : reanchored(row, anchor)),
  };
  if (Object.keys(updates).length > 0) await updateSubscription(tx, row.id, updates);
  return { ...row, ...updates };
}

/** A pause may have an end; whoever resumes, or ends the trial, needs none any more. */
async function agreeBesides(
  tx: Tx,
  { id: subscriptionId }: StoredSubscription,
  changeId: string,
  change: SubscriptionChange,
  at: Instant,
): Promise<void> {
  if (change.kind === "resume") {
    await supersedeScheduled(
      tx,
      subscriptionId,
      at,
      (ahead) => ahead.cause === "pause" && ahead.changeId !== changeId,
    );
  }
  if (change.kind === "end_trial") {
    await supersedeScheduled(tx, subscriptionId, at, (ahead) => ahead.cause === "trial");
  }
  if (change.kind === "pause" && change.resumesAt !== undefined) {
    await insertScheduled(tx, {
      subscriptionId,
      changeId: `${changeId}/resume`,
      kind: "resume",
      effectiveAt: instant(change.resumesAt),
      request: { kind: "resume", ...(change.resumeAnchor ? { anchor: change.resumeAnchor } : {}) },
      cause: "pause",
      requestedAt: at,
    });
  }
}

/** The subscription ends: nothing that was agreed for later comes any more. */
export async function endAt(tx: Tx, row: StoredSubscription, at: Instant): Promise<StoredSubscription> {
  const updates = endedAt(row, at);
  await updateSubscription(tx, row.id, updates);
  await supersedeScheduled(tx, row.id, at);
  await tellCanceled(tx, row, at);
  return { ...row, ...updates };
}
