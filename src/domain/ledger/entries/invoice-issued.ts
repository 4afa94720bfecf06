import {
  type Currency,
  compareMoney,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfMoney,
  type Money,
  subtractMoney,
  sumMoney,
} from "../../money/index.ts";
import {
  customerBalance,
  deferredRevenue,
  receivable,
  rounding,
  unbilledReceivable,
  unpaidCredits,
} from "../accounts.ts";
import {
  type EntryFacts,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntryIfAny,
  type Posting,
  posting,
  signedPosting,
} from "../journal-entry.ts";

/** An invoice's lines as the ledger sees them. All amounts are zero or more; the currency is the invoice's. */
export interface InvoiceAmounts {
  /** Usage and fees in arrears after credits: what the lines say in whole minor units, and what was booked as unbilled for them. */
  readonly accrued: { readonly billed: Money; readonly booked: LedgerAmount };
  /** Fixed fees and seats in advance, proration charges. */
  readonly inAdvance: readonly { readonly subscriptionId: string; readonly amount: Money }[];
  /** Unused time handed back after a change, as positive amounts. */
  readonly prorationCredits: readonly { readonly subscriptionId: string; readonly amount: Money }[];
  readonly creditPurchases: readonly { readonly purchaseId: string; readonly amount: Money }[];
  /** Too small to be charged: what the lines before it come to is claimed on a later invoice. */
  readonly carriedForward?: Money;
}

export interface InvoiceIssued extends EntryFacts, InvoiceAmounts {
  readonly invoiceId: string;
}

/**
 * How an invoice nets. Credits are set against its charges up to their sum; what remains of them is carried to the
 * customer balance. So `total` is never negative.
 */
export interface InvoiceNetting {
  readonly charges: Money;
  readonly credits: Money;
  readonly carriedToBalance: Money;
  /** What the invoice adds to the receivable: charges less credits, plus what is carried. */
  readonly total: Money;
}

export function netInvoice(amounts: InvoiceAmounts, currency: Currency): InvoiceNetting {
  const charges = sumMoney(
    [
      amounts.accrued.billed,
      ...[...amounts.inAdvance, ...amounts.creditPurchases].map(({ amount }) => amount),
    ],
    currency,
  );
  const credits = sumMoney(
    amounts.prorationCredits.map(({ amount }) => amount),
    currency,
  );
  const set = smaller(charges, credits);
  return {
    charges,
    credits,
    carriedToBalance: subtractMoney(credits, set),
    total: subtractMoney(charges, set),
  };
}

/**
 * The invoice becomes a receivable. Accrued lines clear the unbilled receivable they were booked in, and the
 * difference between exact usage and whole minor units goes to rounding; lines in advance become deferred revenue of
 * their subscription; purchased credits wait in 2005 until they are paid. Credits take deferred revenue back: against
 * this receivable as far as it goes, the rest into the customer balance. An amount carried forward goes back to
 * unbilled. Null when nothing moves.
 *
 * The receivable of a customer never goes below zero: an invoice adds its total, which is zero or more, and everything
 * that lowers it (payment, customer balance, write-off) is limited to what is still due on an invoice.
 */
export function invoiceIssued(issued: InvoiceIssued): JournalEntryDraft | null {
  const { invoiceId, accrued, inAdvance, prorationCredits, creditPurchases, carriedForward, ...facts } =
    issued;
  requireNoNegative(issued);
  const { customerId, currency } = facts;
  const owed = receivable(customerId, currency);
  const unbilled = unbilledReceivable(customerId, currency);
  const billed = ledgerAmountOfMoney(accrued.billed);
  return journalEntryIfAny(facts, {
    kind: "invoice_issued",
    cause: { type: "invoice", id: invoiceId },
    postings: [
      posting(owed, unbilled, billed),
      signedPosting(rounding(currency), unbilled, ledgerAmount(accrued.booked - billed)),
      ...inAdvance.map(({ subscriptionId, amount }) =>
        posting(owed, deferredRevenue(customerId, subscriptionId, currency), ledgerAmountOfMoney(amount)),
      ),
      ...creditPurchases.map(({ purchaseId, amount }) =>
        posting(owed, unpaidCredits(customerId, purchaseId, currency), ledgerAmountOfMoney(amount)),
      ),
      ...creditPostings(issued),
      ...(carriedForward === undefined ? [] : [posting(unbilled, owed, ledgerAmountOfMoney(carriedForward))]),
    ],
    metadata: { invoice_id: invoiceId },
  });
}

/** Credits in their order: against the receivable while charges last, then into the customer balance. */
function creditPostings(issued: InvoiceIssued): Posting[] {
  const { customerId, currency } = issued;
  let chargesLeft = netInvoice(issued, currency).charges;
  return issued.prorationCredits.flatMap(({ subscriptionId, amount }) => {
    const deferred = deferredRevenue(customerId, subscriptionId, currency);
    const set = smaller(amount, chargesLeft);
    chargesLeft = subtractMoney(chargesLeft, set);
    return [
      posting(deferred, receivable(customerId, currency), ledgerAmountOfMoney(set)),
      posting(
        deferred,
        customerBalance(customerId, currency),
        ledgerAmountOfMoney(subtractMoney(amount, set)),
      ),
    ];
  });
}

function requireNoNegative({ invoiceId, ...amounts }: InvoiceIssued): void {
  const all = [
    amounts.accrued.billed,
    ...[...amounts.inAdvance, ...amounts.prorationCredits, ...amounts.creditPurchases].map(
      (line) => line.amount,
    ),
  ];
  if (all.some(({ amountMinor }) => amountMinor < 0n)) {
    throw new JournalEntryInvalidError(
      `invoice ${invoiceId} has a negative amount: give credits as prorationCredits`,
    );
  }
}

function smaller(left: Money, right: Money): Money {
  return compareMoney(left, right) < 0 ? left : right;
}
