import { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type IntentToPay, stripeRail } from "../../src/stripe/index.ts";
import { untilDone } from "../support/until-done.ts";
import { ada, at, type RailScene, railScene } from "./support/rail-scene.ts";
import { type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

/** Invoices that are collected by a payment intent each: 2500 cents, of Ada. */
let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let scene: RailScene;
beforeEach(() => {
  scene = railScene(server.sandbox.url);
});

interface Request {
  readonly method: string;
  readonly path: string;
}

const requests = async () => (await scene.control<{ requests: Request[] }>("requests")).requests;

async function customerWith(card: string) {
  const stripeCustomerId = await scene.customerWithCard(card);
  const { data } = await scene.stripe.paymentMethods.list({ customer: stripeCustomerId });
  return { stripeCustomerId, stripePaymentMethodId: data[0]?.id ?? "" };
}

type Payer = Awaited<ReturnType<typeof customerWith>>;

function invoiceOf(payer: Payer, change: Partial<IntentToPay> = {}): IntentToPay {
  return {
    invoiceId: "inv_1",
    number: "ADA-1",
    customerId: ada.customerId,
    stripePaymentIntentId: null,
    amountMinor: "2500",
    currency: "usd",
    attempt: 1,
    metadata: { reckoner_workflow: "collection/inv_1" },
    returnUrl: "https://shop.test/thanks",
    at,
    ...payer,
    ...change,
  };
}

test("one call charges the card and says what reached the balance", async () => {
  const payer = await customerWith("pm_card_visa");
  const before = (await requests()).length;
  const outcome = await scene.rail.payIntent(invoiceOf(payer));
  // 2500 × 2.9 % + 30 = 102.5, half up 103.
  expect(outcome).toMatchObject({
    status: "paid",
    amountMinor: "2500",
    settlement: { gross: "2500", fee: "103", currency: "usd" },
  });
  expect((await requests()).slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /v1/payment_intents",
  ]);
  expect(await scene.rail.payIntent(invoiceOf(payer)), "the same attempt again").toEqual(outcome);
  const intentId = outcome.status === "paid" ? outcome.stripePaymentIntentId : "";
  const again = await scene.rail.payIntent(invoiceOf(payer, { stripePaymentIntentId: intentId, attempt: 2 }));
  expect(again, "another attempt looks first").toEqual(outcome);
  expect(await scene.rail.retrieveIntent(intentId)).toEqual({ state: outcome, invoiceId: "inv_1" });
  expect(await scene.counts()).toMatchObject({ invoices: 0, paidCharges: 1 });
});

test("a decline is an outcome; a new card is tried on the same intent, for what is due by then", async () => {
  const payer = await customerWith("pm_card_chargeCustomerFail");
  const declined = await scene.rail.payIntent(invoiceOf(payer));
  expect(declined).toMatchObject({
    status: "declined",
    declineCode: "generic_decline",
    declineClass: "soft",
  });
  if (declined.status !== "declined") throw new Error("a decline was expected");
  const stripePaymentIntentId = declined.stripePaymentIntentId ?? "";
  await scene.giveCard(payer.stripeCustomerId, "pm_card_mastercard", "card/2");
  const { data } = await scene.stripe.paymentMethods.list({ customer: payer.stripeCustomerId });
  const mastercard = data.find(({ card }) => card?.brand === "mastercard")?.id ?? "";
  const second = {
    stripePaymentIntentId,
    attempt: 2,
    stripePaymentMethodId: mastercard,
    amountMinor: "1500",
  };
  const outcome = await scene.rail.payIntent({ ...invoiceOf(payer), ...second });
  expect(outcome).toMatchObject({ status: "paid", amountMinor: "1500", stripePaymentIntentId });
  const { data: intents } = await scene.stripe.paymentIntents.list({ customer: payer.stripeCustomerId });
  expect(intents).toHaveLength(1);
});

