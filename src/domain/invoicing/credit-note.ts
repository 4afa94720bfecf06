import {
  addMoney,
  type Currency,
  compareMoney,
  type Money,
  money,
  subtractMoney,
  sumMoney,
} from "../money/index.ts";
import { CreditNoteImpossibleError } from "./credit-note-impossible.ts";
import { type TaxOfLine, taxOfNote } from "./credit-note-tax.ts";
import { moneyText } from "./document/figures.ts";
import type { InvoiceLineKind } from "./invoice-line.ts";
import { type PlannedRefund, planRefunds, possibleRefunds, type RefundablePayment } from "./refunds.ts";

/** Where what is paid already goes: to the customer's balance, or back to the card. */
export type CreditDestination = "balance" | "refund";

/** A line of an invoice with what notes have taken of it: those that are issued, and those that wait. */
export interface CreditableLine {
  readonly line: number;
  readonly kind: InvoiceLineKind;
  readonly amount: Money;
  readonly credited: Money;
  /** Of a line of tax. */
  readonly tax?: TaxOfLine | null;
}

/** An invoice as a credit note meets it. */
export interface CreditableInvoice {
  readonly status: "open" | "paid" | "void" | "uncollectible";
  readonly currency: Currency;
  readonly total: Money;
  readonly paid: Money;
  /** What was taken from the customer's balance for it; negative: put there. */
  readonly balanceApplied: Money;
  /** What notes took off before it was paid. */
  readonly lowered: Money;
  /** What paid it, the newest first. */
  readonly payments: readonly RefundablePayment[];
  /** Of an invoice of credits that were bought: which grant they are, and what of it is neither spent nor set aside. */
  readonly boughtCredit?: { readonly grantId: string; readonly unused: Money };
  /** It is being withdrawn at this moment. */
  readonly isBeingVoided?: boolean;
  readonly lines: readonly CreditableLine[];
}

export interface CreditedLine {
  readonly line: number;
  readonly amount: Money;
}

/** Where the money of a credit note goes; together its total. */
export interface PlannedCreditNote {
  readonly total: Money;
  /** What makes the invoice smaller: what is still due. */
  readonly lowersDue: Money;
  /** What was paid, and becomes the customer's balance. */
  readonly toBalance: Money;
  /** What was paid, and goes back to where it came from: of these payments, together this. */
  readonly toRefund: Money;
  readonly refunds: readonly PlannedRefund[];
  /** What of the total is credit that was bought and not spent: the grant is smaller by it. */
  readonly unusedCredits: readonly { readonly grantId: string; readonly amount: Money }[];
  /** What of the total was tax, by whose it is. */
  readonly tax: readonly { readonly jurisdiction: string; readonly amount: Money }[];
}

export interface CreditNoteOptions {
  readonly destination?: CreditDestination;
  /** Of a note that waited: then its own part is among what notes have taken. */
  readonly isAsked?: boolean;
  /** What cannot be sent back becomes the customer's balance, instead of being refused. */
  readonly orBalance?: boolean;
}

/**
 * Plans a credit note: never more of a line than is left of it, nor of the invoice than the customer's own money pays; what
 * credit grants paid is not money, and goes back to them when an invoice is voided.
 * @throws CreditNoteImpossibleError
 */
export function planCreditNote(
  invoice: CreditableInvoice,
  asked: readonly CreditedLine[],
  { destination = "balance", isAsked = false, orBalance = false }: CreditNoteOptions = {},
): PlannedCreditNote {
  requireCreditable(invoice);
  for (const [index, each] of asked.entries()) requireRoom(invoice, each, `lines[${index}]`, isAsked);
  const { currency } = invoice;
  const total = sum(asked, currency);
  const left = isAsked ? addMoney(moneyLeftOn(invoice), total) : moneyLeftOn(invoice);
  if (compareMoney(total, left) > 0) {
    const message = `at most ${moneyText(notNegative(left))} of the invoice is money that can be credited: credit grants paid the rest`;
    throw new CreditNoteImpossibleError("credit_note_exceeds_invoice", message, "lines");
  }
  const due = invoice.status === "open" ? unpaidOf(invoice) : money(0n, currency);
  const lowersDue = compareMoney(total, due) < 0 ? total : due;
  const paidAlready = subtractMoney(total, lowersDue);
  const goesBack = destination === "refund" && paidAlready.amountMinor > 0n;
  const planned = orBalance ? possibleRefunds : planRefunds;
  const refunds = goesBack ? planned(invoice.payments, paidAlready) : [];
  const toRefund = sum(refunds, currency);
  // What was paid from the customer's balance, or is too small to be sent, goes back there.
  return {
    total,
    lowersDue,
    toBalance: subtractMoney(paidAlready, toRefund),
    toRefund,
    refunds,
    unusedCredits: unusedCreditsOf(invoice, asked),
    tax: taxOfNote(invoice.lines, asked),
  };
}

