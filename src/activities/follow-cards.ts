import { setPaymentMethod } from "../db/billing/customer-payment.ts";
import { findCustomer } from "../db/billing/customers.ts";
import { openDunningsOf } from "../db/billing/payments.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** A customer has given a card on a page that we have opened: it is what they pay with from now on. */
export async function applySetup(
  deps: ActivityDependencies,
  setupIntentId: string,
): Promise<"done" | "ignored"> {
  const { rail, now } = deps;
  const setup = await rail.retrieveSetup(setupIntentId);
  const { isDone, customerId, stripeCustomerId, stripePaymentMethodId } = setup;
  if (!isDone || customerId === null || stripeCustomerId === null || stripePaymentMethodId === null) {
    return "ignored";
  }
  await rail.chooseSetupCard({ setupIntentId, stripeCustomerId, stripePaymentMethodId, at: now() });
  return await applyChosenCard(deps, stripeCustomerId);
}

/**
 * Reads at Stripe what a customer has chosen to pay with, and takes it over: they may have chosen it on Stripe's pages. Invoices in
 * dunning are tried with it at once.
 */
export async function applyChosenCard(
  deps: ActivityDependencies,
  stripeCustomerId: string,
): Promise<"done" | "ignored"> {
  const { db, rail, gateway } = deps;
  const { customerId, card } = await rail.retrieveChosenCard(stripeCustomerId);
  const customer = customerId === null ? undefined : await findCustomer(db.orm, customerId);
  if (customer?.stripeCustomerId !== stripeCustomerId || card === null) return "ignored";
  const { stripePaymentMethodId: id, ...shown } = card;
  if (customer.paymentMethod?.id === id) return "done";
  await setPaymentMethod(db.orm, customer.id, { id, ...shown });
  const { reading } = await customerClock(deps, customer.id);
  for (const invoiceId of await openDunningsOf(db.orm, customer.id)) {
    await gateway.tellPaymentMethodUpdated(invoiceId, reading, `card/${id}`);
  }
  return "done";
}
