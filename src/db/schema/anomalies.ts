import { bigint, boolean, integer, jsonb, text } from "drizzle-orm/pg-core";
import type { AnomalyKind, AnomalyState } from "../../domain/anomalies/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

export const anomalyRule = billing.table("anomaly_rule", {
  kind: text().$type<AnomalyKind>().primaryKey(),
  isWatched: boolean("is_watched").notNull(),
  tenthsMin: integer("tenths_min").notNull(),
  historyMin: integer("history_min").notNull(),
  amountMin: bigint("amount_min", { mode: "bigint" }).notNull(),
  changedBy: text("changed_by").notNull(),
  changedAt: instantColumn("changed_at").notNull(),
});

export const anomaly = billing.table("anomaly", {
  id: text().primaryKey(),
  kind: text().$type<AnomalyKind>().notNull(),
  key: text().notNull(),
  customerId: text("customer_id"),
  subjectType: text("subject_type").notNull(),
  subjectId: text("subject_id").notNull(),
  evidence: jsonb().$type<Readonly<Record<string, string>>>().notNull(),
  foundAt: instantColumn("found_at").notNull(),
  state: text().$type<AnomalyState>().notNull().default("open"),
  owner: text(),
  changedAt: instantColumn("changed_at").notNull(),
});

export const anomalyNote = billing.table("anomaly_note", {
  id: text().primaryKey(),
  anomalyId: text("anomaly_id").notNull(),
  note: text(),
  state: text().$type<AnomalyState>(),
  owner: text(),
  notedBy: text("noted_by").notNull(),
  notedAt: instantColumn("noted_at").notNull(),
});
