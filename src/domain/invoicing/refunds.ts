import {
  allocate,
  compareMoney,
  decimal,
  exactMajorOf,
  exactMinorOf,
  type Money,
  minorUnitOf,
  money,
  roundToMinorUnit,
  subtractMoney,
  sumMoney,
} from "../money/index.ts";
import type { CreditableInvoice, CreditedLine } from "./credit-note.ts";
import { CreditNoteImpossibleError } from "./credit-note-impossible.ts";
import { withTaxGivenBack } from "./credit-note-tax.ts";
import { moneyText } from "./document/figures.ts";

/** A payment as a refund meets it. */
export interface RefundablePayment {
  /** Stripe's payment intent. */
  readonly paymentId: string;
  /** What was paid, less what has gone back, is going back, or was taken back by the bank. */
  readonly left: Money;
  /** The bank decides about it: nothing can be given back meanwhile. An inquiry is not that. */
  readonly isChargedBack: boolean;
}

/** What goes back of one payment. */
export interface PlannedRefund {
  readonly paymentId: string;
  readonly amount: Money;
}

/**
 * Which payments an amount goes back to, the newest first, as far as they hold it; of each, what Stripe can send without
 * rounding. What is left over is not refunded.
 * @throws CreditNoteImpossibleError `payment_disputed` or `nothing_to_refund` when nothing can go back
 */
export function planRefunds(payments: readonly RefundablePayment[], amount: Money): PlannedRefund[] {
  const planned = possibleRefunds(payments, amount);
  if (planned.length > 0) return planned;
  if (payments.some(({ isChargedBack }) => isChargedBack)) {
    const message =
      "the customer's bank has taken the payment back, and decides about it: it cannot be refunded";
    throw new CreditNoteImpossibleError("payment_disputed", message, "destination");
  }
  const message = "nothing that was paid for it can go back: credit the customer's balance";
  throw new CreditNoteImpossibleError("nothing_to_refund", message, "destination");
}

/** The same of what can go back at all, which may be nothing. */
export function possibleRefunds(payments: readonly RefundablePayment[], amount: Money): PlannedRefund[] {
  let wanted = amount;
  const planned: PlannedRefund[] = [];
  for (const { paymentId, left, isChargedBack } of payments) {
    if (isChargedBack) continue;
    const share = payable(compareMoney(wanted, left) < 0 ? wanted : left);
    if (share.amountMinor <= 0n) continue;
    planned.push({ paymentId, amount: share });
    wanted = subtractMoney(wanted, share);
  }
  return planned;
}

/** All that can be refunded of an invoice now. */
export function refundableOf(invoice: CreditableInvoice): Money {
  const { payments, currency } = invoice;
  const held = payments.reduce(
    (sum, { left, isChargedBack }) => sum + (isChargedBack ? 0n : left.amountMinor),
    0n,
  );
  const credited = invoice.lines.reduce((sum, line) => sum + line.credited.amountMinor, 0n);
  const fromBalance = invoice.balanceApplied.amountMinor > 0n ? invoice.balanceApplied.amountMinor : 0n;
  const left = invoice.total.amountMinor + fromBalance - credited;
  const most = held < left ? held : left;
  return money(most > 0n ? most : 0n, currency);
}

/**
 * An amount of an invoice spread over its lines, in proportion to what is left of each: what a refund credits that names no
 * lines. Parts sum to the whole.
 * @throws CreditNoteImpossibleError `nothing_to_refund`, `refund_exceeds_payment`
 */
export function linesOfRefund(invoice: CreditableInvoice, asked: Money | null): CreditedLine[] {
  if (invoice.status !== "paid") {
    const message = `the invoice is ${invoice.status}: only what is paid can be refunded`;
    throw new CreditNoteImpossibleError("nothing_to_refund", message);
  }
  const parts = partsOfRefund(invoice);
  const held = refundableOf(invoice);
  const inParts = sumMoney(
    parts.map(({ amount }) => amount),
    invoice.currency,
  );
  const most = compareMoney(inParts, held) < 0 ? inParts : held;
  const amount = asked ?? most;
  if (inParts.amountMinor === 0n && invoice.boughtCredit !== undefined) {
    throw new CreditNoteImpossibleError(
      "nothing_to_refund",
      "all of the credit is spent, set aside or has expired",
    );
  }
  // Of an invoice that is disputed, or was paid otherwise, this says why.
  if (most.amountMinor === 0n) planRefunds(invoice.payments, most);
  if (compareMoney(amount, most) > 0) {
    const message = `at most ${moneyText(most)} of the invoice can be refunded`;
    throw new CreditNoteImpossibleError("refund_exceeds_payment", message, "amount_minor");
  }
  const shares = allocate(
    amount,
    parts.map((part) => part.amount.amountMinor),
  );
  return parts
    .map(({ line }, index) => ({ line, amount: shares[index] ?? money(0n, amount.currency) }))
    .filter((share) => share.amount.amountMinor > 0n);
}

/** What is left of each line; of credits that were bought only what nobody has spent, and the tax that was on that. */
function partsOfRefund({ lines, boughtCredit }: CreditableInvoice): CreditedLine[] {
  const left = lines
    .map(({ line, kind, amount, credited }) => ({ line, kind, amount: subtractMoney(amount, credited) }))
    .filter(({ amount }) => amount.amountMinor > 0n);
  if (boughtCredit === undefined) return left.map(({ line, amount }) => ({ line, amount }));
  const { unused } = boughtCredit;
  const credits = left
    .filter(({ kind }) => kind === "credit_purchase")
    .map(({ line, amount }) => ({ line, amount: compareMoney(amount, unused) < 0 ? amount : unused }))
    .filter(({ amount }) => amount.amountMinor > 0n);
  return withTaxGivenBack(lines, credits);
}

/** What Stripe can send without rounding: the last of three decimals is zero, an ariary has no parts. */
function payable(amount: Money): Money {
  const ours = minorUnitOf(amount.currency);
  const theirs = minorUnitOf(amount.currency, "stripe");
  const exact = exactMinorOf(exactMajorOf(decimal(amount.amountMinor), ours), theirs);
  const sent = decimal(roundToMinorUnit(exact, amount.currency, theirs, "down").amountMinor);
  return money(exactMinorOf(exactMajorOf(sent, theirs), ours).toBigInt(), amount.currency);
}
