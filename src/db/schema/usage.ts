import { bigint, customType, jsonb, numeric, pgSchema, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";

export const usage = pgSchema("usage");

/** What one meter made of one event, as it is stored: the quantity as decimal text, the dimensions as canonical JSON. */
export interface StoredContribution {
  readonly meter_key: string;
  readonly dimensions_key: string;
  readonly quantity: string;
}

export type QuarantineReason = "unknown_customer" | "no_meter";

const transactionIdColumn = customType<{ data: string }>({ dataType: () => "xid8" });

export const eventKey = usage.table("event_key", {
  key: uuid().primaryKey(),
  payloadHash: uuid("payload_hash").notNull(),
  eventSeq: bigint("event_seq", { mode: "bigint" }).notNull(),
});

/** What an event says, the same in every table that holds events. */
const payload = {
  customerId: text("customer_id").notNull(),
  type: text().notNull(),
  time: instantColumn().notNull(),
  data: jsonb().$type<Record<string, unknown>>().notNull(),
};

export const event = usage.table("event", {
  seq: bigint({ mode: "bigint" }).primaryKey(),
  recordedXid: transactionIdColumn("recorded_xid").notNull(),
  recordedAt: instantColumn("recorded_at").notNull(),
  source: text().notNull(),
  id: text().notNull(),
  ...payload,
  contributions: jsonb().$type<StoredContribution[]>().notNull(),
});

export const eventConflict = usage.table(
  "event_conflict",
  {
    eventSeq: bigint("event_seq", { mode: "bigint" }).notNull(),
    payloadHash: uuid("payload_hash").notNull(),
    ...payload,
    recordedAt: instantColumn("recorded_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.eventSeq, table.payloadHash] })],
);

const quarantinedColumns = {
  seq: bigint({ mode: "bigint" }).primaryKey(),
  recordedAt: instantColumn("recorded_at").notNull(),
  source: text().notNull(),
  id: text().notNull(),
  ...payload,
  reason: text().$type<QuarantineReason>().notNull(),
};

/** Every event that was ever quarantined, released or not. */
export const quarantinedEvent = usage.table("quarantined_event", quarantinedColumns);

/** Those that are quarantined still. */
export const pendingEvent = usage.view("pending_event", quarantinedColumns).existing();

export const hourlyWindow = usage.table(
  "hourly_window",
  {
    customerId: text("customer_id").notNull(),
    meterKey: text("meter_key").notNull(),
    hour: instantColumn().notNull(),
    dimensionsKey: text("dimensions_key").notNull(),
    sum: numeric().notNull(),
    max: numeric().notNull(),
    count: bigint({ mode: "bigint" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.customerId, table.meterKey, table.hour, table.dimensionsKey] })],
);
