import { findInvoice } from "../db/billing/invoices.ts";
import {
  findChange,
  findSubscription,
  fullPeriodAt,
  insertChange,
  insertTerms,
  lockCustomer,
  type StoredSubscription,
  termsHistory,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import { addDuration, type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { endingCredits, type InvoiceLine, prorationLines, type Terms } from "../domain/invoicing/index.ts";
import { currency } from "../domain/money/index.ts";
import type { SubscriptionChange } from "../workflows/messages.ts";
import { balanceOfCustomer } from "./customer-balance.ts";
import { type Issued, issueLines, nothingIssued } from "./issue-invoice.ts";
import { SubscriptionRuleError } from "./refusals.ts";
import { checkedSeats, itemFor, requireFitting } from "./subscription-items.ts";

export interface ApplyChangeInput {
  readonly subscriptionId: string;
  readonly changeId: string;
  readonly at: string;
  readonly change: SubscriptionChange;
}

export type AppliedChange = Issued & { readonly effectiveAt: string };

/**
 * Makes a change at its pinned instant, in one transaction: new terms, the lines of the proration, and their invoice
 * with its entries. While the period before is still open (its grace runs), the lines wait for that period's invoice,
 * because what they hand back is only charged there. The same change again answers with what it came to.
 */
export async function applyChange(db: Database, input: ApplyChangeInput): Promise<AppliedChange> {
  const { subscriptionId, changeId, change } = input;
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    const known = await findChange(tx, subscriptionId, changeId);
    if (known !== undefined) return await appliedBefore(tx, known);
    const before = (await termsHistory(tx, subscriptionId)).at(-1);
    invariant(before, "a subscription has terms");
    // Two changes never share an instant: the later one comes a millisecond after.
    const at = Math.max(instant(input.at), before.effectiveAt + 1) as Instant;
    const period = fullPeriodAt(row, at);
    let lines: InvoiceLine[];
    if (change.kind === "cancel") {
      lines = change.credit === "none" ? [] : endingCredits(before, period, at);
      await endAt(tx, row, at);
    } else {
      const after = await changedTerms(tx, before, change, at);
      await requireFitting(tx, { id: row.customerId, currency: row.currency }, subscriptionId, after.items);
      lines = prorationLines(before, after, period, at);
      await insertTerms(tx, subscriptionId, changeId, after);
      if (change.kind === "pause" || change.kind === "resume") {
        await updateSubscription(tx, subscriptionId, { status: after.paused ? "paused" : "active" });
      }
    }
    const mustWait = row.billedThrough < period.start;
    const issued =
      lines.length === 0 || mustWait ? nothingIssued : await invoiceChange(tx, row, changeId, lines, at);
    await insertChange(tx, subscriptionId, {
      changeId,
      kind: change.kind,
      effectiveAt: at,
      request: change,
      lines,
      invoiceId: issued.invoiceId,
    });
    return { ...issued, effectiveAt: isoOf(at) };
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
  const unlocked = await findSubscription(tx, subscriptionId);
  if (unlocked === undefined) {
    throw new SubscriptionRuleError("subscription_not_found", `there is no subscription "${subscriptionId}"`);
  }
  await lockCustomer(tx, unlocked.customerId);
  return (await findSubscription(tx, subscriptionId)) ?? unlocked;
}

async function changedTerms(
  tx: Tx,
  before: Terms,
  change: Exclude<SubscriptionChange, { kind: "cancel" }>,
  effectiveAt: Instant,
): Promise<Terms> {
  const [main, ...addOns] = before.items;
  invariant(main, "a subscription has a plan");
  switch (change.kind) {
    case "change_plan":
      return {
        ...before,
        effectiveAt,
        items: [await itemFor(tx, change.planKey, change.seats ?? main.seats), ...addOns],
      };
    case "change_quantity":
      // The plan stays in the version that was agreed; only the seats are new.
      return { ...before, effectiveAt, items: [{ ...main, seats: checkedSeats(change.seats) }, ...addOns] };
    case "add_add_on":
      return {
        ...before,
        effectiveAt,
        items: [...before.items, await itemFor(tx, change.planKey, change.seats)],
      };
    case "pause":
      return { ...before, effectiveAt, paused: true };
    case "resume":
      return { ...before, effectiveAt, paused: false };
  }
}

async function endAt(tx: Tx, row: StoredSubscription, at: Instant): Promise<void> {
  const period = fullPeriodAt(row, at);
  await updateSubscription(tx, row.id, {
    status: "canceled",
    cancelAt: at,
    canceledAt: at,
    ...(row.billedThrough < period.start
      ? {}
      : { nextCloseAt: addDuration(at, { seconds: row.graceSeconds }, "UTC") }),
  });
}

async function invoiceChange(
  tx: Tx,
  row: StoredSubscription,
  changeId: string,
  lines: readonly InvoiceLine[],
  at: Instant,
): Promise<Issued> {
  const sourceKey = `change/${row.id}/${changeId}`;
  const period = { start: at, end: fullPeriodAt(row, at).end };
  const balance = await balanceOfCustomer(tx, row.customerId, currency(row.currency));
  const invoice = { sourceKey, kind: "proration", period, lines, issuedAt: at } as const;
  return await issueLines(tx, row, invoice, balance);
}

async function appliedBefore(
  tx: Tx,
  known: { effectiveAt: Instant; invoiceId: string | null },
): Promise<AppliedChange> {
  const invoice = known.invoiceId === null ? undefined : await findInvoice(tx, known.invoiceId);
  return {
    invoiceId: known.invoiceId,
    collect: invoice?.kind === "proration" && invoice.totalMinor > 0n,
    effectiveAt: isoOf(known.effectiveAt),
  };
}
