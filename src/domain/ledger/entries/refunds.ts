import { ledgerAmount } from "../../money/index.ts";
import { creditNoteAllowance, customerBalance, paymentsClearing, refundPayable } from "../accounts.ts";
import {
  type EntryAmount,
  type EntryFacts,
  type JournalEntryDraft,
  journalEntry,
  posting,
} from "../journal-entry.ts";
import { pairedPostings } from "../paired-postings.ts";
import { type InvoicedParts, sharesOfParts } from "./invoiced-parts.ts";

interface RefundFacts extends EntryFacts {
  readonly refundId: string;
  /** The payment that money is returned of. */
  readonly paymentId: string;
  /** All that is returned, tax included. */
  readonly amount: EntryAmount;
}

export interface RefundRequested extends RefundFacts, Omit<InvoicedParts, "unpaidCredits"> {
  /** The part that was the customer's balance with us. */
  readonly fromBalance?: EntryAmount;
}

/**
 * Money is promised back. What was earned becomes less revenue, 4910 → 2400; what was not comes from where it waits:
 * unused time 2100 → 2400, unused credits 2000 → 2400, customer balance 2200 → 2400, and tax 2300 → 2400.
 * @throws JournalEntryInvalidError unless the parts sum to the amount
 */
export function refundRequested(requested: RefundRequested): JournalEntryDraft {
  const { customerId, currency, refundId, amount, fromBalance = ledgerAmount(0n) } = requested;
  return journalEntry(requested, {
    kind: "refund_requested",
    cause: { type: "refund", id: refundId },
    postings: pairedPostings(
      [
        ...sharesOfParts(requested, creditNoteAllowance(currency)),
        { account: customerBalance(customerId, currency), amount: fromBalance },
      ],
      [{ account: refundPayable(customerId, refundId, currency), amount }],
    ),
    metadata: metadataOf(requested),
  });
}

/** The money is on its way to the customer: 2400 → 1010, until its balance transaction is recorded. */
export function refundSucceeded(succeeded: RefundFacts): JournalEntryDraft {
  const { customerId, currency, refundId, amount } = succeeded;
  return journalEntry(succeeded, {
    kind: "refund_succeeded",
    cause: { type: "refund", id: refundId },
    postings: [posting(refundPayable(customerId, refundId, currency), paymentsClearing(currency), amount)],
    metadata: metadataOf(succeeded),
  });
}

export interface RefundFailed extends RefundFacts {
  /** How far it had come. */
  readonly after: "requested" | "succeeded";
}

/**
 * The money did not reach the customer, and stays theirs as their balance: 2400 → 2200. When the refund had already
 * succeeded, that is undone first, 1010 → 2400; the money itself comes back with a balance transaction of its own.
 */
export function refundFailed(failed: RefundFailed): JournalEntryDraft {
  const { customerId, currency, refundId, amount, after } = failed;
  const payable = refundPayable(customerId, refundId, currency);
  return journalEntry(failed, {
    kind: "refund_failed",
    cause: { type: "refund", id: refundId },
    postings: [
      ...(after === "succeeded" ? [posting(paymentsClearing(currency), payable, amount)] : []),
      posting(payable, customerBalance(customerId, currency), amount),
    ],
    metadata: metadataOf(failed),
  });
}

function metadataOf({ refundId, paymentId }: RefundFacts): Record<string, string> {
  return { refund_id: refundId, payment_id: paymentId };
}
