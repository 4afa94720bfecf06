import { moveBalance } from "../resources/customer-balance.ts";
import { type Cause, emit } from "../resources/emit.ts";
import type { Invoice, InvoicePayment, PaymentIntent } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";

/** The payment that finalising made for an invoice; none when nothing was due. */
export function paymentOf(tx: Transaction, invoiceId: string): InvoicePayment | undefined {
  return tx.list("invoice_payment", { field: "invoice", value: invoiceId })[0];
}

/** The invoice an intent pays, if it belongs to one. */
export function invoicePaidBy(tx: Transaction, intentId: string): Invoice | undefined {
  const payment = tx.list("invoice_payment", { field: "payment_intent", value: intentId })[0];
  return payment && tx.find("invoice", payment.invoice);
}

/** Marks an invoice paid because its intent succeeded. */
export function settleByIntent(cause: Cause, invoice: Invoice, intent: PaymentIntent): Invoice {
  const { tx } = cause;
  const payment = paymentOf(tx, invoice.id);
  if (payment) {
    const paid: InvoicePayment = tx.put({
      ...payment,
      status: "paid",
      amount_paid: intent.amount,
      status_transitions: { ...payment.status_transitions, paid_at: tx.now },
    });
    emit(cause, "invoice_payment.paid", paid);
  }
  const settled = markPaid(cause, invoice);
  emit(cause, "invoice.payment_succeeded", settled);
  return settled;
}

/** Moves an invoice to `paid` with what was due. */
export function markPaid(cause: Cause, invoice: Invoice): Invoice {
  const { tx } = cause;
  const paid: Invoice = tx.put({
    ...invoice,
    status: "paid",
    attempted: true,
    auto_advance: false,
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    status_transitions: { ...invoice.status_transitions, paid_at: tx.now },
  });
  emit(cause, "invoice.updated", paid, invoice);
  emit(cause, "invoice.paid", paid);
  return paid;
}

/** Ends the waiting payment of an invoice that will not be paid through it. */
export function cancelPayment(cause: Cause, invoiceId: string): void {
  const { tx } = cause;
  const payment = paymentOf(tx, invoiceId);
  const intent = payment && tx.find("payment_intent", payment.payment_intent);
  if (!payment || !intent || payment.status !== "open") return;
  const transitions = { ...payment.status_transitions, canceled_at: tx.now };
  tx.put({ ...payment, status: "canceled", status_transitions: transitions });
  const { next_action: _action, ...kept } = intent;
  const canceled: PaymentIntent = tx.put({
    ...kept,
    status: "canceled",
    canceled_at: tx.now,
    cancellation_reason: "void_invoice",
  });
  emit(cause, "payment_intent.canceled", canceled);
}

/** Gives back to the customer's balance what finalising took from it. */
export function returnBalance(tx: Transaction, invoice: Invoice): void {
  const applied = (invoice.ending_balance ?? invoice.starting_balance) - invoice.starting_balance;
  if (applied === 0) return;
  const customer = tx.get("customer", invoice.customer);
  const { currency, id } = invoice;
  moveBalance(tx, customer, { amount: -applied, currency, type: "unapplied_from_invoice", invoice: id });
}
