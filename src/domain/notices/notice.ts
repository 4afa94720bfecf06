import { type Instant, isoOf } from "../calendar/index.ts";

/**
 * Which rows a notice of each kind is about, and what is written nowhere else. It is kept when the fact is: ids, states, ISO
 * times. What it says beyond that is read from those rows when it is composed.
 */
export interface NoticeSubjects {
  "invoice.upcoming": InvoicedPeriod & { readonly invoiceAt: string };
  "invoice.issued": { readonly invoiceId: string };
  "invoice.tax_wanted": InvoicedPeriod & { readonly quote: string };
  "invoice.payment_failed": { readonly invoiceId: string; readonly attempt: number };
  "invoice.payment_recovered": { readonly invoiceId: string };
  "invoice.dunning": {
    readonly invoiceId: string;
    /** What has happened, and the notice that the policy names for it. */
    readonly moment: string;
    readonly notice: string;
  };
  "refund.failed": { readonly refundId: string };
  "usage.threshold_reached": { readonly invoiceId: string };
  "subscription.trial_ending": {
    readonly subscriptionId: string;
    readonly trialEndsAt: string;
    readonly endAction: "convert" | "cancel" | "pause";
  };
  "subscription.changed": SubscriptionChanged;
  "subscription.paused": SubscriptionChanged;
  "subscription.resumed": SubscriptionChanged;
  "subscription.canceled": { readonly subscriptionId: string; readonly effectiveAt: string };
  "payment_method.expiring": {
    readonly brand: string;
    readonly last4: string;
    readonly expMonth: number;
    readonly expYear: number;
  };
  "credits.low": {
    readonly currency: string;
    /** What is left and what it was, in whole minor units, rounded down. */
    readonly remainingMinor: string;
    readonly grantedMinor: string;
  };
  "credits.expired": { readonly grantId: string };
  "budget.share_reached": AlertCrossed;
  "budget.limit_reached": AlertCrossed;
  "budget.overrun_forecast": AlertCrossed;
  "budget.recovered": AlertCrossed;
  "top_up.stopped": { readonly ruleId: string };
  "top_up.limit_reached": { readonly ruleId: string; readonly monthStart: string };
  "webhook_endpoint.disabled": {
    readonly endpointId: string;
    readonly reason: "failing" | "gone";
    readonly failingSince: string;
  };
  "webhook_endpoint.test": { readonly endpointId: string };
}

interface AlertCrossed {
  readonly alertId: string;
  readonly number: number;
}

interface InvoicedPeriod {
  readonly subscriptionId: string;
  readonly periodStart: string;
  readonly periodEnd: string;
}

interface SubscriptionChanged {
  readonly subscriptionId: string;
  readonly changeId: string;
  /** What was asked for, such as `change_plan`. */
  readonly change: string;
  readonly effectiveAt: string;
}

export type NoticeKind = keyof NoticeSubjects;

/** What is to be told: a fact, and the key by which it is told once. */
export interface NoticeToTell<Kind extends NoticeKind = NoticeKind> {
  /** Permanent, made from the business fact. */
  readonly key: string;
  readonly kind: Kind;
  /** Null when it is about this deployment. */
  readonly customerId: string | null;
  readonly subject: NoticeSubjects[Kind];
  /** By the customer's clock. */
  readonly occurredAt: Instant;
}

/** A notice as its receivers get it, whoever they are. Amounts are whole minor units as texts. */
export interface ComposedNotice<Kind extends NoticeKind = NoticeKind> {
  readonly id: string;
  readonly type: Kind;
  /** Higher is later, among the notices of one customer. */
  readonly sequence: string;
  readonly timestamp: string;
  readonly customer_id: string | null;
  readonly data: NoticeData[Kind];
}

interface InvoiceData {
  readonly invoice_id: string;
  readonly number: string;
  readonly subscription_id: string | null;
  readonly currency: string;
  readonly total_minor: string;
}

interface SubscriptionData {
  readonly subscription_id: string;
  /** The plan's name, of the terms in force from then on; null when they are over. */
  readonly plan: string | null;
}

interface SubscriptionChangeData extends SubscriptionData {
  readonly change_id: string;
  readonly change: string;
  readonly effective_at: string;
  readonly seats: number | null;
  /** When it ends, if that is agreed. */
  readonly cancel_at: string | null;
}