/** What money pays of an invoice, less what notes have taken of it: those that wait, too. Negative where that is more. */
export function moneyLeftOn({ total, balanceApplied, lines, currency }: CreditableInvoice): Money {
  const taken = sum(
    lines.map(({ line, credited }) => ({ line, amount: credited })),
    currency,
  );
  return subtractMoney(addMoney(total, notNegative(balanceApplied)), taken);
}

/** What nobody has paid of an invoice. */
export const unpaidOf = ({ total, lowered, paid }: CreditableInvoice): Money =>
  subtractMoney(subtractMoney(total, lowered), paid);

/** @throws CreditNoteImpossibleError `credit_grant_insufficient` for more than what nobody has spent or set aside */
function unusedCreditsOf(
  { boughtCredit, lines, currency }: CreditableInvoice,
  asked: readonly CreditedLine[],
): PlannedCreditNote["unusedCredits"] {
  if (boughtCredit === undefined) return [];
  const { grantId, unused } = boughtCredit;
  const amount = sum(
    asked.filter(({ line }) => lines.find((each) => each.line === line)?.kind === "credit_purchase"),
    currency,
  );
  if (compareMoney(amount, unused) > 0) {
    const message = `at most ${moneyText(notNegative(unused))} of the credit is neither spent nor set aside`;
    throw new CreditNoteImpossibleError("credit_grant_insufficient", message, "lines");
  }
  return amount.amountMinor === 0n ? [] : [{ grantId, amount }];
}

function requireCreditable({ status, lines, boughtCredit, isBeingVoided = false }: CreditableInvoice): void {
  if (isBeingVoided) {
    const message = "the invoice is being voided: look at it again in a moment";
    throw new CreditNoteImpossibleError("invoice_not_creditable", message);
  }
  if (status === "void" || status === "uncollectible") {
    const message = `the invoice is ${status}: nothing is owed on it that could be credited`;
    throw new CreditNoteImpossibleError("invoice_not_creditable", message);
  }
  const isPurchase = lines.some(({ kind }) => kind === "credit_purchase");
  if (isPurchase && (status !== "paid" || boughtCredit === undefined)) {
    const message =
      "credits that nobody has paid for cannot be spent, and are not credited: void the invoice";
    throw new CreditNoteImpossibleError("credit_purchase_not_creditable", message);
  }
}

function requireRoom(
  { lines }: CreditableInvoice,
  { line: wanted, amount }: CreditedLine,
  field: string,
  isAsked: boolean,
): void {
  const line = lines.find((each) => each.line === wanted);
  if (line === undefined) {
    throw new CreditNoteImpossibleError(
      "invoice_line_not_found",
      `the invoice has no line ${wanted}`,
      `${field}.line`,
    );
  }
  const taken = isAsked ? subtractMoney(line.credited, amount) : line.credited;
  const rest = notNegative(subtractMoney(line.amount, taken));
  if (compareMoney(amount, rest) > 0) {
    const message = `at most ${moneyText(rest)} is left of line ${wanted}`;
    throw new CreditNoteImpossibleError("credit_note_exceeds_line", message, `${field}.amount_minor`);
  }
}

const sum = (lines: readonly { readonly amount: Money }[], currency: Currency): Money =>
  sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );

const notNegative = (amount: Money): Money => (amount.amountMinor < 0n ? money(0n, amount.currency) : amount);
