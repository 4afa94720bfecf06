import { randomBytes } from "node:crypto";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { setPaymentMethod, setStripeCustomer } from "../../src/db/billing/customer-payment.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import type { Database } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type StripeSandbox, startStripeSandbox } from "../../src/sandbox/stripe/index.ts";
import { createStripe, type StripeRail, stripeRail } from "../../src/stripe/index.ts";

/** An account of the stand-in for Stripe, and customers of a database who have cards there. */
export interface StripeAccount {
  readonly sandbox: StripeSandbox;
  readonly rail: StripeRail;
  readonly apiKey: string;
}

export async function openAccount(db: Database, sandbox?: StripeSandbox): Promise<StripeAccount> {
  const at = sandbox ?? (await startStripeSandbox({ port: 0 }));
  const apiKey = `sk_test_${randomBytes(12).toString("hex")}`;
  const rail = stripeRail(createStripe({ apiKey, apiBase: at.url }), operationLog(db));
  return { sandbox: at, rail, apiKey };
}

/** @param token one of Stripe's test cards */
export async function giveCard(
  { db, rail, now }: Pick<ActivityDependencies, "db" | "rail" | "now">,
  customerId: string,
  token: string,
): Promise<void> {
  const customer = { customerId, name: customerId, email: `${customerId}@example.com`, at: now() };
  const { stripeCustomerId } = await rail.ensureCustomer(customer);
  await setStripeCustomer(db.orm, customerId, stripeCustomerId);
  const key = `customer/${customerId}/payment-method/card`;
  const card = { customerId, stripeCustomerId, paymentMethodToken: token, key, at: now() };
  const { stripePaymentMethodId: id, ...shown } = await rail.attachPaymentMethod(card);
  await setPaymentMethod(db.orm, customerId, { id, ...shown });
}

/** The wall clock of a test, which stands: calls to Stripe are as old as it says. */
export const standing = (at: string) => () => instant(at);

/** Rows as they are whatever Stripe calls its objects, and without the digests of what names them. */
export const withoutStripeIds = (texts: readonly string[]): string[] =>
  texts
    .map((text) => text.replace(/\b(in|pi|ch|txn|cus|pm|card|py)_[A-Za-z0-9]+/g, "$1_…"))
    .map((text) => (text.includes("_…") ? text.replace(/"request_hash": "[^"]*"/, "") : text))
    .sort();
