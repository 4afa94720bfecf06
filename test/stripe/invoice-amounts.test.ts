import type { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { customerWith, openInvoice } from "./support/invoicing.ts";
import { accountOf, refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let stripe: Stripe;
beforeEach(() => {
  ({ stripe } = accountOf(server.sandbox.url));
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
    const customer = await customerWith(stripe, "pm_card_visa");
    const invoice = await openInvoice(stripe, customer, amount, currency);
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
    expect(await refusalOf(openInvoice(stripe, customer, amount, currency))).toMatchObject({ code });
  });

  test.each([
    { balance: -300, due: 700, left: 0, why: "1000 − 300" },
    { balance: -1500, due: 0, left: -500, why: "1500 covers 1000" },
    { balance: 200, due: 1200, left: 0, why: "1000 + 200 owed" },
  ])("a balance of $balance makes $due due: $why", async ({ balance, due, left }) => {
    const customer = await customerWith(stripe, "pm_card_visa", { balance });
    const invoice = await openInvoice(stripe, customer, 1000);
    expect(invoice).toMatchObject({
      total: 1000,
      amount_due: due,
      starting_balance: balance,
      ending_balance: left,
    });
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: left });
  });

  test("voiding gives the balance back", async () => {
    const customer = await customerWith(stripe, "pm_card_visa", { balance: -300 });
    const { id } = await openInvoice(stripe, customer, 1000);
    await stripe.invoices.voidInvoice(id);
    expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -300 });
  });
});

describe("refunds", () => {
  test("in parts, up to the charge and no further", async () => {
    const customer = await customerWith(stripe, "pm_card_visa");
    const { id } = await openInvoice(stripe, customer, 1000);
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

test("collection by itself is refused, not ignored", async () => {
  const { id: customer } = await stripe.customers.create();
  const unsupported = { statusCode: 400, code: "sandbox_parameter_unsupported", param: "auto_advance" };
  expect(await refusalOf(stripe.invoices.create({ customer, auto_advance: true }))).toMatchObject(
    unsupported,
  );
  const { id } = await stripe.invoices.create({ customer, auto_advance: false });
  expect(await refusalOf(stripe.invoices.finalizeInvoice(id, { auto_advance: true }))).toMatchObject(
    unsupported,
  );
});
