import { badParameter, missingParameter } from "../http/refusal.ts";
import { type Call, pathId, type Reply, type Route } from "../http/route.ts";
import { choice, mergedMetadata, object, requiredText, text } from "../schema/access.ts";
import type { CheckoutSession, SetupIntent } from "../state/objects.ts";
import { emit } from "./emit.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";

/** Pages that Stripe shows to customers: one to give a card on, and one to see to their cards. */
export const hostedPageRoutes: readonly Route[] = [
  {
    operation: "POST /v1/checkout/sessions",
    honours: [
      "mode",
      "customer",
      "currency",
      "success_url",
      "cancel_url",
      "metadata",
      "setup_intent_data.metadata",
    ],
    handle: createCheckout,
  },
  { operation: "GET /v1/checkout/sessions/{session}", honours: [], handle: retrieveCheckout },
  {
    operation: "POST /v1/billing_portal/sessions",
    honours: ["customer", "return_url"],
    handle: createPortal,
  },
];

const openForSeconds = 24 * 60 * 60;

function createCheckout(call: Call): Reply {
  const { tx, params } = call;
  const mode = choice(params, "mode", ["payment", "setup", "subscription"]) ?? "payment";
  if (mode !== "setup") {
    throw badParameter(
      "The stand-in has Checkout in setup mode only.",
      "mode",
      "sandbox_parameter_unsupported",
    );
  }
  const customer = liveCustomer(tx, requiredText(params, "customer"));
  // Without a currency Stripe cannot tell which ways of paying to offer.
  if (text(params, "currency") === undefined) throw missingParameter("currency");
  const setup = setupOf(call, customer.id);
  const id = tx.newId("cs_test");
  const session: CheckoutSession = tx.put({
    id,
    object: "checkout.session",
    created: tx.now,
    livemode: false,
    mode,
    status: "open",
    customer: customer.id,
    currency: text(params, "currency") ?? null,
    setup_intent: setup.id,
    success_url: requiredText(params, "success_url"),
    cancel_url: text(params, "cancel_url") ?? null,
    expires_at: tx.now + openForSeconds,
    url: `${call.baseUrl}/checkout/${tx.accountId}/${id}`,
    payment_method_types: ["card"],
    metadata: mergedMetadata(params),
  });
  return render(tx, session);
}

function setupOf(call: Call, customer: string): SetupIntent {
  const { tx, params } = call;
  const id = tx.newId("seti");
  const setup: SetupIntent = tx.put({
    id,
    object: "setup_intent",
    created: tx.now,
    livemode: false,
    status: "requires_payment_method",
    client_secret: `${id}_secret_${tx.newId("s").slice(2)}`,
    customer,
    payment_method_types: ["card"],
    usage: "off_session",
    metadata: mergedMetadata(object(params, "setup_intent_data") ?? {}),
  });
  emit(call, "setup_intent.created", setup);
  return setup;
}

function retrieveCheckout(call: Call): Reply {
  return render(call.tx, call.tx.get("checkout.session", pathId(call, "session")));
}

function createPortal(call: Call): Reply {
  const { tx, params } = call;
  const customer = liveCustomer(tx, requiredText(params, "customer"));
  const id = tx.newId("bps");
  return render(
    tx,
    tx.put({
      id,
      object: "billing_portal.session",
      created: tx.now,
      livemode: false,
      customer: customer.id,
      return_url: text(params, "return_url") ?? call.baseUrl,
      url: `${call.baseUrl}/portal/${tx.accountId}/${id}`,
    }),
  );
}
