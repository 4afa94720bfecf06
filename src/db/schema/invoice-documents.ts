import { bigint, boolean, integer, jsonb, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import type { ReasonCode } from "../../domain/adjustments/index.ts";
import type { SellerDetails } from "../../domain/invoicing/document/index.ts";
import type { CreditDestination, Invoicing } from "../../domain/invoicing/index.ts";
import type { Watermark } from "../../domain/metering/index.ts";
import type { LedgerAmount } from "../../domain/money/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** What an invoice is for, subscription by subscription. */
export const invoicePart = billing.table(
  "invoice_part",
  {
    invoiceId: text("invoice_id").notNull(),
    part: integer().notNull(),
    subscriptionId: text("subscription_id"),
    periodStart: instantColumn("period_start"),
    periodEnd: instantColumn("period_end"),
    usageCompleteUntil: instantColumn("usage_complete_until"),
    usageKnownBy: text("usage_known_by").$type<Watermark["kind"]>(),
    usageHeldBackBy: text("usage_held_back_by"),
    /** What decided it and is kept nowhere else. */
    facts: jsonb(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.part] })],
);

/** How a customer's subscriptions are invoiced, for periods that end after the choice. */
export const customerInvoicing = billing.table(
  "customer_invoicing",
  {
    customerId: text("customer_id").notNull(),
    choice: integer().notNull(),
    effectiveAt: instantColumn("effective_at").notNull(),
    invoicing: text().$type<Invoicing>().notNull(),
    chosenBy: text("chosen_by").notNull(),
  },
  (table) => [primaryKey({ columns: [table.customerId, table.choice] })],
);

export const seller = billing.table("seller", {
  version: integer().primaryKey(),
  details: jsonb().$type<SellerDetails>().notNull(),
  setBy: text("set_by").notNull(),
  setAt: instantColumn("set_at").notNull(),
});

export const numberSeries = billing.table("number_series", {
  series: text().primaryKey(),
  lastNumber: integer("last_number").notNull(),
});

export const invoiceVoidRequest = billing.table(
  "invoice_void_request",
  {
    invoiceId: text("invoice_id").notNull(),
    requestId: text("request_id").notNull(),
    reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
    reason: text(),
    requestedBy: text("requested_by").notNull(),
    requestedAt: instantColumn("requested_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.requestId] })],
);

export const invoiceVoid = billing.table("invoice_void", {
  invoiceId: text("invoice_id").primaryKey(),
  reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
  reason: text(),
  voidedBy: text("voided_by").notNull(),
  voidedAt: instantColumn("voided_at").notNull(),
});

export const creditNoteRequest = billing.table("credit_note_request", {
  id: text().primaryKey(),
  invoiceId: text("invoice_id").notNull(),
  customerId: text("customer_id").notNull(),
  currency: text().notNull(),
  totalMinor: bigint("total_minor", { mode: "bigint" }).notNull(),
  destination: text().$type<CreditDestination>().notNull(),
  reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
  reason: text(),
  requestedBy: text("requested_by").notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
  /** Null: in this currency somebody else must always agree. */
  approvalLimitMinor: bigint("approval_limit_minor", { mode: "bigint" }),
  /** The end of a subscription that gives unused time back by it, which needs nobody to agree. */
  subscriptionId: text("subscription_id"),
  changeId: text("change_id"),
});

export const creditNoteLine = billing.table(
  "credit_note_line",
  {
    creditNoteId: text("credit_note_id").notNull(),
    invoiceId: text("invoice_id").notNull(),
    line: integer().notNull(),
    amountMinor: bigint("amount_minor", { mode: "bigint" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.creditNoteId, table.line] })],
);

export type CreditNoteOutcome = "approved" | "rejected" | "withdrawn";
export type CreditNoteStatus = "issued" | "pending_approval" | CreditNoteOutcome;

export const creditNoteDecision = billing.table("credit_note_decision", {
  creditNoteId: text("credit_note_id").primaryKey(),
  outcome: text().$type<CreditNoteOutcome>().notNull(),
  decidedBy: text("decided_by").notNull(),
  note: text(),
  decidedAt: instantColumn("decided_at").notNull(),
});

export const creditNote = billing.table("credit_note", {
  id: text().primaryKey(),
  number: text().notNull(),
  lowersDueMinor: bigint("lowers_due_minor", { mode: "bigint" }).notNull(),
  toBalanceMinor: bigint("to_balance_minor", { mode: "bigint" }).notNull(),
  toRefundMinor: bigint("to_refund_minor", { mode: "bigint" }).notNull(),
  sellerVersion: integer("seller_version"),
  issuedBy: text("issued_by").notNull(),
  issuedAt: instantColumn("issued_at").notNull(),
});

/** Every credit note that was asked for, with its decision and, when it is issued, where the money went. */
export const creditNoteStanding = billing
  .view("credit_note_standing", {
    id: text().notNull(),
    invoiceId: text("invoice_id").notNull(),
    customerId: text("customer_id").notNull(),
    currency: text().notNull(),
    totalMinor: bigint("total_minor", { mode: "bigint" }).notNull(),
    destination: text().$type<CreditDestination>().notNull(),
    reasonCode: text("reason_code").$type<ReasonCode>().notNull(),
    reason: text(),
    requestedBy: text("requested_by").notNull(),
    requestedAt: instantColumn("requested_at").notNull(),
    approvalLimitMinor: bigint("approval_limit_minor", { mode: "bigint" }),
    subscriptionId: text("subscription_id"),
    changeId: text("change_id"),
    /** 10⁻⁸ of the minor unit. */
    unapprovedBefore: numeric("unapproved_before", { precision: 38, scale: 0, mode: "bigint" })
      .$type<LedgerAmount>()
      .notNull(),
    needsApproval: boolean("needs_approval").notNull(),
    outcome: text().$type<CreditNoteOutcome>(),
    decidedBy: text("decided_by"),
    note: text(),
    decidedAt: instantColumn("decided_at"),
    number: text(),
    lowersDueMinor: bigint("lowers_due_minor", { mode: "bigint" }),
    toBalanceMinor: bigint("to_balance_minor", { mode: "bigint" }),
    toRefundMinor: bigint("to_refund_minor", { mode: "bigint" }),
    sellerVersion: integer("seller_version"),
    issuedBy: text("issued_by"),
    issuedAt: instantColumn("issued_at"),
    status: text().$type<CreditNoteStatus>().notNull(),
  })
  .existing();
