import { type Cause, emit } from "../resources/emit.ts";
import type { Invoice } from "../state/objects.ts";
import { cancelPayment, markPaid, paymentOf } from "./settle-invoice.ts";

/** Where that goes which was paid already. */
export type PaidShares = {
  readonly refunds: readonly { readonly refund: string; readonly amount_refunded: number }[];
  readonly refund: number;
  readonly credit: number;
  readonly outOfBand: number;
};

/** How much notes may still take of an invoice. */
export function creditable(invoice: Invoice): { readonly total: number } {
  const { pre_payment_credit_notes_amount: before = 0, post_payment_credit_notes_amount: after = 0 } =
    invoice;
  return { total: invoice.total - before - after };
}

/** What was taken off before the payment is due no more: of the invoice, and of the intent that is to pay it. */
export function lowerDue(
  cause: Cause,
  invoice: Invoice,
  { before, after }: { readonly before: number; readonly after: number },
): Invoice {
  const { tx } = cause;
  const lowered: Invoice = tx.put({
    ...invoice,
    amount_due: invoice.amount_due - before,
    amount_remaining: invoice.amount_remaining - before,
    pre_payment_credit_notes_amount: (invoice.pre_payment_credit_notes_amount ?? 0) + before,
    post_payment_credit_notes_amount: (invoice.post_payment_credit_notes_amount ?? 0) + after,
  });
  if (before === 0) {
    emit(cause, "invoice.updated", lowered, invoice);
    return lowered;
  }
  if (lowered.amount_remaining === 0) {
    cancelPayment(cause, invoice.id);
    return markPaid(cause, lowered);
  }
  const payment = paymentOf(tx, invoice.id);
  const intent = payment && tx.find("payment_intent", payment.payment_intent);
  if (payment && intent) {
    tx.put({ ...payment, amount_requested: lowered.amount_remaining });
    tx.put({ ...intent, amount: lowered.amount_remaining });
  }
  emit(cause, "invoice.updated", lowered, invoice);
  return lowered;
}
