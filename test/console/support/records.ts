import type { Schemas } from "../../../src/sdk/index.ts";
import { reportAnswers } from "./report-records.ts";
import { waitingAnswers, waitingCreditNote } from "./waiting-records.ts";

/** One customer with everything the console shows, as the API would answer. */

const january = { start: "2026-01-01T00:00:00.000Z", end: "2026-02-01T00:00:00.000Z" };
const february = { start: "2026-02-01T00:00:00.000Z", end: "2026-03-01T00:00:00.000Z" };

export const acme: Schemas["Customer"] = {
  id: "acme",
  name: "Acme",
  email: "billing@acme.example",
  currency: "usd",
  time_zone: "UTC",
  test_clock: null,
  payment_method: { id: "pm_1", brand: "visa", last4: "4242", exp_month: 12, exp_year: 2030 },
  created_at: january.start,
};

export const acmeSubscription: Schemas["Subscription"] = {
  id: "sub_acme",
  customer: "acme",
  status: "active",
  items: [{ plan: "pro", plan_version: 2, seats: 5 }],
  started_at: january.start,
  current_period: february,
  billed_through: february.start,
  cancel_at: null,
  canceled_at: null,
  trial_ends_at: null,
  expires_at: null,
  reactivates: null,
  access: { level: "granted", invoice: null, next: null },
  workflow: "subscription/sub_acme",
};

const issued: Schemas["JournalEntry"] = {
  id: "7",
  kind: "invoice_issued",
  source_key: "invoice/in_1/issued",
  actor: "reckoner",
  customer: "acme",
  cause: { type: "invoice", id: "in_1" },
  currency: "usd",
  occurred_at: february.start,
  effective_at: february.start,
  recorded_at: february.start,
  reverses: null,
  metadata: { invoice_id: "in_1" },
  postings: [
    { debit: "1100/usd/customer=acme", credit: "1110/usd/customer=acme", amount_minor: "11364.42705" },
  ],
};

const summary: Schemas["Invoice"] = {
  id: "in_1",
  number: "ACME-0002",
  kind: "cycle",
  status: "paid",
  customer: "acme",
  subscription: "sub_acme",
  currency: "usd",
  period_start: january.start,
  period_end: january.end,
  tax_minor: "0",
  subtotal_minor: "11364",
  credits_applied_minor: "0",
  balance_applied_minor: "0",
  total_minor: "11364",
  amount_paid_minor: "11364",
  credited_minor: "0",
  issued_at: february.start,
  usage_complete_until: january.end,
  usage_known_by: "reported",
  usage_held_back_by: null,
  paid_at: "2026-02-02T09:12:00.000Z",
  stripe_invoice: "in_stripe_1",
  hosted_invoice_url: null,
  replaces: null,
};

export const acmeInvoice: Schemas["InvoiceDetail"] = {
  ...summary,
  parts: [
    {
      part: 1,
      subscription: "sub_1",
      period_start: "2026-01-01T00:00:00.000Z",
      period_end: "2026-02-01T00:00:00.000Z",
      usage_complete_until: "2026-02-01T00:00:00.000Z",
      usage_known_by: "none",
      usage_held_back_by: null,
    },
  ],
  lines: [
    {
      line: 1,
      part: 1,
      kind: "usage",
      description: "Pro: Input tokens",
      product: "tokens",
      plan: "pro",
      plan_version: 2,
      price: "input",
      period_start: january.start,
      period_end: january.end,
      quantity: "53822135.25",
      amount_minor: "11364",
      exact_minor: "11364.42705",
      // 10,000,000 × 0.0003 + 41,822,135.25 × 0.0002 = 3,000 + 8,364.42705
      detail: {
        unit: "tokens",
        cumulative_quantity: "53822135.25",
        included_quantity: "2000000",
        cumulative_exact_minor: "11364.42705",
        tiers: [
          {
            from: "0",
            to: "10000000",
            quantity: "10000000",
            unit_price_minor: "0.0003",
            flat_minor: "0",
            exact_minor: "3000",
          },
          {
            from: "10000000",
            to: null,
            quantity: "41822135.25",
            unit_price_minor: "0.0002",
            flat_minor: "0",
            exact_minor: "8364.42705",
          },
        ],
      },
    },
  ],
  payments: [
    {
      stripe_payment_intent: "pi_1",
      stripe_charge: "ch_1",
      amount_minor: "11364",
      received_at: "2026-02-02T09:12:00.000Z",
    },
  ],
  refunds: [],
  disputes: [],
  payment_attempts: [
    {
      attempt: 1,
      cause: "first",
      outcome: "declined",
      decline_code: "insufficient_funds",
      attempted_at: february.start,
    },
    {
      attempt: 2,
      cause: "new_payment_method",
      outcome: "paid",
      decline_code: null,
      attempted_at: "2026-02-02T09:12:00.000Z",
    },
  ],
  dunning: {
    state: "recovered",
    attempts: 2,
    started_at: february.start,
    next_attempt_at: null,
    ended_at: "2026-02-02T09:12:00.000Z",
  },
  entries: [issued],
};