test("an attempt that was never answered is decided by what the customer pays meanwhile; a refusal stays one", async () => {
  const payer = await customerWith("pm_card_chargeCustomerFail");
  const declined = await scene.rail.payIntent(invoiceOf(payer));
  if (declined.status !== "declined") throw new Error("a decline was expected");
  const stripePaymentIntentId = declined.stripePaymentIntentId ?? "";
  const second = invoiceOf(payer, { stripePaymentIntentId, attempt: 2, amountMinor: "1500" });
  for (const match of ["/v1/payment_intents/*", "/v1/payment_intents/*/confirm"]) {
    await scene.control("faults", { action: "error_before", method: "POST", match });
    await expect(scene.rail.payIntent(second)).rejects.toMatchObject({ failure: { kind: "unavailable" } });
  }
  const recorded = (key: string) => scene.log.entries.get(`invoice/inv_1/attempt/${key}`);
  expect(recorded("2")).toMatchObject({ outcome: undefined });
  await scene.stripe.paymentIntents.confirm(stripePaymentIntentId, { payment_method: "pm_card_visa" });
  const outcome = await scene.rail.payIntent(second);
  expect(outcome).toMatchObject({ status: "paid", amountMinor: "1500" });
  await scene.rail.payIntent(invoiceOf(payer, { stripePaymentIntentId }));
  expect(recorded("2")).toMatchObject({ outcome: { response: { status: "paid" } } });
  expect(recorded("2/amount")).toMatchObject({ outcome: { response: { amount: 1500 } } });
  expect(recorded("1")).toMatchObject({ outcome: { error: { kind: "declined" } } });
});

test("a bank that wants the customer gives a link; confirmed there, it is paid", async () => {
  const payer = await customerWith("pm_card_authenticationRequired");
  const outcome = await scene.rail.payIntent(invoiceOf(payer));
  if (outcome.status !== "requires_action") throw new Error(`an action was expected, not ${outcome.status}`);
  const page = await (await fetch(outcome.hostedInvoiceUrl)).text();
  expect(page).toContain("25.00 USD");
  const answer = await fetch(outcome.hostedInvoiceUrl, {
    method: "POST",
    body: "answer=confirm",
    redirect: "manual",
  });
  expect(answer.headers.get("location")).toBe("https://shop.test/thanks");
  const { state } = await scene.rail.retrieveIntent(outcome.stripePaymentIntentId);
  expect(state).toMatchObject({ status: "paid", amountMinor: "2500" });
});

test("a challenge that is refused is a decline, and another attempt asks again", async () => {
  const payer = await customerWith("pm_card_authenticationRequired");
  const outcome = await scene.rail.payIntent(invoiceOf(payer));
  if (outcome.status !== "requires_action") throw new Error(`an action was expected, not ${outcome.status}`);
  const { stripePaymentIntentId, hostedInvoiceUrl } = outcome;
  await fetch(hostedInvoiceUrl, { method: "POST", body: "answer=refuse", redirect: "manual" });
  const { state } = await scene.rail.retrieveIntent(stripePaymentIntentId);
  expect(state).toMatchObject({ status: "declined", declineClass: "authentication" });
  const again = await scene.rail.payIntent(invoiceOf(payer, { stripePaymentIntentId, attempt: 2 }));
  expect(again).toMatchObject({ status: "requires_action", stripePaymentIntentId });
});

test("withdrawn, it cannot be paid; paid, it cannot be withdrawn; one that somebody else canceled is replaced", async () => {
  const payer = await customerWith("pm_card_chargeCustomerFail");
  const declined = await scene.rail.payIntent(invoiceOf(payer));
  if (declined.status !== "declined") throw new Error("a decline was expected");
  const ref = { invoiceId: "inv_1", stripePaymentIntentId: declined.stripePaymentIntentId ?? "", at };
  await scene.rail.cancelIntent(ref);
  await scene.rail.cancelIntent(ref);
  await expect(scene.stripe.paymentIntents.confirm(ref.stripePaymentIntentId)).rejects.toThrow(/canceled/);
  await scene.giveCard(payer.stripeCustomerId, "pm_card_visa", "card/2");
  const { data } = await scene.stripe.paymentMethods.list({ customer: payer.stripeCustomerId });
  const works = { stripePaymentMethodId: data[0]?.id ?? "", attempt: 2 };
  const paid = await scene.rail.payIntent(
    invoiceOf(payer, { ...works, stripePaymentIntentId: ref.stripePaymentIntentId }),
  );
  if (paid.status !== "paid") throw new Error("a payment was expected");
  expect(paid.stripePaymentIntentId).not.toBe(ref.stripePaymentIntentId);
  const withdrawing = scene.rail.cancelIntent({
    invoiceId: "inv_2",
    stripePaymentIntentId: paid.stripePaymentIntentId,
    at,
  });
  await expect(withdrawing).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });
});

