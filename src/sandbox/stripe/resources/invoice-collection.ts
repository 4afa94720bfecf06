import { refused, StripeRefusal } from "../http/refusal.ts";
import type { Call, Reply, Route } from "../http/route.ts";
import { attemptPayment } from "../payments/charge.ts";
import {
  cancelPayment,
  markPaid,
  paymentOf,
  returnBalance,
  settleByIntent,
} from "../payments/settle-invoice.ts";
import { flag, text } from "../schema/access.ts";
import type { Invoice, InvoiceStatus, PaymentIntent, PaymentMethod } from "../state/objects.ts";
import { emit } from "./emit.ts";
import { finalizeDraft } from "./invoice-finalization.ts";
import { assertDraft } from "./invoice-lines.ts";
import { invoiceOf, refuseAutoAdvance } from "./invoices.ts";
import { methodOfCustomer } from "./payment-intents.ts";
import { render } from "./render.ts";

/** What happens to an invoice from the end of its draft. */
export const invoiceCollectionRoutes: readonly Route[] = [
  { operation: "POST /v1/invoices/{invoice}/finalize", honours: ["auto_advance"], handle: finalize },
  {
    operation: "POST /v1/invoices/{invoice}/pay",
    honours: ["payment_method", "paid_out_of_band", "off_session"],
    handle: pay,
  },
  { operation: "POST /v1/invoices/{invoice}/send", honours: [], handle: send },
  { operation: "POST /v1/invoices/{invoice}/void", honours: [], handle: voidInvoice },
  { operation: "POST /v1/invoices/{invoice}/mark_uncollectible", honours: [], handle: markUncollectible },
];

function finalize(call: Call): Reply {
  const draft = invoiceOf(call);
  assertDraft(draft);
  refuseAutoAdvance(call.params);
  return render(call.tx, finalizeDraft(call, draft, call.baseUrl));
}

function pay(call: Call): Reply {
  const { tx, params } = call;
  const invoice = invoiceOf(call);
  assertPayable(invoice);
  if (flag(params, "paid_out_of_band")) {
    cancelPayment(call, invoice.id);
    return render(tx, markPaid(call, { ...invoice, paid_out_of_band: true }));
  }
  const payment = paymentOf(tx, invoice.id);
  const intent = tx.get("payment_intent", payment?.payment_intent ?? "");
  const attempt = attemptPayment(call, intent, methodFor(call, invoice));
  // Only the first attempt is counted: later ones made by hand are not.
  const attempted = tx.put({
    ...invoice,
    attempted: true,
    attempt_count: Math.max(1, invoice.attempt_count),
  });
  if (attempt.status === "succeeded") return render(tx, settleByIntent(call, attempted, attempt.intent));
  emit(call, "invoice.updated", attempted, invoice);
  if (attempt.status === "requires_action") throw needsAction(call, attempted, attempt.intent);
  emit(call, "invoice.payment_failed", attempted);
  throw new StripeRefusal(402, attempt.error, { keepsEffects: true });
}

function needsAction(call: Call, invoice: Invoice, intent: PaymentIntent): StripeRefusal {
  emit(call, "invoice.payment_action_required", invoice);
  const message =
    "This payment requires additional user action before it can be completed successfully. " +
    "Payment can be completed using the PaymentIntent associated with the invoice.";
  return new StripeRefusal(
    402,
    {
      type: "card_error",
      code: "invoice_payment_intent_requires_action",
      message,
      payment_intent: render(call.tx, intent),
    },
    { keepsEffects: true },
  );
}

function assertPayable(invoice: Invoice): void {
  const reasons: Record<InvoiceStatus, string | undefined> = {
    draft: "This invoice is a draft: finalize it before it is paid.",
    open: undefined,
    paid: "Invoice is already paid",
    uncollectible: undefined,
    void: "This invoice can no longer be paid: it is void.",
  };
  const reason = reasons[invoice.status];
  if (reason !== undefined) throw refused(reason);
}

/** The given method, else the invoice's, else the customer's default for invoices. */
function methodFor({ tx, params }: Call, invoice: Invoice): PaymentMethod {
  const customer = tx.get("customer", invoice.customer);
  const { default_payment_method: ofCustomer } = customer.invoice_settings;
  const token = text(params, "payment_method") ?? invoice.default_payment_method ?? ofCustomer;
  if (!token) {
    throw refused(
      "There is no default_payment_method set on this Customer or Invoice. Please set one and try again.",
      "payment_intent_unexpected_state",
      "payment_method",
    );
  }
  const method = methodOfCustomer(tx, token, customer.id);
  if (method.customer !== customer.id) {
    throw refused(
      "The payment method must be attached to the invoice's customer.",
      undefined,
      "payment_method",
    );
  }
  return method;
}

function send(call: Call): Reply {
  const { tx } = call;
  const invoice = invoiceOf(call);
  if (invoice.collection_method !== "send_invoice") {
    throw refused("You can only manually send an invoice if its collection method is 'send_invoice'.");
  }
  if (invoice.status !== "draft" && invoice.status !== "open")
    throw refused(`This invoice is ${invoice.status}.`);
  const sent = invoice.status === "draft" ? finalizeDraft(call, invoice, call.baseUrl) : invoice;
  emit(call, "invoice.sent", sent);
  return render(tx, sent);
}

function voidInvoice(call: Call): Reply {
  const { tx } = call;
  const before = invoiceOf(call);
  if (before.status !== "open" && before.status !== "uncollectible") {
    throw refused(`You can only void an open or uncollectible invoice; this one is ${before.status}.`);
  }
  cancelPayment(call, before.id);
  returnBalance(tx, before);
  const transitions = { ...before.status_transitions, voided_at: tx.now };
  const after: Invoice = tx.put({
    ...before,
    status: "void",
    auto_advance: false,
    status_transitions: transitions,
  });
  emit(call, "invoice.updated", after, before);
  emit(call, "invoice.voided", after);
  return render(tx, after);
}

function markUncollectible(call: Call): Reply {
  const { tx } = call;
  const before = invoiceOf(call);
  if (before.status !== "open") {
    throw refused(`You can only mark an open invoice uncollectible; this one is ${before.status}.`);
  }
  const transitions = { ...before.status_transitions, marked_uncollectible_at: tx.now };
  const after: Invoice = tx.put({ ...before, status: "uncollectible", status_transitions: transitions });
  emit(call, "invoice.updated", after, before);
  emit(call, "invoice.marked_uncollectible", after);
  return render(tx, after);
}