const acmeExplanation: Schemas["InvoiceExplanation"] = {
  invoice: "in_1",
  number: "ACME-0002",
  currency: "usd",
  lines: [
    {
      line: 1,
      description: "Pro: Input tokens",
      amount_minor: "11364",
      exact_minor: "11364.42705",
      steps: [
        {
          kind: "included",
          text: "2,000,000 of it included, free of charge.",
          figures: { quantity: "2000000" },
        },
        {
          kind: "rounding",
          text: "The sum for the period rounded once, half to even: $113.64.",
          figures: { mode: "half-even", exact_minor: "11364.42705", amount_minor: "11364" },
        },
      ],
    },
  ],
  sum: [],
};

const acmeCreditNote: Schemas["CreditNote"] = {
  id: "cn_1",
  number: "ACME-CN-0001",
  status: "issued",
  invoice: "in_1",
  customer: "acme",
  currency: "usd",
  total_minor: "500",
  lowers_due_minor: "0",
  to_balance_minor: "500",
  to_refund_minor: "0",
  destination: "balance",
  lines: [{ line: 1, amount_minor: "500" }],
  reason_code: "service_outage",
  reason: null,
  subscription: null,
  requested_by: "api-key/key_1",
  requested_at: "2026-02-03T09:00:00.000Z",
  issued_by: "api-key/key_1",
  issued_at: "2026-02-03T09:00:00.000Z",
  approval: { limit_minor: "50000", counted_minor: "500", needed: false },
  decision: null,
};

/** An event of the invoice's line, whose id is no part of a path. */
const sent = { source: "gateway", id: "req/1 ?&", type: "request", time: "2026-01-10T12:00:00.000Z" };
const dimensions = { model: "gpt-4.1" };

const lineEvents: Schemas["InvoiceLineEvents"] = {
  invoice: "in_1",
  line: 1,
  quantity: "53822135.25",
  subscription: "sub_1",
  revision: 0,
  period_start: january.start,
  period_end: january.end,
  meter: "input_tokens",
  meter_version: 1,
  aggregation: "sum",
  where: {},
  archived_before: null,
  data: [{ ...sent, recorded_at: sent.time, dimensions, quantity: "53822135.25", effect: "added" }],
  next_cursor: null,
};

const sentEvent: Schemas["UsageEvent"] = {
  ...sent,
  state: "accepted",
  customer: "acme",
  recorded_at: sent.time,
  data: { model: "gpt-4.1", tokens: "53822135.25" },
  contributions: [{ meter: "input_tokens", meter_version: 1, dimensions, quantity: "53822135.25" }],
};

const eventBilling: Schemas["UsageEventBilling"] = {
  source: sent.source,
  id: sent.id,
  customer: "acme",
  time: sent.time,
  state: "accepted",
  contributions: [
    {
      meter: "input_tokens",
      meter_version: 1,
      dimensions,
      quantity: "53822135.25",
      effect: "added",
      recorded_at: sent.time,
      places: [
        {
          status: "invoiced",
          subscription: "sub_1",
          period_start: january.start,
          period_end: january.end,
          plan: "pro",
          price: "input",
          revision: 0,
          effect: "added",
          invoice: "in_1",
          invoice_number: "ACME-0002",
          line: 1,
        },
      ],
    },
  ],
};

