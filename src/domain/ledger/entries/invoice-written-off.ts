import { type LedgerAmount, ledgerAmount, type Money } from "../../money/index.ts";
import { badDebt, doubtfulAllowance, paymentsClearing, receivable } from "../accounts.ts";
import {
  type EntryAmount,
  type EntryFacts,
  exactAmount,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntry,
  posting,
} from "../journal-entry.ts";
import { pairedPostings, type Share } from "../paired-postings.ts";
import { type InvoicedParts, sharesOfParts } from "./invoiced-parts.ts";

/** What of a doubtful invoice is no loss of ours, and what of the loss was expected. */
interface LossParts extends Pick<InvoicedParts, "unusedTime" | "unpaidCredits" | "tax"> {
  /** What the allowance holds for it, or had given for it: it covers the loss as far as it goes. */
  readonly allowance?: EntryAmount;
}

export interface InvoiceWrittenOff extends EntryFacts, LossParts {
  readonly invoiceId: string;
  /** All that is still due. */
  readonly due: Money;
}

/**
 * Nobody expects the money any more. The loss goes against the allowance, 1190 → 1100, and what that does not cover is
 * bad debt, 5100 → 1100. No loss is what was never delivered, credits 2005 → 1100 and time 2100 → 1100, and tax where
 * the law gives relief, 2300 → 1100.
 * @throws JournalEntryInvalidError when the parts are more than is due
 */
export function invoiceWrittenOff(writtenOff: InvoiceWrittenOff): JournalEntryDraft {
  const { customerId, currency, invoiceId, due } = writtenOff;
  return journalEntry(writtenOff, {
    kind: "invoice_written_off",
    cause: { type: "invoice", id: invoiceId },
    postings: pairedPostings(sharesOfLoss(writtenOff, due), [
      { account: receivable(customerId, currency), amount: due },
    ]),
    metadata: { invoice_id: invoiceId },
  });
}

export interface WriteOffRecovered extends EntryFacts, LossParts {
  readonly invoiceId: string;
  readonly paymentId: string;
  /** At most what was written off; more is a payment with nothing due. */
  readonly received: Money;
}

/**
 * Money for a written-off invoice came after all. The write-off is undone as far as the money goes, 1100 → 1190 for what
 * the allowance had covered and 1100 → 5100 for the rest, and the invoice is paid: 1010 → 1100.
 * @throws JournalEntryInvalidError when the parts are more than was received
 */
export function writeOffRecovered(recovered: WriteOffRecovered): JournalEntryDraft {
  const { customerId, currency, invoiceId, paymentId, received } = recovered;
  const owed = receivable(customerId, currency);
  return journalEntry(recovered, {
    kind: "write_off_recovered",
    cause: { type: "payment", id: paymentId },
    postings: [
      ...pairedPostings([{ account: owed, amount: received }], sharesOfLoss(recovered, received)),
      posting(paymentsClearing(currency), owed, received),
    ],
    metadata: { invoice_id: invoiceId, payment_id: paymentId },
  });
}

function sharesOfLoss(facts: EntryFacts & LossParts, whole: Money): Share[] {
  const { currency, unusedTime = [], unpaidCredits = [], tax = [] } = facts;
  const noLoss = [...unusedTime, ...unpaidCredits, ...tax].reduce(
    (sum, { amount }) => sum + exactAmount(amount, currency),
    0n,
  );
  const loss = ledgerAmount(exactAmount(whole, currency) - noLoss);
  if (loss < 0n) {
    throw new JournalEntryInvalidError(
      `entry ${facts.sourceKey} has parts of more than its whole: give of each part what is due on it`,
    );
  }
  const covered = smaller(exactAmount(facts.allowance ?? ledgerAmount(0n), currency), loss);
  return [
    { account: doubtfulAllowance(currency), amount: covered },
    ...sharesOfParts({ ...facts, used: ledgerAmount(loss - covered) }, badDebt(currency)),
  ];
}

function smaller(left: LedgerAmount, right: LedgerAmount): LedgerAmount {
  return left < right ? left : right;
}
