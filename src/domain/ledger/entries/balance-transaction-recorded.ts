import { ledgerAmount } from "../../money/index.ts";
import { paymentsClearing, processorFees, stripeBalance } from "../accounts.ts";
import {
  type EntryAmount,
  type EntryFacts,
  exactAmount,
  type JournalEntryDraft,
  journalEntry,
  type MerchantEntryFacts,
  posting,
  signedPosting,
} from "../journal-entry.ts";

/** One entry for each balance transaction of Stripe touches 1000, and no other entry does: so 1000 is what Stripe says. */
interface OfBalanceTransaction {
  /** Stripe's id, `txn_…`. */
  readonly balanceTransactionId: string;
}

export interface BalanceTransactionRecorded extends EntryFacts, OfBalanceTransaction {
  readonly paymentId: string;
  /** What the customer paid. */
  readonly gross: EntryAmount;
  /** What Stripe keeps of it. */
  readonly fee: EntryAmount;
}

/** A payment reaches the Stripe balance, less its fee: 1000 → 1010 net, 5000 → 1010 fee. Clearing is back to zero. */
export function balanceTransactionRecorded(recorded: BalanceTransactionRecorded): JournalEntryDraft {
  const { balanceTransactionId, paymentId, gross, fee, ...facts } = recorded;
  const clearing = paymentsClearing(facts.currency);
  const net = ledgerAmount(exactAmount(gross, facts.currency) - exactAmount(fee, facts.currency));
  return journalEntry(facts, {
    kind: "balance_transaction_recorded",
    cause: causeOf(balanceTransactionId),
    postings: [
      // A fee may be more than a very small payment.
      signedPosting(stripeBalance(facts.currency), clearing, net),
      posting(processorFees(facts.currency), clearing, fee),
    ],
    metadata: { payment_id: paymentId },
  });
}

export interface ReturnRecorded extends EntryFacts, OfBalanceTransaction {
  readonly paymentId: string;
  /** When it is a refund; otherwise the customer's bank returned the payment. */
  readonly refundId?: string;
  /** What goes back to the customer. */
  readonly amount: EntryAmount;
  /** What Stripe takes for it. */
  readonly fee?: EntryAmount;
}

/** A refund, or a payment that the bank returned, leaves the Stripe balance: 1010 → 1000, and its fee 5000 → 1000. */
export function returnRecorded(recorded: ReturnRecorded): JournalEntryDraft {
  const { currency, amount, fee } = recorded;
  const balance = stripeBalance(currency);
  return journalEntry(recorded, {
    kind: "return_recorded",
    cause: causeOf(recorded.balanceTransactionId),
    postings: [
      posting(paymentsClearing(currency), balance, amount),
      ...(fee === undefined ? [] : [posting(processorFees(currency), balance, fee)]),
    ],
    metadata: metadataOf(recorded),
  });
}

export interface FailedRefundRecorded extends EntryFacts, OfBalanceTransaction {
  readonly paymentId: string;
  readonly refundId: string;
  readonly amount: EntryAmount;
}

/** The money of a refund that failed after it had left comes back to the Stripe balance: 1000 → 1010. */
export function failedRefundRecorded(recorded: FailedRefundRecorded): JournalEntryDraft {
  const { currency, amount } = recorded;
  return journalEntry(recorded, {
    kind: "failed_refund_recorded",
    cause: causeOf(recorded.balanceTransactionId),
    postings: [posting(stripeBalance(currency), paymentsClearing(currency), amount)],
    metadata: metadataOf(recorded),
  });
}

export interface ProcessorFeeRecorded extends MerchantEntryFacts, OfBalanceTransaction {
  readonly amount: EntryAmount;
}

/** Stripe charges for a service of its own, not for a payment: 5000 → 1000. */
export function processorFeeRecorded(recorded: ProcessorFeeRecorded): JournalEntryDraft {
  const { currency, amount } = recorded;
  return journalEntry(recorded, {
    kind: "processor_fee_recorded",
    cause: causeOf(recorded.balanceTransactionId),
    postings: [posting(processorFees(currency), stripeBalance(currency), amount)],
  });
}

function causeOf(balanceTransactionId: string): JournalEntryDraft["cause"] {
  return { type: "stripe_balance_transaction", id: balanceTransactionId };
}

function metadataOf({ paymentId, refundId }: { paymentId: string; refundId?: string }) {
  return { payment_id: paymentId, ...(refundId === undefined ? {} : { refund_id: refundId }) };
}
