import { bigint, boolean, integer, jsonb, numeric, text } from "drizzle-orm/pg-core";
import type { AdjustmentKind, ReasonCode } from "../../domain/adjustments/index.ts";
import type { CreditGrantKind, GrantScope } from "../../domain/credits/index.ts";
import type { Currency, LedgerAmount } from "../../domain/money/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

const amountColumn = (name: string) =>
  numeric(name, { precision: 38, scale: 0, mode: "bigint" }).$type<LedgerAmount>();

const asked = {
  id: text().primaryKey(),
  kind: text().$type<AdjustmentKind>().notNull(),
  customerId: text("customer_id").notNull(),
  /** Null when it is about the customer's balance. */
  grantId: text("grant_id"),
  grantKind: text("grant_kind").$type<CreditGrantKind>(),
  /** Of a grant that it makes. */
  priority: integer(),
  expiresAt: instantColumn("expires_at"),
  scope: jsonb().$type<GrantScope>(),
  startsAt: instantColumn("starts_at"),
  currency: text().$type<Currency>().notNull(),
  /** What the customer gets; negative: what is taken back. */
  change: amountColumn("change").notNull(),
  reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
  reason: text(),
  requestedBy: text("requested_by").notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
  /** Null: in this currency somebody else must always agree. */
  approvalLimitMinor: bigint("approval_limit_minor", { mode: "bigint" }),
};

export const adjustment = billing.table("adjustment", asked);

export type DecisionOutcome = "approved" | "rejected" | "withdrawn";

const decided = {
  decidedBy: text("decided_by").notNull(),
  note: text(),
  decidedAt: instantColumn("decided_at").notNull(),
};

export const adjustmentDecision = billing.table("adjustment_decision", {
  adjustmentId: text("adjustment_id").primaryKey(),
  outcome: text().$type<DecisionOutcome>().notNull(),
  ...decided,
});

export const adjustmentStatuses = ["pending_approval", "executed", "rejected", "withdrawn"] as const;
export type AdjustmentStatus = (typeof adjustmentStatuses)[number];

/** Every adjustment with what the database makes of it: whether it needs approval, and where it stands. */
export const adjustmentStanding = billing
  .view("adjustment_standing", {
    ...asked,
    /** What the same actor changed for the customer in the 24 hours before, without anybody else. */
    unapprovedBefore: amountColumn("unapproved_before").notNull(),
    needsApproval: boolean("needs_approval").notNull(),
    outcome: text().$type<DecisionOutcome>(),
    decidedBy: text("decided_by"),
    note: text(),
    decidedAt: instantColumn("decided_at"),
    status: text().$type<AdjustmentStatus>().notNull(),
    /** When it took effect; null as long as it has not. */
    effectiveAt: instantColumn("effective_at"),
    /** Its journal entry's kind and cause. */
    entryKind: text("entry_kind").notNull(),
    causeType: text("cause_type").notNull(),
    causeId: text("cause_id").notNull(),
  })
  .existing();
