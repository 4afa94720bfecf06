import type { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { accountOf, refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let account: ReturnType<typeof accountOf>;
let stripe: Stripe;
beforeEach(() => {
  account = accountOf(server.sandbox.url);
  stripe = account.stripe;
});

async function customerWith(card: string, params: Stripe.CustomerCreateParams = {}): Promise<string> {
  const { id } = await stripe.customers.create({ name: "Ada", ...params });
  const method = await stripe.paymentMethods.attach(card, { customer: id });
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } });
  return id;
}

async function openInvoice(customer: string, amount: number, currency = "usd"): Promise<Stripe.Invoice> {
  const draft = await stripe.invoices.create({ customer, currency });
  await stripe.invoices.addLines(draft.id, { lines: [{ amount, description: "Usage" }] });
  return await stripe.invoices.finalizeInvoice(draft.id);
}

const eventTypes = async () =>
  (await stripe.events.list({ limit: 100 })).data.map(({ type }) => type).toReversed();
const eventsFrom = (types: string[], type: string) => types.slice(types.indexOf(type));

describe("from draft to paid", () => {
  test("the lines make the total, the charge pays it, and the events tell", async () => {
    const customer = await customerWith("pm_card_visa");
    const invoice = await openInvoice(customer, 1250);
    expect(invoice).toMatchObject({ status: "open", total: 1250, amount_due: 1250, attempt_count: 0 });
    expect(invoice.number).toMatch(/-0001$/);

    const paid = await stripe.invoices.pay(invoice.id, { expand: ["payments.data.payment.payment_intent"] });
    expect(paid).toMatchObject({ status: "paid", amount_paid: 1250, amount_remaining: 0, attempt_count: 1 });
    const intent = paid.payments?.data[0]?.payment.payment_intent;
    expect(intent).toMatchObject({ status: "succeeded", amount_received: 1250, customer });

    // 2.9 % of 1250 is 36.25, rounded 36, and 30: a fee of 66.
    const { data } = await stripe.balanceTransactions.list({ type: "charge" });
    expect(data).toMatchObject([{ amount: 1250, fee: 66, net: 1184 }]);
    expect(eventsFrom(await eventTypes(), "invoice.finalized")).toEqual([
      "invoice.finalized",
      "payment_intent.succeeded",
      "charge.succeeded",
      "invoice_payment.paid",
      "invoice.updated",
      "invoice.paid",
      "invoice.payment_succeeded",
    ]);
  });

  test("a decline is a 402 and leaves it open; a new card pays; one intent has succeeded", async () => {
    const customer = await customerWith("pm_card_chargeCustomerFail");
    const { id } = await openInvoice(customer, 2000);
    const decline = await refusalOf(stripe.invoices.pay(id));
    expect(decline).toMatchObject({
      statusCode: 402,
      code: "card_declined",
      decline_code: "generic_decline",
    });
    expect(decline.payment_intent).toMatchObject({ status: "requires_payment_method" });
    expect(await stripe.invoices.retrieve(id)).toMatchObject({
      status: "open",
      attempted: true,
      attempt_count: 1,
    });
    expect(eventsFrom(await eventTypes(), "charge.failed")).toEqual([
      "charge.failed",
      "payment_intent.payment_failed",
      "invoice.updated",
      "invoice.payment_failed",
    ]);

    const card = await stripe.paymentMethods.attach("pm_card_visa", { customer });
    expect(await stripe.invoices.pay(id, { payment_method: card.id })).toMatchObject({
      status: "paid",
      attempt_count: 1,
    });
    const intents = await stripe.paymentIntents.list({ customer });
    expect(intents.data.map(({ status }) => status)).toEqual(["succeeded"]);
    expect((await stripe.charges.list({ customer })).data.map(({ status }) => status)).toEqual([
      "succeeded",
      "failed",
    ]);
  });

  test("a card that must be authenticated waits for the bank", async () => {
    const customer = await customerWith("pm_card_authenticationRequired");
    const { id } = await openInvoice(customer, 2000);
    const refusal = await refusalOf(stripe.invoices.pay(id));
    expect(refusal).toMatchObject({ statusCode: 402, code: "invoice_payment_intent_requires_action" });
    expect(await eventTypes()).toContain("invoice.payment_action_required");
    const intent = refusal.payment_intent?.id ?? "";
    await account.control("bank", { action: "fail_authentication", intent });
    expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: "open" });
    await refusalOf(stripe.invoices.pay(id));
    await account.control("bank", { action: "complete_authentication", intent });
    expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: "paid", amount_paid: 2000 });
  });

  test("a scripted card declines twice and then succeeds", async () => {
    const customer = await customerWith("pm_card_visa");
    const { id } = await openInvoice(customer, 2000);
    const [card] = (await stripe.customers.listPaymentMethods(customer)).data;
    await account.control("cards/script", {
      payment_method: card?.id,
      outcomes: ["do_not_honor", "insufficient_funds"],
    });
    expect(await refusalOf(stripe.invoices.pay(id))).toMatchObject({ decline_code: "do_not_honor" });
    expect(await refusalOf(stripe.invoices.pay(id))).toMatchObject({ decline_code: "insufficient_funds" });
    expect(await stripe.invoices.pay(id)).toMatchObject({ status: "paid" });
  });

  test("without any card there is nothing to charge", async () => {
    const { id: customer } = await stripe.customers.create();
    const { id } = await openInvoice(customer, 2000);
    expect(await refusalOf(stripe.invoices.pay(id))).toMatchObject({
      statusCode: 400,
      param: "payment_method",
    });
    expect(await stripe.invoices.pay(id, { paid_out_of_band: true })).toMatchObject({ status: "paid" });
    expect((await stripe.charges.list()).data).toEqual([]);
  });
});

