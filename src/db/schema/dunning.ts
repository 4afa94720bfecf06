import { bigint, boolean, integer, jsonb, primaryKey, text } from "drizzle-orm/pg-core";
import type { DunningPolicy, NoticeMoment } from "../../domain/lifecycle/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

export type DunningState = OpenDunningState | "recovered" | "exhausted" | "closed" | "stopped";
export type OpenDunningState = "retrying" | "awaiting_payment_method" | "awaiting_action" | "disputed";

export const dunning = billing.table("dunning", {
  invoiceId: text("invoice_id").primaryKey(),
  state: text().$type<DunningState>().notNull(),
  attempts: integer().notNull(),
  startedAt: instantColumn("started_at").notNull(),
  nextAttemptAt: instantColumn("next_attempt_at"),
  endedAt: instantColumn("ended_at"),
  /** As it was when the first charge failed: it holds to the end. */
  policy: jsonb().$type<DunningPolicy>(),
  /** Of the deployment's policy that was chosen; null when the plan's own terms count. */
  policyKey: text("policy_key"),
  timeZone: text("time_zone").notNull().default("UTC"),
  learntHour: integer("learnt_hour"),
  /** When something happens next by itself. */
  nextAt: instantColumn("next_at"),
  why: text(),
});

export const dunningPolicyChoice = billing.table(
  "dunning_policy_choice",
  {
    customerId: text("customer_id").notNull(),
    requestId: text("request_id").notNull(),
    number: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    policyKey: text("policy_key"),
    reason: text(),
    chosenBy: text("chosen_by").notNull(),
    chosenAt: instantColumn("chosen_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.customerId, table.requestId] })],
);

export const cardAttempt = billing.table(
  "card_attempt",
  {
    invoiceId: text("invoice_id").notNull(),
    attempt: integer().notNull(),
    customerId: text("customer_id").notNull(),
    card: text().notNull(),
    amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
    attemptedAt: instantColumn("attempted_at").notNull(),
    /** Null while it is under way. */
    outcome: text().$type<"paid" | "declined" | "requires_action" | "refused">(),
    endsCard: boolean("ends_card").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.attempt] })],
);

export type DunningCommandKind = "retry" | "postpone" | "stop";

export const dunningCommand = billing.table(
  "dunning_command",
  {
    invoiceId: text("invoice_id").notNull(),
    requestId: text("request_id").notNull(),
    number: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    command: text().$type<DunningCommandKind>().notNull(),
    until: instantColumn("until"),
    reason: text().notNull(),
    commandedBy: text("commanded_by").notNull(),
    commandedAt: instantColumn("commanded_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.requestId] })],
);

export const dunningNotice = billing.table(
  "dunning_notice",
  {
    invoiceId: text("invoice_id").notNull(),
    /** What it is said of: `begun`, `attempt/2`, `access/limited`. */
    fact: text().notNull(),
    number: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    moment: text().$type<NoticeMoment>().notNull(),
    notice: text().notNull(),
    saidAt: instantColumn("said_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.fact, table.moment] })],
);
