import { bigint, boolean, integer, jsonb, numeric, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
import type { PriceOverride } from "../../domain/catalog/index.ts";
import type { InvoiceLineKind, LineEarning, UsageTreatment } from "../../domain/invoicing/index.ts";
import type { SubscriptionStatus } from "../../domain/lifecycle/index.ts";
import type { Watermark } from "../../domain/metering/index.ts";
import { instantColumn, snapshotColumn } from "./columns.ts";
import type { InvoiceKind } from "./late-usage.ts";

export const billing = pgSchema("billing");

/** What may be shown of the card on file. */
export interface PaymentMethodSummary {
  readonly id: string;
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
  /** Stripe's name for the card itself, however often it was saved. */
  readonly fingerprint?: string;
}

export const testClock = billing.table("test_clock", {
  id: text().primaryKey(),
  currentAt: instantColumn("current_at").notNull(),
  targetAt: instantColumn("target_at").notNull(),
  /** False while anything that was due until now is still under way. */
  isSettled: boolean("is_settled").notNull().default(true),
});

export const customer = billing.table("customer", {
  id: text().primaryKey(),
  name: text().notNull(),
  email: text().notNull(),
  currency: text().notNull(),
  timeZone: text("time_zone").notNull(),
  testClockId: text("test_clock_id"),
  stripeCustomerId: text("stripe_customer_id"),
  paymentMethod: jsonb("payment_method").$type<PaymentMethodSummary>(),
  createdAt: instantColumn("created_at").notNull(),
});

export type { SubscriptionStatus };

export const subscription = billing.table("subscription", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  status: text().$type<SubscriptionStatus>().notNull(),
  startedAt: instantColumn("started_at").notNull(),
  intervalUnit: text("interval_unit").$type<"day" | "week" | "month" | "year">().notNull(),
  intervalCount: integer("interval_count").notNull(),
  timeZone: text("time_zone").notNull(),
  currency: text().notNull(),
  graceSeconds: integer("grace_seconds").notNull(),
  billedThrough: instantColumn("billed_through").notNull(),
  nextCloseAt: instantColumn("next_close_at"),
  cancelAt: instantColumn("cancel_at"),
  canceledAt: instantColumn("canceled_at"),
  anchors: jsonb().$type<SubscriptionAnchor[]>().notNull().default([]),
  trialEndsAt: instantColumn("trial_ends_at"),
  /** Until when the first invoice has to be paid; null where the subscription did not wait for that. */
  expiresAt: instantColumn("expires_at"),
  reactivates: text(),
  /** Of a period that has ended: why it is not closed yet, though its grace is over. */
  closeWaitsFor: text("close_waits_for").$type<"usage" | "tax">(),
});

/** Where periods count from, from an instant on; instants as ISO times. */
export interface SubscriptionAnchor {
  readonly effectiveAt: string;
  readonly at: string;
  readonly unit: "day" | "week" | "month" | "year";
  readonly count: number;
  /** One period of it is a trial, which no number of periods counts. */
  readonly isTrial?: true;
}

/** One thing subscribed to: a plan version, with its seats. */
export interface SubscriptionItem {
  readonly planKey: string;
  readonly planVersion: number;
  readonly seats: number;
  /** What the contract with the customer says instead of the plan's prices. */
  readonly overrides?: readonly PriceOverride[];
}

export const subscriptionTerms = billing.table(
  "subscription_terms",
  {
    subscriptionId: text("subscription_id").notNull(),
    effectiveAt: instantColumn("effective_at").notNull(),
    changeId: text("change_id").notNull(),
    items: jsonb().$type<SubscriptionItem[]>().notNull(),
    paused: boolean().notNull(),
    usage: text().$type<UsageTreatment>().notNull().default("billed"),
  },
  (table) => [primaryKey({ columns: [table.subscriptionId, table.effectiveAt] })],
);

export const subscriptionChange = billing.table(
  "subscription_change",
  {
    subscriptionId: text("subscription_id").notNull(),
    changeId: text("change_id").notNull(),
    kind: text().notNull(),
    effectiveAt: instantColumn("effective_at").notNull(),
    request: jsonb().notNull(),
    lines: jsonb().notNull(),
    returned: jsonb().notNull().default([]),
    invoiceId: text("invoice_id"),
  },
  (table) => [primaryKey({ columns: [table.subscriptionId, table.changeId] })],
);

export type { InvoiceKind } from "./late-usage.ts";
/** threshold: while the period goes on. closing: at its end, or anew after a void. late: for what was reported since. */
export type RatingRunKind = "threshold" | "closing" | "late";
export type InvoiceStatus = "open" | "paid" | "void" | "uncollectible";

