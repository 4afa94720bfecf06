import type { LedgerAmount } from "../../money/index.ts";
import { prepaidCredits, unpaidCredits } from "../accounts.ts";
import {
  type EntryAmount,
  type EntryFacts,
  type JournalEntryDraft,
  journalEntry,
  journalEntryIfAny,
  posting,
} from "../journal-entry.ts";

export interface PrepaidCreditsFunded extends EntryFacts {
  readonly purchaseId: string;
  readonly grantId: string;
  readonly invoiceId: string;
  /** What waits in 2005 for the payment. */
  readonly amount: EntryAmount;
  /** The payment that was returned before, when the credits are paid for once more. */
  readonly afterReturnOf?: string;
}

/**
 * The invoice of a credit purchase is paid, so its credits can be spent: 2005 → 2000 of the new grant. Posted in the
 * transaction of the payment that settles the invoice, whatever paid it.
 */
export function prepaidCreditsFunded(funded: PrepaidCreditsFunded): JournalEntryDraft {
  const { purchaseId, grantId, invoiceId, amount, afterReturnOf, ...facts } = funded;
  const { customerId, currency } = facts;
  return journalEntry(facts, {
    kind: "prepaid_credits_funded",
    cause: {
      type: "credit_purchase",
      id: afterReturnOf === undefined ? purchaseId : `${purchaseId}/after/${afterReturnOf}`,
    },
    postings: [
      posting(
        unpaidCredits(customerId, purchaseId, currency),
        prepaidCredits(customerId, grantId, currency),
        amount,
      ),
    ],
    metadata: { invoice_id: invoiceId, grant_id: grantId },
  });
}

export interface PrepaidCreditsUnfunded extends EntryFacts {
  readonly purchaseId: string;
  readonly grantId: string;
  /** The payment that was returned by the customer's bank. */
  readonly paymentId: string;
  /** What the grant still holds; what was spent stays spent, and owed. */
  readonly remaining: LedgerAmount;
}

/** The payment of a credit purchase came back, so what is left of its credits waits for payment again: 2000 → 2005. */
export function prepaidCreditsUnfunded(unfunded: PrepaidCreditsUnfunded): JournalEntryDraft | null {
  const { purchaseId, grantId, paymentId, remaining, ...facts } = unfunded;
  const { customerId, currency } = facts;
  return journalEntryIfAny(facts, {
    kind: "prepaid_credits_unfunded",
    cause: { type: "payment", id: paymentId },
    postings: [
      posting(
        prepaidCredits(customerId, grantId, currency),
        unpaidCredits(customerId, purchaseId, currency),
        remaining,
      ),
    ],
    metadata: { payment_id: paymentId, grant_id: grantId },
  });
}
