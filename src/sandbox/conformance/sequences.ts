import { randomUUID } from "node:crypto";
import type { Stripe } from "stripe";
import type { Call, Sequence } from "./transcript.ts";

const invoiceFields = [
  "status",
  "amount_due",
  "amount_paid",
  "amount_remaining",
  "attempt_count",
  "attempted",
] as const;
const intentFields = ["status", "amount", "amount_received"] as const;

/** A customer whose invoices are charged to this test card. */
async function customerWith(call: Call, card: string): Promise<string> {
  const customer = await call("a customer", (s) => s.customers.create({ name: "Conformance" }), ["balance"]);
  const id = customer?.id ?? "";
  const method = await call(`attach ${card}`, (s) => s.paymentMethods.attach(card, { customer: id }), [
    "type",
  ]);
  if (method !== undefined) {
    const settings = { invoice_settings: { default_payment_method: method.id } };
    await call("make it the default", (s) => s.customers.update(id, settings), ["balance"]);
  }
  return id;
}

/** An invoice of one line, finalised, that Stripe does not collect by itself. */
async function openInvoice(call: Call, customer: string, amount: number): Promise<string> {
  const terms = { customer, currency: "usd", auto_advance: false } as const;
  const draft = await call("a draft", (s) => s.invoices.create(terms), invoiceFields);
  const id = draft?.id ?? "";
  const lines = [{ amount, description: "Usage" }];
  await call("its line", (s) => s.invoices.addLines(id, { lines }), ["total"]);
  await call("finalise", (s) => s.invoices.finalizeInvoice(id, { auto_advance: false }), invoiceFields);
  return id;
}

const intentOf = (customer: string, method: string, amount = 2_500): Stripe.PaymentIntentCreateParams => ({
  amount,
  currency: "usd",
  customer,
  payment_method: method,
  off_session: true,
  confirm: true,
});

