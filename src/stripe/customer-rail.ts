import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

export type CustomerToMirror = {
  readonly customerId: string;
  readonly name: string;
  readonly email: string;
  readonly at: Instant;
};

export type PaymentMethodToAttach = {
  readonly customerId: string;
  readonly stripeCustomerId: string;
  /** A payment method's id, or one of Stripe's test methods such as `pm_card_visa`. */
  readonly paymentMethodToken: string;
  /** The fact that the customer gave this card: `customer/cus_1/payment-method/3`. */
  readonly key: string;
  readonly at: Instant;
};

export type AttachedCard = {
  readonly stripePaymentMethodId: string;
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
  /** Stripe's name for the card itself, however often it was saved. */
  readonly fingerprint?: string;
};

/** Stripe's customer for ours, made once. */
export async function ensureCustomer(
  stripe: Stripe,
  log: OperationLog,
  customer: CustomerToMirror,
): Promise<{ stripeCustomerId: string }> {
  const { customerId, name, email, at } = customer;
  const body = { name, email, metadata: { reckoner_customer: customerId } };
  return await recordedCall({
    log,
    key: `customer/${customerId}/create`,
    operation: "POST /v1/customers",
    body,
    at,
    send: async (options) => ({ stripeCustomerId: (await stripe.customers.create(body, options)).id }),
    find: async () => {
      for await (const found of stripe.customers.list({ email, limit: 100 })) {
        if (found.metadata.reckoner_customer === customerId) return { stripeCustomerId: found.id };
      }
      return undefined;
    },
  });
}

/** Saves a card to the customer and makes it the one invoices are charged to. */
export async function attachPaymentMethod(
  stripe: Stripe,
  log: OperationLog,
  input: PaymentMethodToAttach,
): Promise<AttachedCard> {
  const { stripeCustomerId, paymentMethodToken, key, at } = input;
  const card = await recordedCall({
    log,
    key: `${key}/attach`,
    operation: "POST /v1/payment_methods/{payment_method}/attach",
    body: { payment_method: paymentMethodToken, customer: stripeCustomerId },
    at,
    send: async (options) =>
      cardOf(await stripe.paymentMethods.attach(paymentMethodToken, { customer: stripeCustomerId }, options)),
    find: async () => {
      // A test method becomes a new one with each use, so there is nothing to find under its own name.
      if (paymentMethodToken.startsWith("pm_card_")) return undefined;
      const found = await stripe.paymentMethods.retrieve(paymentMethodToken);
      return found.customer === stripeCustomerId ? cardOf(found) : undefined;
    },
  });
  const body = { invoice_settings: { default_payment_method: card.stripePaymentMethodId } };
  await recordedCall({
    log,
    key: `${key}/default`,
    operation: "POST /v1/customers/{customer}",
    body: { customer: stripeCustomerId, ...body },
    at,
    send: async (options) => {
      await stripe.customers.update(stripeCustomerId, body, options);
      return { done: true };
    },
    find: async () => {
      const found = await stripe.customers.retrieve(stripeCustomerId);
      const isDefault =
        !found.deleted && found.invoice_settings.default_payment_method === card.stripePaymentMethodId;
      return isDefault ? { done: true } : undefined;
    },
  });
  return card;
}

/** What is kept of a card. */
export function cardOf(method: Stripe.PaymentMethod): AttachedCard {
  const { card } = method;
  if (!card) throw new Error(`Stripe payment method ${method.id} is not a card`);
  return {
    stripePaymentMethodId: method.id,
    brand: card.brand,
    last4: card.last4,
    expMonth: card.exp_month,
    expYear: card.exp_year,
    ...(card.fingerprint ? { fingerprint: card.fingerprint } : {}),
  };
}
