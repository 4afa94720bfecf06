import { bigint, date, integer, jsonb, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";
import { usage } from "./usage.ts";

/** A file of events, as it was written and read back. */
export interface ArchivedFile {
  readonly name: string;
  readonly events: number;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** Months whose single events were archived. */
export const archivedMonth = usage.table("archived_month", {
  /** Its first day, UTC. */
  month: date().primaryKey(),
  events: bigint({ mode: "bigint" }).notNull(),
  manifest: text().notNull(),
  manifestHash: text("manifest_hash").notNull(),
  files: jsonb().$type<readonly ArchivedFile[]>().notNull(),
  archivedBy: text("archived_by").notNull(),
  recordedAt: instantColumn("recorded_at").notNull(),
});

/** What the events of an archived month contributed when they were accepted. */
export const archivedContribution = usage.table(
  "archived_contribution",
  {
    month: date().notNull(),
    meter: integer().notNull(),
    count: bigint({ mode: "bigint" }).notNull(),
    sum: numeric().notNull(),
  },
  (table) => [primaryKey({ columns: [table.month, table.meter] })],
);
