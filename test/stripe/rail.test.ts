import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
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

test("is mirrored with its lines and metadata, and paid once", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
  const { stripeInvoiceId, status, hostedInvoiceUrl } = await scene.rail.mirrorInvoice(
    invoiceFor(stripeCustomerId),
  );
  expect(status).toBe("open");
  expect(await (await fetch(hostedInvoiceUrl)).text()).toContain("1,100 thousand tokens");

  const outcome = await scene.pay(stripeInvoiceId);
  expect(outcome).toMatchObject({ status: "paid", amountMinor: "2500" });
  expect(await scene.pay(stripeInvoiceId)).toEqual(outcome);
  expect(await scene.pay(stripeInvoiceId, 2)).toEqual(outcome);
  expect(await scene.rail.retrieveInvoiceState(stripeInvoiceId)).toEqual(outcome);

  const invoice = await scene.stripe.invoices.retrieve(stripeInvoiceId);
  expect(invoice.metadata).toEqual({
    reckoner_invoice: "inv_1",
    reckoner_customer: "cus_1",
    reckoner_workflow: "collection/inv_1",
  });
  expect(invoice.lines.data.map((line) => line.amount)).toEqual([2000, 550, -50]);
  expect(await scene.counts()).toEqual({ customers: 1, invoices: 1, paidCharges: 1 });
});

test("a declined card is an outcome; a new card and a new attempt are paid", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_chargeCustomerFail");
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
  const declined = await scene.pay(stripeInvoiceId, 1);
  expect(declined).toMatchObject({
    status: "declined",
    declineCode: "generic_decline",
    declineClass: "soft",
  });
  await scene.giveCard(stripeCustomerId, "pm_card_mastercard", "card/2");
  expect(await scene.pay(stripeInvoiceId, 1), "an attempt has one outcome for ever").toEqual(declined);
  expect(await scene.pay(stripeInvoiceId, 2)).toMatchObject({ status: "paid", amountMinor: "2500" });
  expect(await scene.counts()).toMatchObject({ paidCharges: 1 });
});

test("without a card nothing is sent; a card helps", async () => {
  const { stripeCustomerId } = await scene.rail.ensureCustomer(ada);
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
  const outcome = { status: "declined", declineCode: "payment_method_missing", declineClass: "hard" };
  expect(await scene.pay(stripeInvoiceId)).toEqual(outcome);
  await scene.giveCard(stripeCustomerId, "pm_card_visa", "card/1");
  expect(await scene.pay(stripeInvoiceId)).toMatchObject({ status: "paid" });
});

test("a card that needs authentication asks for it, and is paid once the bank agrees", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_authenticationRequired");
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
  const outcome = await scene.pay(stripeInvoiceId);
  if (outcome.status !== "requires_action") throw new Error(`expected an action, not ${outcome.status}`);
  expect(outcome.hostedInvoiceUrl).toContain("/invoice/");
  await scene.control("bank", {
    action: "complete_authentication",
    intent: outcome.stripePaymentIntentId,
  });
  expect(await scene.rail.retrieveInvoiceState(stripeInvoiceId)).toMatchObject({
    status: "paid",
    amountMinor: "2500",
  });
});

test("a void invoice is not charged, a paid one is not voided", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
  await scene.rail.voidInvoice({ invoiceId: "inv_1", stripeInvoiceId, at });
  await scene.rail.voidInvoice({ invoiceId: "inv_1", stripeInvoiceId, at });
  await expect(scene.pay(stripeInvoiceId)).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });

  const second = { ...invoiceFor(stripeCustomerId), invoiceId: "inv_2", number: "ADA-2" };
  const mirrored = await scene.rail.mirrorInvoice(second);
  await scene.rail.payInvoice({
    invoiceId: "inv_2",
    stripeInvoiceId: mirrored.stripeInvoiceId,
    attempt: 1,
    at,
  });
  const voiding = scene.rail.voidInvoice({
    invoiceId: "inv_2",
    stripeInvoiceId: mirrored.stripeInvoiceId,
    at,
  });
  await expect(voiding).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });
});

test("an uncollectible invoice can still be paid", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId));
  await scene.rail.markUncollectible({ invoiceId: "inv_1", stripeInvoiceId, at });
  expect(await scene.rail.retrieveInvoiceState(stripeInvoiceId)).toEqual({ status: "uncollectible" });
  expect(await scene.pay(stripeInvoiceId)).toMatchObject({ status: "paid" });
});

test("400 lines become 249 with the same total: 248 of 1, and one of 152; a place is kept for rounding", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
  const lines = Array.from({ length: 400 }, (_, n) => ({
    lineId: `l${n}`,
    description: `Line ${n}`,
    amountMinor: "1",
  }));
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId, lines));
  const shown = await scene.stripe.invoices
    .listLineItems(stripeInvoiceId, { limit: 100 })
    .autoPagingToArray({ limit: 300 });
  expect(shown).toHaveLength(249);
  expect(shown.at(-1)).toMatchObject({ amount: 152, description: "152 further lines" });
  expect(await scene.pay(stripeInvoiceId)).toMatchObject({ status: "paid", amountMinor: "400" });
});

test("a mirror with another total stays a draft and is reported", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
  const wrong = { ...invoiceFor(stripeCustomerId), totalMinor: "2501" };
  await expect(scene.rail.mirrorInvoice(wrong)).rejects.toMatchObject({ code: "stripe_total_differs" });
  const { data } = await scene.stripe.invoices.list();
  expect(data.map((invoice) => invoice.status)).toEqual(["draft"]);
});

test("an invoice Stripe closes without a charge is not called paid", async () => {
  const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
  const small = [{ lineId: "l1", description: "Too small", amountMinor: "49" }];
  const { stripeInvoiceId } = await scene.rail.mirrorInvoice(invoiceFor(stripeCustomerId, small));
  expect(await scene.rail.retrieveInvoiceState(stripeInvoiceId)).toEqual({
    status: "paid_without_charge",
    totalMinor: "49",
  });
  await expect(scene.pay(stripeInvoiceId)).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });
});
