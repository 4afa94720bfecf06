import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { instant } from "../../src/domain/calendar/index.ts";
import { createStripe, StripeCallError, stripeRail } from "../../src/stripe/index.ts";
import { untilDone } from "../support/until-done.ts";
import { ada, at, invoiceFor, type RailScene, railScene } from "./support/rail-scene.ts";
import { type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let scene: RailScene;
beforeEach(() => {
  scene = railScene(server.sandbox.url);
});

const writes = [
  { match: "/v1/customers", step: "the customer" },
  { match: "/v1/invoices", step: "the draft" },
  { match: "/v1/invoices/*/add_lines", step: "the lines" },
  { match: "/v1/invoices/*/finalize", step: "finalising" },
  { match: "/v1/invoices/*/pay", step: "the charge" },
];
// The SDK sends again by itself after a reset, so it takes two to be noticed.
const lostReplies = [
  { action: "reset_after", times: 2 },
  { action: "truncate", times: 1 },
  { action: "error_after_stored", times: 1 },
];
const rows = writes.flatMap((write) => lostReplies.map((lost) => ({ ...write, ...lost })));

test.each(rows)(
  "$action at $step: one customer, one invoice, one charge",
  async ({ match, action, times }) => {
    await scene.control("faults", { action, times, method: "POST", match });
    const outcome = await untilDone(async () => {
      const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
      const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
      return await scene.pay(stripeInvoiceId);
    });
    expect(outcome).toMatchObject({ status: "paid", amountMinor: "2500" });
    expect(await scene.counts()).toEqual({ customers: 1, invoices: 1, paidCharges: 1 });
    const { faults } = await scene.control<{ faults: { firedFor: string[] }[] }>("faults");
    expect(faults[0]?.firedFor).toHaveLength(times);
  },
);

test.each(lostReplies)(
  "$action at a refund and at its credit note: one of each",
  async ({ action, times }) => {
    const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
    const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
    const paid = await scene.pay(stripeInvoiceId);
    if (paid.status !== "paid") throw new Error(`${paid.status} where it should be paid`);
    for (const match of ["/v1/refunds", "/v1/credit_notes"]) {
      await scene.control("faults", { action, times, method: "POST", match });
    }
    const { stripePaymentIntentId } = paid;
    const money = { amountMinor: "500", currency: "usd", at };
    const refund = { refundId: "rf_1", invoiceId: "inv_1", stripePaymentIntentId, ...money };
    const { stripeRefundId } = await untilDone(() => scene.rail.sendRefund(refund));
    const note = { creditNoteId: "cn_1", number: "NOTE-1", stripeInvoiceId, currency: "usd", at };
    const amounts = { dueBeforeMinor: "0", dueAfterMinor: "0", givenBackMinor: "500" };
    const refunds = [{ stripeRefundId, amountMinor: "500" }];
    await untilDone(() => scene.rail.mirrorCreditNote({ ...note, ...amounts, refunds }));
    const { data: sentBack } = await scene.stripe.refunds.list();
    const { data: notes } = await scene.stripe.creditNotes.list({ invoice: stripeInvoiceId });
    expect([sentBack.map(({ amount }) => amount), notes.map(({ amount }) => amount)]).toEqual([[500], [500]]);
    const { faults } = await scene.control<{ faults: { firedFor: string[] }[] }>("faults");
    expect(faults.map(({ firedFor }) => firedFor.length)).toEqual([times, times]);
  },
);

test.each([
  { action: "rate_limit", kind: "rate_limited" },
  { action: "lock_timeout", kind: "conflict" },
  { action: "conflict", kind: "conflict" },
  { action: "error_before", kind: "unavailable" },
  { action: "html_502", kind: "unavailable" },
])("$action is thrown as $kind, and the same call succeeds afterwards", async ({ action, kind }) => {
  await scene.control("faults", { action, method: "POST", match: "/v1/customers" });
  const create = () => scene.rail.ensureCustomer(ada);
  await expect(create()).rejects.toMatchObject({ failure: { kind } });
  await create();
  expect(await scene.counts()).toMatchObject({ customers: 1 });
});

test("a key that fell silent for more than 20 hours is looked up, never sent again", async () => {
  await scene.control("faults", { action: "error_before", method: "POST", match: "/v1/customers" });
  await expect(scene.rail.ensureCustomer(ada)).rejects.toBeInstanceOf(StripeCallError);
  const later = instant("2026-05-01T21:00:00Z");
  await expect(scene.rail.ensureCustomer({ ...ada, at: later })).rejects.toMatchObject({
    code: "stripe_outcome_unknown",
  });
  const made = await scene.stripe.customers.create({
    email: ada.email,
    metadata: { reckoner_customer: "cus_1" },
  });
  expect(await scene.rail.ensureCustomer({ ...ada, at: later })).toEqual({ stripeCustomerId: made.id });
  expect(await scene.counts()).toMatchObject({ customers: 1 });
});

test("a charge that was never answered is decided by what the customer pays meanwhile", async () => {
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(
    invoiceFor(await scene.customerWithCard("pm_card_visa")),
  );
  await scene.control("faults", { action: "error_before", method: "POST", match: "/v1/invoices/*/pay" });
  await expect(scene.pay(stripeInvoiceId)).rejects.toMatchObject({ failure: { kind: "unavailable" } });
  const charge = scene.log.entries.get("invoice/inv_1/attempt/1");
  expect(charge).toMatchObject({ outcome: undefined });
  await scene.stripe.invoices.pay(stripeInvoiceId);
  const outcome = await scene.pay(stripeInvoiceId);
  expect(outcome).toMatchObject({ status: "paid", amountMinor: "2500" });
  expect(charge).toMatchObject({ outcome: { response: { status: "paid" } } });
  expect(await scene.counts()).toMatchObject({ paidCharges: 1 });
});

test("one key cannot stand for two requests", async () => {
  await scene.rail.ensureCustomer(ada);
  const changed = scene.rail.ensureCustomer({
    customerId: "cus_1",
    name: "Eve",
    email: "eve@example.com",
    at,
  });
  await expect(changed).rejects.toMatchObject({ code: "stripe_operation_key_reused" });
});

test("a wrong key is an auth failure", async () => {
  const wrong = stripeRail(createStripe({ apiKey: "pk_test_1", apiBase: server.sandbox.url }), scene.log);
  const create = wrong.ensureCustomer({ customerId: "cus_9", name: "Ada", email: "ada@example.com", at });
  await expect(create).rejects.toMatchObject({ failure: { kind: "auth" } });
});
