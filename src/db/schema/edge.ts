import { bigint, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** A time during which one process at the edge heard nothing about a customer, as it was told afterwards. */
export const edgeCutOff = billing.table("edge_cut_off", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  beganAt: instantColumn("began_at").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
  heldPosition: numeric("held_position"),
  reportedBy: text("reported_by").notNull(),
  reportedAt: instantColumn("reported_at").notNull(),
});

export const edgeCutOffFeature = billing.table(
  "edge_cut_off_feature",
  {
    cutOffId: text("cut_off_id").notNull(),
    feature: text().notNull(),
    policy: text().$type<"allowed" | "denied" | "allowed_up_to" | "unknown">().notNull(),
    allowed: bigint({ mode: "number" }).notNull(),
    quantity: numeric().notNull(),
    denied: bigint({ mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.cutOffId, table.feature] })],
);
