import type { Schemas } from "../../../src/sdk/index.ts";

/** What the pages about everybody show, as the API would answer. */

const at = "2026-02-03T09:00:00.000Z";

export const spike: Schemas["AnomalyDetail"] = {
  id: "ano_1",
  kind: "invoice_unlike_history",
  customer: "acme",
  subject: { type: "invoice", id: "in_1" },
  evidence: {
    number: "ACME-0002",
    currency: "usd",
    figure: "90000",
    threshold: "1000",
    median: "10002",
    spread: "500",
    tenths: "1599",
    tenths_threshold: "60",
    compared_with: "5",
  },
  found_at: at,
  state: "open",
  owner: "dana",
  changed_at: at,
  notes: [
    {
      id: "ann_1",
      note: "asked the customer",
      state: null,
      owner: "dana",
      noted_by: "api-key/key_1",
      noted_at: at,
    },
  ],
};

const rule: Schemas["AnomalyRule"] = {
  kind: "invoice_unlike_history",
  watched: true,
  tenths_min: 60,
  history_min: 3,
  amount_min: "1000",
  changed_by: "reckoner",
  changed_at: at,
};

const happened: Schemas["TimelineItem"] = {
  id: "invoice_issued/in_1",
  about: "invoice",
  kind: "invoice_issued",
  at,
  subject: { type: "invoice", id: "in_1" },
  invoice: "in_1",
  amount_minor: "11364",
  currency: "usd",
  actor: null,
  note: "ACME-0002",
  workflow: "cycle/sub_acme/2026-01-01T00:00:00.000Z",
  stripe: "in_stripe_1",
};

const sums = { debit_minor: "11364", credit_minor: "0", balance_minor: "11364" };
const months = { from: "2025-03", to: "2026-02" };
const earned = { currency: "usd", code: "4000", name: "Usage revenue", product: "tokens" };
const invoiced = {
  currency: "usd",
  plan: "pro",
  product: "tokens",
  kind: "usage",
  quantity: "53822135.25",
  customers: 1,
};
const list = (...data: unknown[]) => ({ data, next_cursor: null });

const run: Schemas["Run"] = {
  workflow_id: "cycle/sub_acme/2026-01-01T00:00:00.000Z",
  run_id: "0199",
  type: "billingCycle",
  status: "Running",
  started_at: at,
  ended_at: null,
  needs_attention: true,
  error_class: "stripe_unavailable",
  attributes: {},
};

export const reportAnswers: Readonly<Record<string, unknown>> = {
  "/v1/search": {
    data: [
      { type: "customer", id: "acme", title: "Acme", customer: { id: "acme", name: "Acme" }, invoice: null },
      {
        type: "invoice",
        id: "in_1",
        title: "ACME-0002",
        customer: { id: "acme", name: "Acme" },
        invoice: "in_1",
      },
    ] satisfies Schemas["Found"][],
  },
  "/v1/customers/acme/timeline": list(happened, {
    ...happened,
    id: "payment_received/pi_1",
    about: "payment",
    kind: "payment_received",
  }),
  "/v1/anomalies": list(spike),
  "/v1/anomalies/ano_1": spike,
  "/v1/anomalies/rules": { data: [rule] },
  "/v1/reports/receivables": {
    as_of: at,
    data: [
      { currency: "usd", age_days: "0-30", invoices: 2, due_minor: "11364" },
      { currency: "usd", age_days: "over-90", invoices: 1, due_minor: "900" },
    ],
  },
  "/v1/reports/revenue": {
    ...months,
    data: [
      { ...earned, month: "2026-01", amount_minor: "11364.42705" },
      { ...earned, month: "2026-02", amount_minor: "4500" },
    ],
  },
  "/v1/reports/invoiced": {
    ...months,
    data: [
      { ...invoiced, month: "2026-01", amount_minor: "11364" },
      {
        ...invoiced,
        month: "2026-02",
        product: "seats",
        kind: "seats",
        quantity: null,
        amount_minor: "4500",
      },
    ],
  },
  "/v1/reports/plans": { data: [{ plan: "pro", version: 2, status: "active", subscriptions: 1, seats: 5 }] },
  "/v1/ledger/trial-balance": {
    data: [
      { currency: "usd", code: "1100", name: "Accounts receivable", ...sums },
      { currency: "usd", code: "4000", name: "Usage revenue", ...sums },
    ],
    totals: [{ currency: "usd", debit_minor: "11364", credit_minor: "11364", balanced: true }],
  },
  "/v1/operations/queues": {
    data: [
      {
        queue: "interactive",
        name: "billing",
        paused: false,
        reason: null,
        waiting: 0,
        oldest_waits_seconds: 0,
      },
      {
        queue: "stripe",
        name: "billing-stripe",
        paused: true,
        reason: "Stripe is away",
        waiting: 12,
        oldest_waits_seconds: 90,
      },
    ] satisfies Schemas["Queue"][],
  },
  "/v1/operations/runs": { data: [run], total: 1, next_cursor: null },
  "/v1/stripe-events": list({
    id: "evt_1",
    type: "invoice.paid",
    state: "parked",
    attempts: 5,
    received_at: at,
    next_attempt_at: null,
    last_error: "there is no such invoice",
  } satisfies Schemas["StripeEvent"]),
  "/v1/webhook-endpoints": list(),
};
