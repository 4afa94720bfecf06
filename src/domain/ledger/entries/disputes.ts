import type { Instant } from "../../calendar/index.ts";
import type { LedgerAmount } from "../../money/index.ts";
import { badDebt, disputedReceivable, disputeFees, prepaidCredits, stripeBalance } from "../accounts.ts";
import type { HoldDraft } from "../holds.ts";
import {
  type EntryAmount,
  type EntryFacts,
  type JournalEntryDraft,
  journalEntry,
  posting,
} from "../journal-entry.ts";
import { pairedPostings } from "../paired-postings.ts";
import { type InvoicedParts, sharesOfParts } from "./invoiced-parts.ts";

interface DisputeFacts extends EntryFacts {
  readonly disputeId: string;
  readonly paymentId: string;
  /** What the bank took back of the payment. */
  readonly amount: EntryAmount;
}

export interface DisputeOpened extends DisputeFacts {
  readonly balanceTransactionId: string;
  readonly fee: EntryAmount;
}

/**
 * The customer's bank takes a payment back: 1120 → 1000, and Stripe a fee for it: 5010 → 1000. The money is not lost
 * yet. What the payment bought and was not used cannot be spent meanwhile: see {@link disputeFreeze}.
 */
export function disputeOpened(opened: DisputeOpened): JournalEntryDraft {
  const { customerId, currency, disputeId, amount, fee } = opened;
  const balance = stripeBalance(currency);
  return journalEntry(opened, {
    kind: "dispute_opened",
    cause: { type: "stripe_balance_transaction", id: opened.balanceTransactionId },
    postings: [
      posting(disputedReceivable(customerId, disputeId, currency), balance, amount),
      posting(disputeFees(currency), balance, fee),
    ],
    metadata: metadataOf(opened),
  });
}

export interface DisputeWon extends DisputeFacts {
  readonly balanceTransactionId: string;
  /** When Stripe gives its fee back too. */
  readonly feeReturned?: EntryAmount;
}

/** The bank gives the money back: 1000 → 1120, and Stripe perhaps its fee: 1000 → 5010. */
export function disputeWon(won: DisputeWon): JournalEntryDraft {
  const { customerId, currency, disputeId, amount, feeReturned } = won;
  const balance = stripeBalance(currency);
  return journalEntry(won, {
    kind: "dispute_won",
    cause: { type: "stripe_balance_transaction", id: won.balanceTransactionId },
    postings: [
      posting(balance, disputedReceivable(customerId, disputeId, currency), amount),
      ...(feeReturned === undefined ? [] : [posting(balance, disputeFees(currency), feeReturned)]),
    ],
    metadata: metadataOf(won),
  });
}

export interface DisputeLost extends DisputeFacts, Omit<InvoicedParts, "unpaidCredits"> {}

/**
 * The money is gone. What was used is lost, 5100 → 1120; what was not is taken back from where it waits: unused time
 * 2100 → 1120, unused credits 2000 → 1120, and tax where the law gives relief, 2300 → 1120.
 * @throws JournalEntryInvalidError unless the parts sum to the amount
 */
export function disputeLost(lost: DisputeLost): JournalEntryDraft {
  const { customerId, currency, disputeId, amount } = lost;
  return journalEntry(lost, {
    kind: "dispute_lost",
    cause: { type: "dispute", id: disputeId },
    postings: pairedPostings(sharesOfParts(lost, badDebt(currency)), [
      { account: disputedReceivable(customerId, disputeId, currency), amount },
    ]),
    metadata: metadataOf(lost),
  });
}

export interface DisputeFreeze extends Pick<DisputeFacts, "disputeId" | "customerId" | "currency"> {
  readonly placedAt: Instant;
  /** Later than the bank may take to decide. */
  readonly expiresAt: Instant;
  /** The paid grants that the payment bought, with what is left of each. */
  readonly grants: readonly { readonly grantId: string; readonly remaining: LedgerAmount }[];
}

/**
 * The hold that keeps what a disputed payment bought from being spent. A lost dispute settles it with its entry, a won one
 * releases it. Null when nothing is left.
 */
export function disputeFreeze(freeze: DisputeFreeze): HoldDraft | null {
  const { disputeId, customerId, currency, placedAt, expiresAt, grants } = freeze;
  const lines = grants
    .filter(({ remaining }) => remaining > 0n)
    .map(({ grantId, remaining }) => ({
      account: prepaidCredits(customerId, grantId, currency),
      amount: remaining,
    }));
  if (lines.length === 0) return null;
  return {
    sourceKey: `dispute/${disputeId}/freeze`,
    customerId,
    currency,
    cause: { type: "dispute", id: disputeId },
    placedAt,
    expiresAt,
    lines,
  };
}

function metadataOf({ disputeId, paymentId }: DisputeFacts): Record<string, string> {
  return { dispute_id: disputeId, payment_id: paymentId };
}
