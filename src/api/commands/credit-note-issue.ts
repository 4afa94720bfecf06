import { createHash } from "node:crypto";
import { insertCreditNote, type StoredCreditNote } from "../../db/billing/credit-notes.ts";
import { type StoredInvoice, updateInvoice } from "../../db/billing/invoices.ts";
import { insertRefunds } from "../../db/billing/refunds.ts";
import type { Tx } from "../../db/database.ts";
import { postEntries } from "../../db/ledger/ledger.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { PlannedCreditNote } from "../../domain/invoicing/index.ts";
import { creditNoteIssued } from "../../domain/ledger/index.ts";
import { subtractMoney } from "../../domain/money/index.ts";

export interface IssueOfNote {
  readonly actor: string;
  /** By the customer's clock. */
  readonly at: Instant;
  /** The wall clock: how long a refund is silent has nothing to do with a customer's test clock. */
  readonly now: Instant;
}

/**
 * Numbers the note, lowers what is due, writes down what is to go back, and books all of it, in the caller's transaction, which
 * holds the customer's lock. The refunds are still to be sent.
 */
export async function issueCreditNote(
  tx: Tx,
  note: StoredCreditNote,
  invoice: StoredInvoice,
  planned: PlannedCreditNote,
  { actor, at, now }: IssueOfNote,
): Promise<void> {
  const { total, lowersDue, toBalance, refunds, tax } = planned;
  await insertCreditNote(tx, note, planned, { issuedBy: actor, issuedAt: at });
  const creditedMinor = invoice.creditedMinor + lowersDue.amountMinor;
  const isSettled =
    invoice.status === "open" && creditedMinor + invoice.amountPaidMinor >= invoice.totalMinor;
  await updateInvoice(tx, invoice.id, {
    creditedMinor,
    ...(isSettled ? { status: "paid" as const, paidAt: at } : {}),
  });
  const toRefunds = refunds.map(({ paymentId, amount }) => ({
    refundId: refundIdOf(note.id, paymentId),
    paymentId,
    amount,
  }));
  await insertRefunds(
    tx,
    toRefunds.map(({ refundId, paymentId, amount }) => ({
      id: refundId,
      creditNoteId: note.id,
      invoiceId: invoice.id,
      customerId: note.customerId,
      stripePaymentIntentId: paymentId,
      currency: note.currency,
      amountMinor: amount.amountMinor,
      requestedAt: at,
      changedAt: now,
    })),
  );
  const entry = creditNoteIssued({
    sourceKey: `credit-note/${note.id}/issued`,
    customerId: note.customerId,
    currency: total.currency,
    occurredAt: at,
    effectiveAt: at,
    creditNoteId: note.id,
    invoiceId: invoice.id,
    // Deferred revenue is recognised in full as its time passes: the allowance stands against it from now on.
    used: tax.reduce((left, { amount }) => subtractMoney(left, amount), total),
    tax,
    lowersDue,
    toBalance,
    toRefunds,
  });
  const [result] = await postEntries(tx, [entry], actor);
  invariant(result?.status === "created", `a credit note is booked once, but was: ${result?.status}`);
}

/** A refund's id is made from the note that promises it and the payment it returns: whoever comes again, comes to the same one. */
function refundIdOf(creditNoteId: string, paymentId: string): string {
  return `rf_${createHash("sha256").update(`${creditNoteId}/${paymentId}`).digest("hex").slice(0, 20)}`;
}
