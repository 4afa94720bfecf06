import type { Money } from "../../money/index.ts";
import { customerBalance, receivable } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

export interface CustomerBalanceApplied extends EntryFacts {
  /** Names this application; an invoice may have several. */
  readonly applicationId: string;
  readonly invoiceId: string;
  /** At most what is due on the invoice, and what the balance holds: the ledger refuses more than it holds. */
  readonly amount: Money;
}

/** What we owe the customer pays an invoice: 2200 → 1100. */
export function customerBalanceApplied(applied: CustomerBalanceApplied): JournalEntryDraft {
  const { applicationId, invoiceId, amount, ...facts } = applied;
  return journalEntry(facts, {
    kind: "customer_balance_applied",
    cause: { type: "customer_balance_application", id: applicationId },
    postings: [
      posting(
        customerBalance(facts.customerId, facts.currency),
        receivable(facts.customerId, facts.currency),
        amount,
      ),
    ],
    metadata: { invoice_id: invoiceId },
  });
}
