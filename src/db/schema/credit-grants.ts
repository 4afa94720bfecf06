import { bigint, boolean, integer, jsonb, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import type { ReasonCode } from "../../domain/adjustments/index.ts";
import type { CreditGrantKind, GrantScope, ReturnPlace } from "../../domain/credits/index.ts";
import type { LedgerAmount } from "../../domain/money/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

const amountColumn = (name: string) =>
  numeric(name, { precision: 38, scale: 0, mode: "bigint" }).$type<LedgerAmount>();
const minorColumn = (name: string) => bigint(name, { mode: "bigint" });

export const creditGrant = billing.table("credit_grant", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  kind: text().$type<CreditGrantKind>().notNull(),
  currency: text().notNull(),
  amountMinor: minorColumn("amount_minor").notNull(),
  /** 10⁻⁸ of the minor unit, on top: of what was left of another grant. */
  amountFraction: minorColumn("amount_fraction").notNull().default(0n),
  priority: integer().notNull(),
  scope: jsonb().$type<GrantScope>(),
  effectiveAt: instantColumn("effective_at").notNull(),
  expiresAt: instantColumn("expires_at"),
  invoiceId: text("invoice_id"),
  reason: text(),
  createdAt: instantColumn("created_at").notNull(),
  recurringGrantId: text("recurring_grant_id"),
  occurrence: integer(),
  rolledOverFrom: text("rolled_over_from"),
});

export const creditGrantEnd = billing.table("credit_grant_end", {
  grantId: text("grant_id").primaryKey(),
  cause: text().$type<"expired" | "capped">().notNull(),
  held: amountColumn("held").notNull(),
  rolledOver: amountColumn("rolled_over").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
  settledAt: instantColumn("settled_at").notNull(),
});

export const creditDraw = billing.table(
  "credit_draw",
  {
    invoiceId: text("invoice_id").notNull(),
    position: integer().notNull(),
    line: integer().notNull(),
    grantId: text("grant_id").notNull(),
    amount: numeric({ precision: 38, scale: 0 }).notNull(),
    drawnAt: instantColumn("drawn_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.position] })],
);

export const creditReturn = billing.table(
  "credit_return",
  {
    causeType: text("cause_type").$type<"usage_correction" | "credit_note" | "invoice_void">().notNull(),
    causeId: text("cause_id").notNull(),
    invoiceId: text("invoice_id").notNull(),
    position: integer().notNull(),
    amount: amountColumn("amount").notNull(),
    returnedTo: text("returned_to").$type<ReturnPlace>().notNull(),
    returnedAt: instantColumn("returned_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.causeType, table.causeId, table.invoiceId, table.position] })],
);

const recurringTerms = {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  currency: text().notNull(),
  amountMinor: minorColumn("amount_minor").notNull(),
  priority: integer().notNull(),
  scope: jsonb().$type<GrantScope>(),
  anchorAt: instantColumn("anchor_at").notNull(),
  intervalUnit: text("interval_unit").$type<"day" | "week" | "month" | "year">().notNull(),
  intervalCount: integer("interval_count").notNull(),
  timeZone: text("time_zone").notNull(),
  effectiveAt: instantColumn("effective_at").notNull(),
  expiresAt: instantColumn("expires_at"),
  first: text().$type<"at_once" | "at_instant">().notNull(),
  rolloverMinMinor: minorColumn("rollover_min_minor"),
  rolloverMaxMinor: minorColumn("rollover_max_minor"),
  rolloverCapMinor: minorColumn("rollover_cap_minor"),
  rolloverMonths: integer("rollover_months"),
  /** All that it can come to; null: without an end. */
  totalMinor: numeric("total_minor", { precision: 38, scale: 0, mode: "bigint" }),
  reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
  reason: text(),
  requestedBy: text("requested_by").notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
  approvalLimitMinor: minorColumn("approval_limit_minor"),
  nextOccurrence: integer("next_occurrence").notNull(),
  nextAt: instantColumn("next_at"),
};

export const recurringGrant = billing.table("recurring_grant", recurringTerms);

export const recurringGrantDecision = billing.table("recurring_grant_decision", {
  recurringGrantId: text("recurring_grant_id").primaryKey(),
  outcome: text().$type<"approved" | "rejected" | "withdrawn">().notNull(),
  decidedBy: text("decided_by").notNull(),
  note: text(),
  decidedAt: instantColumn("decided_at").notNull(),
});

export const recurringGrantEnd = billing.table("recurring_grant_end", {
  recurringGrantId: text("recurring_grant_id").primaryKey(),
  endedBy: text("ended_by").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
  reason: text(),
});

export const recurringStatuses = ["pending_approval", "rejected", "withdrawn", "active", "ended"] as const;
export type RecurringStatus = (typeof recurringStatuses)[number];

/** Every recurring grant with whether it is agreed to, and since when. */
export const recurringGrantStanding = billing
  .view("recurring_grant_standing", {
    ...recurringTerms,
    needsApproval: boolean("needs_approval").notNull(),
    outcome: text().$type<"approved" | "rejected" | "withdrawn">(),
    decidedBy: text("decided_by"),
    note: text(),
    decidedAt: instantColumn("decided_at"),
    endedBy: text("ended_by"),
    endedAt: instantColumn("ended_at"),
    endReason: text("end_reason"),
    status: text().$type<RecurringStatus>().notNull(),
    /** Null as long as it is not agreed to. */
    activeSince: instantColumn("active_since"),
  })
  .existing();
