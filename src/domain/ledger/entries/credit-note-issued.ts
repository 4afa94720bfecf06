import { ledgerAmount } from "../../money/index.ts";
import { creditNoteAllowance, customerBalance, receivable, refundPayable } from "../accounts.ts";
import { type EntryAmount, type EntryFacts, type JournalEntryDraft, journalEntry } from "../journal-entry.ts";
import { pairedPostings, type Share } from "../paired-postings.ts";
import { type InvoicedParts, sharesOfParts } from "./invoiced-parts.ts";

export interface CreditNoteIssued extends EntryFacts, InvoicedParts {
  readonly creditNoteId: string;
  readonly invoiceId: string;
  /** What makes the invoice smaller: at most what is still due on it. */
  readonly lowersDue?: EntryAmount;
  /** What is paid already and becomes the customer's balance. */
  readonly toBalance?: EntryAmount;
  /** What is paid already and goes back; the refunds' own entries take it from there. */
  readonly toRefunds?: readonly { readonly refundId: string; readonly amount: EntryAmount }[];
}

/**
 * An issued invoice turns out too high. What was earned becomes less revenue, 4910; unused time, unused and unpaid
 * credits, and tax come from where they wait: 2100, 2000, 2005, 2300. They lower what is due, → 1100; of what is paid
 * already they go to the customer balance, → 2200, or to a refund, → 2400.
 * @throws JournalEntryInvalidError unless what it is for and where it goes are the same sum
 */
export function creditNoteIssued(note: CreditNoteIssued): JournalEntryDraft {
  return journalEntry(note, {
    kind: "credit_note_issued",
    cause: { type: "credit_note", id: note.creditNoteId },
    postings: pairedPostings(sharesOfParts(note, creditNoteAllowance(note.currency)), destinationsOf(note)),
    metadata: { credit_note_id: note.creditNoteId, invoice_id: note.invoiceId },
  });
}

function destinationsOf(note: CreditNoteIssued): Share[] {
  const {
    customerId,
    currency,
    lowersDue = ledgerAmount(0n),
    toBalance = ledgerAmount(0n),
    toRefunds = [],
  } = note;
  return [
    { account: receivable(customerId, currency), amount: lowersDue },
    { account: customerBalance(customerId, currency), amount: toBalance },
    ...toRefunds.map(({ refundId, amount }) => ({
      account: refundPayable(customerId, refundId, currency),
      amount,
    })),
  ];
}
