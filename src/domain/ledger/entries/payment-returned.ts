import { type LedgerAmount, ledgerAmount } from "../../money/index.ts";
import { customerBalance, receivable } from "../accounts.ts";
import {
  type EntryTimes,
  type JournalEntry,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntry,
  posting,
} from "../journal-entry.ts";
import { netDebit } from "../posted-through.ts";
import { reversalOf } from "./reversal.ts";

export interface PaymentReturned extends EntryTimes {
  readonly paymentId: string;
  /** The entry that booked the payment. */
  readonly payment: JournalEntry;
  /** What the customer balance holds now. */
  readonly balanceLeft: LedgerAmount;
}

/**
 * The customer's bank takes back a payment that had succeeded, such as a debit without cover. Its entry is reversed:
 * what it settled is owed again, 1100 → 1010, and what was beyond leaves the customer balance, 2200 → 1010. When some of
 * that has been spent meanwhile, an entry before the reversal makes it a debt, 1100 → 2200.
 * @returns one or two entries, to be posted together in their order
 * @throws JournalEntryInvalidError when the entry is not that of a customer's payment
 */
export function paymentReturned(returned: PaymentReturned): readonly JournalEntryDraft[] {
  const { paymentId, payment, balanceLeft } = returned;
  const { customerId, currency, kind } = payment;
  if (customerId === undefined || !["payment_succeeded", "write_off_recovered"].includes(kind)) {
    throw new JournalEntryInvalidError(
      `entry ${payment.id} (${kind}) books no payment: give the one of payment ${paymentId}`,
    );
  }
  const balance = customerBalance(customerId, currency);
  const reversal = { ...reversalOf(returned, payment), kind: "payment_returned", cause: causeOf(paymentId) };
  const spent = netDebit(reversal, balance) - balanceLeft;
  if (spent <= 0n) return [reversal];
  const owed = journalEntry(
    { ...returned, sourceKey: `${returned.sourceKey}/owed`, customerId, currency },
    {
      kind: "returned_overpayment_owed",
      cause: causeOf(paymentId),
      postings: [posting(receivable(customerId, currency), balance, ledgerAmount(spent))],
      metadata: payment.metadata,
    },
  );
  return [owed, reversal];
}

function causeOf(paymentId: string): JournalEntryDraft["cause"] {
  return { type: "payment", id: paymentId };
}
