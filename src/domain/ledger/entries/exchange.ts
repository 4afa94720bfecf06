import type { LedgerAmount, Money } from "../../money/index.ts";
import {
  disputeFees,
  exchangeBridge,
  exchangeDifference,
  processorFees,
  stripeBalance,
} from "../accounts.ts";
import {
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntry,
  type MerchantEntryFacts,
  signedPosting,
} from "../journal-entry.ts";
import { postedThrough } from "../posted-through.ts";

/** What a balance transaction did to the Stripe balance, in the currency that Stripe settles in. */
export interface Settlement {
  /** What came in before the fee; negative for what went out. */
  readonly gross: Money;
  /** What Stripe took for it; negative when it gives a fee back, as of a dispute that was won. */
  readonly fee: Money;
}

/**
 * Stripe settles a payment, refund or dispute in another currency than it was made in. An entry has one currency, so
 * there are two with one cause: the event as it is, with the bridge of its currency in the place of the Stripe balance,
 * and, of kind `exchange_settled`, the bridge of the other currency: 1000 → 9000 for what came in, 9000 → 1000 for what
 * went out, and the fee 5000 (of a dispute 5010) → 1000.
 * @param entry the event in its own currency, without a fee
 * @throws JournalEntryInvalidError for an entry with a fee, or in the currency of the settlement
 */
export function settledInAnotherCurrency(
  entry: JournalEntryDraft,
  { gross, fee }: Settlement,
): readonly [JournalEntryDraft, JournalEntryDraft] {
  const { currency } = gross;
  requireExchange(entry, gross);
  const feeAccount = (entry.kind.startsWith("dispute_") ? disputeFees : processorFees)(currency);
  const settled = journalEntry(
    { ...entry, sourceKey: `${entry.sourceKey}/${currency}`, currency },
    {
      kind: "exchange_settled",
      cause: entry.cause,
      postings: [
        signedPosting(stripeBalance(currency), exchangeBridge(currency), gross),
        signedPosting(feeAccount, stripeBalance(currency), fee),
      ],
      metadata: entry.metadata,
    },
  );
  return [postedThrough(entry, exchangeBridge(entry.currency)), settled];
}

function requireExchange({ sourceKey, currency, postings }: JournalEntryDraft, gross: Money): void {
  if (gross.currency === currency) {
    throw new JournalEntryInvalidError(`entry ${sourceKey} is settled in its own currency: post it as it is`);
  }
  const isFee = ({ code }: { readonly code: string }) => code === "5000" || code === "5010";
  if (postings.some(({ debit, credit }) => isFee(debit) || isFee(credit))) {
    throw new JournalEntryInvalidError(
      `entry ${sourceKey} has a fee: give it in ${gross.currency}, as it was settled`,
    );
  }
}

export interface ExchangeRevalued extends MerchantEntryFacts {
  /** Names the revaluation, such as `2026-03-31`. */
  readonly revaluationId: string;
  /**
   * What the bridge holds in this currency beyond what the bridges of the other currencies are worth in it: positive
   * (a debit) is a loss, negative a gain.
   */
  readonly loss: LedgerAmount;
}

/** Rates moved between a payment and its return: 5300 → 9000 for a loss, 9000 → 5300 for a gain. */
export function exchangeRevalued({ revaluationId, loss, ...facts }: ExchangeRevalued): JournalEntryDraft {
  const { currency } = facts;
  return journalEntry(facts, {
    kind: "exchange_revalued",
    cause: { type: "exchange_revaluation", id: `${revaluationId}/${currency}` },
    postings: [signedPosting(exchangeDifference(currency), exchangeBridge(currency), loss)],
  });
}
