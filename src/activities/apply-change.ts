import { foundByChange } from "../db/billing/change-standing.ts";
import { issueNotesOfEnd } from "../db/billing/credit-note-issue.ts";
import { balanceOfCustomer } from "../db/billing/customer-balance.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { knownCatalog } from "../db/billing/known-catalog.ts";
import { type ChangeStanding, type PlannedChange, plannedChange } from "../db/billing/planned-change.ts";
import { requestedRefundsOfEnd } from "../db/billing/refunds.ts";
import { requestedChange, requireAsQuoted } from "../db/billing/requested-change.ts";
import { nextDueAt } from "../db/billing/scheduled-changes.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  findSubscription,
  insertChange,
  lockCustomerOf,
  type StoredSubscription,
} from "../db/billing/subscriptions.ts";
import { taxAhead } from "../db/billing/tax-ahead.ts";
import { taxedAtOnce } from "../db/billing/tax-given.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import { type AgreedAnchor, agreedPeriodAt, type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import { SubscriptionRuleError } from "../domain/invoicing/index.ts";
import { SubscriptionRefusal } from "../domain/lifecycle/index.ts";
import { currency } from "../domain/money/index.ts";
import type { BegunAnchor, SubscriptionChange } from "../workflows/messages.ts";
import { agree } from "./agree-change.ts";
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
  /** When the next change that is agreed for later is to be made. */
  readonly dueAt?: string | null;
  /** What an end gives back that is still to be sent. */
  readonly refunds?: readonly string[];
};

/**
 * Makes a change at its pinned instant, in one transaction: new terms, the lines of the proration, and their invoice
 * with its entries. While the period before is still open (its grace runs), the lines wait for that period's invoice,
 * because what they hand back is only charged there. The same change again answers with what it came to.
 * @throws SubscriptionRuleError when the rules do not allow it, or when its preview came to something else
 */
export async function applyChange(db: Database, input: ApplyChangeInput): Promise<AppliedChange> {
  const { plans } = knownCatalog(db);
  return await inTransaction(db, async (tx) => {
    await lockCustomerOf(tx, input.subscriptionId);
    const { row, known, standing } = existing(await foundByChange(tx, input, plans), input.subscriptionId);
    if (known === null) return await makeChange(tx, row, input, standing);
    const applied = await appliedBefore(tx, row, known);
    return isRefunded(input.change) ? { ...applied, ...(await refundsOfEnd(tx, row.id)) } : applied;
  });
}

/** What the end of a subscription gives back that is still to be sent; left out where there is nothing. */
export async function refundsOfEnd(
  tx: Tx,
  subscriptionId: string,
): Promise<{ readonly refunds?: readonly string[] }> {
  const refunds = await requestedRefundsOfEnd(tx, subscriptionId);
  return refunds.length === 0 ? {} : { refunds };
}

const isRefunded = (change: SubscriptionChange): boolean =>
  change.kind === "cancel" && change.credit === "refund";

/** The same in the caller's transaction, which has the customer's lock, for a change that is news. */
export async function makeChange(
  tx: Tx,
  row: StoredSubscription,
  { changeId, change, at: asked }: Omit<ApplyChangeInput, "subscriptionId">,
  standing?: ChangeStanding,
): Promise<AppliedChange> {
  requireOpen(row, instant(asked));
  const planned = await plannedChange(tx, row, await requestedChange(tx, change), instant(asked), standing);
  requireAsQuoted(planned, change);
  const { at, lines, notes, returned } = planned;
  const changed = await agree(tx, row, { changeId, change, ...planned });
  const issued =
    lines.length === 0 || planned.waits ? nothingIssued : await invoiceChange(tx, changed, changeId, planned);
  const made = { changeId, kind: change.kind, effectiveAt: at, request: change, lines, returned };
  const [outcome] = await Promise.all([
    outcomeOf(tx, changed, at, issued),
    insertChange(tx, row, { ...made, invoiceId: issued.invoiceId }),
  ]);
  if (notes.length === 0) return outcome;
  const { id: subscriptionId, customerId } = row;
  await issueNotesOfEnd(tx, { subscriptionId, customerId, changeId, at, notes });
  return { ...outcome, ...(await refundsOfEnd(tx, subscriptionId)) };
}

/** The subscription's row, read after its customer's lock was taken. */
export async function lockedSubscription(tx: Tx, subscriptionId: string): Promise<StoredSubscription> {
  await lockCustomerOf(tx, subscriptionId);
  return existing(await findSubscription(tx, subscriptionId), subscriptionId);
}

/** @throws SubscriptionRuleError */
function existing<Found>(found: Found | undefined, subscriptionId: string): Found {
  if (found !== undefined) return found;
  throw new SubscriptionRuleError("subscription_not_found", `there is no subscription "${subscriptionId}"`);
}

/**
 * Refuses what is dated in a period that is closed. The run refuses that too, but where pages close its periods it may
 * not have heard of it yet.
 * @throws SubscriptionRefusal
 */
export function requireOpen({ billedThrough }: StoredSubscription, at: Instant): void {
  if (at >= billedThrough) return;
  throw new SubscriptionRefusal(
    "subscription_change_backdated",
    `a change cannot be dated ${isoOf(at)}: everything before ${isoOf(billedThrough)} is billed`,
    "at",
  );
}

async function invoiceChange(
  tx: Tx,
  row: StoredSubscription,
  changeId: string,
  { at, lines }: PlannedChange,
): Promise<Issued> {
  const { customerId } = row;
  // Without its tax it waits for the invoice of the period, where tax is wanted for it too.
  const ahead = await taxAhead(tx, { customerId, of: taxedAtOnce.change(row.id), lines, at });
  if ("missing" in ahead) return nothingIssued;
  const sourceKey = `change/${row.id}/${changeId}`;
  const period = { start: at, end: anchoredPeriodAt(row, at).period.end };
  const balance = await balanceOfCustomer(tx, customerId, currency(row.currency));
  const invoice = { sourceKey, kind: "proration", period, lines, issuedAt: at } as const;
  return await issueLines(tx, row, invoice, balance, ahead.tax);
}

export async function appliedBefore(
  tx: Tx,
  row: StoredSubscription,
  { effectiveAt, invoiceId }: { effectiveAt: Instant; invoiceId: string | null },
): Promise<AppliedChange> {
  const invoice = invoiceId === null ? undefined : await findInvoice(tx, invoiceId);
  return await outcomeOf(tx, row, effectiveAt, {
    invoiceId,
    collect: invoice?.kind === "proration" && invoice.totalMinor > 0n,
  });
}

async function outcomeOf(
  tx: Tx,
  row: StoredSubscription,
  at: Instant,
  issued: Issued,
): Promise<AppliedChange> {
  const dueAt = await nextDueAt(tx, row.id, at);
  return {
    ...issued,
    effectiveAt: isoOf(at),
    ...anchorSince(row, at),
    dueAt: dueAt === null ? null : isoOf(dueAt),
  };
}

/** The anchor that came with a change at `at`, as the subscription's run remembers it. */
export function anchorSince(row: StoredSubscription, at: Instant): Pick<AppliedChange, "anchor"> {
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
