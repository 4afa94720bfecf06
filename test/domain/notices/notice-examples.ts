import type { NoticeData, NoticeKind } from "../../../src/domain/notices/index.ts";

const invoice = {
  invoice_id: "inv_1",
  number: "ACME-0007",
  subscription_id: "sub",
  currency: "usd",
  total_minor: "123450",
};
const period = { period_start: "2026-01-31T23:00:00.000Z", period_end: "2026-02-28T23:00:00.000Z" };
const subscription = { subscription_id: "sub", plan: "Team Pro" };
const change = { ...subscription, change_id: "c", seats: 5, cancel_at: null };
const budget = {
  alert_id: "alr",
  about: "feature",
  name: "tokens",
  used: "80",
  allowed: "100",
  window_start: "2026-01-01T00:00:00.000Z",
} as const;
const changedAt = { effective_at: "2026-02-10T23:30:00.000Z" };

type Row = { [Kind in NoticeKind]: readonly [Kind, NoticeData[Kind], subject: string | null] }[NoticeKind];

/** One of each kind, and what its mail is called in Berlin, where it is an hour later; null: there is none. */
export const noticeExamples: readonly Row[] = [
  [
    "invoice.upcoming",
    {
      ...subscription,
      ...period,
      invoice_at: "2026-02-28T23:30:00.000Z",
      currency: "usd",
      total_so_far_minor: "500",
    },
    "Your next invoice comes on 1 March 2026",
  ],
  [
    "invoice.issued",
    { ...invoice, ...period, kind: "cycle", is_to_be_paid: true },
    "Invoice ACME-0007: $1,234.50",
  ],
  [
    "invoice.issued",
    { ...invoice, ...period, kind: "cycle", total_minor: "0", is_to_be_paid: false },
    "Invoice ACME-0007: nothing to pay",
  ],
  ["invoice.issued", { ...invoice, ...period, kind: "threshold", is_to_be_paid: true }, null],
  [
    "invoice.payment_failed",
    {
      ...invoice,
      attempt: 2,
      decline_code: "insufficient_funds",
      decline_class: "soft",
      next_attempt_at: "2026-03-03T09:00:00.000Z",
      pay_url: "https://pay.example/inv",
    },
    "Your payment of $1,234.50 did not go through",
  ],
  ["invoice.payment_recovered", { ...invoice, currency: "jpy" }, "Thank you: invoice ACME-0007 is paid"],
  [
    "invoice.tax_wanted",
    {
      draft_id: "draft.sub_1.1767225600000",
      subscription_id: "sub_1",
      period_start: "2026-01-01T00:00:00.000Z",
      period_end: "2026-02-01T00:00:00.000Z",
      quote: "0123456789abcdef01234567",
    },
    null,
  ],
  ["invoice.dunning", { ...invoice, moment: "attempt_failed", notice: "polite" }, null],
  ["usage.threshold_reached", { ...invoice, ...period }, "Your usage was invoiced: $1,234.50"],
  [
    "subscription.trial_ending",
    { ...subscription, trial_ends_at: "2026-02-14T23:00:00.000Z", end_action: "cancel" },
    "Your trial ends on 15 February 2026",
  ],
  [
    "subscription.changed",
    { ...change, ...changedAt, change: "change_quantity" },
    "Your subscription has changed",
  ],
  [
    "subscription.changed",
    { ...change, ...changedAt, change: "cancel_later", cancel_at: "2026-02-28T23:00:00.000Z" },
    "Your subscription ends on 1 March 2026",
  ],
  ["subscription.changed", { ...change, ...changedAt, change: "uncancel" }, "Your subscription goes on"],
  ["subscription.paused", { ...change, ...changedAt, change: "pause" }, "Your subscription is paused"],
  ["subscription.resumed", { ...change, ...changedAt, change: "resume" }, "Your subscription goes on"],
  ["subscription.canceled", { ...subscription, ...changedAt }, "Your subscription has ended"],
  [
    "payment_method.expiring",
    { brand: "visa", last4: "4242", exp_month: 3, exp_year: 2026 },
    "Your card ending in 4242 expires soon",
  ],
  [
    "credits.low",
    { currency: "usd", remaining_minor: "1000", granted_minor: "10000" },
    "Your credit is running low: $10.00 left",
  ],
  [
    "refund.failed",
    {
      refund_id: "rf_1",
      invoice_id: "inv_1",
      number: "ACME-0001",
      currency: "usd",
      amount_minor: "1250",
      failure_code: "expired_or_canceled_card",
    },
    "Your refund of $12.50 did not arrive",
  ],
  [
    "credits.expired",
    { grant_id: "g", currency: "usd", expired_minor: "1250.5" },
    "$12.50 of your credit has expired",
  ],
  ["credits.expired", { grant_id: "g", currency: "usd", expired_minor: "0.5" }, null],
  ["budget.share_reached", { ...budget, percent: 80 }, "80 % of your allowance of “tokens” is used"],
  ["budget.limit_reached", budget, "Your allowance of “tokens” is used up"],
  [
    "budget.overrun_forecast",
    { ...budget, about: "spending", name: null, forecast: "120" },
    "At this rate your budget will not last",
  ],
  ["budget.recovered", budget, null],
  [
    "top_up.stopped",
    { rule_id: "tur", currency: "usd", amount_minor: "1000", cause: "declined", code: "card_declined" },
    "Your automatic top-up has been switched off",
  ],
  [
    "top_up.limit_reached",
    { rule_id: "tur", currency: "usd", monthly_limit_minor: "5000", month_start: "2026-01-01T00:00:00.000Z" },
    "Your automatic top-up has reached its limit of this month",
  ],
  [
    "webhook_endpoint.disabled",
    {
      endpoint_id: "we_1",
      url: "https://a.example",
      reason: "failing",
      failing_since: "2026-02-01T00:00:00.000Z",
    },
    "A webhook endpoint was disabled",
  ],
  ["webhook_endpoint.test", { endpoint_id: "we_1" }, null],
];
