import type { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { customerWith, openInvoice } from "./support/invoicing.ts";
import { accountOf, refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let stripe: Stripe;
let bank: (action: string, on?: object) => Promise<unknown>;
beforeEach(() => {
  const account = accountOf(server.sandbox.url);
  stripe = account.stripe;
  bank = (action, on = {}) => account.control("bank", { action, ...on });
});

/** An open invoice of $100.00, of a customer with a card. */
async function invoiceOf100(): Promise<Stripe.Invoice> {
  return await openInvoice(stripe, await customerWith(stripe, "pm_card_visa"), 10_000);
}

test("a note on an open invoice lowers what is charged, and never takes more than there is", async () => {
  const { id } = await invoiceOf100();
  const note = await stripe.creditNotes.create({ invoice: id, amount: 2_500, memo: "An outage" });
  expect(note).toMatchObject({ type: "pre_payment", pre_payment_amount: 2_500, post_payment_amount: 0 });
  const lowered = await stripe.invoices.retrieve(id);
  expect(lowered).toMatchObject({
    status: "open",
    total: 10_000,
    amount_due: 7_500,
    amount_remaining: 7_500,
    pre_payment_credit_notes_amount: 2_500,
  });
  const tooMuch = await refusalOf(stripe.creditNotes.create({ invoice: id, amount: 7_501 }));
  expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
  const paid = await stripe.invoices.pay(id);
  expect(paid).toMatchObject({ status: "paid", amount_paid: 7_500, amount_remaining: 0 });
  expect((await stripe.charges.list()).data[0]?.amount).toBe(7_500);
  expect((await stripe.creditNotes.list({ invoice: id })).data.map((each) => each.id)).toEqual([note.id]);
});

test("a note of all that is due ends the invoice without a charge", async () => {
  const { id } = await invoiceOf100();
  await stripe.creditNotes.create({ invoice: id, amount: 10_000 });
  expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: "paid", amount_paid: 0 });
  expect((await stripe.charges.list()).data).toEqual([]);
});

test("a note on a paid invoice says to the cent where the money went", async () => {
  const { id } = await invoiceOf100();
  await stripe.invoices.pay(id);
  const [charge] = (await stripe.charges.list()).data;
  const refund = await stripe.refunds.create({ charge: charge?.id ?? "", amount: 3_000 });
  const unsaid = await refusalOf(
    stripe.creditNotes.create({ invoice: id, amount: 4_000, out_of_band_amount: 999 }),
  );
  expect(unsaid.code).toBe("invalid_credit_note_amount");
  const note = await stripe.creditNotes.create({
    invoice: id,
    amount: 4_000,
    refunds: [{ refund: refund.id, amount_refunded: 3_000 }],
    out_of_band_amount: 1_000,
  });
  expect(note).toMatchObject({ type: "post_payment", post_payment_amount: 4_000, out_of_band_amount: 1_000 });
  const types = (await stripe.events.list({ limit: 100 })).data.map(({ type }) => type);
  expect(types).toContain("credit_note.created");
  const void_ = await invoiceOf100();
  await stripe.invoices.voidInvoice(void_.id);
  expect((await refusalOf(stripe.creditNotes.create({ invoice: void_.id, amount: 1 }))).statusCode).toBe(400);
});

test("what is taken in one currency is settled in another, at the rate of the moment", async () => {
  await bank("settle_in", { currency: "eur", rate: 0.9 });
  const { id } = await invoiceOf100();
  await stripe.invoices.pay(id);
  const [charge] = (await stripe.charges.list({ expand: ["data.balance_transaction"] })).data;
  // 10000 × 0.9 = 9000; its fee of 2.9 % and 30, 320, × 0.9 = 288.
  expect(charge?.balance_transaction).toMatchObject({
    currency: "eur",
    amount: 9_000,
    fee: 288,
    net: 8_712,
    exchange_rate: 0.9,
  });
  expect((await stripe.balance.retrieve()).pending).toMatchObject([{ currency: "eur", amount: 8_712 }]);
});

/** Sends the form of a page, as a browser would. */
const send = (url: string, fields: Record<string, string>) =>
  fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

async function setupPage(customer: string) {
  return await stripe.checkout.sessions.create({
    mode: "setup",
    customer,
    currency: "usd",
    success_url: "https://example.com/done?session={CHECKOUT_SESSION_ID}",
    setup_intent_data: { metadata: { reckoner_customer: "cus_ours" } },
  });
}

test("a page takes a card, with the bank's question where it has one", async () => {
  const { id: customer } = await stripe.customers.create({ email: "ada@example.com" });
  const session = await setupPage(customer);
  const url = session.url ?? "";
  expect(await (await fetch(url)).text()).toContain("Card number");
  expect(await (await send(url, { number: "4000000000000002" })).text()).toContain("declined");
  expect(await (await send(url, { number: "4000 0027 6000 3184" })).text()).toContain("is this you");
  expect(await (await send(url, { answer: "refuse" })).text()).toContain("did not confirm");
  await send(url, { number: "4000 0027 6000 3184" });
  const done = await send(url, { answer: "confirm" });
  expect(done.headers.get("location")).toBe(`https://example.com/done?session=${session.id}`);
  const completed = await stripe.checkout.sessions.retrieve(session.id, { expand: ["setup_intent"] });
  expect(completed).toMatchObject({ status: "complete", setup_intent: { status: "succeeded" } });
  expect((await fetch(url)).status).toBe(410);
  const { data } = await stripe.customers.listPaymentMethods(customer);
  expect(data.map(({ card }) => card?.last4)).toEqual(["3184"]);
});

test("the portal makes another card the default", async () => {
  const { id: customer } = await stripe.customers.create();
  const session = await stripe.billingPortal.sessions.create({
    customer,
    return_url: "https://example.com/account",
  });
  expect((await send(session.url, { number: "5555 5555 5555 4444" })).headers.get("location")).toBe(
    "https://example.com/account",
  );
  const after = await stripe.customers.retrieve(customer, {
    expand: ["invoice_settings.default_payment_method"],
  });
  expect(after).toMatchObject({ invoice_settings: { default_payment_method: { card: { last4: "4444" } } } });
  expect(await (await fetch(session.url)).text()).toContain("mastercard …4444");
});
