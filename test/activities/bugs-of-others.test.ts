import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AwaitedError } from "../../src/activities/apply-payment.ts";
import { collectInvoice, mirrorInvoice, payInvoice } from "../../src/activities/collect-invoice.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { findInvoice } from "../../src/db/billing/invoices.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { createStripe, stripeRail } from "../../src/stripe/index.ts";
import { applied } from "../../src/workers/webhook-inbox.ts";
import { buyCredit } from "../api/support/paid-credit.ts";
import { addCustomer, openUsage } from "../db/usage-fixture.ts";
import { accountOf } from "../stripe/support/sandbox.ts";
import { expectInvariants } from "../support/invariants.ts";
import { giveCard, openAccount, standing } from "./paying-customers.ts";

/** What went wrong between other billing systems and Stripe, once each: 500 cents of credit, bought with a card. */
const at = "2026-02-01T00:00:00.000Z";
const collecting = { by: "payment_intent", returnUrl: "https://shop.test/thanks" } as const;

let fixture: Awaited<ReturnType<typeof openUsage>>;
let account: Awaited<ReturnType<typeof openAccount>>;
let stripe: ReturnType<typeof accountOf>;
let byInvoice: ActivityDependencies;
let byIntent: ActivityDependencies;
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 4 });
  account = await openAccount(fixture.db);
  stripe = accountOf(account.sandbox.url, account.apiKey);
  const parts = { db: fixture.db, gateway: {}, now: standing(at) };
  byInvoice = { ...parts, rail: account.rail } as ActivityDependencies;
  const sdk = createStripe({ apiKey: account.apiKey, apiBase: account.sandbox.url });
  byIntent = {
    ...parts,
    rail: stripeRail(sdk, operationLog(fixture.db), collecting),
  } as ActivityDependencies;
});
afterAll(async () => {
  await expectInvariants(fixture.db, { limits: { billing: 1e9, clearing: 1e9 } });
  await account.sandbox.close();
  await fixture.close();
});

let buyers = 0;
let customerId: string;
let invoiceId: string;
beforeEach(async () => {
  buyers += 1;
  customerId = `buyer-${buyers}`;
  await addCustomer(fixture.db, customerId);
  await giveCard(byInvoice, customerId, "pm_card_visa");
  const purchase = { customerId, grantId: `grant-${buyers}`, amountMinor: 500n, isPaid: false };
  await buyCredit(fixture.db, { ...purchase, at: instant(at) });
  invoiceId = `inv_grant-${buyers}`;
});

const pay = (deps: ActivityDependencies, attempt: number) =>
  payInvoice(deps, { invoiceId, attempt, cause: attempt === 1 ? "first" : "schedule", at });

async function cardAnswers(outcomes: readonly string[]): Promise<void> {
  const [card] = await fixture.db.sql<{ id: string }[]>`
    select payment_method ->> 'id' as id from billing.customer where id = ${customerId}`;
  await stripe.control("cards/script", { payment_method: card?.id, outcomes });
}

async function standingOf(): Promise<string> {
  const invoice = await findInvoice(fixture.db.orm, invoiceId);
  const [{ payments } = { payments: 0 }] = await fixture.db.sql<{ payments: number }[]>`
    select count(*)::int as payments from billing.payment where invoice_id = ${invoiceId}`;
  return `${invoice?.status}, ${payments} payments of ${invoice?.amountPaidMinor}`;
}

/** Events about the customer's money, the newest first, as webhooks bring them. */
async function events(type: string) {
  const { data } = await stripe.stripe.events.list({ type, limit: 20 });
  return data.map((event) => ({ event_id: event.id, type: event.type, body: JSON.stringify(event) }));
}

test("two events of one success were two payments: here they are one", async () => {
  await collectInvoice(byInvoice, { invoiceId, at, collectedBy: null });
  for (const type of ["invoice.paid", "invoice.payment_succeeded", "payment_intent.succeeded"]) {
    const [event] = await events(type);
    if (event !== undefined) await applied(byInvoice, event);
  }
  expect(await standingOf()).toBe("paid, 1 payments of 500");
});

test("a webhook that was there before the row was lost: here it is awaited", async () => {
  await mirrorInvoice(byInvoice, { invoiceId, at });
  const { stripeInvoiceId } = (await findInvoice(fixture.db.orm, invoiceId)) ?? {};
  await stripe.stripe.invoices.pay(stripeInvoiceId ?? "");
  const [event] = await events("invoice.paid");
  if (event === undefined) throw new Error("an event was expected");
  await fixture.owner.sql`update billing.invoice set stripe_invoice_id = null where id = ${invoiceId}`;
  await expect(applied(byInvoice, event)).rejects.toBeInstanceOf(AwaitedError);
  await fixture.owner
    .sql`update billing.invoice set stripe_invoice_id = ${stripeInvoiceId ?? ""} where id = ${invoiceId}`;
  expect(await applied(byInvoice, event)).toBe("done");
  expect(await standingOf()).toBe("paid, 1 payments of 500");
});

test("a webhook of an order that was rolled back was tried for ever: here it is ignored", async () => {
  await collectInvoice(byIntent, { invoiceId, at, collectedBy: null });
  const [event] = await events("payment_intent.succeeded");
  const body = event?.body.replaceAll(invoiceId, "inv_of_nobody") ?? "";
  expect(await applied(byIntent, { event_id: "evt_1", type: "payment_intent.succeeded", body })).toBe(
    "ignored",
  );
});

test("a failure that was told late took the place of a newer success: here it changes nothing", async () => {
  await cardAnswers(["insufficient_funds"]);
  expect(await pay(byIntent, 1)).toMatchObject({ status: "declined" });
  expect(await pay(byIntent, 2)).toMatchObject({ status: "paid" });
  const [late] = await events("payment_intent.payment_failed");
  if (late === undefined) throw new Error("an event was expected");
  expect(await applied(byIntent, late)).toBe("ignored");
  expect(await standingOf()).toBe("paid, 1 payments of 500");
});

test("an intent's event after the charge's downgraded what was paid: here paid is the end", async () => {
  await collectInvoice(byIntent, { invoiceId, at, collectedBy: null });
  for (const type of ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]) {
    const [event] = await events(type);
    if (event !== undefined) await applied(byIntent, event);
  }
  expect(await standingOf()).toBe("paid, 1 payments of 500");
});

test("an intent that had failed kept its invoice from being tried again: here the next attempt uses it", async () => {
  await cardAnswers(["insufficient_funds", "insufficient_funds"]);
  for (const attempt of [1, 2]) expect(await pay(byIntent, attempt)).toMatchObject({ status: "declined" });
  expect(await pay(byIntent, 3)).toMatchObject({ status: "paid" });
  const { data } = await stripe.stripe.paymentIntents.list({ limit: 100 });
  expect(data.filter(({ metadata }) => metadata.reckoner_invoice === invoiceId)).toHaveLength(1);
});

test("a key that counted calls was a new charge each time: here an attempt asked for ten times at once is one", async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => pay(byIntent, 1)));
  const paid = outcomes.filter(({ status }) => status === "fulfilled");
  expect(paid.length).toBeGreaterThan(0);
  // Who was told that another is at it comes again, as a run does.
  expect(await pay(byIntent, 1)).toEqual({ status: "paid" });
  const { data } = await stripe.stripe.charges.list({ limit: 100 });
  expect(data.filter(({ metadata }) => metadata.reckoner_invoice === invoiceId)).toHaveLength(1);
  expect(await standingOf()).toBe("paid, 1 payments of 500");
});