describe("what each state refuses", () => {
  const act = {
    finalize: (id: string) => stripe.invoices.finalizeInvoice(id),
    pay: (id: string) => stripe.invoices.pay(id),
    void: (id: string) => stripe.invoices.voidInvoice(id),
    uncollectible: (id: string) => stripe.invoices.markUncollectible(id),
    delete: (id: string) => stripe.invoices.del(id),
    "add a line": (id: string) => stripe.invoices.addLines(id, { lines: [{ amount: 5 }] }),
    describe: (id: string) => stripe.invoices.update(id, { description: "late" }),
  };
  const reach: Record<string, (keyof typeof act)[]> = {
    draft: [],
    open: ["finalize"],
    paid: ["finalize", "pay"],
    void: ["finalize", "void"],
    uncollectible: ["finalize", "uncollectible"],
  };
  const allowed: Record<string, (keyof typeof act)[]> = {
    draft: ["finalize", "delete", "add a line", "describe"],
    open: ["pay", "void", "uncollectible"],
    paid: [],
    void: [],
    uncollectible: ["pay", "void"],
  };
  const rows = Object.keys(reach).flatMap((state) =>
    (Object.keys(act) as (keyof typeof act)[]).map((action) => ({
      state,
      action,
      isAllowed: allowed[state]?.includes(action),
    })),
  );

  test.each(rows)("$state, $action: $isAllowed", async ({ state, action, isAllowed }) => {
    const customer = await customerWith("pm_card_visa");
    const { id } = await stripe.invoices.create({ customer });
    await stripe.invoices.addLines(id, { lines: [{ amount: 1000 }] });
    for (const step of reach[state] ?? []) await act[step](id);
    if (isAllowed) expect(await act[action](id)).toMatchObject({ id });
    else {
      expect(await refusalOf(act[action](id))).toMatchObject({
        statusCode: 400,
        rawType: "invalid_request_error",
      });
      expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: state });
    }
  });
});

describe("lines", () => {
  test("have their own id, which is not the item's", async () => {
    const { id: customer } = await stripe.customers.create();
    const { id } = await stripe.invoices.create({ customer });
    const { lines } = await stripe.invoices.addLines(id, { lines: [{ amount: 100 }, { amount: 200 }] });
    const [first, second] = lines.data;
    const item = first?.parent?.invoice_item_details?.invoice_item ?? "";
    expect([first?.id.slice(0, 3), item.slice(0, 3)]).toEqual(["il_", "ii_"]);
    const change = (lineId: string) =>
      stripe.invoices.updateLines(id, { lines: [{ id: lineId, amount: 150 }] });
    expect(await refusalOf(change(item))).toMatchObject({ code: "resource_missing" });
    expect(await change(first?.id ?? "")).toMatchObject({ total: 350 });
    const removal = { lines: [{ id: second?.id ?? "", behavior: "delete" as const }] };
    expect(await stripe.invoices.removeLines(id, removal)).toMatchObject({ total: 150 });
  });

  test("the 251st is refused and the invoice is as it was", async () => {
    const { id: customer } = await stripe.customers.create();
    const { id } = await stripe.invoices.create({ customer });
    const lines = Array.from({ length: 250 }, () => ({ amount: 1 }));
    expect(await stripe.invoices.addLines(id, { lines })).toMatchObject({
      total: 250,
      lines: { has_more: true },
    });
    expect(await refusalOf(stripe.invoices.addLines(id, { lines: [{ amount: 1 }] }))).toMatchObject({
      statusCode: 400,
    });
    expect(await stripe.invoices.retrieve(id)).toMatchObject({ total: 250 });
  });

  test("usage at 0.35 cents: 1,001 × 0.35 = 350.35, so 350", async () => {
    const { id: customer } = await stripe.customers.create();
    const { id } = await stripe.invoices.create({ customer });
    const price = { currency: "usd", product_data: { name: "Tokens" }, unit_amount_decimal: "0.35" };
    const line = { quantity: 1001, price_data: price } as never;
    expect(await stripe.invoices.addLines(id, { lines: [line] })).toMatchObject({ total: 350 });
  });

  test("a number is given once", async () => {
    const { id: customer } = await stripe.customers.create();
    await stripe.invoices.create({ customer, number: "ADA-7" });
    expect(await refusalOf(stripe.invoices.create({ customer, number: "ADA-7" }))).toMatchObject({
      param: "number",
    });
  });

  test("pending items join an invoice only when asked", async () => {
    const { id: customer } = await stripe.customers.create();
    await stripe.invoiceItems.create({ customer, amount: 700, currency: "usd" });
    expect(await stripe.invoices.create({ customer })).toMatchObject({ total: 0 });
    const including = { customer, pending_invoice_items_behavior: "include" } as const;
    expect(await stripe.invoices.create(including)).toMatchObject({ total: 700 });
    expect((await stripe.invoiceItems.list({ pending: true })).data).toEqual([]);
  });
});

