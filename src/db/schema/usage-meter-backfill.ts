import { bigint, integer, primaryKey, text } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";
import { usage } from "./usage.ts";

export type MeterBackfillState = "waiting" | "running" | "done" | "canceled";

const askedFor = {
  seq: bigint({ mode: "bigint" }).primaryKey(),
  id: text().notNull(),
  /** `catalog.meter.number` */
  meter: integer().notNull(),
  /** Null: of all customers. */
  customerNumber: bigint("customer_number", { mode: "bigint" }),
  since: instantColumn().notNull(),
  /** Exclusive; null: all that there is. */
  until: instantColumn(),
  requestedBy: text("requested_by").notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
};

/** Written by `usage.start_meter_backfill` alone, as the tables below are by the other functions. */
export const meterBackfill = usage.table("meter_backfill", askedFor);

export const meterBackfillPage = usage.table(
  "meter_backfill_page",
  {
    backfillSeq: bigint("backfill_seq", { mode: "bigint" }).notNull(),
    page: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.backfillSeq, table.page] })],
);

export const meterBackfillRefusal = usage.table(
  "meter_backfill_refusal",
  {
    backfillSeq: bigint("backfill_seq", { mode: "bigint" }).notNull(),
    eventSeq: bigint("event_seq", { mode: "bigint" }).notNull(),
    eventTime: instantColumn("event_time").notNull(),
    code: text().notNull(),
    detail: text().notNull(),
    field: text(),
  },
  (table) => [primaryKey({ columns: [table.backfillSeq, table.eventSeq] })],
);

export const meterBackfillEnd = usage.table("meter_backfill_end", {
  backfillSeq: bigint("backfill_seq", { mode: "bigint" }).primaryKey(),
  outcome: text().$type<"done" | "canceled">().notNull(),
});

/** Every backfill with how far it has come. */
export const meterBackfillStanding = usage
  .view("meter_backfill_standing", {
    ...askedFor,
    key: text().notNull(),
    version: integer().notNull(),
    customerId: text("customer_id"),
    state: text().$type<MeterBackfillState>().notNull(),
    /** That were looked at. */
    events: bigint({ mode: "bigint" }).notNull(),
    /** That were made: the others had been counted before, were taken back, or are filtered out. */
    contributions: bigint({ mode: "bigint" }).notNull(),
    refusals: bigint({ mode: "bigint" }).notNull(),
    endedBy: text("ended_by"),
    endedAt: instantColumn("ended_at"),
  })
  .existing();
