import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { instant } from "../../src/domain/calendar/index.ts";
import { createStripe, StripeCallError, type StripeRail, stripeRail } from "../../src/stripe/index.ts";
import { memoryOperationLog } from "./support/operation-log.ts";
import { accountOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

const at = instant("2026-05-01T00:00:00Z");
const hourMs = 3_600_000;

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let account: ReturnType<typeof accountOf>;
let rail: StripeRail;
let log: ReturnType<typeof memoryOperationLog>;
beforeEach(() => {
  account = accountOf(server.sandbox.url);
  log = memoryOperationLog();
  rail = stripeRail(createStripe({ apiKey: account.apiKey, apiBase: server.sandbox.url }), log);
});

const arm = (fault: Record<string, unknown>) => account.control("faults", fault);

async function customer(): Promise<string> {
  const { stripeCustomerId } = await rail.ensureCustomer({
    customerId: "cus_1",
    name: "Ada",
    email: "ada@example.com",
    at,
  });
  return stripeCustomerId;
}

async function customerWithCard(card: string): Promise<string> {
  const stripeCustomerId = await customer();
  await giveCard(stripeCustomerId, card, "card/1");
  return stripeCustomerId;
}

const giveCard = (stripeCustomerId: string, paymentMethodToken: string, key: string) =>
  rail.attachPaymentMethod({ customerId: "cus_1", stripeCustomerId, paymentMethodToken, key, at });

const invoiceFor = (stripeCustomerId: string, lines = threeLines) => ({
  invoiceId: "inv_1",
  number: "ADA-1",
  customerId: "cus_1",
  stripeCustomerId,
  currency: "usd",
  lines,
  totalMinor: String(lines.reduce((sum, line) => sum + Number(line.amountMinor), 0)),
  metadata: { reckoner_workflow: "collection/inv_1" },
  at,
});

// 2000 + 550 − 50 = 2500
const threeLines = [
  {
    lineId: "l1",
    description: "Pro plan",
    amountMinor: "2000",
    period: { start: at, end: at + 24 * hourMs },
  },
  { lineId: "l2", description: "1,100 thousand tokens", amountMinor: "550" },
  { lineId: "l3", description: "Unused seat", amountMinor: "-50" },
];

const pay = (stripeInvoiceId: string, attempt = 1) =>
  rail.payInvoice({ invoiceId: "inv_1", stripeInvoiceId, attempt, at });

async function counts() {
  const { stripe } = account;
  const [customers, invoices, charges] = await Promise.all([
    stripe.customers.list({ limit: 100 }),
    stripe.invoices.list({ limit: 100 }),
    stripe.charges.list({ limit: 100 }),
  ]);
  const paid = charges.data.filter((charge) => charge.paid);
  return { customers: customers.data.length, invoices: invoices.data.length, paidCharges: paid.length };
}

describe("an invoice from mirror to money", () => {
  test("is mirrored with its lines and metadata, and paid once", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_visa");
    const { stripeInvoiceId, status, hostedInvoiceUrl } = await rail.mirrorInvoice(
      invoiceFor(stripeCustomerId),
    );
    expect(status).toBe("open");
    expect(await (await fetch(hostedInvoiceUrl)).text()).toContain("1,100 thousand tokens");

    const outcome = await pay(stripeInvoiceId);
    expect(outcome).toMatchObject({ status: "paid", amountMinor: "2500" });
    expect(await pay(stripeInvoiceId)).toEqual(outcome);
    expect(await pay(stripeInvoiceId, 2)).toEqual(outcome);
    expect(await rail.retrieveInvoiceState(stripeInvoiceId)).toEqual(outcome);

    const invoice = await account.stripe.invoices.retrieve(stripeInvoiceId);
    expect(invoice.metadata).toEqual({
      reckoner_invoice: "inv_1",
      reckoner_customer: "cus_1",
      reckoner_workflow: "collection/inv_1",
    });
    expect(invoice.lines.data.map((line) => line.amount)).toEqual([2000, 550, -50]);
    expect(await counts()).toEqual({ customers: 1, invoices: 1, paidCharges: 1 });
  });

  test("a declined card is an outcome; a new card and a new attempt are paid", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_chargeCustomerFail");
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId));
    const declined = await pay(stripeInvoiceId, 1);
    expect(declined).toMatchObject({
      status: "declined",
      declineCode: "generic_decline",
      declineClass: "soft",
    });
    await giveCard(stripeCustomerId, "pm_card_mastercard", "card/2");
    expect(await pay(stripeInvoiceId, 1), "an attempt has one outcome for ever").toEqual(declined);
    expect(await pay(stripeInvoiceId, 2)).toMatchObject({ status: "paid", amountMinor: "2500" });
    expect(await counts()).toMatchObject({ paidCharges: 1 });
  });

  test("without a card nothing is sent; a card helps", async () => {
    const stripeCustomerId = await customer();
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId));
    const outcome = { status: "declined", declineCode: "payment_method_missing", declineClass: "hard" };
    expect(await pay(stripeInvoiceId)).toEqual(outcome);
    await giveCard(stripeCustomerId, "pm_card_visa", "card/1");
    expect(await pay(stripeInvoiceId)).toMatchObject({ status: "paid" });
  });

  test("a card that needs authentication asks for it, and is paid once the bank agrees", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_authenticationRequired");
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId));
    const outcome = await pay(stripeInvoiceId);
    if (outcome.status !== "requires_action") throw new Error(`expected an action, not ${outcome.status}`);
    expect(outcome.hostedInvoiceUrl).toContain("/invoice/");
    await account.control("bank", {
      action: "complete_authentication",
      intent: outcome.stripePaymentIntentId,
    });
    expect(await rail.retrieveInvoiceState(stripeInvoiceId)).toMatchObject({
      status: "paid",
      amountMinor: "2500",
    });
  });

  test("a void invoice is not charged, a paid one is not voided", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_visa");
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId));
    await rail.voidInvoice({ invoiceId: "inv_1", stripeInvoiceId, at });
    await rail.voidInvoice({ invoiceId: "inv_1", stripeInvoiceId, at });
    await expect(pay(stripeInvoiceId)).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });

    const second = { ...invoiceFor(stripeCustomerId), invoiceId: "inv_2", number: "ADA-2" };
    const mirrored = await rail.mirrorInvoice(second);
    await rail.payInvoice({ invoiceId: "inv_2", stripeInvoiceId: mirrored.stripeInvoiceId, attempt: 1, at });
    const voiding = rail.voidInvoice({ invoiceId: "inv_2", stripeInvoiceId: mirrored.stripeInvoiceId, at });
    await expect(voiding).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });
  });

  test("an uncollectible invoice can still be paid", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_visa");
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId));
    await rail.markUncollectible({ invoiceId: "inv_1", stripeInvoiceId, at });
    expect(await rail.retrieveInvoiceState(stripeInvoiceId)).toEqual({ status: "uncollectible" });
    expect(await pay(stripeInvoiceId)).toMatchObject({ status: "paid" });
  });

  test("400 lines become 250 with the same total: 249 of 1, and one of 151", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_visa");
    const lines = Array.from({ length: 400 }, (_, n) => ({
      lineId: `l${n}`,
      description: `Line ${n}`,
      amountMinor: "1",
    }));
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId, lines));
    const shown = await account.stripe.invoices
      .listLineItems(stripeInvoiceId, { limit: 100 })
      .autoPagingToArray({ limit: 300 });
    expect(shown).toHaveLength(250);
    expect(shown.at(-1)).toMatchObject({ amount: 151, description: "151 further lines" });
    expect(await pay(stripeInvoiceId)).toMatchObject({ status: "paid", amountMinor: "400" });
  });

  test("a mirror with another total stays a draft and is reported", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_visa");
    const wrong = { ...invoiceFor(stripeCustomerId), totalMinor: "2501" };
    await expect(rail.mirrorInvoice(wrong)).rejects.toMatchObject({ code: "stripe_total_differs" });
    const { data } = await account.stripe.invoices.list();
    expect(data.map((invoice) => invoice.status)).toEqual(["draft"]);
  });

  test("an invoice Stripe closes without a charge is not called paid", async () => {
    const stripeCustomerId = await customerWithCard("pm_card_visa");
    const small = [{ lineId: "l1", description: "Too small", amountMinor: "49" }];
    const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId, small));
    expect(await rail.retrieveInvoiceState(stripeInvoiceId)).toEqual({
      status: "paid_without_charge",
      totalMinor: "49",
    });
    await expect(pay(stripeInvoiceId)).rejects.toMatchObject({ code: "stripe_invoice_state_unexpected" });
  });
});

