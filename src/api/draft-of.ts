import {
  type DraftInvoice,
  draftInvoice,
  draftPeriod,
  subscriptionOfDraft,
} from "../db/billing/draft-invoices.ts";
import { lastLateInvoice } from "../db/billing/late-after-end.ts";
import { closingRun } from "../db/billing/rating-runs.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import { type Database, inSnapshot, type Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { draftOfId } from "../domain/invoicing/index.ts";
import { timeOfCustomer } from "./customer-time.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { found, NotFoundError, RequestRefusedError } from "./refusals.ts";

/** The subscription that a draft is of, by a draft's id; whether its period is open still, or was closed. */
export async function draftSubscription(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  id: string,
): Promise<{
  readonly row: StoredSubscription;
  readonly at: Instant;
  readonly isOpen: boolean;
  readonly start: Instant;
}> {
  const of = draftOfId(id);
  if (of === null) throw new NotFoundError("draft_invoice", id);
  const { row, isOpen } = found(await subscriptionOfDraft(db.orm, of), "draft_invoice", id);
  const at = await timeOfCustomer({ db, now }, row.customerId);
  return { row, at, isOpen, start: of.periodStart };
}

/** A draft as it is now. @throws RequestRefusedError where its period is closed, or goes on */
export async function openDraft(
  deps: Pick<ApiDependencies, "db" | "now">,
  id: string,
): Promise<{ readonly draft: DraftInvoice; readonly at: Instant }> {
  const { row, at, isOpen, start } = await draftSubscription(deps, id);
  if (!isOpen) throw await closedBefore(deps.db, row, start);
  if (draftPeriod(row, at) === null) {
    const message =
      "the period goes on: look at the subscription's upcoming invoice, and come back when it has ended";
    throw new RequestRefusedError("draft_invoice_in_course", message);
  }
  const draft = await inSnapshot(deps.db, (tx) => draftInvoice(tx, row, at));
  return { draft: found(draft ?? undefined, "draft_invoice", id), at };
}

async function closedBefore(
  { orm }: Database,
  { id }: StoredSubscription,
  start: Instant,
): Promise<RequestRefusedError> {
  const invoiceId = await invoiceOfPeriod(orm, id, start);
  const message =
    invoiceId === null
      ? "the period is closed, and there was nothing to invoice"
      : `the period is closed by invoice ${invoiceId}: look at that`;
  return new RequestRefusedError("draft_invoice_closed", message);
}

/** The invoice that closed a period, its own or one with others; null when none did. */
export async function invoiceOfPeriod(
  tx: Tx,
  subscriptionId: string,
  start: Instant,
): Promise<string | null> {
  const closed = await closingRun(tx, subscriptionId, start);
  // Only what comes after the end of a subscription has no closing of its own.
  return closed === undefined ? await lastLateInvoice(tx, subscriptionId) : closed.invoiceId;
}
