import { badParameter } from "../http/refusal.ts";
import { currencyDecimals, minimumCharge } from "../payments/currencies.ts";
import { markPaid } from "../payments/settle-invoice.ts";
import type { Customer, Invoice } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { moveBalance } from "./customer-balance.ts";
import { type Cause, emit } from "./emit.ts";
import { newPaymentIntent } from "./payment-intents.ts";

const amountMaxMinor = 99_999_999;
const secondsPerDay = 24 * 60 * 60;

/**
 * Makes a draft final: number, customer balance, hosted page, and an intent for what is due. An invoice with
 * nothing due is paid at once; so is one below the smallest charge, whose amount the customer then owes.
 */
export function finalizeDraft(cause: Cause, draft: Invoice, baseUrl: string): Invoice {
  const { tx } = cause;
  const customer = numbered(tx, draft);
  const applied = balanceApplied(draft, customer);
  refuseUnpayable(applied.amountDue, draft.currency);
  const hostedUrl = `${baseUrl}/invoice/${tx.accountId}_${draft.hosted_token}`;
  const open: Invoice = tx.put({
    ...draft,
    status: "open",
    number: draft.number ?? invoiceNumber(customer),
    effective_at: tx.now,
    starting_balance: applied.starting,
    ending_balance: applied.ending,
    amount_due: applied.amountDue,
    amount_remaining: applied.amountDue,
    hosted_invoice_url: hostedUrl,
    invoice_pdf: `${hostedUrl}/pdf`,
    ...(draft.days_until_due !== undefined && { due_date: tx.now + draft.days_until_due * secondsPerDay }),
    status_transitions: { ...draft.status_transitions, finalized_at: tx.now },
  });
  if (applied.ending !== applied.starting) {
    const amount = applied.ending - applied.starting;
    moveBalance(tx, customer, {
      amount,
      currency: open.currency,
      type: "applied_to_invoice",
      invoice: open.id,
    });
  }
  const settled = withPayment(cause, open);
  emit(cause, "invoice.updated", settled, draft);
  emit(cause, "invoice.finalized", settled);
  return settled.amount_due === 0 ? paidAtOnce(cause, settled) : settled;
}

/** Takes the customer's next number, unless the draft was given one. */
function numbered(tx: Transaction, draft: Invoice): Customer {
  const customer = tx.get("customer", draft.customer);
  const next = { ...customer, currency: customer.currency ?? draft.currency };
  return tx.put(draft.number ? next : { ...next, next_invoice_sequence: customer.next_invoice_sequence + 1 });
}

function invoiceNumber(customer: Customer): string {
  const sequence = customer.next_invoice_sequence - 1;
  return `${customer.invoice_prefix}-${String(sequence).padStart(4, "0")}`;
}

type Applied = { readonly starting: number; readonly ending: number; readonly amountDue: number };

/** A balance in another currency than the invoice's is left alone. */
function balanceApplied(draft: Invoice, customer: Customer): Applied {
  const starting = customer.currency === draft.currency ? customer.balance : 0;
  const owed = draft.total + starting;
  return { starting, ending: Math.min(0, owed), amountDue: Math.max(0, owed) };
}

function refuseUnpayable(amountDue: number, currency: string): void {
  if (amountDue > amountMaxMinor) {
    throw badParameter("The amount due must be no more than 8 digits.", "amount", "amount_too_large");
  }
  if (currencyDecimals(currency) === 3 && amountDue % 10 !== 0) {
    throw badParameter(
      `Amounts in ${currency} must be a multiple of ten.`,
      "amount",
      "invalid_charge_amount",
    );
  }
}

/** Sub-minimum amounts are not charged: they become owed on the customer's balance. */
function withPayment(cause: Cause, open: Invoice): Invoice {
  const { tx } = cause;
  if (open.amount_due === 0) return open;
  if (open.amount_due < minimumCharge(open.currency) && open.collection_method === "charge_automatically") {
    const { amount_due: amount, currency, id } = open;
    moveBalance(tx, tx.get("customer", open.customer), {
      amount,
      currency,
      type: "invoice_too_small",
      invoice: id,
    });
    const ending = (open.ending_balance ?? 0) + amount;
    return tx.put({ ...open, amount_due: 0, amount_remaining: 0, ending_balance: ending });
  }
  const customer = tx.get("customer", open.customer);
  const intent = newPaymentIntent(tx, {
    amount: open.amount_due,
    currency: open.currency,
    customer: customer.id,
    payment_method: open.default_payment_method ?? customer.invoice_settings.default_payment_method,
    description: `Payment for Invoice ${open.number ?? ""}`.trim(),
    metadata: {},
  });
  emit(cause, "payment_intent.created", intent);
  tx.put({
    id: tx.newId("inpay"),
    object: "invoice_payment",
    created: tx.now,
    livemode: false,
    amount_requested: open.amount_due,
    currency: open.currency,
    invoice: open.id,
    is_default: true,
    payment: { type: "payment_intent", payment_intent: intent.id },
    payment_intent: intent.id,
    status: "open",
    status_transitions: { canceled_at: null, paid_at: null },
  });
  return open;
}

function paidAtOnce(cause: Cause, invoice: Invoice): Invoice {
  const paid = markPaid(cause, invoice);
  emit(cause, "invoice.payment_succeeded", paid);
  return paid;
}
