import type { Schemas } from "../../../src/sdk/index.ts";

/** Requests that wait for a second person, one of each kind, all asked for by key_1; the console is signed in as key_2. */

const asked = "2026-02-03T09:00:00.000Z";
const requested = { requested_by: "api-key/key_1", requested_at: asked, decision: null };

/** Somebody who may change things, and agree to what others ask for. */
const consoleSession: Schemas["Session"] = {
  kind: "api-key",
  actor: "api-key/key_2",
  name: null,
  roles: [],
  customer: null,
  allowed: ["credits:read", "credits:write", "credits:approve"],
  csrf_token: null,
};

export const waitingAdjustment: Schemas["Adjustment"] = {
  ...requested,
  id: "adj_1",
  kind: "debit_balance",
  status: "pending_approval",
  customer: "acme",
  credit_grant: null,
  currency: "usd",
  change_minor: "-70000",
  reason_code: "billing_error",
  reason: "charged twice",
  effective_at: null,
  approval: { limit_minor: "50000", counted_minor: "70000", needed: true },
};

export const waitingRecurring: Schemas["RecurringCreditGrant"] = {
  ...requested,
  id: "rgr_1",
  customer: "acme",
  status: "pending_approval",
  currency: "usd",
  amount_minor: "10000",
  priority: 50,
  scope: null,
  anchor: asked,
  interval: { unit: "week", count: 2 },
  time_zone: "UTC",
  first: "at_once",
  effective_at: asked,
  expires_at: null,
  rollover: null,
  total_minor: null,
  next_at: null,
  given: 0,
  reason_code: "contract",
  reason: null,
  approval: { limit_minor: "50000", needed: true },
  end: null,
};

export const waitingCreditNote: Schemas["CreditNote"] = {
  ...requested,
  id: "cn_2",
  number: null,
  status: "pending_approval",
  invoice: "in_1",
  customer: "acme",
  currency: "usd",
  total_minor: "60000",
  lowers_due_minor: null,
  to_balance_minor: null,
  to_refund_minor: null,
  destination: "balance",
  lines: [{ line: 1, amount_minor: "60000" }],
  reason_code: "service_outage",
  reason: null,
  subscription: null,
  issued_by: null,
  issued_at: null,
  approval: { limit_minor: "50000", counted_minor: "60000", needed: true },
};

export const waitingCorrection: Schemas["UsageCorrection"] = {
  ...requested,
  id: "ucor_1",
  kind: "amend",
  status: "pending_approval",
  backfill: null,
  event_count: 1,
  reason_code: "wrong_quantity",
  note: "cached tokens were counted",
  effective_at: null,
  approval: { limit: 100, counted: 1, changes_billed: true, needed: true },
};

export const backfill: Schemas["UsageBackfill"] = {
  id: "ubf_1",
  name: "Outage of March",
  reason: "the gateway was down",
  state: "open",
  opened_by: "api-key/key_1",
  opened_at: asked,
  closed_by: null,
  closed_at: null,
  revert: null,
};

const upcoming: Schemas["UpcomingInvoice"] = {
  subscription: "sub_acme",
  at: asked,
  period_start: "2026-02-01T00:00:00.000Z",
  period_end: "2026-03-01T00:00:00.000Z",
  currency: "usd",
  lines: [
    {
      subscription: "sub_1",
      kind: "usage",
      description: "Pro: Input tokens",
      plan: "pro",
      price: "input",
      period_start: "2026-02-01T00:00:00.000Z",
      period_end: "2026-03-01T00:00:00.000Z",
      quantity: "5000000",
      amount_minor: "900",
      exact_minor: "900.0001",
    },
  ],
  subtotal_minor: "900",
  credits_applied_minor: "400",
  balance_applied_minor: "0",
  total_minor: "500", // 900 − 400
};

const balance: Schemas["AccountBalance"] = {
  account: "2200/usd/customer=acme",
  name: "Customer balance",
  currency: "usd",
  debit_minor: "0",
  credit_minor: "1250",
  balance_minor: "1250",
  held_minor: "0",
  available_minor: "1250",
  version: "1",
};

const list = (...data: unknown[]) => ({ data, next_cursor: null });

export const waitingAnswers: Readonly<Record<string, unknown>> = {
  "/v1/session": consoleSession,
  "/v1/adjustments": list(waitingAdjustment),
  "/v1/recurring-credit-grants": list(waitingRecurring),
  "/v1/customers/acme/recurring-credit-grants": list(waitingRecurring),
  "/v1/customers/acme/balances": list(balance),
  "/v1/usage/corrections": list(waitingCorrection),
  "/v1/usage/corrections/ucor_1": { ...waitingCorrection, events: [] },
  "/v1/usage/backfills": list(backfill),
  "/v1/usage/backfills/ubf_1": { ...backfill, events: { accepted: 3, voided: 1, customers: 1 } },
  "/v1/subscriptions/sub_acme/upcoming-invoice": upcoming,
};
