import { sql } from "drizzle-orm";
import { bigint, boolean, integer, jsonb, pgSchema, text } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";

export const stripe = pgSchema("stripe");

export const operation = stripe.table("operation", {
  key: text().primaryKey(),
  operation: text().notNull(),
  requestHash: text("request_hash").notNull(),
  body: jsonb().notNull(),
  state: text().$type<"sent" | "succeeded" | "refused">().notNull(),
  firstSentAt: instantColumn("first_sent_at").notNull(),
  response: jsonb(),
  error: jsonb(),
  finishedAt: instantColumn("finished_at"),
});

export type InboxState = "waiting" | "done" | "ignored" | "parked";

export const webhookInbox = stripe.table("webhook_inbox", {
  eventId: text("event_id").primaryKey(),
  type: text().notNull(),
  apiVersion: text("api_version"),
  body: text().notNull(),
  receivedAt: instantColumn("received_at").notNull(),
  state: text().$type<InboxState>().notNull(),
  attempts: integer().notNull(),
  nextAttemptAt: instantColumn("next_attempt_at").notNull(),
  lastError: text("last_error"),
  finishedAt: instantColumn("finished_at"),
});

/** One movement of Stripe's balance, in Stripe's minor units, which are not always ours. */
export const balanceTransaction = stripe.table("balance_transaction", {
  id: text().primaryKey(),
  type: text().notNull(),
  reportingCategory: text("reporting_category").notNull(),
  currency: text().notNull(),
  amount: bigint({ mode: "bigint" }).notNull(),
  fee: bigint({ mode: "bigint" }).notNull(),
  net: bigint({ mode: "bigint" }).notNull(),
  source: text(),
  description: text(),
  createdAt: instantColumn("created_at").notNull(),
  availableOn: instantColumn("available_on").notNull(),
  importedAt: instantColumn("imported_at").notNull().default(sql`clock_timestamp()`),
  state: text().$type<"waiting" | "suspense" | "booked">().notNull().default("waiting"),
  problem: text(),
});

export const importPosition = stripe.table("import_position", {
  list: text().primaryKey(),
  coveredUntil: instantColumn("covered_until"),
  passNewest: instantColumn("pass_newest"),
  passAfter: text("pass_after"),
  movedAt: instantColumn("moved_at").notNull().default(sql`clock_timestamp()`),
});

export const payout = stripe.table("payout", {
  id: text().primaryKey(),
  currency: text().notNull(),
  /** In Stripe's minor units. */
  amount: bigint({ mode: "bigint" }).notNull(),
  isAutomatic: boolean("is_automatic").notNull(),
  createdAt: instantColumn("created_at").notNull(),
  arrivesAt: instantColumn("arrives_at").notNull(),
  status: text().notNull(),
  failureCode: text("failure_code"),
  changedAt: instantColumn("changed_at").notNull(),
});
