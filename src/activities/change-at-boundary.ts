import { changedTerms } from "../db/billing/planned-change.ts";
import {
  resolveScheduled,
  type ScheduledChange,
  supersedeScheduled,
} from "../db/billing/scheduled-changes.ts";
import { requireFitting } from "../db/billing/subscription-items.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  insertChange,
  insertTerms,
  type StoredSubscription,
  termsHistory,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import {
  type AgreedAnchor,
  agreedPeriodAt,
  anchorAfterTrial,
  changedAnchor,
  type Instant,
  instantOfEpochMs,
  isoOf,
} from "../domain/calendar/index.ts";
import { BillingError, invariant } from "../domain/errors.ts";
import type { Terms } from "../domain/invoicing/index.ts";
import {
  admitCommand,
  statusAfterTrial,
  type TrialEndAction,
  type TrialTerms,
} from "../domain/lifecycle/index.ts";
import type { SubscriptionChange } from "../workflows/messages.ts";
import { endAt, reanchored, statusAfter } from "./agree-change.ts";
import { requestedChange } from "./apply-change.ts";

/** A change that is due where a period begins; of the end of a trial what follows it. */
export type BoundaryChange = ScheduledChange & { readonly action: TrialEndAction | null };

/** What is agreed at the boundary so far. */
interface Agreed {
  readonly row: StoredSubscription;
  readonly terms: Terms;
}

/**
 * Makes the changes that were agreed for the beginning of a period: its first terms are theirs, so nothing is prorated, and
 * the period is charged by them when the one before it closes. Another interval begins with it.
 */
export async function changeAtBoundary(
  tx: Tx,
  row: StoredSubscription,
  at: Instant,
  changes: readonly BoundaryChange[],
): Promise<StoredSubscription> {
  const before = (await termsHistory(tx, row.id)).at(-1);
  invariant(before, "a subscription has terms");
  let agreed: Agreed = { row, terms: { ...before, effectiveAt: at } };
  const made: string[] = [];
  for (const change of changes) {
    try {
      if (agreed.row.status === "canceled") {
        await resolveScheduled(tx, change, "superseded", at);
        continue;
      }
      agreed = await changed(tx, agreed, change, at);
      await resolveScheduled(tx, change, "applied", at);
      await noteMade(tx, change, at);
      made.push(change.changeId);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      await resolveScheduled(tx, change, "refused", at, error);
    }
  }
  const [first] = made;
  if (agreed.row.status === "canceled") return await endAt(tx, row, at);
  if (first === undefined) return row;
  await insertTerms(tx, row.id, first, agreed.terms);
  const trial = changes.find(({ kind }) => kind === "end_trial")?.request as TrialTerms | undefined;
  const anchor = anchorFrom(row, agreed.terms, at, trial ?? null);
  const { status } = agreed.row;
  const updates = { status, ...(anchor === null ? {} : reanchored(row, anchor)) };
  await updateSubscription(tx, row.id, updates);
  return { ...row, ...updates };
}

async function changed(
  tx: Tx,
  { row, terms }: Agreed,
  { kind, request, action }: BoundaryChange,
  at: Instant,
): Promise<Agreed> {
  admitScheduled(row, kind, at);
  if (action !== null) {
    const paused = action !== "convert";
    const after: Terms = { ...terms, paused, usage: "billed" };
    return { row: { ...row, status: statusAfterTrial[action] }, terms: after };
  }
  const wanted = await requestedChange(tx, request as SubscriptionChange);
  invariant(wanted.kind !== "cancel", "an end is agreed with the subscription itself");
  const after = await changedTerms(tx, terms, wanted, at);
  const owner = { id: row.customerId, currency: row.currency };
  await requireFitting(tx, owner, row.id, after.items);
  if (kind === "resume") {
    await supersedeScheduled(tx, row.id, at, (ahead) => ahead.cause === "pause" && ahead.effectiveAt > at);
  }
  return { row: { ...row, ...statusAfter({ kind }) }, terms: after };
}

/** Where periods count from, from the boundary on, where that changes: after a trial, and with another interval. */
function anchorFrom(
  row: StoredSubscription,
  { items }: Terms,
  at: Instant,
  trial: TrialTerms | null,
): AgreedAnchor | null {
  const plan = items[0]?.plan;
  invariant(plan, "a subscription has a plan");
  const { interval, anchor: rule } = plan;
  const periods = { rule, interval, timeZone: row.timeZone };
  const { period, agreed } = agreedPeriodAt(anchorsOf(row), instantOfEpochMs(at - 1));
  if (trial !== null) return anchorAfterTrial(period, trial.anchor, periods);
  const { unit, count } = agreed.anchor.interval;
  if (unit === interval.unit && count === interval.count) return null;
  return changedAnchor(agreed.anchor, periods, at, "reset");
}

async function noteMade(tx: Tx, { subscriptionId, changeId, kind, request }: BoundaryChange, at: Instant) {
  const change = { changeId, kind, effectiveAt: at, request, lines: [], invoiceId: null };
  await insertChange(tx, subscriptionId, change);
}

/** Refuses what the state does not allow by now. */
export function admitScheduled(row: StoredSubscription, kind: SubscriptionChange["kind"], at: Instant): void {
  const { period } = anchoredPeriodAt(row, at);
  admitCommand(
    {
      status: row.status,
      cancelAt: null,
      periodStart: isoOf(period.start),
      periodEnd: isoOf(period.end),
    },
    { kind, at: isoOf(at) },
  );
}
