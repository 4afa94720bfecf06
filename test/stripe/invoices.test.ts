import type { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { customerWith, openInvoice } from "./support/invoicing.ts";
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

const eventTypes = async () =>
  (await stripe.events.list({ limit: 100 })).data.map(({ type }) => type).toReversed();
const eventsFrom = (types: string[], type: string) => types.slice(types.indexOf(type));

describe("from draft to paid", () => {
  test("the lines make the total, the charge pays it, and the events tell", async () => {
    const customer = await customerWith(stripe, "pm_card_visa");
    const invoice = await openInvoice(stripe, customer, 1250);
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
    const customer = await customerWith(stripe, "pm_card_chargeCustomerFail");
    const { id } = await openInvoice(stripe, customer, 2000);
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
    const customer = await customerWith(stripe, "pm_card_authenticationRequired");
    const { id } = await openInvoice(stripe, customer, 2000);
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
    const customer = await customerWith(stripe, "pm_card_visa");
    const { id } = await openInvoice(stripe, customer, 2000);
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
    const { id } = await openInvoice(stripe, customer, 2000);
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
    const customer = await customerWith(stripe, "pm_card_visa");
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
