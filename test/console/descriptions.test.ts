import { describe, expect, test } from "vitest";
import { type CustomerFacts, describeCustomer } from "../../src/console/customer/describe-customer.ts";
import { leadingStatus } from "../../src/console/customer/leading-status.ts";
import { describeInvoice } from "../../src/console/invoice/describe-invoice.ts";
import { acme, acmeInvoice, acmeSubscription } from "./support/records.ts";

const planName = (key: string) => ({ pro: "Pro", extra: "Extra tokens" })[key] ?? key;
const open = { total_minor: "4900", amount_paid_minor: "0" };
const facts = (change: Partial<CustomerFacts>): CustomerFacts => ({
  customer: acme,
  subscriptions: [acmeSubscription],
  openInvoices: [],
  planName,
  ...change,
});

describe("a customer's state in sentences", () => {
  test.each([
    {
      why: "all is well",
      given: facts({}),
      sentences:
        "Acme is on Pro with 5 seats, active; this period ends on Mar 1, 2026. Nothing is owed. Visa ending in 4242 is on file.",
    },
    {
      why: "a payment failed: 4900 + (4900 − 900) is owed",
      given: facts({
        subscriptions: [{ ...acmeSubscription, status: "past_due" }],
        openInvoices: [open, { ...open, amount_paid_minor: "900" }],
        customer: { ...acme, payment_method: null },
      }),
      sentences:
        "Acme is on Pro with 5 seats, past due after a failed payment; this period ends on Mar 1, 2026. $89.00 is open on 2 invoices. There is no payment method on file.",
    },
    {
      why: "a cancellation is agreed",
      given: facts({ subscriptions: [{ ...acmeSubscription, cancel_at: "2026-03-01T00:00:00.000Z" }] }),
      sentences:
        "Acme is on Pro with 5 seats, active until it ends on Mar 1, 2026. Nothing is owed. Visa ending in 4242 is on file.",
    },
    {
      why: "it is over",
      given: facts({
        subscriptions: [{ ...acmeSubscription, status: "canceled", canceled_at: "2026-02-10T08:00:00.000Z" }],
      }),
      sentences:
        "Acme’s subscription ended on Feb 10, 2026. Nothing is owed. Visa ending in 4242 is on file.",
    },
    {
      why: "it is tried",
      given: facts({ subscriptions: [{ ...acmeSubscription, status: "trialing" }] }),
      sentences:
        "Acme is on Pro with 5 seats, on trial; this period ends on Mar 1, 2026. Nothing is owed. Visa ending in 4242 is on file.",
    },
    {
      why: "its first payment is waited for",
      given: facts({ subscriptions: [{ ...acmeSubscription, status: "incomplete" }] }),
      sentences:
        "Acme is on Pro with 5 seats, which begins when its first invoice is paid. Nothing is owed. Visa ending in 4242 is on file.",
    },
    {
      why: "nobody paid",
      given: facts({ subscriptions: [{ ...acmeSubscription, status: "incomplete_expired" }] }),
      sentences:
        "Acme’s subscription never began: it was not paid. Nothing is owed. Visa ending in 4242 is on file.",
    },
    {
      why: "it has not begun",
      given: facts({ subscriptions: [] }),
      sentences: "Acme has no subscription yet. Nothing is owed. Visa ending in 4242 is on file.",
    },
  ])("$why", ({ given, sentences }) => expect(describeCustomer(given)).toBe(sentences));

  test("days are those of the customer's time zone", () => {
    const customer = { ...acme, time_zone: "America/New_York" };
    expect(describeCustomer(facts({ customer }))).toContain("this period ends on Feb 28, 2026");
  });

  test("what needs attention leads", () => {
    const of = (...statuses: ("active" | "past_due" | "canceled")[]) =>
      leadingStatus(statuses.map((status) => ({ status })));
    expect([of("active", "past_due"), of("canceled", "active"), of()]).toEqual(["past_due", "active", null]);
  });
});

describe("an invoice's state in sentences", () => {
  const head = "Period close for Jan 1 – Feb 1, 2026, issued on Feb 1, 2026: $113.64.";
  const [declined, paid] = acmeInvoice.payment_attempts;
  if (declined === undefined || paid === undefined)
    throw new Error("the invoice of the records has two attempts");
  const unpaid = { ...acmeInvoice, status: "open" as const, paid_at: null, amount_paid_minor: "0" };

  test.each([
    {
      why: "paid late",
      invoice: acmeInvoice,
      state: "It was paid on Feb 2, 2026, after one failed attempt.",
    },
    {
      why: "waiting",
      invoice: { ...unpaid, payment_attempts: [], dunning: null },
      state: "It is waiting to be paid.",
    },
    {
      why: "in dunning",
      invoice: {
        ...unpaid,
        payment_attempts: [declined],
        dunning: {
          state: "retrying" as const,
          attempts: 1,
          started_at: "2026-02-01T00:00:00.000Z",
          next_attempt_at: "2026-02-04T00:00:00.000Z",
          ended_at: null,
        },
      },
      state:
        "The last attempt to collect it failed on Feb 1, 2026 (insufficient funds). The next is on Feb 4, 2026.",
    },
    {
      why: "closed without all usage",
      invoice: {
        ...acmeInvoice,
        usage_complete_until: "2026-01-31T21:15:00.000Z",
        usage_held_back_by: "gateway",
      },
      state:
        "It was paid on Feb 2, 2026, after one failed attempt. Its usage is complete until Jan 31, 2026, 21:15 only: gateway was behind.",
    },
    {
      why: "void",
      invoice: { ...unpaid, status: "void" as const },
      state: "It was voided: nothing is owed.",
    },
  ])("$why", ({ invoice, state }) => expect(describeInvoice(invoice, "UTC")).toBe(`${head} ${state}`));
});