/** Each runs against the stand-in and against Stripe's test mode; what Stripe's documentation leaves open is named. */
export const sequences: readonly Sequence[] = [
  {
    name: "an invoice that is paid",
    finds: "states and amounts from the draft to paid; a paid one is neither paid again nor voided",
    async run(call) {
      const id = await openInvoice(call, await customerWith(call, "pm_card_visa"), 2_500);
      await call("pay", (s) => s.invoices.pay(id, { off_session: true }), invoiceFields);
      await call("pay again", (s) => s.invoices.pay(id), invoiceFields);
      await call("void", (s) => s.invoices.voidInvoice(id), invoiceFields);
    },
  },
  {
    name: "a card that declines",
    finds: "status, code and decline code, and that the invoice stays open",
    async run(call) {
      const id = await openInvoice(call, await customerWith(call, "pm_card_chargeCustomerFail"), 2_500);
      await call("pay", (s) => s.invoices.pay(id, { off_session: true }), invoiceFields);
      await call("read", (s) => s.invoices.retrieve(id), invoiceFields);
      await call("mark uncollectible", (s) => s.invoices.markUncollectible(id), invoiceFields);
      await call("void", (s) => s.invoices.voidInvoice(id), invoiceFields);
    },
  },
  {
    name: "a card that must be authenticated, on an invoice",
    finds:
      "whether `pay` answers 400, 402 or 200, and in which state the invoice is then (open in the documentation)",
    async run(call) {
      const id = await openInvoice(call, await customerWith(call, "pm_card_authenticationRequired"), 2_500);
      await call("pay", (s) => s.invoices.pay(id, { off_session: true }), invoiceFields);
      await call("read", (s) => s.invoices.retrieve(id), invoiceFields);
      await call("void", (s) => s.invoices.voidInvoice(id), invoiceFields);
    },
  },
  {
    name: "an invoice of a customer without a card",
    finds: "whether `pay` is an error or answers 200 (open in the documentation)",
    async run(call) {
      const customer = await call("a customer", (s) => s.customers.create({ name: "Conformance" }), [
        "balance",
      ]);
      const id = await openInvoice(call, customer?.id ?? "", 2_500);
      await call("pay", (s) => s.invoices.pay(id), invoiceFields);
      await call("void", (s) => s.invoices.voidInvoice(id), invoiceFields);
    },
  },
  {
    name: "a draft that is paid",
    finds: "whether it is refused, or finalised and collected (open in the documentation)",
    async run(call) {
      const customer = await customerWith(call, "pm_card_visa");
      const terms = { customer, currency: "usd", auto_advance: false } as const;
      const draft = await call("a draft", (s) => s.invoices.create(terms), invoiceFields);
      await call("pay", (s) => s.invoices.pay(draft?.id ?? ""), invoiceFields);
      await call("delete", (s) => s.invoices.del(draft?.id ?? ""), ["deleted"]);
    },
  },
  {
    name: "an invoice below the smallest charge",
    finds: "that it is closed without a charge, and owed on the customer's balance",
    async run(call) {
      const customer = await customerWith(call, "pm_card_visa");
      const id = await openInvoice(call, customer, 20);
      await call("read", (s) => s.invoices.retrieve(id), invoiceFields);
      await call("read the customer", (s) => s.customers.retrieve(customer) as Promise<Stripe.Customer>, [
        "balance",
      ]);
    },
  },
  {
    name: "one payment intent, charged off session",
    finds: "that a decline leaves it for another card, and another confirmation pays it",
    async run(call) {
      const customer = await customerWith(call, "pm_card_chargeCustomerFail");
      const methods = await call("its cards", (s) => s.paymentMethods.list({ customer }), []);
      const method = methods?.data[0]?.id ?? "";
      await call("charge", (s) => s.paymentIntents.create(intentOf(customer, method)), intentFields);
      const intents = await call("find it", (s) => s.paymentIntents.list({ customer }), ["has_more"]);
      const intent = intents?.data[0]?.id ?? "";
      const other = await call("another card", (s) => s.paymentMethods.attach("pm_card_visa", { customer }), [
        "type",
      ]);
      const again = { payment_method: other?.id ?? "", off_session: true };
      await call("charge again", (s) => s.paymentIntents.confirm(intent, again), intentFields);
      await call("cancel", (s) => s.paymentIntents.cancel(intent), intentFields);
    },
  },
  {
    name: "a challenge, off and on session",
    finds: "that off session it is a decline, and on session a page to go to",
    async run(call) {
      const customer = await customerWith(call, "pm_card_authenticationRequired");
      const methods = await call("its cards", (s) => s.paymentMethods.list({ customer }), []);
      const method = methods?.data[0]?.id ?? "";
      await call("charge", (s) => s.paymentIntents.create(intentOf(customer, method)), intentFields);
      const intents = await call("find it", (s) => s.paymentIntents.list({ customer }), ["has_more"]);
      const intent = intents?.data[0]?.id ?? "";
      const here = { payment_method: method, return_url: "https://example.com/back" };
      await call("confirm on session", (s) => s.paymentIntents.confirm(intent, here), intentFields);
      await call("cancel", (s) => s.paymentIntents.cancel(intent), intentFields);
    },
  },
  {
    name: "a refund, and one too many",
    finds: "states, and the code of a refund above what is left",
    async run(call) {
      const customer = await customerWith(call, "pm_card_visa");
      const methods = await call("its cards", (s) => s.paymentMethods.list({ customer }), []);
      const method = methods?.data[0]?.id ?? "";
      const paid = await call(
        "charge",
        (s) => s.paymentIntents.create(intentOf(customer, method)),
        intentFields,
      );
      const payment_intent = paid?.id ?? "";
      await call("refund 1000", (s) => s.refunds.create({ payment_intent, amount: 1_000 }), [
        "status",
        "amount",
      ]);
      await call("refund 2000", (s) => s.refunds.create({ payment_intent, amount: 2_000 }), [
        "status",
        "amount",
      ]);
      await call("refund the rest", (s) => s.refunds.create({ payment_intent }), ["status", "amount"]);
      await call("refund nothing", (s) => s.refunds.create({ payment_intent }), ["status", "amount"]);
    },
  },
  {
    name: "one key, for two requests",
    finds: "that a key is answered again, and refused with other parameters",
    async run(call) {
      const options = { idempotencyKey: `conformance-${randomUUID()}` };
      await call("first", (s) => s.customers.create({ name: "Conformance" }, options), ["name"]);
      await call("again", (s) => s.customers.create({ name: "Conformance" }, options), ["name"]);
      await call("another", (s) => s.customers.create({ name: "Other" }, options), ["name"]);
    },
  },
];
