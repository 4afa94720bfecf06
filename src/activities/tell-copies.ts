import {
  endCopyChange,
  findCopyChange,
  type StoredCopyChange,
  waitingCopyChanges,
} from "../db/billing/copy-changes.ts";
import { findCreditNote } from "../db/billing/credit-notes.ts";
import { findInvoice, findInvoiceAtStripe } from "../db/billing/invoices.ts";
import { refundsOf } from "../db/billing/refunds.ts";
import { BillingError, invariant } from "../domain/errors.ts";
import { StripeCallError } from "../stripe/index.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** Somebody has credited Stripe's copy of an invoice in its dashboard: it asks for less there than is due here. */
export class CreditedAtStripeError extends BillingError {
  readonly code = "credited_at_stripe";

  constructor(invoiceId: string, stripeCreditNoteId: string) {
    super(
      `the copy of invoice ${invoiceId} has the credit note ${stripeCreditNoteId}, which was not issued here: ` +
        "issue it here instead, or void the invoice and bill anew",
    );
  }
}

/** Tells Stripe's copies of invoices what credit notes have made of them: of one invoice, or of all, the oldest first. */
export async function tellCopies(deps: ActivityDependencies, invoiceId?: string): Promise<void> {
  const waiting = await waitingCopyChanges(deps.db.orm, invoiceId === undefined ? {} : { invoiceId });
  // One after the other: of each invoice Stripe has to take them in the order in which they were issued.
  for (const change of waiting) await tellCopy(deps, change);
}

async function tellCopy({ db, rail, now }: ActivityDependencies, change: StoredCopyChange): Promise<void> {
  const { creditNoteId, invoiceId } = change;
  const note = await findCreditNote(db.orm, creditNoteId);
  const invoice = await findInvoice(db.orm, invoiceId);
  invariant(
    note?.number && invoice?.stripeInvoiceId,
    `note ${creditNoteId} is issued, of an invoice at Stripe`,
  );
  const refunds = await refundsOf(db.orm, { creditNoteId });
  // Not sent yet: the note is told with the refunds that it promised.
  if (refunds.some(({ state }) => state === "requested")) return;
  try {
    const { stripeCreditNoteId } = await rail.mirrorCreditNote({
      creditNoteId,
      number: note.number,
      stripeInvoiceId: invoice.stripeInvoiceId,
      currency: invoice.currency,
      dueBeforeMinor: change.dueBeforeMinor.toString(),
      dueAfterMinor: change.dueAfterMinor.toString(),
      givenBackMinor: change.givenBackMinor.toString(),
      refunds: refunds.flatMap(({ stripeRefundId, amountMinor }) =>
        stripeRefundId === null ? [] : [{ stripeRefundId, amountMinor: amountMinor.toString() }],
      ),
      at: now(),
    });
    await endCopyChange(db.orm, creditNoteId, { state: "done", stripeCreditNoteId });
  } catch (error) {
    const isRefused = error instanceof StripeCallError && error.failure.kind === "invalid_request";
    if (!isRefused) throw error;
    await endCopyChange(db.orm, creditNoteId, { state: "refused", problem: error.message });
  }
}

/** Stripe has told of a credit note: one of ours is known to have arrived; any other on an invoice of ours wants a person. */
export async function applyCreditNote(
  { db, rail }: ActivityDependencies,
  stripeCreditNoteId: string,
): Promise<"done" | "ignored"> {
  const said = await rail.retrieveCreditNote(stripeCreditNoteId);
  const known = said.creditNoteId === null ? undefined : await findCopyChange(db.orm, said.creditNoteId);
  if (known !== undefined) {
    await endCopyChange(db.orm, known.creditNoteId, { state: "done", stripeCreditNoteId });
    return "done";
  }
  const invoice = await findInvoiceAtStripe(db.orm, said.stripeInvoiceId);
  if (invoice === undefined) return "ignored";
  throw new CreditedAtStripeError(invoice.id, stripeCreditNoteId);
}
