import { stripeBalance, suspense } from "../accounts.ts";
import {
  type EntryAmount,
  exactAmount,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntry,
  type MerchantEntryFacts,
  signedPosting,
} from "../journal-entry.ts";
import { netDebit, postedThrough } from "../posted-through.ts";
import { ledgerAmountText } from "../posting-text.ts";

export interface BalanceTransactionUnmatched extends MerchantEntryFacts {
  readonly balanceTransactionId: string;
  /** What it added to the Stripe balance, after its fee; negative for what it took. */
  readonly net: EntryAmount;
}

/**
 * Stripe moved money that we cannot explain yet: 1000 → 9100, or 9100 → 1000. The Stripe balance is right, and somebody
 * must look.
 */
export function balanceTransactionUnmatched(unmatched: BalanceTransactionUnmatched): JournalEntryDraft {
  const { currency, balanceTransactionId, net } = unmatched;
  return journalEntry(unmatched, {
    kind: "balance_transaction_unmatched",
    cause: { type: "stripe_balance_transaction", id: balanceTransactionId },
    postings: [signedPosting(stripeBalance(currency), suspense(currency), net)],
  });
}

/**
 * The explanation of an unmatched balance transaction: the entry it would have been, with suspense in the place of the
 * Stripe balance, which has moved already. Kind and cause stay, so that it is never booked both ways.
 * @throws JournalEntryInvalidError when it explains another amount than was moved
 */
export function clearedFromSuspense(
  classified: JournalEntryDraft,
  unmatched: Pick<BalanceTransactionUnmatched, "balanceTransactionId" | "net">,
): JournalEntryDraft {
  const { currency, sourceKey, cause } = classified;
  if (cause.id !== unmatched.balanceTransactionId) {
    throw new JournalEntryInvalidError(
      `entry ${sourceKey} is of ${cause.id}: give the entry of ${unmatched.balanceTransactionId}`,
    );
  }
  const moved = exactAmount(unmatched.net, currency);
  const explained = netDebit(classified, stripeBalance(currency));
  if (moved !== explained) {
    throw new JournalEntryInvalidError(
      `entry ${sourceKey} explains ${ledgerAmountText(explained, currency)}, but ${unmatched.balanceTransactionId} ` +
        `moved ${ledgerAmountText(moved, currency)}: find what else it is`,
    );
  }
  return postedThrough(classified, suspense(currency));
}
