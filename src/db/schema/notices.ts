import { bigint, customType, integer, jsonb, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
import type { EndpointReason, EndpointState, NoticeKind } from "../../domain/notices/index.ts";
import { instantColumn } from "./columns.ts";

export const notices = pgSchema("notice");

const bytesColumn = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

export const notice = notices.table("notice", {
  id: text().primaryKey(),
  sequence: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
  key: text().notNull(),
  kind: text().$type<NoticeKind>().notNull(),
  customerId: text("customer_id"),
  subject: jsonb().notNull(),
  /** By the customer's clock. */
  occurredAt: instantColumn("occurred_at").notNull(),
  /** What is sent; null until it is composed. */
  body: text(),
  composedAt: instantColumn("composed_at"),
});

export const endpoint = notices.table("endpoint", {
  id: text().primaryKey(),
  url: text().notNull(),
  description: text(),
  /** Null: all. */
  kinds: text().array().$type<NoticeKind[]>(),
  state: text().$type<EndpointState>().notNull(),
  /** Why it is not enabled. */
  reason: text().$type<EndpointReason>(),
  failingSince: instantColumn("failing_since"),
  createdAt: instantColumn("created_at").notNull(),
});

export const endpointSecret = notices.table(
  "endpoint_secret",
  {
    endpointId: text("endpoint_id").notNull(),
    number: integer().notNull(),
    sealed: bytesColumn().notNull(),
    createdAt: instantColumn("created_at").notNull(),
    expiresAt: instantColumn("expires_at"),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.number] })],
);

export const mailPreference = notices.table("mail_preference", {
  customerId: text("customer_id").primaryKey(),
  suppressedKinds: text("suppressed_kinds").array().$type<NoticeKind[]>().notNull(),
  changedAt: instantColumn("changed_at").notNull(),
});

export type DeliveryState = "waiting" | "delivered" | "given_up";

export const delivery = notices.table("delivery", {
  id: text().primaryKey(),
  noticeId: text("notice_id").notNull(),
  /** Null: by e-mail. */
  endpointId: text("endpoint_id"),
  /** The endpoint, or `email`. */
  receiver: text().notNull(),
  state: text().$type<DeliveryState>().notNull().default("waiting"),
  attempts: integer().notNull().default(0),
  /** How many there were when it was last asked for. */
  attemptsBefore: integer("attempts_before").notNull().default(0),
  nextAttemptAt: instantColumn("next_attempt_at").notNull(),
  createdAt: instantColumn("created_at").notNull(),
  finishedAt: instantColumn("finished_at"),
});

export const deliveryAttempt = notices.table(
  "delivery_attempt",
  {
    deliveryId: text("delivery_id").notNull(),
    attempt: integer().notNull(),
    outcome: text().$type<"delivered" | "failed">().notNull(),
    attemptedAt: instantColumn("attempted_at").notNull(),
    latencyMs: integer("latency_ms").notNull(),
    /** Of HTTP or SMTP. */
    status: integer(),
    /** How the answer began. */
    answer: text(),
    error: text(),
  },
  (table) => [primaryKey({ columns: [table.deliveryId, table.attempt] })],
);
