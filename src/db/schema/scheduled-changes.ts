import { bigint, jsonb, primaryKey, text } from "drizzle-orm/pg-core";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** Agreed for later; the row says for good what, and its resolution what became of it. */
export const scheduledChange = billing.table(
  "scheduled_change",
  {
    subscriptionId: text("subscription_id").notNull(),
    changeId: text("change_id").notNull(),
    number: bigint({ mode: "number" }).notNull().generatedAlwaysAsIdentity(),
    kind: text().$type<ScheduledKind>().notNull(),
    effectiveAt: instantColumn("effective_at").notNull(),
    request: jsonb().notNull(),
    cause: text().$type<"requested" | "trial" | "pause">().notNull(),
    requestedAt: instantColumn("requested_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.subscriptionId, table.changeId] })],
);

export type ScheduledKind =
  | "change_plan"
  | "change_quantity"
  | "add_add_on"
  | "remove_add_on"
  | "pause"
  | "resume"
  | "cancel"
  | "end_trial";

export type ScheduledOutcome = "applied" | "withdrawn" | "superseded" | "refused";

export const scheduledChangeResolution = billing.table(
  "scheduled_change_resolution",
  {
    subscriptionId: text("subscription_id").notNull(),
    changeId: text("change_id").notNull(),
    outcome: text().$type<ScheduledOutcome>().notNull(),
    resolvedAt: instantColumn("resolved_at").notNull(),
    /** Why it was refused. */
    code: text(),
    message: text(),
  },
  (table) => [primaryKey({ columns: [table.subscriptionId, table.changeId] })],
);
