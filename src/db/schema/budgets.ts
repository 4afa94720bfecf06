import { bigint, boolean, integer, jsonb, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import type { AlertCondition, AlertSubject } from "../../domain/alerts/index.ts";
import type { TopUpState } from "../../domain/credits/index.ts";
import type { LedgerAmount } from "../../domain/money/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** Credit that is bought by itself, and alerts. */

const minorColumn = (name: string) => bigint(name, { mode: "bigint" });

export const topUpRule = billing.table("top_up_rule", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  currency: text().notNull(),
  thresholdMinor: minorColumn("threshold_minor").notNull(),
  amountMinor: minorColumn("amount_minor").notNull(),
  monthlyLimitMinor: minorColumn("monthly_limit_minor"),
  coolDownSeconds: integer("cool_down_seconds").notNull(),
  expiresAfterDays: integer("expires_after_days"),
  priority: integer().notNull(),
  setBy: text("set_by").notNull(),
  setAt: instantColumn("set_at").notNull(),
});

export type TopUpRuleEndCause = "requested" | "replaced" | "declined" | "refused";

export const topUpRuleEnd = billing.table("top_up_rule_end", {
  ruleId: text("rule_id").primaryKey(),
  cause: text().$type<TopUpRuleEndCause>().notNull(),
  /** The code of a decline or refusal. */
  detail: text(),
  endedBy: text("ended_by").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
});

const topUpColumns = {
  ruleId: text("rule_id").notNull(),
  number: integer().notNull(),
  grantId: text("grant_id").notNull(),
  creditLeft: numeric("credit_left", { precision: 38, scale: 0, mode: "bigint" })
    .$type<LedgerAmount>()
    .notNull(),
  monthStart: instantColumn("month_start").notNull(),
  begunAt: instantColumn("begun_at").notNull(),
};

export const topUp = billing.table("top_up", topUpColumns, (table) => [
  primaryKey({ columns: [table.ruleId, table.number] }),
]);

/** Each purchase with what became of it. */
export const topUpStanding = billing
  .view("top_up_standing", {
    ...topUpColumns,
    customerId: text("customer_id").notNull(),
    currency: text().notNull(),
    amountMinor: minorColumn("amount_minor").notNull(),
    invoiceId: text("invoice_id").notNull(),
    isInvoiced: boolean("is_invoiced").notNull(),
    state: text().$type<TopUpState>().notNull(),
  })
  .existing();

export const alert = billing.table("alert", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  subject: jsonb().$type<AlertSubject>().notNull(),
  condition: jsonb().$type<AlertCondition>().notNull(),
  setBy: text("set_by").notNull(),
  setAt: instantColumn("set_at").notNull(),
});

export const alertEnd = billing.table("alert_end", {
  alertId: text("alert_id").primaryKey(),
  endedBy: text("ended_by").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
});

export const alertCrossing = billing.table(
  "alert_crossing",
  {
    alertId: text("alert_id").notNull(),
    number: integer().notNull(),
    reading: text().notNull(),
    windowStart: instantColumn("window_start"),
    used: numeric().notNull(),
    allowed: numeric().notNull(),
    forecast: numeric(),
    crossedAt: instantColumn("crossed_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.alertId, table.number] })],
);

export const alertRecovery = billing.table(
  "alert_recovery",
  {
    alertId: text("alert_id").notNull(),
    number: integer().notNull(),
    cause: text().$type<"recovered" | "reset">().notNull(),
    recoveredAt: instantColumn("recovered_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.alertId, table.number] })],
);

/** When a customer is to be looked at though nothing has changed. */
export const budgetLook = billing.table("budget_look", {
  customerId: text("customer_id").primaryKey(),
  lookAt: instantColumn("look_at"),
});
