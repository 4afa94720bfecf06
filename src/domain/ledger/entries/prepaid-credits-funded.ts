import { ledgerAmountOfMoney, type Money } from "../../money/index.ts";
import { prepaidCredits, unpaidCredits } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

export interface PrepaidCreditsFunded extends EntryFacts {
  readonly purchaseId: string;
  readonly grantId: string;
  readonly invoiceId: string;
  readonly amount: Money;
}

/**
 * The invoice of a credit purchase is paid, so its credits can be spent: 2005 → 2000 of the new grant. Posted in the
 * transaction of the payment that settles the invoice, whatever paid it.
 */
export function prepaidCreditsFunded(funded: PrepaidCreditsFunded): JournalEntryDraft {
  const { purchaseId, grantId, invoiceId, amount, ...facts } = funded;
  const { customerId, currency } = facts;
  return journalEntry(facts, {
    kind: "prepaid_credits_funded",
    cause: { type: "credit_purchase", id: purchaseId },
    postings: [
      posting(
        unpaidCredits(customerId, purchaseId, currency),
        prepaidCredits(customerId, grantId, currency),
        ledgerAmountOfMoney(amount),
      ),
    ],
    metadata: { invoice_id: invoiceId, grant_id: grantId },
  });
}