// The SDK sends again by itself after a reset, so it takes two to be noticed.
test.each([
  { action: "reset_after", times: 2 },
  { action: "truncate", times: 1 },
  { action: "error_after_stored", times: 1 },
  { action: "hang_after", times: 1 },
  { action: "html_502", times: 1 },
  { action: "error_before", times: 1 },
  { action: "conflict", times: 1 },
  { action: "rate_limit", times: 1 },
])("$action at the charge: one intent, one charge", async ({ action, times }) => {
  const payer = await customerWith("pm_card_visa");
  await scene.control("faults", { action, times, method: "POST", match: "/v1/payment_intents" });
  const { port } = server.sandbox;
  const address = { host: "127.0.0.1", port, protocol: "http" } as const;
  const impatient = new Stripe(scene.apiKey, { ...address, maxNetworkRetries: 0, timeout: 500 });
  const hasty = stripeRail(impatient, scene.log);
  const outcome = await untilDone(() => hasty.payIntent(invoiceOf(payer)));
  expect(outcome).toMatchObject({ status: "paid", amountMinor: "2500" });
  const { data } = await scene.stripe.paymentIntents.list({ customer: payer.stripeCustomerId });
  expect(data).toHaveLength(1);
  expect(await scene.counts()).toMatchObject({ paidCharges: 1 });
  const { faults } = await scene.control<{ faults: { firedFor: string[] }[] }>("faults");
  expect(faults[0]?.firedFor).toHaveLength(times);
});

test.each([
  { currency: "jpy", amountMinor: "2500", asked: 2500, booked: "2500", why: "no fraction, as we count" },
  { currency: "isk", amountMinor: "5000", asked: 500_000, booked: "5000", why: "always hundreds at Stripe" },
  { currency: "kwd", amountMinor: "12341", asked: 12_350, booked: "12350", why: "tens of fils, rounded up" },
])(
  "$amountMinor $currency is asked for as $asked: $why",
  async ({ currency, amountMinor, asked, booked }) => {
    const payer = await customerWith("pm_card_visa");
    const outcome = await scene.rail.payIntent(invoiceOf(payer, { currency, amountMinor }));
    expect(outcome).toMatchObject({ status: "paid", amountMinor: booked });
    const { data } = await scene.stripe.paymentIntents.list({ customer: payer.stripeCustomerId });
    expect(data.map(({ amount }) => amount)).toEqual([asked]);
  },
);

test("what a payment was for is found by its intent, its charge, or neither", async () => {
  const payer = await customerWith("pm_card_visa");
  const paid = await scene.rail.payIntent(invoiceOf(payer));
  if (paid.status !== "paid") throw new Error("a payment was expected");
  const { stripePaymentIntentId, stripeChargeId } = paid;
  const paidFor = { by: "payment_intent", invoiceId: "inv_1" };
  expect(await scene.rail.retrievePaidByIntent(stripePaymentIntentId)).toEqual(paidFor);
  expect(await scene.rail.retrievePaidByCharge(stripeChargeId)).toEqual({
    ...paidFor,
    stripePaymentIntentId,
  });
  const stranger = await scene.stripe.paymentIntents.create({
    amount: 700,
    currency: "usd",
    payment_method: "pm_card_visa",
    confirm: true,
  });
  expect(await scene.rail.retrievePaidByIntent(stranger.id)).toBeNull();
});