describe("amounts at the edges", () => {
  test.each([
    { currency: "usd", amount: 49, status: "paid", why: "below 0.50" },
    { currency: "usd", amount: 50, status: "open", why: "the smallest charge" },
    { currency: "gbp", amount: 29, status: "paid", why: "below 0.30" },
    { currency: "jpy", amount: 50, status: "open", why: "no decimals: fifty yen" },
    { currency: "jpy", amount: 49, status: "paid", why: "below fifty yen" },
    { currency: "kwd", amount: 1230, status: "open", why: "three decimals, in tens" },
  ])("$amount $currency is $status: $why", async ({ currency, amount, status }) => {
    const customer = await customerWith("pm_card_visa");
    const invoice = await openInvoice(customer, amount, currency);
    expect(invoice).toMatchObject({ status, total: amount, attempt_count: 0 });
    const owed = status === "paid" ? amount : 0;
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: owed });
    const { data } = await stripe.customers.listBalanceTransactions(customer);
    expect(data.map(({ type, amount: moved }) => ({ type, moved }))).toEqual(
      owed > 0 ? [{ type: "invoice_too_small", moved: owed }] : [],
    );
  });

  test.each([
    { currency: "kwd", amount: 1235, code: "invalid_charge_amount" },
    { currency: "usd", amount: 100_000_000, code: "amount_too_large" },
  ])("$amount $currency cannot be finalised: $code", async ({ currency, amount, code }) => {
    const { id: customer } = await stripe.customers.create();
    expect(await refusalOf(openInvoice(customer, amount, currency))).toMatchObject({ code });
  });

  test.each([
    { balance: -300, due: 700, left: 0, why: "1000 − 300" },
    { balance: -1500, due: 0, left: -500, why: "1500 covers 1000" },
    { balance: 200, due: 1200, left: 0, why: "1000 + 200 owed" },
  ])("a balance of $balance makes $due due: $why", async ({ balance, due, left }) => {
    const customer = await customerWith("pm_card_visa", { balance });
    const invoice = await openInvoice(customer, 1000);
    expect(invoice).toMatchObject({
      total: 1000,
      amount_due: due,
      starting_balance: balance,
      ending_balance: left,
    });
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: left });
  });

  test("voiding gives the balance back", async () => {
    const customer = await customerWith("pm_card_visa", { balance: -300 });
    const { id } = await openInvoice(customer, 1000);
    await stripe.invoices.voidInvoice(id);
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -300 });
  });
});

describe("refunds", () => {
  test("in parts, up to the charge and no further", async () => {
    const customer = await customerWith("pm_card_visa");
    const { id } = await openInvoice(customer, 1000);
    await stripe.invoices.pay(id);
    const [charge] = (await stripe.charges.list({ customer })).data;
    const of = { charge: charge?.id ?? "" };
    expect(await stripe.refunds.create({ ...of, amount: 400 })).toMatchObject({
      amount: 400,
      status: "succeeded",
    });
    expect(await refusalOf(stripe.refunds.create({ ...of, amount: 601 }))).toMatchObject({ param: "amount" });
    expect(await stripe.refunds.create(of)).toMatchObject({ amount: 600 });
    expect(await refusalOf(stripe.refunds.create(of))).toMatchObject({ code: "charge_already_refunded" });
    const { data } = await stripe.balanceTransactions.list({ type: "refund" });
    expect(data.map(({ net }) => net)).toEqual([-600, -400]);
  });
});
