import { agreedEnd } from "../db/billing/agreed-rows.ts";
import {
  agreedCancellation,
  findScheduled,
  insertScheduled,
  nextDueAt,
  resolveScheduled,
} from "../db/billing/scheduled-changes.ts";
import {
  anchoredPeriodAt,
  findChange,
  insertChange,
  type StoredSubscription,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import { instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { SubscriptionRuleError } from "../domain/invoicing/index.ts";
import type { SubscriptionChange, UnusedCharges } from "../workflows/messages.ts";
import { agree } from "./agree-change.ts";
import {
  type AppliedChange,
  lockedSubscription,
  makeChange,
  refundsOfEnd,
  requireOpen,
} from "./apply-change.ts";
import { type Issued, nothingIssued } from "./issue-invoice.ts";

/** What a subscription's run has to know of what is ahead. */
export interface Ahead {
  readonly dueAt: string | null;
  readonly cancelAt: string | null;
}

export interface ScheduleInput {
  readonly subscriptionId: string;
  readonly changeId: string;
  /** When it was asked for. */
  readonly at: string;
  readonly effectiveAt: string;
  readonly change: SubscriptionChange;
}

/** Writes down a change that is to be made later. Written down again, it is still one. */
export async function scheduleChange(db: Database, input: ScheduleInput): Promise<Ahead> {
  const { subscriptionId, changeId, at, effectiveAt, change } = input;
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    if ((await findScheduled(tx, subscriptionId, changeId)) === undefined) {
      await insertScheduled(tx, {
        subscriptionId,
        changeId,
        kind: change.kind,
        effectiveAt: instant(effectiveAt),
        request: change,
        cause: "requested",
        requestedAt: instant(at),
      });
    }
    return await aheadOf(tx, row, at);
  });
}

export interface CancellationInput {
  readonly subscriptionId: string;
  readonly changeId: string;
  readonly at: string;
  readonly cancelAt: string;
  /** What becomes of charges for time that is left then; given back when left out. */
  readonly credit?: UnusedCharges;
}

/** Agrees an end for later, at the end of a period or inside one. */
export async function scheduleCancellation(db: Database, input: CancellationInput): Promise<void> {
  const { subscriptionId, changeId, cancelAt, credit = "unused" } = input;
  await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    if ((await findChange(tx, subscriptionId, changeId)) !== undefined) return;
    // What was billed until then has charged what follows, too: an end there would come after its own invoice.
    requireOpen(row, instantOfEpochMs(instant(cancelAt) - 1));
    await insertScheduled(tx, {
      subscriptionId,
      changeId: `${changeId}/end`,
      kind: "cancel",
      effectiveAt: instant(cancelAt),
      request: { kind: "cancel", credit },
      cause: "requested",
      requestedAt: instant(input.at),
    });
    await setEnd(tx, row, cancelAt);
    await note(tx, row, changeId, "cancel_at_period_end", input.at, { cancelAt });
  });
}

/** The agreed end is taken back: the subscription goes on. */
export async function uncancel(
  db: Database,
  input: { subscriptionId: string; changeId: string; at: string },
): Promise<Ahead> {
  const { subscriptionId, changeId, at } = input;
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    if ((await findChange(tx, subscriptionId, changeId)) !== undefined) return await aheadOf(tx, row, at);
    const cancellation = await agreedCancellation(tx, subscriptionId);
    if (cancellation !== undefined) await resolveScheduled(tx, cancellation, "withdrawn", instant(at));
    await setEnd(tx, row, null);
    await note(tx, row, changeId, "uncancel", at, {});
    return await aheadOf(tx, { ...row, cancelAt: null }, at);
  });
}

/**
 * Withdraws what was agreed for later, unless it was made, or belongs to a trial. Withdrawn again, it is withdrawn.
 * @throws SubscriptionRuleError
 */
export async function withdrawScheduled(
  db: Database,
  input: { subscriptionId: string; changeId: string; at: string },
): Promise<Ahead> {
  const { subscriptionId, changeId, at } = input;
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    const change = await findScheduled(tx, subscriptionId, changeId);
    if (change === undefined) {
      const message = `no change "${changeId}" was agreed for later`;
      throw new SubscriptionRuleError("scheduled_change_not_found", message);
    }
    if (change.resolution?.outcome === "withdrawn") return await aheadOf(tx, row, at);
    if (change.resolution !== null) {
      const message = `it was ${change.resolution.outcome} ${isoOf(change.resolution.resolvedAt)}`;
      throw new SubscriptionRuleError("scheduled_change_resolved", message);
    }
    if (change.cause === "trial") {
      const message = "a trial has its end: end it now, or cancel";
      throw new SubscriptionRuleError("scheduled_change_fixed", message);
    }
    await resolveScheduled(tx, change, "withdrawn", instant(at));
    if (change.kind !== "cancel") return await aheadOf(tx, row, at);
    await setEnd(tx, row, null);
    return await aheadOf(tx, { ...row, cancelAt: null }, at);
  });
}

/**
 * An agreed end has come: the subscription is canceled, its last period is still to be closed. Inside a period what was
 * charged for the rest of it goes back, unless that was agreed otherwise.
 */
export async function endSubscription(
  db: Database,
  input: { subscriptionId: string; at: string },
): Promise<Issued & Pick<AppliedChange, "refunds">> {
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, input.subscriptionId);
    const { invoiceId, collect } = await endAsAgreed(tx, row, input.at);
    // Also of an end that the close of a period made.
    return { invoiceId, collect, ...(await refundsOfEnd(tx, row.id)) };
  });
}

/** The same in the caller's transaction, which has the customer's lock; once, whoever is first: the run or a close. */
export async function endAsAgreed(tx: Tx, row: StoredSubscription, isoAt: string): Promise<Issued> {
  if (row.status === "canceled") return nothingIssued;
  const at = instant(isoAt);
  const cancellation = await agreedCancellation(tx, row.id);
  if (cancellation !== undefined) await resolveScheduled(tx, cancellation, "applied", at);
  const change = (cancellation?.request ?? { kind: "cancel", credit: "unused" }) as SubscriptionChange;
  const changeId = cancellation?.changeId ?? `end/${isoAt}`;
  if (anchoredPeriodAt(row, at).period.start !== at) {
    return await makeChange(tx, row, { changeId, change, at: isoAt });
  }
  await agree(tx, row, { changeId, change, at, after: null, anchor: null });
  return nothingIssued;
}

async function setEnd(tx: Tx, row: StoredSubscription, cancelAt: string | null): Promise<void> {
  await updateSubscription(tx, row.id, agreedEnd(row, cancelAt === null ? null : instant(cancelAt)));
}

async function note(
  tx: Tx,
  row: StoredSubscription,
  changeId: string,
  kind: string,
  at: string,
  request: unknown,
): Promise<void> {
  const change = { changeId, kind, effectiveAt: instant(at), request, lines: [], invoiceId: null };
  await insertChange(tx, row, change);
}

async function aheadOf(tx: Tx, { id, cancelAt }: StoredSubscription, at: string): Promise<Ahead> {
  const dueAt = await nextDueAt(tx, id, instant(at));
  return {
    dueAt: dueAt === null ? null : isoOf(dueAt),
    cancelAt: cancelAt === null ? null : isoOf(cancelAt),
  };
}
