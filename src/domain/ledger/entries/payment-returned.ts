import { type LedgerAmount, ledgerAmount } from "../../money/index.ts";
import { receivable } from "../accounts.ts";
import {
  type EntryTimes,
  type JournalEntry,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  type Posting,
  posting,
} from "../journal-entry.ts";
import { reversalOf } from "./reversal.ts";

export interface PaymentReturned extends EntryTimes {
  readonly paymentId: string;
  /** The entry that booked the payment. */
  readonly payment: JournalEntry;
  /** What the customer balance holds now. */
  readonly balanceLeft: LedgerAmount;
}

/**
 * The customer's bank takes back a payment that had succeeded, such as a debit without cover: its entry is reversed.
 * What it settled is owed again, 1100 → 1010, and what was beyond leaves the customer balance, 2200 → 1010; what of
 * that has been spent meanwhile is owed as well, 1100 → 1010.
 * @throws JournalEntryInvalidError when the entry is not that of a customer's payment
 */
export function paymentReturned(returned: PaymentReturned): JournalEntryDraft {
  const { paymentId, payment, balanceLeft } = returned;
  const { customerId, currency, kind } = payment;
  if (customerId === undefined || !["payment_succeeded", "write_off_recovered"].includes(kind)) {
    throw new JournalEntryInvalidError(
      `entry ${payment.id} (${kind}) books no payment: give the one of payment ${paymentId}`,
    );
  }
  const owed = receivable(customerId, currency);
  const reversal = reversalOf(returned, payment);
  return {
    ...reversal,
    kind: "payment_returned",
    cause: { type: "payment", id: paymentId },
    postings: reversal.postings.flatMap((back) =>
      back.debit.code === "2200" ? splitAt(back, balanceLeft, owed) : [back],
    ),
  };
}

/** Up to `limit` as it is, and what is more from another account. */
function splitAt(back: Posting, limit: LedgerAmount, beyond: Posting["debit"]): Posting[] {
  const within = ledgerAmount(back.amount < limit ? back.amount : limit);
  const parts = [
    posting(back.debit, back.credit, within),
    posting(beyond, back.credit, ledgerAmount(back.amount - within)),
  ];
  return parts.filter(({ amount }) => amount > 0n);
}
