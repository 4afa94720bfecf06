import {
  bigint,
  customType,
  integer,
  json,
  numeric,
  pgSchema,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import type { WindowSize } from "../../domain/metering/index.ts";
import { instantColumn } from "./columns.ts";

export const usage = pgSchema("usage");

export type QuarantineReason = "unknown_customer" | "no_meter";

const transactionIdColumn = customType<{ data: string }>({ dataType: () => "xid8" });

export const eventKey = usage.table("event_key", {
  key: uuid().primaryKey(),
  payloadHash: uuid("payload_hash").notNull(),
  eventSeq: bigint("event_seq", { mode: "bigint" }).notNull(),
  eventTime: instantColumn("event_time").notNull(),
});

/** Numbers of combinations of dimension values. */
export const dimensions = usage.table("dimensions", {
  number: bigint({ mode: "bigint" }).primaryKey(),
  /** Canonical JSON, such as `{"class":"input","model":"large"}`. */
  key: text().notNull(),
});

/** What an event says, the same in every table that holds events. */
const payload = {
  type: text().notNull(),
  time: instantColumn().notNull(),
  data: json().$type<Record<string, unknown>>().notNull(),
};

/** Events, with what each meter made of them: lists of equal length. */
export const event = usage.table(
  "event",
  {
    seq: bigint({ mode: "bigint" }).notNull(),
    recordedXid: transactionIdColumn("recorded_xid").notNull(),
    recordedAt: instantColumn("recorded_at").notNull(),
    customerNumber: bigint("customer_number", { mode: "bigint" }).notNull(),
    source: text().notNull(),
    id: text().notNull(),
    ...payload,
    /** `catalog.meter.number` */
    meters: integer().array().notNull(),
    dimensions: bigint({ mode: "bigint" }).array().notNull(),
    quantities: numeric().array().notNull(),
  },
  (table) => [primaryKey({ columns: [table.seq, table.time] })],
);

export const eventConflict = usage.table(
  "event_conflict",
  {
    eventSeq: bigint("event_seq", { mode: "bigint" }).notNull(),
    payloadHash: uuid("payload_hash").notNull(),
    customerId: text("customer_id").notNull(),
    ...payload,
    recordedAt: instantColumn("recorded_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.eventSeq, table.payloadHash] })],
);

const quarantinedColumns = {
  seq: bigint({ mode: "bigint" }).primaryKey(),
  recordedAt: instantColumn("recorded_at").notNull(),
  customerId: text("customer_id").notNull(),
  source: text().notNull(),
  id: text().notNull(),
  ...payload,
  reason: text().$type<QuarantineReason>().notNull(),
};

/** Every event that was ever quarantined, released or not. */
export const quarantinedEvent = usage.table("quarantined_event", quarantinedColumns);

/** Those that are quarantined still. */
export const pendingEvent = usage.view("pending_event", quarantinedColumns).existing();

/** What became of events later, read by the view usage.contribution. */
export const laterContribution = usage.table("later_contribution", {
  factSeq: bigint("fact_seq", { mode: "bigint" }).notNull(),
  eventSeq: bigint("event_seq", { mode: "bigint" }).notNull(),
});

const windowColumns = {
  customerNumber: bigint("customer_number", { mode: "bigint" }).notNull(),
  meter: integer().notNull(),
  size: text().$type<WindowSize>().notNull(),
  start: instantColumn().notNull(),
  dimensions: bigint({ mode: "bigint" }).notNull(),
};

/** Read by the functions of the database. */
export const usageWindow = usage.table("window", windowColumns);
export const windowLevel = usage.table("window_level", windowColumns);
export const windowValue = usage.table("window_value", windowColumns);
export const folded = usage.table("folded", { before: transactionIdColumn().notNull() });
