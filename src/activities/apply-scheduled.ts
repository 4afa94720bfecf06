import { periodOf } from "../db/billing/agreed-period.ts";
import { admitScheduled } from "../db/billing/planned-boundary.ts";
import {
  listScheduled,
  nextDueAt,
  pendingChanges,
  resolveScheduled,
  type ScheduledChange,
} from "../db/billing/scheduled-changes.ts";
import { itemsInForce } from "../db/billing/subscription-reads.ts";
import { anchoredPeriodAt, findChange, type StoredSubscription } from "../db/billing/subscriptions.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { BillingError } from "../domain/errors.ts";
import type { SubscriptionChange, SubscriptionSoFar } from "../workflows/messages.ts";
import {
  type AppliedChange,
  anchorSince,
  appliedBefore,
  lockedSubscription,
  makeChange,
} from "./apply-change.ts";
import { changeAtBoundary } from "./change-at-boundary.ts";
import { endAsAgreed } from "./schedule-change.ts";

export interface ApplyScheduledInput {
  readonly subscriptionId: string;
  /** The instant whose changes are to be made. */
  readonly at: string;
}

/** How a subscription stands when what was agreed for an instant has been made, by whomever. */
export type AppliedScheduled = SubscriptionSoFar & {
  readonly kinds: readonly string[];
  readonly issued: readonly { readonly invoiceId: string; readonly collect: boolean }[];
};

/** Makes the changes that were agreed for an instant, unless the close of the period did; answers the same either way. */
export async function applyScheduled(db: Database, input: ApplyScheduledInput): Promise<AppliedScheduled> {
  const at = instant(input.at);
  return await inTransaction(db, async (tx) => {
    const row = await makeDueChanges(tx, await lockedSubscription(tx, input.subscriptionId), () => at);
    const made = (await listScheduled(tx, row.id)).filter(
      ({ effectiveAt, resolution }) => effectiveAt === at && resolution?.outcome === "applied",
    );
    const outcomes: AppliedChange[] = [];
    for (const { changeId } of made) {
      const known = await findChange(tx, row.id, changeId);
      if (known !== undefined) outcomes.push(await appliedBefore(tx, row, known));
    }
    const last = outcomes.at(-1);
    return {
      ...(await soFar(tx, row, at)),
      kinds: made.map(({ kind }) => kind),
      ...(last === undefined ? {} : anchorSince(row, instant(last.effectiveAt))),
      issued: outcomes.flatMap(({ invoiceId, collect }) =>
        invoiceId === null ? [] : [{ invoiceId, collect }],
      ),
    };
  });
}

async function soFar(tx: Tx, row: StoredSubscription, at: Instant) {
  const dueAt = await nextDueAt(tx, row.id, at);
  return {
    status: row.status,
    planKey: (await itemsInForce(tx, row.id, instantOfEpochMs(at + 1_000)))[0]?.planKey ?? "",
    cancelAt: row.cancelAt === null ? null : isoOf(row.cancelAt),
    dueAt: dueAt === null ? null : isoOf(dueAt),
  };
}

/**
 * Makes everything that is due by an instant, in the order of time, in the caller's transaction, which has the customer's
 * lock; the instant may follow from the subscription, which moves with its changes. What the rules do not allow when its time has come is written down as refused, and the rest goes on.
 */
export async function makeDueChanges(
  tx: Tx,
  row: StoredSubscription,
  until: (row: StoredSubscription) => Instant,
): Promise<StoredSubscription> {
  let current = row;
  for (;;) {
    if (current.status === "canceled") return current;
    const due = await pendingChanges(tx, current.id, until(current));
    const [next] = due;
    // An end comes before what was agreed for the same instant: nothing is left for it to change.
    if (next === undefined || (current.cancelAt !== null && current.cancelAt <= next.effectiveAt))
      return current;
    const together = due.filter(({ effectiveAt }) => effectiveAt === next.effectiveAt);
    current = await makeTogether(tx, current, next.effectiveAt, together);
  }
}

/**
 * What was agreed for a period and for its end comes before it is closed, whoever is first: the run or the close.
 * @param until what is agreed for later than this is left, where the period ends after it
 */
export async function withDueChanges(
  tx: Tx,
  row: StoredSubscription,
  periodStart: Instant,
  until?: Instant,
): Promise<StoredSubscription> {
  if (row.billedThrough !== periodStart) return row;
  const endOf = (now: StoredSubscription) => {
    const { end } = periodOf(now, periodStart).period;
    return until !== undefined && until < end ? until : end;
  };
  const made = await makeDueChanges(tx, row, endOf);
  const { cancelAt } = made;
  if (cancelAt === null || cancelAt > endOf(made)) return made;
  // Before all that was charged for the period has been earned: an end inside it gives some of that back.
  await endAsAgreed(tx, made, isoOf(cancelAt));
  return await lockedSubscription(tx, row.id);
}

/** Where a period begins, all changes of the instant are its terms; inside one each is a change of its own. */
async function makeTogether(
  tx: Tx,
  row: StoredSubscription,
  at: Instant,
  changes: readonly ScheduledChange[],
): Promise<StoredSubscription> {
  if (anchoredPeriodAt(row, at).period.start === at && row.billedThrough < at) {
    return await changeAtBoundary(tx, row, at, changes);
  }
  for (const { changeId, request } of changes) {
    const resolution = { subscriptionId: row.id, changeId };
    const change = request as SubscriptionChange;
    try {
      // As the changes before it have left it.
      const standing = await lockedSubscription(tx, row.id);
      admitScheduled(standing, change.kind, at);
      await makeChange(tx, standing, { changeId, change, at: isoOf(at) });
      await resolveScheduled(tx, resolution, "applied", at);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      await resolveScheduled(tx, resolution, "refused", at, error);
    }
  }
  return await lockedSubscription(tx, row.id);
}
