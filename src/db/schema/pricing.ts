import { bigint, integer, jsonb, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import type { PriceOverride } from "../../domain/catalog/index.ts";
import type { AdjustmentPartKind } from "../../domain/pricing/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

export const ratedAdjustment = billing.table(
  "rated_adjustment",
  {
    subscriptionId: text("subscription_id").notNull(),
    periodStart: instantColumn("period_start").notNull(),
    revision: integer().notNull(),
    planKey: text("plan_key").notNull(),
    planVersion: integer("plan_version").notNull(),
    adjustmentKey: text("adjustment_key").notNull(),
    charge: text().notNull(),
    kind: text().$type<AdjustmentPartKind>().notNull(),
    priceKey: text("price_key"),
    product: text().notNull(),
    earning: text().$type<"unbilled" | "earned">().notNull(),
    termsStart: instantColumn("terms_start").notNull(),
    termsEnd: instantColumn("terms_end").notNull(),
    exactMinor: numeric("exact_minor").notNull(),
    amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.subscriptionId,
        table.periodStart,
        table.revision,
        table.planKey,
        table.planVersion,
        table.adjustmentKey,
        table.charge,
      ],
    }),
  ],
);

export const priceAgreement = billing.table("price_agreement", {
  fingerprint: text().primaryKey(),
  overrides: jsonb().$type<PriceOverride[]>().notNull(),
});
