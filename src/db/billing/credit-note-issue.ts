import { createHash } from "node:crypto";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  CreditNoteImpossibleError,
  type PlannedCreditNote,
  type UnusedTimeNote,
} from "../../domain/invoicing/index.ts";
import { creditNoteIssued } from "../../domain/ledger/index.ts";
import { subtractMoney } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { postEntries } from "../ledger/ledger.ts";
import { insertCopyChange } from "./copy-changes.ts";
import { insertCreditNote, insertCreditNoteRequest, type StoredCreditNote } from "./credit-notes.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "./invoices.ts";
import { insertRefunds } from "./refunds.ts";

export interface IssueOfNote {
  readonly actor: string;
  /** By the customer's clock. */
  readonly at: Instant;
}

/** The end of a subscription whose unused time goes back. */
export interface EndWithNotes {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly changeId: string;
  readonly at: Instant;
  readonly notes: readonly UnusedTimeNote[];
}

/**
 * Issues the notes of an end, in the caller's transaction, which holds the customer's lock and has written down the end. Nobody
 * has to agree: what they come to is decided by what was agreed. The refunds are still to be sent.
 */
export async function issueNotesOfEnd(
  tx: Tx,
  { subscriptionId, customerId, changeId, at, notes }: EndWithNotes,
): Promise<void> {
  const actor = `subscription/${subscriptionId}`;
  for (const { invoiceId, lines, planned } of notes) {
    const invoice = await findInvoice(tx, invoiceId);
    invariant(invoice?.customerId === customerId, "a note is on an invoice of the customer");
    const note = await insertCreditNoteRequest(tx, {
      id: noteIdOf(subscriptionId, changeId, invoiceId),
      invoice,
      lines,
      total: planned.total,
      destination: "refund",
      reasonCode: "contract",
      reason: `unused time: the subscription ended ${isoOf(at)}`,
      requestedBy: actor,
      requestedAt: at,
      approvalLimit: null,
      subscriptionId,
      changeId,
    });
    await issueCreditNote(tx, note, invoice, planned, { actor, at });
  }
}

/** A note's id is made from the end and the invoice: whoever comes again, comes to the same one. */
function noteIdOf(...names: readonly [subscriptionId: string, changeId: string, invoiceId: string]): string {
  return `cn_${createHash("sha256").update(names.join("/")).digest("hex").slice(0, 20)}`;
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
  { actor, at }: IssueOfNote,
): Promise<void> {
  const { total, lowersDue, toBalance, refunds, unusedCredits, tax } = planned;
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
    used: [...tax, ...unusedCredits].reduce((left, { amount }) => subtractMoney(left, amount), total),
    unusedCredits,
    tax,
    lowersDue,
    toBalance,
    toRefunds,
  });
  await insertCopyChange(tx, invoice, note.id, planned);
  const [result] = await postEntries(tx, [entry], actor);
  // A request may have set some of the credit aside since we looked: that does not wait for the customer's lock.
  if (result?.status === "insufficient") {
    const message = "less of the credit is left than a moment ago: look again, and ask for what is there";
    throw new CreditNoteImpossibleError("credit_grant_insufficient", message, "lines");
  }
  invariant(result?.status === "created", `a credit note is booked once, but was: ${result?.status}`);
}

/** A refund's id is made from the note that promises it and the payment it returns: whoever comes again, comes to the same one. */
function refundIdOf(creditNoteId: string, paymentId: string): string {
  return `rf_${createHash("sha256").update(`${creditNoteId}/${paymentId}`).digest("hex").slice(0, 20)}`;
}