/** A limit as it stood when an alert told of it. Money is in minor units. */
interface BudgetData {
  readonly alert_id: string;
  readonly about: "feature" | "spending_cap" | "credit" | "spending";
  /** The feature, or the cap; null of what has no name. */
  readonly name: string | null;
  readonly used: string;
  readonly allowed: string;
  readonly window_start: string | null;
}

/** What each kind says. */
export interface NoticeData {
  "invoice.upcoming": SubscriptionData & {
    readonly period_start: string;
    readonly period_end: string;
    readonly invoice_at: string;
    readonly currency: string;
    /** What the period came to when this was composed; null when it was over by then. */
    readonly total_so_far_minor: string | null;
  };
  "invoice.issued": InvoiceData & {
    readonly kind: string;
    readonly period_start: string | null;
    readonly period_end: string | null;
    readonly is_to_be_paid: boolean;
  };
  "invoice.tax_wanted": {
    /** Where its lines are read and its tax is given. */
    readonly draft_id: string;
    readonly subscription_id: string;
    readonly period_start: string;
    readonly period_end: string;
    readonly quote: string;
  };
  "invoice.payment_failed": InvoiceData & {
    readonly attempt: number;
    readonly decline_code: string | null;
    readonly decline_class: string | null;
    /** When the same card is tried again; null when it is not, or when that was not known yet. */
    readonly next_attempt_at: string | null;
    readonly pay_url: string | null;
  };
  "invoice.payment_recovered": InvoiceData;
  "invoice.dunning": InvoiceData & { readonly moment: string; readonly notice: string };
  "refund.failed": {
    readonly refund_id: string;
    readonly invoice_id: string;
    readonly number: string;
    readonly currency: string;
    readonly amount_minor: string;
    /** Why, in Stripe's words. */
    readonly failure_code: string | null;
  };
  "usage.threshold_reached": InvoiceData & {
    readonly period_start: string | null;
    readonly period_end: string | null;
  };
  "subscription.trial_ending": SubscriptionData & {
    readonly trial_ends_at: string;
    readonly end_action: "convert" | "cancel" | "pause";
  };
  "subscription.changed": SubscriptionChangeData;
  "subscription.paused": SubscriptionChangeData;
  "subscription.resumed": SubscriptionChangeData;
  "subscription.canceled": SubscriptionData & { readonly effective_at: string };
  "payment_method.expiring": {
    readonly brand: string;
    readonly last4: string;
    readonly exp_month: number;
    readonly exp_year: number;
  };
  "credits.low": {
    readonly currency: string;
    readonly remaining_minor: string;
    readonly granted_minor: string;
  };
  "credits.expired": {
    readonly grant_id: string;
    readonly currency: string;
    /** What was lost, in minor units with all decimals. */
    readonly expired_minor: string;
  };
  "budget.share_reached": BudgetData & { readonly percent: number };
  "budget.limit_reached": BudgetData;
  "budget.overrun_forecast": BudgetData & { readonly forecast: string };
  "budget.recovered": BudgetData;
  "top_up.stopped": {
    readonly rule_id: string;
    readonly currency: string;
    readonly amount_minor: string;
    readonly cause: "declined" | "refused";
    /** The code of the decline or refusal. */
    readonly code: string;
  };
  "top_up.limit_reached": {
    readonly rule_id: string;
    readonly currency: string;
    readonly monthly_limit_minor: string;
    readonly month_start: string;
  };
  "webhook_endpoint.disabled": {
    readonly endpoint_id: string;
    readonly url: string;
    readonly reason: "failing" | "gone";
    readonly failing_since: string;
  };
  "webhook_endpoint.test": { readonly endpoint_id: string };
}

/** What is known of a notice before it is composed. */
export interface NoticeIdentity<Kind extends NoticeKind = NoticeKind> {
  readonly id: string;
  readonly kind: Kind;
  readonly sequence: bigint;
  readonly occurredAt: Instant;
  readonly customerId: string | null;
}

/** The notice that its receivers get. */
export function composeNotice<Kind extends NoticeKind>(
  { id, kind, sequence, occurredAt, customerId }: NoticeIdentity<Kind>,
  data: NoticeData[Kind],
): ComposedNotice<Kind> {
  const timestamp = isoOf(occurredAt);
  return { id, type: kind, sequence: sequence.toString(), timestamp, customer_id: customerId, data };
}
