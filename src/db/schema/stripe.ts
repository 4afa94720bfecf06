import { integer, jsonb, pgSchema, text } from "drizzle-orm/pg-core";
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