export const invoice = billing.table("invoice", {
  id: text().primaryKey(),
  sourceKey: text("source_key").notNull(),
  kind: text().$type<InvoiceKind>().notNull(),
  customerId: text("customer_id").notNull(),
  /** Null where it has several parts. */
  subscriptionId: text("subscription_id"),
  number: text().notNull(),
  status: text().$type<InvoiceStatus>().notNull(),
  currency: text().notNull(),
  periodStart: instantColumn("period_start"),
  periodEnd: instantColumn("period_end"),
  subtotalMinor: bigint("subtotal_minor", { mode: "bigint" }).notNull(),
  taxMinor: bigint("tax_minor", { mode: "bigint" }).notNull().default(0n),
  creditsAppliedMinor: bigint("credits_applied_minor", { mode: "bigint" }).notNull(),
  balanceAppliedMinor: bigint("balance_applied_minor", { mode: "bigint" }).notNull(),
  totalMinor: bigint("total_minor", { mode: "bigint" }).notNull(),
  amountPaidMinor: bigint("amount_paid_minor", { mode: "bigint" }).notNull(),
  /** What credit notes took off before it was paid. */
  creditedMinor: bigint("credited_minor", { mode: "bigint" }).notNull().default(0n),
  issuedAt: instantColumn("issued_at").notNull(),
  usageCompleteUntil: instantColumn("usage_complete_until"),
  usageKnownBy: text("usage_known_by").$type<Watermark["kind"]>(),
  usageHeldBackBy: text("usage_held_back_by"),
  paidAt: instantColumn("paid_at"),
  stripeInvoiceId: text("stripe_invoice_id"),
  stripePaymentIntentId: text("stripe_payment_intent_id"),
  hostedInvoiceUrl: text("hosted_invoice_url"),
  voidingSince: instantColumn("voiding_since"),
  collectedBy: text("collected_by"),
  /** The void invoice that it bills anew. */
  replaces: text(),
  sellerVersion: integer("seller_version"),
});

export const invoiceLine = billing.table(
  "invoice_line",
  {
    invoiceId: text("invoice_id").notNull(),
    line: integer().notNull(),
    part: integer().notNull().default(1),
    kind: text().$type<InvoiceLineKind>().notNull(),
    earning: text().$type<LineEarning>().notNull(),
    description: text().notNull(),
    product: text().notNull(),
    planKey: text("plan_key"),
    planVersion: integer("plan_version"),
    priceKey: text("price_key"),
    periodStart: instantColumn("period_start").notNull(),
    periodEnd: instantColumn("period_end").notNull(),
    quantity: numeric(),
    amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
    exactMinor: numeric("exact_minor").notNull(),
    detail: jsonb().notNull(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.line] })],
);

export const ratingRun = billing.table(
  "rating_run",
  {
    subscriptionId: text("subscription_id").notNull(),
    periodStart: instantColumn("period_start").notNull(),
    periodEnd: instantColumn("period_end").notNull(),
    revision: integer().notNull(),
    kind: text().$type<RatingRunKind>().notNull(),
    /** Null where its lines bill the period from nothing. */
    afterRevision: integer("after_revision"),
    invoiceId: text("invoice_id"),
    snapshot: snapshotColumn().notNull(),
    eventCount: bigint("event_count", { mode: "bigint" }).notNull(),
    ratedAt: instantColumn("rated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.subscriptionId, table.periodStart, table.revision] })],
);

export const ratedUsage = billing.table(
  "rated_usage",
  {
    subscriptionId: text("subscription_id").notNull(),
    periodStart: instantColumn("period_start").notNull(),
    revision: integer().notNull(),
    termsStart: instantColumn("terms_start").notNull(),
    termsEnd: instantColumn("terms_end").notNull(),
    planKey: text("plan_key").notNull(),
    planVersion: integer("plan_version").notNull(),
    priceKey: text("price_key").notNull(),
    product: text().notNull(),
    /** `catalog.meter.number` of the version that measured. */
    meter: integer().notNull(),
    quantity: numeric().notNull(),
    includedQuantity: numeric("included_quantity").notNull(),
    exactMinor: numeric("exact_minor").notNull(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.subscriptionId,
        table.periodStart,
        table.revision,
        table.termsStart,
        table.planKey,
        table.priceKey,
      ],
    }),
  ],
);

export type AttemptCause = "first" | "schedule" | "new_payment_method" | "operator";

export const paymentAttempt = billing.table(
  "payment_attempt",
  {
    invoiceId: text("invoice_id").notNull(),
    attempt: integer().notNull(),
    cause: text().$type<AttemptCause>().notNull(),
    attemptedAt: instantColumn("attempted_at").notNull(),
    outcome: text().$type<"paid" | "declined" | "requires_action" | "withheld">().notNull(),
    declineCode: text("decline_code"),
    declineClass: text("decline_class"),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.attempt] })],
);

export const payment = billing.table("payment", {
  stripePaymentIntentId: text("stripe_payment_intent_id").primaryKey(),
  invoiceId: text("invoice_id").notNull(),
  stripeChargeId: text("stripe_charge_id"),
  amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
  receivedAt: instantColumn("received_at").notNull(),
});
