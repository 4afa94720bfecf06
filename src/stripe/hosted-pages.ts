import type { Stripe } from "stripe";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";
import { type AttachedCard, cardOf } from "./customer-rail.ts";
import { idOf } from "./expanded-id.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

export type PageToOpen = {
  readonly customerId: string;
  readonly stripeCustomerId: string;
  /** Names this request for a page, for good. */
  readonly requestId: string;
  /** Where the customer is sent back to. */
  readonly returnUrl: string;
  readonly at: Instant;
};

export type SetupPageToOpen = PageToOpen & { readonly currency: string };

/** A page of Stripe's, for one customer and a while. */
export type SetupPage = {
  readonly stripeSessionId: string;
  readonly url: string;
  readonly expiresAt: string;
};

/** Opens the page on which a customer gives a card, their bank's question included; nothing is charged. */
export async function openSetupPage(
  stripe: Stripe,
  log: OperationLog,
  page: SetupPageToOpen,
): Promise<SetupPage> {
  const metadata = { reckoner_customer: page.customerId, reckoner_setup: page.requestId };
  const body: Stripe.Checkout.SessionCreateParams = {
    mode: "setup",
    customer: page.stripeCustomerId,
    currency: page.currency,
    success_url: page.returnUrl,
    cancel_url: page.returnUrl,
    metadata,
    setup_intent_data: { metadata },
  };
  return await opened(log, page, "POST /v1/checkout/sessions", body, async (options) => {
    const { id, url, expires_at: expires } = await stripe.checkout.sessions.create(body, options);
    return { stripeSessionId: id, url: url ?? "", expiresAt: new Date(expires * 1000).toISOString() };
  });
}

/** Opens the page on which a customer sees to their cards. */
export async function openPortalPage(
  stripe: Stripe,
  log: OperationLog,
  page: PageToOpen,
): Promise<{ readonly url: string }> {
  const body = { customer: page.stripeCustomerId, return_url: page.returnUrl };
  return await opened(log, page, "POST /v1/billing_portal/sessions", body, async (options) => {
    const { url } = await stripe.billingPortal.sessions.create(body, options);
    return { url };
  });
}

async function opened<Page>(
  log: OperationLog,
  { customerId, requestId, at }: PageToOpen,
  operation: string,
  body: unknown,
  send: (options: { idempotencyKey: string }) => Promise<Page>,
): Promise<Page> {
  return await recordedCall<Page>({
    log,
    key: `customer/${customerId}/page/${requestId}`,
    operation,
    body,
    at,
    send,
    // A page of which nobody was told is opened by nobody, and ends by itself.
    find: async () => undefined,
  });
}

/** A card that was given on a page, as Stripe holds it now. */
export type SetupAtStripe = {
  readonly isDone: boolean;
  /** Ours, where the page was opened by us. */
  readonly customerId: string | null;
  readonly stripeCustomerId: string | null;
  readonly stripePaymentMethodId: string | null;
};

export async function readSetup(stripe: Stripe, setupIntentId: string): Promise<SetupAtStripe> {
  const {
    status,
    metadata,
    customer,
    payment_method: method,
  } = await stripe.setupIntents.retrieve(setupIntentId);
  const isOurs = metadata?.reckoner_setup !== undefined;
  return {
    isDone: status === "succeeded",
    customerId: isOurs ? (metadata.reckoner_customer ?? null) : null,
    stripeCustomerId: customer === null ? null : idOf(customer),
    stripePaymentMethodId: method === null ? null : idOf(method),
  };
}

/** What a customer of ours has chosen to pay with. */
export type ChosenCard = {
  readonly customerId: string | null;
  /** Null: none, or one that is no card. */
  readonly card: AttachedCard | null;
  readonly savedAt: Instant | null;
};

export async function readChosenCard(stripe: Stripe, stripeCustomerId: string): Promise<ChosenCard> {
  const customer = await stripe.customers.retrieve(stripeCustomerId, {
    expand: ["invoice_settings.default_payment_method"],
  });
  if (customer.deleted) return { customerId: null, card: null, savedAt: null };
  const customerId = customer.metadata.reckoner_customer ?? null;
  const method = customer.invoice_settings.default_payment_method;
  if (method === null || typeof method === "string" || !method.card)
    return { customerId, card: null, savedAt: null };
  return { customerId, card: cardOf(method), savedAt: instantOfEpochMs(method.created * 1000) };
}

/**
 * Makes a card that was given on a page the one that is charged, once: unless the customer has chosen a newer one since, which an
 * event that comes late must not undo.
 */
export async function chooseSetupCard(
  stripe: Stripe,
  log: OperationLog,
  setup: {
    readonly setupIntentId: string;
    readonly stripeCustomerId: string;
    readonly stripePaymentMethodId: string;
    readonly at: Instant;
  },
): Promise<void> {
  const { setupIntentId, stripeCustomerId, stripePaymentMethodId, at } = setup;
  const { card, savedAt } = await readChosenCard(stripe, stripeCustomerId);
  if (card?.stripePaymentMethodId === stripePaymentMethodId) return;
  const given = await stripe.paymentMethods.retrieve(stripePaymentMethodId);
  if (savedAt !== null && savedAt > given.created * 1000) return;
  const body = { invoice_settings: { default_payment_method: stripePaymentMethodId } };
  await recordedCall({
    log,
    key: `setup-intent/${setupIntentId}/default`,
    operation: "POST /v1/customers/{customer}",
    body: { customer: stripeCustomerId, ...body },
    at,
    send: async (options) => {
      await stripe.customers.update(stripeCustomerId, body, options);
      return { done: true };
    },
    find: async () => {
      const now = await readChosenCard(stripe, stripeCustomerId);
      return now.card?.stripePaymentMethodId === stripePaymentMethodId ? { done: true } : undefined;
    },
  });
}
