import { and, eq, inArray, sql } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { VoidableInvoice } from "../../domain/invoicing/index.ts";
import { rows, type Tx } from "../database.ts";
import { invoice, ratingRun } from "../schema/billing.ts";
import { creditNoteStanding, invoiceVoid, invoiceVoidRequest } from "../schema/invoice-documents.ts";
import { drawsOfInvoice, type StoredDraw } from "./credit-draws.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "./invoices.ts";
import type { StoredRun } from "./rating-runs.ts";

export type StoredVoid = typeof invoiceVoid.$inferSelect;

/** An invoice that may be voided, with what it drew and what it rated. */
export interface InvoiceToVoid extends VoidableInvoice {
  readonly draws: readonly StoredDraw[];
  readonly runs: readonly StoredRun[];
}

/** Read in the caller's transaction, which holds the customer's lock. */
export async function invoiceToVoid(tx: Tx, stored: StoredInvoice, at: Instant): Promise<InvoiceToVoid> {
  const { id, status, amountPaidMinor } = stored;
  const draws = await drawsOfInvoice(tx, id, at);
  const runs = await tx.select().from(ratingRun).where(eq(ratingRun.invoiceId, id));
  const notes = await tx
    .select({ id: creditNoteStanding.id })
    .from(creditNoteStanding)
    .where(
      and(
        eq(creditNoteStanding.invoiceId, id),
        inArray(creditNoteStanding.status, ["issued", "pending_approval"]),
      ),
    );
  return {
    status,
    amountPaidMinor,
    draws,
    runs,
    creditNotes: notes.length,
    isBuiltOn: await isBuiltOn(tx, id),
    gaveCreditBack: await gaveCreditBack(tx, runs),
    hasEndedGrant: draws.some(({ isEnded }) => isEnded),
  };
}

/** A later rating of one of its periods that stands, or a later period that was closed. */
async function isBuiltOn(tx: Tx, invoiceId: string): Promise<boolean> {
  const [row] = await rows<{ is_built_on: boolean }>(
    tx,
    sql`select exists (
      select from billing.rating_run as run
      join billing.rating_run as later on later.subscription_id = run.subscription_id
        and (later.period_start = run.period_start and later.revision > run.revision
          or run.kind = 'closing' and later.kind = 'closing' and later.period_start > run.period_start)
      left join billing.invoice as later_invoice on later_invoice.id = later.invoice_id
      where run.invoice_id = ${invoiceId} and later_invoice.status is distinct from 'void') as is_built_on`,
  );
  return row?.is_built_on ?? false;
}

async function gaveCreditBack(tx: Tx, runs: readonly StoredRun[]): Promise<boolean> {
  for (const { subscriptionId, periodStart, revision, afterRevision } of runs) {
    if (afterRevision === null) continue;
    const [row] = await rows<{ gave: boolean }>(
      tx,
      sql`select exists (
        select from billing.credit_return
        where cause_type = 'usage_correction'
          and cause_id = ${`${subscriptionId}/${new Date(periodStart).toISOString()}/${revision}`}) as gave`,
    );
    if (row?.gave === true) return true;
  }
  return false;
}

/** Writes down who wants an invoice withdrawn, and why; asked for again it stays as it was. */
export async function insertVoidRequest(
  tx: Tx,
  request: typeof invoiceVoidRequest.$inferInsert,
): Promise<void> {
  await tx.insert(invoiceVoidRequest).values(request).onConflictDoNothing();
}

export async function findVoidRequest(
  tx: Tx,
  invoiceId: string,
  requestId: string,
): Promise<typeof invoiceVoidRequest.$inferSelect | undefined> {
  const [row] = await tx
    .select()
    .from(invoiceVoidRequest)
    .where(and(eq(invoiceVoidRequest.invoiceId, invoiceId), eq(invoiceVoidRequest.requestId, requestId)));
  return row;
}

/** Withdraws an invoice and says by whom and why; its entries are the caller's. */
export async function insertVoid(tx: Tx, voided: typeof invoiceVoid.$inferInsert): Promise<void> {
  await updateInvoice(tx, voided.invoiceId, { status: "void" });
  await tx.insert(invoiceVoid).values(voided);
}

export async function findVoid(tx: Tx, invoiceId: string): Promise<StoredVoid | undefined> {
  const [row] = await tx.select().from(invoiceVoid).where(eq(invoiceVoid.invoiceId, invoiceId));
  return row;
}

/** The invoice that bills a void one anew; undefined when none does. */
export async function replacementOf(tx: Tx, invoiceId: string): Promise<StoredInvoice | undefined> {
  const [row] = await tx.select().from(invoice).where(eq(invoice.replaces, invoiceId));
  return row;
}

/** The first invoice of those that billed the same anew, one after the other: what waited had waited for it. */
export async function firstOf(tx: Tx, stored: StoredInvoice): Promise<StoredInvoice> {
  let first = stored;
  while (first.replaces !== null)
    first = (await findInvoice(tx, first.replaces)) ?? { ...first, replaces: null };
  return first;
}
