import { sql } from "drizzle-orm";
import { bigint, boolean, text } from "drizzle-orm/pg-core";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

export type RefundState = "requested" | "pending" | "requires_action" | "succeeded" | "failed" | "canceled";

export const refund = billing.table("refund", {
  id: text().primaryKey(),
  creditNoteId: text("credit_note_id").notNull(),
  invoiceId: text("invoice_id").notNull(),
  customerId: text("customer_id").notNull(),
  stripePaymentIntentId: text("stripe_payment_intent_id").notNull(),
  currency: text().notNull(),
  amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
  state: text().$type<RefundState>().notNull().default("requested"),
  stripeRefundId: text("stripe_refund_id"),
  /** Why it failed, in Stripe's words. */
  failureCode: text("failure_code"),
  /** By the wall clock. */
  changedAt: instantColumn("changed_at").notNull().default(sql`clock_timestamp()`),
});

export const invoiceDispute = billing.table("invoice_dispute", {
  stripeDisputeId: text("stripe_dispute_id").primaryKey(),
  invoiceId: text("invoice_id").notNull(),
  customerId: text("customer_id").notNull(),
  stripePaymentIntentId: text("stripe_payment_intent_id").notNull(),
  currency: text().notNull(),
  amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
  reason: text().notNull(),
  openedAt: instantColumn("opened_at").notNull(),
  status: text().notNull(),
  isOpen: boolean("is_open").notNull(),
  /** What the bank has taken, and has not given back. */
  withdrawnMinor: bigint("withdrawn_minor", { mode: "bigint" }).notNull(),
  answerBy: instantColumn("answer_by"),
  changedAt: instantColumn("changed_at").notNull(),
});
