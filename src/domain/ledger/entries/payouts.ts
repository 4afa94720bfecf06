import { bankCash, payoutsInTransit, stripeBalance } from "../accounts.ts";
import {
  type EntryAmount,
  type JournalEntryDraft,
  journalEntry,
  type MerchantEntryFacts,
  posting,
} from "../journal-entry.ts";

interface PayoutFacts extends MerchantEntryFacts {
  readonly payoutId: string;
  readonly amount: EntryAmount;
}

export interface PayoutMoved extends PayoutFacts {
  readonly balanceTransactionId: string;
}

/** Money leaves Stripe for our bank: 1030 → 1000. */
export function payoutSent(sent: PayoutMoved): JournalEntryDraft {
  return journalEntry(sent, {
    kind: "payout_sent",
    cause: { type: "stripe_balance_transaction", id: sent.balanceTransactionId },
    postings: [posting(payoutsInTransit(sent.currency), stripeBalance(sent.currency), sent.amount)],
    metadata: { payout_id: sent.payoutId },
  });
}

/** It has arrived: 1020 → 1030. */
export function payoutPaid(paid: PayoutFacts): JournalEntryDraft {
  return journalEntry(paid, {
    kind: "payout_paid",
    cause: { type: "payout", id: paid.payoutId },
    postings: [posting(bankCash(paid.currency), payoutsInTransit(paid.currency), paid.amount)],
    metadata: { payout_id: paid.payoutId },
  });
}

export interface PayoutFailed extends PayoutMoved {
  /** A bank may send money back days after the payout was reported as paid. */
  readonly after: "sent" | "paid";
}

/** The bank refused it, and the money is back at Stripe: 1000 → 1030, or 1000 → 1020 when it was thought to have arrived. */
export function payoutFailed(failed: PayoutFailed): JournalEntryDraft {
  const { currency, amount, after } = failed;
  const source = after === "paid" ? bankCash(currency) : payoutsInTransit(currency);
  return journalEntry(failed, {
    kind: "payout_failed",
    cause: { type: "stripe_balance_transaction", id: failed.balanceTransactionId },
    postings: [posting(stripeBalance(currency), source, amount)],
    metadata: { payout_id: failed.payoutId },
  });
}
