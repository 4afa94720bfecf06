import { compareMoney, type Money, subtractMoney } from "../../money/index.ts";
import { customerBalance, paymentsClearing, receivable } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

export interface PaymentSucceeded extends EntryFacts {
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly received: Money;
  /** Due on the invoice before this payment; zero when it is paid, void or written off already. */
  readonly due: Money;
}

/**
 * Money came in. It settles what is due, 1010 → 1100, and whatever is more than that is owed to the customer,
 * 1010 → 2200: a payment that comes twice, too large, or for a void invoice never turns the receivable negative.
 */
export function paymentSucceeded(payment: PaymentSucceeded): JournalEntryDraft {
  const { paymentId, invoiceId, received, due, ...facts } = payment;
  const { customerId, currency } = facts;
  const settled = compareMoney(received, due) < 0 ? received : due;
  const clearing = paymentsClearing(currency);
  return journalEntry(facts, {
    kind: "payment_succeeded",
    cause: { type: "payment", id: paymentId },
    postings: [
      posting(clearing, receivable(customerId, currency), settled),
      posting(clearing, customerBalance(customerId, currency), subtractMoney(received, settled)),
    ],
    metadata: { invoice_id: invoiceId, payment_id: paymentId },
  });
}
