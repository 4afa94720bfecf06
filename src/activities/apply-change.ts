import { balanceOfCustomer } from "../db/billing/customer-balance.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { type PlannedChange, plannedChange } from "../db/billing/planned-change.ts";
import { agreedOverrides } from "../db/billing/price-agreements.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  anchorToStore,
  findChange,
  findSubscription,
  insertChange,
  insertTerms,
  lockCustomerOf,
  type StoredSubscription,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import {
  type AgreedAnchor,
  addDuration,
  agreedPeriodAt,
  type Instant,
  instant,
  isoOf,
} from "../domain/calendar/index.ts";
import { type RequestedChange, SubscriptionRuleError } from "../domain/invoicing/index.ts";
import { currency } from "../domain/money/index.ts";
import type { BegunAnchor, SubscriptionChange } from "../workflows/messages.ts";
import { type Issued, issueLines, nothingIssued } from "./issue-invoice.ts";

export interface ApplyChangeInput {
  readonly subscriptionId: string;
  readonly changeId: string;
  readonly at: string;
  readonly change: SubscriptionChange;
}

export type AppliedChange = Issued & {
  readonly effectiveAt: string;
  /** Where periods count from since, when that changed. */
  readonly anchor?: BegunAnchor;
};

/**
 * Makes a change at its pinned instant, in one transaction: new terms, the lines of the proration, and their invoice
 * with its entries. While the period before is still open (its grace runs), the lines wait for that period's invoice,
 * because what they hand back is only charged there. The same change again answers with what it came to.
 * @throws SubscriptionRuleError when the rules do not allow it, or when its preview came to something else
 */
export async function applyChange(db: Database, input: ApplyChangeInput): Promise<AppliedChange> {
  const { subscriptionId, changeId, change } = input;
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    const known = await findChange(tx, subscriptionId, changeId);
    if (known !== undefined) return await appliedBefore(tx, row, known);
    const planned = await plannedChange(tx, row, await requested(tx, change), instant(input.at));
    requireAsQuoted(planned, change.quote);
    const changed = await agree(tx, row, changeId, change, planned);
    const { at, lines } = planned;
    const issued =
      lines.length === 0 || planned.waits
        ? nothingIssued
        : await invoiceChange(tx, changed, changeId, planned);
    await insertChange(tx, subscriptionId, {
      changeId,
      kind: change.kind,
      effectiveAt: at,
      request: change,
      lines,
      invoiceId: issued.invoiceId,
    });
    return { ...issued, effectiveAt: isoOf(at), ...anchorSince(changed, at) };
  });
}

/** Agrees a cancellation for the end of the period in course. */
export async function scheduleCancellation(
  db: Database,
  input: { subscriptionId: string; changeId: string; at: string; cancelAt: string },
): Promise<void> {
  const { subscriptionId, changeId, cancelAt } = input;
  await inTransaction(db, async (tx) => {
    await lockedSubscription(tx, subscriptionId);
    if ((await findChange(tx, subscriptionId, changeId)) !== undefined) return;
    await updateSubscription(tx, subscriptionId, { cancelAt: instant(cancelAt) });
    await insertChange(tx, subscriptionId, {
      changeId,
      kind: "cancel_at_period_end",
      effectiveAt: instant(input.at),
      request: { cancelAt },
      lines: [],
      invoiceId: null,
    });
  });
}

/** An agreed cancellation has come: the subscription is canceled, its last period is still to be closed. */
export async function endSubscription(
  db: Database,
  input: { subscriptionId: string; at: string },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, input.subscriptionId);
    if (row.status === "canceled") return;
    const at = instant(input.at);
    await updateSubscription(tx, row.id, { status: "canceled", cancelAt: at, canceledAt: at });
  });
}

/** The subscription's row, read after its customer's lock was taken. */
export async function lockedSubscription(tx: Tx, subscriptionId: string): Promise<StoredSubscription> {
  await lockCustomerOf(tx, subscriptionId);
  const locked = await findSubscription(tx, subscriptionId);
  if (locked !== undefined) return locked;
  throw new SubscriptionRuleError("subscription_not_found", `there is no subscription "${subscriptionId}"`);
}

