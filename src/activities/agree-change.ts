import { insertScheduled, supersedeScheduled } from "../db/billing/scheduled-changes.ts";
import {
  anchoredPeriodAt,
  anchorToStore,
  insertTerms,
  type StoredSubscription,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import { tellCanceled } from "../db/notices/notices-of-facts.ts";
import { type AgreedAnchor, addDuration, type Instant, instant } from "../domain/calendar/index.ts";
import type { Terms } from "../domain/invoicing/index.ts";
import type { SubscriptionStatus } from "../domain/lifecycle/index.ts";
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

/** Writes down what is agreed from now on: terms, and where periods lie; or the end. Answers with the row as it is then. */
export async function agree(
  tx: Tx,
  row: StoredSubscription,
  { changeId, change, at, after, anchor }: Agreement,
): Promise<StoredSubscription> {
  if (after === null) return await endAt(tx, row, at);
  await agreeBesides(tx, row, changeId, change, at);
  await insertTerms(tx, row.id, changeId, after);
  const updates = {
    ...statusAfter(change),
    ...(anchor === null ? {} : reanchored(row, anchor)),
  };
  if (Object.keys(updates).length > 0) await updateSubscription(tx, row.id, updates);
  return { ...row, ...updates };
}

/** The status that a change makes, where it makes one. */
export function statusAfter({ kind }: Pick<SubscriptionChange, "kind">): { status?: SubscriptionStatus } {
  if (kind === "pause") return { status: "paused" };
  return kind === "resume" || kind === "end_trial" ? { status: "active" } : {};
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

/** Another anchor ends the period in course, which can then be closed after its grace. */
export function reanchored(row: StoredSubscription, anchor: AgreedAnchor) {
  const anchors = [...row.anchors, anchorToStore(anchor)];
  const { start } = anchoredPeriodAt(row, anchor.effectiveAt).period;
  if (row.billedThrough < start) return { anchors };
  const cut = { start, end: anchor.effectiveAt };
  const { end } = cut.start < cut.end ? cut : anchoredPeriodAt({ ...row, anchors }, start).period;
  return { anchors, nextCloseAt: graceAfter(row, end) };
}

/** The subscription ends: nothing that was agreed for later comes any more. */
export async function endAt(tx: Tx, row: StoredSubscription, at: Instant): Promise<StoredSubscription> {
  const { period } = anchoredPeriodAt(row, at);
  const updates = {
    status: "canceled",
    cancelAt: at,
    canceledAt: at,
    ...(row.billedThrough < period.start
      ? {}
      : { nextCloseAt: at > period.start ? graceAfter(row, at) : null }),
  } as const;
  await updateSubscription(tx, row.id, updates);
  await supersedeScheduled(tx, row.id, at);
  await tellCanceled(tx, row, at);
  return { ...row, ...updates };
}

/** When a period that ends at an instant may be closed. */
export function graceAfter({ graceSeconds }: Pick<StoredSubscription, "graceSeconds">, at: Instant): Instant {
  return addDuration(at, { seconds: graceSeconds }, "UTC");
}
