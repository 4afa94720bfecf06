import { sql } from "drizzle-orm";
import { bigint, boolean, integer, jsonb, numeric, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
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

/** When the next request may go to Stripe: of the account, and of each endpoint. */
export const pace = stripe.table("pace", {
  bucket: text().primaryKey(),
  freeAt: instantColumn("free_at").notNull(),
});

/** What Stripe's copy of an invoice is to be told of a credit note. Whole minor units of ours. */
export const copyChange = stripe.table("copy_change", {
  creditNoteId: text("credit_note_id").primaryKey(),
  invoiceId: text("invoice_id").notNull(),
  dueBeforeMinor: bigint("due_before_minor", { mode: "bigint" }).notNull(),
  dueAfterMinor: bigint("due_after_minor", { mode: "bigint" }).notNull(),
  givenBackMinor: bigint("given_back_minor", { mode: "bigint" }).notNull(),
  recordedAt: instantColumn("recorded_at").notNull().default(sql`clock_timestamp()`),
  state: text().$type<"waiting" | "done" | "refused">().notNull().default("waiting"),
  stripeCreditNoteId: text("stripe_credit_note_id"),
  problem: text(),
  changedAt: instantColumn("changed_at").notNull().default(sql`clock_timestamp()`),
});

/** What Stripe's meters are told of an hour: revisions that add up. */
export const meterPush = stripe.table(
  "meter_push",
  {
    /** `catalog.meter.number` */
    meter: integer().notNull(),
    customerId: text("customer_id").notNull(),
    windowStart: instantColumn("window_start").notNull(),
    revision: integer().notNull(),
    eventName: text("event_name").notNull(),
    kind: text().$type<"usage" | "cancel">().notNull(),
    value: numeric().notNull(),
    cancels: integer(),
    identifier: text().notNull(),
    batch: text(),
    plannedAt: instantColumn("planned_at").notNull().default(sql`clock_timestamp()`),
    state: text().$type<"planned" | "sent" | "refused" | "unknown">().notNull().default("planned"),
    errorCode: text("error_code"),
    sentAt: instantColumn("sent_at"),
    nextAttemptAt: instantColumn("next_attempt_at").notNull().default(sql`clock_timestamp()`),
  },
  (table) => [primaryKey({ columns: [table.meter, table.customerId, table.windowStart, table.revision] })],
);

/** What Stripe has taken and not counted. */
export const meterError = stripe.table(
  "meter_error",
  {
    eventId: text("event_id").notNull(),
    code: text().notNull(),
    stripeMeterId: text("stripe_meter_id"),
    errors: integer().notNull(),
    identifiers: text().array().notNull(),
    noticedFrom: instantColumn("noticed_from").notNull(),
    noticedUntil: instantColumn("noticed_until").notNull(),
    recordedAt: instantColumn("recorded_at").notNull().default(sql`clock_timestamp()`),
  },
  (table) => [primaryKey({ columns: [table.eventId, table.code] })],
);
