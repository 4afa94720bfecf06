import { createdWithin, page } from "../http/lists.ts";
import { badParameter, refused, StripeRefusal } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { attemptPayment, type Presence } from "../payments/charge.ts";
import { assertChargeable, supportedCurrency } from "../payments/currencies.ts";
import { invoicePaidBy, settleByIntent } from "../payments/settle-invoice.ts";
import { flag, integer, mergedMetadata, requiredText, text, textChanges } from "../schema/access.ts";
import type { PaymentIntent } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { emit } from "./emit.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";
import { usableMethod } from "./saved-cards.ts";

const written = ["amount", "currency", "customer", "payment_method", "description", "metadata"];
const confirmed = ["payment_method", "off_session", "return_url", "error_on_requires_action"];
const automatic = ["automatic_payment_methods.enabled", "automatic_payment_methods.allow_redirects"];

export const paymentIntentRoutes: readonly Route[] = [
  {
    operation: "POST /v1/payment_intents",
    honours: [...written, ...confirmed, ...automatic, "confirm"],
    handle: create,
  },
  {
    operation: "GET /v1/payment_intents",
    honours: [...listParameters, "created", "customer"],
    handle: listAll,
  },
  { operation: "GET /v1/payment_intents/{intent}", honours: ["client_secret"], handle: retrieve },
  { operation: "POST /v1/payment_intents/{intent}", honours: written, handle: update },
  { operation: "POST /v1/payment_intents/{intent}/confirm", honours: confirmed, handle: confirm },
  { operation: "POST /v1/payment_intents/{intent}/cancel", honours: ["cancellation_reason"], handle: cancel },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const currency = supportedCurrency(requiredText(params, "currency"));
  const amount = integer(params, "amount") ?? 0;
  assertChargeable(amount, currency);
  const customer = text(params, "customer");
  if (customer !== undefined) liveCustomer(tx, customer);
  if (flag(params, "off_session") !== undefined && flag(params, "confirm") !== true) {
    throw badParameter("off_session can only be used when confirm is true.", "off_session");
  }
  const token = text(params, "payment_method");
  const intent = newPaymentIntent(tx, {
    amount,
    currency,
    customer: customer ?? null,
    payment_method: token === undefined ? null : methodOfCustomer(tx, token, customer).id,
    metadata: mergedMetadata(params),
    ...textChanges(params, ["description"]),
  });
  emit(call, "payment_intent.created", intent);
  return flag(params, "confirm") ? confirmIntent(call, intent) : render(tx, intent);
}

type IntentTerms = Pick<
  PaymentIntent,
  "amount" | "currency" | "customer" | "description" | "metadata" | "payment_method"
>;

/** An intent nobody has tried to pay yet. The invoice that owns it, if any, announces it. */
export function newPaymentIntent(tx: Transaction, terms: IntentTerms): PaymentIntent {
  const id = tx.newId("pi");
  return tx.put({
    id,
    object: "payment_intent",
    created: tx.now,
    livemode: false,
    status: terms.payment_method ? "requires_confirmation" : "requires_payment_method",
    amount_received: 0,
    client_secret: `${id}_secret_${tx.newId("s").slice(2)}`,
    payment_method_types: ["card"],
    capture_method: "automatic",
    confirmation_method: "automatic",
    ...terms,
  });
}

/** A method that this payment may use: a new one, or one that is saved to the paying customer. */
export function methodOfCustomer(tx: Transaction, token: string, customer: string | null | undefined) {
  const method = usableMethod(tx, token, "payment_method");
  if (method.customer && method.customer !== customer) {
    const message =
      "The payment method supplied belongs to a customer which does not match the payment's customer.";
    throw badParameter(message, "payment_method", "payment_method_unexpected_state");
  }
  return method;
}

function confirm(call: Call): Reply {
  return confirmIntent(call, call.tx.get("payment_intent", pathId(call, "intent")));
}

function confirmIntent(call: Call, intent: PaymentIntent): Reply {
  const { tx, params } = call;
  refuseSettled(intent, "confirm");
  const token = text(params, "payment_method") ?? intent.payment_method;
  if (!token) {
    const message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
    throw refused(message, "payment_intent_unexpected_state");
  }
  const attempt = attemptPayment(
    call,
    intent,
    methodOfCustomer(tx, token, intent.customer),
    presenceOf(call, intent),
  );
  if (attempt.status === "declined") throw new StripeRefusal(402, attempt.error, { keepsEffects: true });
  const invoice = attempt.status === "succeeded" ? invoicePaidBy(tx, intent.id) : undefined;
  if (invoice) settleByIntent(call, invoice, attempt.intent);
  return render(tx, attempt.intent);
}

/** A bank that wants a customer who is not there declines; else the customer is sent to a page of it, when they can come back. */
function presenceOf({ tx, params, baseUrl }: Call, { id }: PaymentIntent): Presence {
  const offSession = flag(params, "error_on_requires_action") || flag(params, "off_session") || false;
  const url = text(params, "return_url");
  if (url === undefined) return { offSession };
  return { offSession, returnTo: { url, page: `${baseUrl}/authenticate/${tx.accountId}_${id}` } };
}

function refuseSettled(intent: PaymentIntent, action: string): void {
  if (intent.status !== "succeeded" && intent.status !== "canceled") return;
  const message = `You cannot ${action} this PaymentIntent because it has a status of ${intent.status}.`;
  throw refused(message, "payment_intent_unexpected_state");
}

function update(call: Call): Reply {
  const { tx, params } = call;
  const before = tx.get("payment_intent", pathId(call, "intent"));
  refuseSettled(before, "update");
  const currency = supportedCurrency(text(params, "currency") ?? before.currency);
  const amount = integer(params, "amount") ?? before.amount;
  assertChargeable(amount, currency);
  const customer = text(params, "customer") ?? before.customer ?? null;
  if (customer) liveCustomer(tx, customer);
  const token = text(params, "payment_method");
  const method = token === undefined ? undefined : methodOfCustomer(tx, token, customer);
  const after: PaymentIntent = {
    ...before,
    amount,
    currency,
    customer,
    ...textChanges(params, ["description"]),
    ...(method ? { payment_method: method.id, status: "requires_confirmation" } : {}),
    metadata: mergedMetadata(params, before.metadata),
  };
  return render(tx, tx.put(after));
}

function cancel(call: Call): Reply {
  const { tx, params } = call;
  const before = tx.get("payment_intent", pathId(call, "intent"));
  refuseSettled(before, "cancel");
  if (invoicePaidBy(tx, before.id)) {
    throw refused(
      "This PaymentIntent belongs to an invoice: void the invoice instead.",
      "payment_intent_unexpected_state",
    );
  }
  const canceled: PaymentIntent = tx.put({
    ...before,
    status: "canceled",
    canceled_at: tx.now,
    cancellation_reason: text(params, "cancellation_reason") ?? null,
  });
  emit(call, "payment_intent.canceled", canceled);
  return render(tx, canceled);
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("payment_intent", pathId(call, "intent")));
}

function listAll({ tx, params }: Call): Reply {
  const customer = text(params, "customer");
  const rows =
    customer === undefined
      ? tx.list("payment_intent")
      : tx.list("payment_intent", { field: "customer", value: customer });
  return page(params, "/v1/payment_intents", rows.filter(createdWithin(params)), (row) => render(tx, row));
}
