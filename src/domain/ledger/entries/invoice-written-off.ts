import { ledgerAmountOfMoney, type Money } from "../../money/index.ts";
import { badDebt, paymentsClearing, receivable } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

export interface InvoiceWrittenOff extends EntryFacts {
  readonly invoiceId: string;
  /** All that is still due. */
  readonly due: Money;
}

/** Nobody expects the money any more: 5100 → 1100. */
export function invoiceWrittenOff({ invoiceId, due, ...facts }: InvoiceWrittenOff): JournalEntryDraft {
  return journalEntry(facts, {
    kind: "invoice_written_off",
    cause: { type: "invoice", id: invoiceId },
    postings: [
      posting(
        badDebt(facts.currency),
        receivable(facts.customerId, facts.currency),
        ledgerAmountOfMoney(due),
      ),
    ],
    metadata: { invoice_id: invoiceId },
  });
}

export interface WriteOffRecovered extends EntryFacts {
  readonly invoiceId: string;
  readonly paymentId: string;
  /** At most what was written off; more is a payment with nothing due. */
  readonly received: Money;
}

/** Money for a written-off invoice came after all: it is owed again, 1100 → 5100, and paid, 1010 → 1100. */
export function writeOffRecovered(recovered: WriteOffRecovered): JournalEntryDraft {
  const { invoiceId, paymentId, received, ...facts } = recovered;
  const owed = receivable(facts.customerId, facts.currency);
  const amount = ledgerAmountOfMoney(received);
  return journalEntry(facts, {
    kind: "write_off_recovered",
    cause: { type: "payment", id: paymentId },
    postings: [
      posting(owed, badDebt(facts.currency), amount),
      posting(paymentsClearing(facts.currency), owed, amount),
    ],
    metadata: { invoice_id: invoiceId, payment_id: paymentId },
  });
}
