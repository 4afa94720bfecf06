import { bigint, date, primaryKey, smallint, text } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";
import { usage } from "./usage.ts";

/** The latest word of each instance of a source; written by `usage.note_heartbeat` alone. */
export const sourceHeartbeat = usage.table("source_heartbeat", {
  source: text().notNull(),
  instance: text().notNull(),
  /** Null: of all customers. */
  customerId: text("customer_id"),
  /** Null: of all types. */
  type: text(),
  completeUntil: instantColumn("complete_until").notNull(),
  heardAt: instantColumn("heard_at").notNull(),
});

export const activeSource = usage.table(
  "active_source",
  {
    customerNumber: bigint("customer_number", { mode: "bigint" }).notNull(),
    type: text().notNull(),
    source: text().notNull(),
    lastDay: date("last_day").notNull(),
  },
  (table) => [primaryKey({ columns: [table.customerNumber, table.type, table.source] })],
);

export const arrivalLag = usage.table(
  "arrival_lag",
  {
    source: text().notNull(),
    type: text().notNull(),
    day: date().notNull(),
    bucket: smallint().notNull(),
    events: bigint({ mode: "bigint" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.source, table.type, table.day, table.bucket] })],
);