describe("faults", () => {
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
      await arm({ action, times, method: "POST", match });
      const outcome = await untilDone(async () => {
        const stripeCustomerId = await customerWithCard("pm_card_visa");
        const { stripeInvoiceId } = await rail.mirrorInvoice(invoiceFor(stripeCustomerId));
        return await pay(stripeInvoiceId);
      });
      expect(outcome).toMatchObject({ status: "paid", amountMinor: "2500" });
      expect(await counts()).toEqual({ customers: 1, invoices: 1, paidCharges: 1 });
      const { faults } = await account.control<{ faults: { firedFor: string[] }[] }>("faults");
      expect(faults[0]?.firedFor).toHaveLength(times);
    },
  );

  test.each([
    { action: "rate_limit", kind: "rate_limited" },
    { action: "lock_timeout", kind: "conflict" },
    { action: "conflict", kind: "conflict" },
    { action: "error_before", kind: "unavailable" },
    { action: "html_502", kind: "unavailable" },
  ])("$action is thrown as $kind, and the same call succeeds afterwards", async ({ action, kind }) => {
    await arm({ action, method: "POST", match: "/v1/customers" });
    const create = () =>
      rail.ensureCustomer({ customerId: "cus_1", name: "Ada", email: "ada@example.com", at });
    await expect(create()).rejects.toMatchObject({ failure: { kind } });
    await create();
    expect(await counts()).toMatchObject({ customers: 1 });
  });

  test("a key that fell silent for more than 20 hours is looked up, never sent again", async () => {
    await arm({ action: "error_before", method: "POST", match: "/v1/customers" });
    const customer = { customerId: "cus_1", name: "Ada", email: "ada@example.com" };
    await expect(rail.ensureCustomer({ ...customer, at })).rejects.toBeInstanceOf(StripeCallError);
    const later = instant("2026-05-01T21:00:00Z");
    await expect(rail.ensureCustomer({ ...customer, at: later })).rejects.toMatchObject({
      code: "stripe_outcome_unknown",
    });
    const made = await account.stripe.customers.create({
      email: customer.email,
      metadata: { reckoner_customer: "cus_1" },
    });
    expect(await rail.ensureCustomer({ ...customer, at: later })).toEqual({ stripeCustomerId: made.id });
    expect(await counts()).toMatchObject({ customers: 1 });
  });

  test("one key cannot stand for two requests", async () => {
    await rail.ensureCustomer({ customerId: "cus_1", name: "Ada", email: "ada@example.com", at });
    const changed = rail.ensureCustomer({ customerId: "cus_1", name: "Eve", email: "eve@example.com", at });
    await expect(changed).rejects.toMatchObject({ code: "stripe_operation_key_reused" });
  });

  test("a wrong key is an auth failure", async () => {
    const wrong = stripeRail(createStripe({ apiKey: "pk_test_1", apiBase: server.sandbox.url }), log);
    const create = wrong.ensureCustomer({ customerId: "cus_9", name: "Ada", email: "ada@example.com", at });
    await expect(create).rejects.toMatchObject({ failure: { kind: "auth" } });
  });
});

/** What an activity's retries do: call again while the outcome is unknown. */
async function untilDone<Result>(work: () => Promise<Result>, attemptsLeft = 3): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isUnknown = error instanceof StripeCallError && error.failure.kind === "unavailable";
    if (!isUnknown || attemptsLeft === 0) throw error;
    return await untilDone(work, attemptsLeft - 1);
  }
}
