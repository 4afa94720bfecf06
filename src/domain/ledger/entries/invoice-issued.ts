import {
  addMoney,
  type Currency,
  compareMoney,
  type LedgerAmount,
  ledgerAmount,
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
  exactAmount,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  journalEntryIfAny,
  type Posting,
  posting,
  signedPosting,
} from "../journal-entry.ts";
import { pairedPostings } from "../paired-postings.ts";
import { sharesOfTax, type TaxAmount } from "./invoiced-parts.ts";

interface TaxLine extends TaxAmount {
  readonly amount: Money;
}

/** An invoice's lines as the ledger sees them. All amounts are zero or more; the currency is the invoice's. */
export interface InvoiceAmounts {
  /** Usage and fees in arrears after credits: what the lines say in whole minor units, and what was booked as unbilled for them. */
  readonly accrued: { readonly billed: Money; readonly booked: LedgerAmount };
  /** Fixed fees and seats in advance, proration charges. */
  readonly inAdvance: readonly { readonly subscriptionId: string; readonly amount: Money }[];
  /** Unused time handed back after a change, as positive amounts. */
  readonly prorationCredits: readonly { readonly subscriptionId: string; readonly amount: Money }[];
  readonly creditPurchases: readonly { readonly purchaseId: string; readonly amount: Money }[];
  /** Charged on top of the lines, per jurisdiction. */
  readonly tax?: readonly TaxLine[];
  /** Tax that was charged on the time handed back, as positive amounts. */
  readonly taxCredits?: readonly TaxLine[];
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
  const { accrued, inAdvance, creditPurchases, tax = [], prorationCredits, taxCredits = [] } = amounts;
  const sumOf = (lines: readonly { readonly amount: Money }[]) =>
    sumMoney(
      lines.map(({ amount }) => amount),
      currency,
    );
  const charges = addMoney(accrued.billed, sumOf([...inAdvance, ...creditPurchases, ...tax]));
  const credits = sumOf([...prorationCredits, ...taxCredits]);
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
 * their subscription; purchased credits wait in 2005 until they are paid; tax is owed on to its authority. Credits take
 * deferred revenue and its tax back: against this receivable as far as it goes, the rest into the customer balance. An
 * amount carried forward goes back to unbilled. Null when nothing moves.
 *
 * The receivable of a customer never goes below zero: an invoice adds its total, which is zero or more, and everything
 * that lowers it (payment, customer balance, credit note, write-off) is limited to what is still due on an invoice.
 */
export function invoiceIssued(issued: InvoiceIssued): JournalEntryDraft | null {
  const {
    customerId,
    currency,
    invoiceId,
    accrued,
    inAdvance,
    creditPurchases,
    tax = [],
    carriedForward,
  } = issued;
  requireNoNegative(issued);
  const owed = receivable(customerId, currency);
  const unbilled = unbilledReceivable(customerId, currency);
  const billed = exactAmount(accrued.billed, currency);
  return journalEntryIfAny(issued, {
    kind: "invoice_issued",
    cause: { type: "invoice", id: invoiceId },
    postings: [
      posting(owed, unbilled, billed),
      signedPosting(rounding(currency), unbilled, ledgerAmount(accrued.booked - billed)),
      ...inAdvance.map(({ subscriptionId, amount }) =>
        posting(owed, deferredRevenue(customerId, subscriptionId, currency), amount),
      ),
      ...creditPurchases.map(({ purchaseId, amount }) =>
        posting(owed, unpaidCredits(customerId, purchaseId, currency), amount),
      ),
      ...sharesOfTax(tax, currency).map(({ account, amount }) => posting(owed, account, amount)),
      ...creditPostings(issued),
      ...(carriedForward === undefined ? [] : [posting(unbilled, owed, carriedForward)]),
    ],
    metadata: { invoice_id: invoiceId },
  });
}

/** Credits in their order: against the receivable while charges last, then into the customer balance. */
function creditPostings(issued: InvoiceIssued): Posting[] {
  const { customerId, currency, prorationCredits, taxCredits = [] } = issued;
  const { credits, carriedToBalance } = netInvoice(issued, currency);
  const given = prorationCredits.map(({ subscriptionId, amount }) => ({
    account: deferredRevenue(customerId, subscriptionId, currency),
    amount,
  }));
  return pairedPostings(
    [...given, ...sharesOfTax(taxCredits, currency)],
    [
      { account: receivable(customerId, currency), amount: subtractMoney(credits, carriedToBalance) },
      { account: customerBalance(customerId, currency), amount: carriedToBalance },
    ],
  );
}

function requireNoNegative({ invoiceId, ...amounts }: InvoiceIssued): void {
  const { accrued, inAdvance, prorationCredits, creditPurchases, tax = [], taxCredits = [] } = amounts;
  const lines = [...inAdvance, ...prorationCredits, ...creditPurchases, ...tax, ...taxCredits];
  const all = [accrued.billed, ...lines.map(({ amount }) => amount)];
  if (all.some(({ amountMinor }) => amountMinor < 0n)) {
    throw new JournalEntryInvalidError(
      `invoice ${invoiceId} has a negative amount: give credits as prorationCredits and their tax as taxCredits`,
    );
  }
}

function smaller(left: Money, right: Money): Money {
  return compareMoney(left, right) < 0 ? left : right;
}
