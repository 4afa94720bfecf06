import { boolean, pgSchema } from "drizzle-orm/pg-core";
import { instantColumn, snapshotColumn } from "./columns.ts";

/** What an invoice is of. late_usage: what came when its subscription had ended and was billed to its end. */
export type InvoiceKind =
  | "activation"
  | "cycle"
  | "threshold"
  | "proration"
  | "credit_purchase"
  | "late_usage";

/** Until where usage was looked at for what comes when its subscription has ended: one row. */
export const lateUsageWatch = pgSchema("billing").table("late_usage_watch", {
  isRow: boolean("is_row").primaryKey().default(true),
  seen: snapshotColumn().notNull(),
  lookedAt: instantColumn("looked_at").notNull(),
});
