import { ledgerAmountOfMoney, type Money, subtractMoney } from "../../money/index.ts";
import { paymentsClearing, processorFees, stripeBalance } from "../accounts.ts";
import { type EntryFacts, type JournalEntryDraft, journalEntry, posting } from "../journal-entry.ts";

export interface BalanceTransactionRecorded extends EntryFacts {
  /** Stripe's id, `txn_…`: each balance transaction has one entry. */
  readonly balanceTransactionId: string;
  readonly paymentId: string;
  /** What the customer paid. */
  readonly gross: Money;
  /** What Stripe keeps of it. */
  readonly fee: Money;
}

/** A payment reaches the Stripe balance, less its fee: 1000 → 1010 net, 5000 → 1010 fee. Clearing is back to zero. */
export function balanceTransactionRecorded(recorded: BalanceTransactionRecorded): JournalEntryDraft {
  const { balanceTransactionId, paymentId, gross, fee, ...facts } = recorded;
  const clearing = paymentsClearing(facts.currency);
  return journalEntry(facts, {
    kind: "balance_transaction_recorded",
    cause: { type: "stripe_balance_transaction", id: balanceTransactionId },
    postings: [
      posting(stripeBalance(facts.currency), clearing, ledgerAmountOfMoney(subtractMoney(gross, fee))),
      posting(processorFees(facts.currency), clearing, ledgerAmountOfMoney(fee)),
    ],
    metadata: { payment_id: paymentId },
  });
}
