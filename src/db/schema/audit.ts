import { bigint, jsonb, text } from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { instantColumn } from "./columns.ts";

/** A request that changed something: who, what, why. */
export const auditEvent = access.table("audit_event", {
  id: text().primaryKey(),
  at: instantColumn().notNull(),
  actor: text().notNull(),
  rights: text().array().notNull(),
  operation: text().notNull(),
  resource: text().notNull(),
  verb: text().notNull(),
  path: text().notNull(),
  customerId: text("customer_id"),
  reason: text(),
  input: jsonb(),
  answer: jsonb(),
  requestId: text("request_id").notNull(),
  recordedAt: instantColumn("recorded_at").notNull(),
});

/** A row that it changed, before and after. */
export const auditChange = access.table("audit_change", {
  auditEventId: text("audit_event_id").notNull(),
  position: bigint({ mode: "bigint" }).notNull(),
  relation: text().notNull(),
  before: jsonb(),
  after: jsonb(),
});