/** As the domain knows it; a run says of a cancellation whether unused time is given back. */
async function requested(tx: Tx, change: SubscriptionChange): Promise<RequestedChange> {
  if (change.kind === "change_plan" || change.kind === "add_add_on") {
    const { agreement, ...rest } = change;
    return { ...rest, ...(await agreedOverrides(tx, agreement)) };
  }
  if (change.kind !== "cancel") return change;
  return { kind: "cancel", unused: change.credit === "none" ? "none" : "credit" };
}

function requireAsQuoted({ quote, at }: PlannedChange, quoted: string | undefined): void {
  if (quoted === undefined || quoted === quote) return;
  throw new SubscriptionRuleError(
    "change_quote_outdated",
    `at ${isoOf(at)} the change comes to other lines than its preview did: preview it again`,
    "preview",
  );
}

/** What is agreed from now on: terms, and where periods lie; or the end. */
async function agree(
  tx: Tx,
  row: StoredSubscription,
  changeId: string,
  change: SubscriptionChange,
  { at, after, anchor }: PlannedChange,
): Promise<StoredSubscription> {
  if (after === null) {
    await endAt(tx, row, at);
    return row;
  }
  await insertTerms(tx, row.id, changeId, after);
  const isPauseOrResume = change.kind === "pause" || change.kind === "resume";
  const updates = {
    ...(isPauseOrResume ? { status: after.paused ? ("paused" as const) : ("active" as const) } : {}),
    ...(anchor === null ? {} : reanchored(row, anchor)),
  };
  if (Object.keys(updates).length > 0) await updateSubscription(tx, row.id, updates);
  return { ...row, ...updates };
}

/** Another anchor ends the period in course, which can then be closed after its grace. */
function reanchored(row: StoredSubscription, anchor: AgreedAnchor) {
  const { start } = anchoredPeriodAt(row, anchor.effectiveAt).period;
  const anchors = [...row.anchors, anchorToStore(anchor)];
  if (row.billedThrough < start) return { anchors };
  const cut = { start, end: anchor.effectiveAt };
  const { end } = cut.start < cut.end ? cut : anchoredPeriodAt({ ...row, anchors }, start).period;
  return { anchors, nextCloseAt: graceAfter(row, end) };
}

async function endAt(tx: Tx, row: StoredSubscription, at: Instant): Promise<void> {
  const { period } = anchoredPeriodAt(row, at);
  await updateSubscription(tx, row.id, {
    status: "canceled",
    cancelAt: at,
    canceledAt: at,
    ...(row.billedThrough < period.start ? {} : { nextCloseAt: graceAfter(row, at) }),
  });
}

function graceAfter({ graceSeconds }: StoredSubscription, at: Instant): Instant {
  return addDuration(at, { seconds: graceSeconds }, "UTC");
}

async function invoiceChange(
  tx: Tx,
  row: StoredSubscription,
  changeId: string,
  { at, lines }: PlannedChange,
): Promise<Issued> {
  const sourceKey = `change/${row.id}/${changeId}`;
  const period = { start: at, end: anchoredPeriodAt(row, at).period.end };
  const balance = await balanceOfCustomer(tx, row.customerId, currency(row.currency));
  const invoice = { sourceKey, kind: "proration", period, lines, issuedAt: at } as const;
  return await issueLines(tx, row, invoice, balance);
}

async function appliedBefore(
  tx: Tx,
  row: StoredSubscription,
  { effectiveAt, invoiceId }: { effectiveAt: Instant; invoiceId: string | null },
): Promise<AppliedChange> {
  const invoice = invoiceId === null ? undefined : await findInvoice(tx, invoiceId);
  return {
    invoiceId,
    collect: invoice?.kind === "proration" && invoice.totalMinor > 0n,
    effectiveAt: isoOf(effectiveAt),
    ...anchorSince(row, effectiveAt),
  };
}

/** The anchor that came with a change at `at`, as the subscription's run remembers it. */
function anchorSince(row: StoredSubscription, at: Instant): Pick<AppliedChange, "anchor"> {
  const { agreed, index } = agreedPeriodAt(anchorsOf(row), at);
  return agreed.effectiveAt === at ? { anchor: runningAnchor(agreed, index) } : {};
}

/** An anchor as messages carry it, with the number of the period that begins with it. */
export function runningAnchor(
  { effectiveAt, anchor: { at, interval, timeZone } }: AgreedAnchor,
  periodIndex: number,
): BegunAnchor {
  return { at: isoOf(at), ...interval, timeZone, from: isoOf(effectiveAt), periodIndex };
}