const usageCost: Schemas["UsageCost"] = {
  customer: "acme",
  as_of: "2026-02-04T00:00:00.000Z",
  data: [
    {
      subscription: "sub_1",
      period_start: february.start,
      period_end: february.end,
      closed: false,
      currency: "usd",
      complete_until: "2026-02-04T00:00:00.000Z",
      amount_minor: "900",
      billed_at_thresholds_minor: "0",
      adjustments: [],
      prices: [
        {
          plan: "pro",
          plan_version: 2,
          price: "input",
          name: "Input tokens",
          meter: "input_tokens",
          meter_version: 1,
          where: {},
          unit_label: "tokens",
          from: february.start,
          to: february.end,
          quantity: "5000000",
          included_quantity: "2000000",
          exact_minor: "900.0001", // 3,000,000 × 0.0003 and a little
          amount_minor: "900",
          complete_until: "2026-02-04T00:00:00.000Z",
        },
      ],
      late_usage: [
        {
          period_start: january.start,
          period_end: january.end,
          plan: "pro",
          price: "input",
          adjustment: null,
          quantity: "7",
          exact_minor: "0.0021",
          amount_minor: "0",
        },
      ],
    },
  ],
};

const used = (day: string, model: string, quantity: string, event_count: number) => ({
  window_start: `2026-02-${day}T00:00:00.000Z`,
  dimensions: { model },
  quantity,
  event_count,
});

export const acmeUsage: Schemas["Usage"] = {
  customer: "acme",
  meter: "input_tokens",
  meter_version: 1,
  from: "2026-02-01T00:00:00.000Z",
  to: "2026-02-04T00:00:00.000Z",
  complete_until: "2026-02-04T00:00:00.000Z",
  data: [
    used("01", "mini", "70", 2),
    used("01", "gpt-4.1", "9007199254740993.5", 2),
    used("03", "gpt-4.1", "1", 1),
  ],
};

const grant: Schemas["CreditGrant"] = {
  id: "crg_1",
  customer: "acme",
  kind: "paid",
  status: "active",
  currency: "usd",
  amount_minor: "10000",
  adjusted_minor: "0",
  remaining_minor: "6499.57295",
  priority: 50,
  effective_at: january.start,
  expires_at: null,
  voided_at: null,
  invoice: null,
  reason_code: null,
  reason: "prepaid credit",
  scope: null,
  recurring_grant: null,
  occurrence: null,
  rolled_over_from: null,
  end: null,
  created_at: january.start,
};

const catalog: Schemas["Catalog"] = {
  meters: [{ key: "input_tokens", event_type: "llm.request", aggregation: "sum", dimensions: ["model"] }],
  plans: [],
};

const overview: Schemas["CustomerOverview"] = {
  ...acme,
  open_balance_minor: "0",
  subscriptions: [{ id: "sub_acme", status: "active", items: acmeSubscription.items }],
};

const list = (...data: unknown[]) => ({ data, next_cursor: null });

/** What each read of the console is answered with. */
export const answers: Readonly<Record<string, unknown>> = {
  "/v1/customers": list(overview),
  "/v1/customers/acme": acme,
  "/v1/customers/acme/credit-grants": list(grant),
  "/v1/customers/acme/entries": list(issued),
  "/v1/customers/acme/usage": usageCost,
  "/v1/subscriptions": list(acmeSubscription),
  "/v1/invoices": list(summary),
  "/v1/invoices/in_1": acmeInvoice,
  "/v1/invoices/in_1/lines/1/events": lineEvents,
  "/v1/invoices/in_1/explain": acmeExplanation,
  "/v1/invoices/in_1/document.pdf": "%PDF-1.3 of ACME-0002",
  "/v1/credit-notes": list(waitingCreditNote, acmeCreditNote),
  "/v1/events": list(sentEvent),
  "/v1/events/billing": eventBilling,
  "/v1/catalog": catalog,
  "/v1/usage": acmeUsage,
  ...waitingAnswers,
  ...reportAnswers,
};
