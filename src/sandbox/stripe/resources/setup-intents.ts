import { refused, StripeRefusal } from "../http/refusal.ts";
import { type Call, pathId, type Reply, type Route } from "../http/route.ts";
import { nextCardOutcome, noteSetUp } from "../payments/card-behaviour.ts";
import { declineError, isCardOutcome } from "../payments/declines.ts";
import { flag, mergedMetadata, text } from "../schema/access.ts";
import type { PaymentMethod, SetupIntent } from "../state/objects.ts";
import { type Cause, emit } from "./emit.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";
import { attach, usableMethod } from "./saved-cards.ts";

const written = [
  "customer",
  "payment_method",
  "confirm",
  "usage",
  "metadata",
  "return_url",
  "automatic_payment_methods.enabled",
  "automatic_payment_methods.allow_redirects",
];

export const setupIntentRoutes: readonly Route[] = [
  { operation: "POST /v1/setup_intents", honours: written, handle: create },
  { operation: "GET /v1/setup_intents/{intent}", honours: ["client_secret"], handle: retrieve },
  {
    operation: "POST /v1/setup_intents/{intent}/confirm",
    honours: ["payment_method", "return_url"],
    handle: confirm,
  },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const customer = text(params, "customer");
  if (customer !== undefined) liveCustomer(tx, customer);
  const token = text(params, "payment_method");
  const method = token === undefined ? undefined : usableMethod(tx, token, "payment_method");
  const id = tx.newId("seti");
  const intent: SetupIntent = tx.put({
    id,
    object: "setup_intent",
    created: tx.now,
    livemode: false,
    status: method ? "requires_confirmation" : "requires_payment_method",
    client_secret: `${id}_secret_${tx.newId("s").slice(2)}`,
    customer: customer ?? null,
    payment_method: method?.id ?? null,
    payment_method_types: ["card"],
    usage: text(params, "usage") ?? "off_session",
    metadata: mergedMetadata(params),
  });
  emit(call, "setup_intent.created", intent);
  return flag(params, "confirm") ? confirmIntent(call, intent) : render(tx, intent);
}

function confirm(call: Call): Reply {
  return confirmIntent(call, call.tx.get("setup_intent", pathId(call, "intent")));
}

function confirmIntent(call: Call, intent: SetupIntent): Reply {
  const { tx, params } = call;
  const token = text(params, "payment_method") ?? intent.payment_method;
  if (intent.status === "succeeded" || intent.status === "canceled") {
    const message = `You cannot confirm this SetupIntent because it has a status of ${intent.status}.`;
    throw refused(message, "setup_intent_unexpected_state");
  }
  if (!token) throw refused("You cannot confirm this SetupIntent because it's missing a payment method.");
  return render(tx, confirmSetup(call, intent, usableMethod(tx, token, "payment_method")));
}

/** Asks the card's bank whether it may be saved; throws its refusal. What it answers may be that it asks the customer. */
export function confirmSetup(cause: Cause, intent: SetupIntent, method: PaymentMethod): SetupIntent {
  const { tx } = cause;
  const outcome = nextCardOutcome(tx, method.id);
  if (outcome === "require_action") {
    const waiting: SetupIntent = tx.put({
      ...intent,
      status: "requires_action",
      payment_method: method.id,
      next_action: { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect" } },
    });
    emit(cause, "setup_intent.requires_action", waiting);
    return waiting;
  }
  // What a card does only after it was charged is nothing to its being saved.
  const isRefused = isCardOutcome(outcome) && outcome !== "succeed";
  // 0341 is made to be saved and to decline when it is charged.
  if (isRefused && method.card.last4 !== "0341") return failSetup(cause, intent, outcome);
  return succeedSetup(cause, { ...intent, payment_method: method.id });
}

function failSetup(call: Cause, intent: SetupIntent, outcome: string): never {
  const { tx } = call;
  const error = declineError(outcome);
  const { payment_method: _method, ...kept } = intent;
  const failed: SetupIntent = tx.put({ ...kept, status: "requires_payment_method", last_setup_error: error });
  emit(call, "setup_intent.setup_failed", failed);
  throw new StripeRefusal(402, { ...error, setup_intent: render(tx, failed) }, { keepsEffects: true });
}

/** Saves the card to the intent's customer; also what the bank calls once the customer has authenticated. */
export function succeedSetup(cause: Cause, intent: SetupIntent): SetupIntent {
  const { tx } = cause;
  const { next_action: _action, last_setup_error: _error, ...kept } = intent;
  const method = tx.get("payment_method", intent.payment_method ?? "", "payment_method");
  if (intent.customer) attach(cause, method, liveCustomer(tx, intent.customer));
  noteSetUp(tx, method.id);
  const succeeded: SetupIntent = tx.put({ ...kept, status: "succeeded" });
  emit(cause, "setup_intent.succeeded", succeeded);
  return succeeded;
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("setup_intent", pathId(call, "intent")));
}
