import type { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifyDecline } from "../../src/stripe/declines.ts";
import { refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
let stripe: Stripe;
beforeAll(async () => {
  server = await sandboxUnderTest();
  stripe = server.stripe;
});
afterAll(() => server.close());

const payWith = (payment_method: string, amount = 1000) =>
  stripe.paymentIntents.create({ amount, currency: "usd", payment_method, confirm: true });

test.each([
  { card: "pm_card_visa", brand: "visa", last4: "4242" },
  { card: "pm_card_mastercard", brand: "mastercard", last4: "4444" },
  { card: "pm_card_amex", brand: "amex", last4: "0005" },
])("$card pays", async ({ card, brand, last4 }) => {
  const intent = await payWith(card);
  expect(intent).toMatchObject({ status: "succeeded", amount_received: 1000 });
  const method = await stripe.paymentMethods.retrieve(String(intent.payment_method));
  expect(method.card).toMatchObject({ brand, last4 });
});

test.each([
  { card: { token: "tok_visa" }, last4: "4242" },
  { card: { number: "4242 4242 4242 4242", exp_month: 3, exp_year: 2031 }, last4: "4242" },
  { card: { number: "4000000000000341", exp_month: 3, exp_year: 2031, cvc: "123" }, last4: "0341" },
])("a method can be made from $card", async ({ card, last4 }) => {
  const method = await stripe.paymentMethods.create({ type: "card", card });
  expect(method).toMatchObject({ card: { last4 }, customer: null });
});

test("a number that is no test card's is refused", async () => {
  const card = { number: "4111111111111111", exp_month: 3, exp_year: 2031 };
  const refusal = await refusalOf(stripe.paymentMethods.create({ type: "card", card }));
  expect(refusal).toMatchObject({ statusCode: 400, code: "incorrect_number" });
});

const declined = [
  { card: "pm_card_visa_chargeDeclined", code: "generic_decline", class: "soft" },
  {
    card: "pm_card_visa_chargeDeclinedInsufficientFunds",
    code: "insufficient_funds",
    class: "insufficient_funds",
  },
  { card: "pm_card_visa_chargeDeclinedLostCard", code: "lost_card", class: "hard" },
  { card: "pm_card_visa_chargeDeclinedStolenCard", code: "stolen_card", class: "hard" },
  { card: "pm_card_chargeDeclinedExpiredCard", code: "expired_card", class: "hard" },
  { card: "pm_card_chargeDeclinedProcessingError", code: "processing_error", class: "processing_error" },
  { card: "pm_card_chargeDeclinedIncorrectCvc", code: "incorrect_cvc", class: "hard" },
  { card: "pm_card_visa_chargeDeclinedVelocityLimitExceeded", code: "card_velocity_exceeded", class: "soft" },
  { card: "pm_card_radarBlock", code: "fraudulent", class: "hard" },
] as const;

describe("declining cards", () => {
  test.each(declined)("$card: $code, for us $class", async ({ card, code, class: expected }) => {
    const refusal = await refusalOf(payWith(card));
    expect(refusal).toMatchObject({ statusCode: 402, rawType: "card_error", decline_code: code });
    expect(classifyDecline(code, refusal.advice_code).class).toBe(expected);
    expect(refusal.payment_intent).toMatchObject({ status: "requires_payment_method" });
  });

  test.each(declined)("$card cannot be saved", async ({ card, code }) => {
    const { id } = await stripe.customers.create();
    const refusal = await refusalOf(stripe.paymentMethods.attach(card, { customer: id }));
    expect(refusal).toMatchObject({ statusCode: 402, decline_code: code });
    expect((await stripe.customers.listPaymentMethods(id)).data).toEqual([]);
  });
});

test.each([
  { code: "made_up_tomorrow", advice: undefined, class: "soft" },
  { code: "generic_decline", advice: "do_not_try_again", class: "hard" },
  { code: "stolen_card", advice: "try_again_later", class: "soft" },
  { code: "authentication_required", advice: undefined, class: "authentication" },
])("$code with advice $advice is $class", ({ code, advice, class: expected }) => {
  expect(classifyDecline(code, advice)).toMatchObject({ code, class: expected });
});

test("pm_card_visa becomes a new method each time it is saved", async () => {
  const { id: customer } = await stripe.customers.create();
  const first = await stripe.paymentMethods.attach("pm_card_visa", { customer });
  const second = await stripe.paymentMethods.attach("pm_card_visa", { customer });
  expect(first.id).not.toBe(second.id);
  await stripe.paymentMethods.detach(first.id);
  expect((await stripe.customers.listPaymentMethods(customer)).data.map(({ id }) => id)).toEqual([second.id]);
  const { id: other } = await stripe.customers.create();
  const stolen = await refusalOf(stripe.paymentMethods.attach(second.id, { customer: other }));
  expect(stolen).toMatchObject({ statusCode: 400 });
});

test("a setup intent saves a card, declines one, and waits for a third", async () => {
  const { id: customer } = await stripe.customers.create();
  const setUp = (payment_method: string) =>
    stripe.setupIntents.create({ customer, payment_method, confirm: true });
  expect(await setUp("pm_card_visa")).toMatchObject({ status: "succeeded" });
  expect(await refusalOf(setUp("pm_card_visa_chargeDeclined"))).toMatchObject({ statusCode: 402 });
  const waiting = await setUp("pm_card_authenticationRequired");
  expect(waiting.status).toBe("requires_action");
  await server.control("bank", { action: "complete_authentication", intent: waiting.id });
  expect(await stripe.setupIntents.retrieve(waiting.id)).toMatchObject({ status: "succeeded" });
  expect((await stripe.customers.listPaymentMethods(customer)).data).toHaveLength(2);
});

test.each([
  { amount: 49, code: "amount_too_small" },
  { amount: 100_000_000, code: "amount_too_large" },
])("$amount cents is refused: $code", async ({ amount, code }) => {
  expect(await refusalOf(payWith("pm_card_visa", amount))).toMatchObject({ statusCode: 400, code });
});
