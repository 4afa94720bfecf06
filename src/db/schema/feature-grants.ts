import { bigint, jsonb, primaryKey, text } from "drizzle-orm/pg-core";
import type { ReasonCode } from "../../domain/adjustments/index.ts";
import type { Entitlement } from "../../domain/catalog/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** What is given to one customer of a feature, beside plans. */
export const featureGrant = billing.table("feature_grant", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  feature: text().notNull(),
  kind: text().$type<"contract" | "grant">().notNull(),
  entitlement: jsonb().$type<Entitlement>().notNull(),
  effectiveAt: instantColumn("effective_at").notNull(),
  expiresAt: instantColumn("expires_at"),
  reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
  reason: text(),
  grantedBy: text("granted_by").notNull(),
  grantedAt: instantColumn("granted_at").notNull(),
});

export const featureGrantEnd = billing.table("feature_grant_end", {
  grantId: text("grant_id").primaryKey(),
  endedBy: text("ended_by").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
  reason: text(),
});

/** When a window that first use opens was opened, as it was told. */
export const openedWindow = billing.table(
  "opened_window",
  {
    customerId: text("customer_id").notNull(),
    meter: text().notNull(),
    subject: jsonb().$type<Readonly<Record<string, string>>>().notNull(),
    lengthMs: bigint("length_ms", { mode: "number" }).notNull(),
    openedAt: instantColumn("opened_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.customerId, table.meter, table.subject, table.lengthMs, table.openedAt] }),
  ],
);
