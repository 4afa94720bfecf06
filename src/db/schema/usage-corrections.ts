import { bigint, boolean, customType, json, primaryKey, text } from "drizzle-orm/pg-core";
import type {
  BackfillState,
  UsageCorrectionKind,
  UsageCorrectionReason,
} from "../../domain/corrections/index.ts";
import type { DecisionOutcome } from "./adjustments.ts";
import { instantColumn } from "./columns.ts";
import { usage } from "./usage.ts";

const int8 = (name: string) => bigint(name, { mode: "bigint" });

const openedBackfill = {
  id: text().primaryKey(),
  name: text().notNull(),
  reason: text().notNull(),
  openedBy: text("opened_by").notNull(),
  openedAt: instantColumn("opened_at").notNull(),
};

/** Usage that is reported afterwards under one name. */
export const backfill = usage.table("backfill", openedBackfill);

const closing = { closedBy: text("closed_by").notNull(), closedAt: instantColumn("closed_at").notNull() };

export const backfillClosing = usage.table("backfill_closing", {
  backfillId: text("backfill_id").primaryKey(),
  ...closing,
});

export const backfillEvent = usage.table("backfill_event", {
  eventSeq: int8("event_seq").primaryKey(),
  eventTime: instantColumn("event_time").notNull(),
  backfillId: text("backfill_id").notNull(),
  customerNumber: int8("customer_number").notNull(),
});

/** Every backfill with its state, and the correction that takes it back or waits to. */
export const backfillStanding = usage
  .view("backfill_standing", {
    ...openedBackfill,
    closedBy: text("closed_by"),
    closedAt: instantColumn("closed_at"),
    revertId: text("revert_id"),
    state: text().$type<BackfillState>().notNull(),
  })
  .existing();

const asked = {
  id: text().primaryKey(),
  kind: text().$type<UsageCorrectionKind>().notNull(),
  /** Where it takes back a whole backfill. */
  backfillId: text("backfill_id"),
  reasonCode: text("reason_code").$type<UsageCorrectionReason>().notNull(),
  note: text(),
  requestedBy: text("requested_by").notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
  eventCount: int8("event_count").notNull(),
  /** More events than that need a second key, with those of `unapprovedBefore`. */
  unapprovedMax: int8("unapproved_max").notNull(),
  /** Events that the same actor corrected in the 24 hours before, without anybody else. */
  unapprovedBefore: int8("unapproved_before").notNull(),
  /** Whether the period of one of the events has been rated. */
  changesBilled: boolean("changes_billed").notNull(),
  needsApproval: boolean("needs_approval").notNull(),
};

export const correction = usage.table("correction", asked);

export const correctionEvent = usage.table(
  "correction_event",
  {
    correctionId: text("correction_id").notNull(),
    eventSeq: int8("event_seq").notNull(),
    eventTime: instantColumn("event_time").notNull(),
    customerNumber: int8("customer_number").notNull(),
    /** The event's newest correction when this one was asked for. */
    afterSeq: int8("after_seq"),
    /** What an amended event says from then on. */
    data: json().$type<Record<string, unknown>>(),
  },
  (table) => [primaryKey({ columns: [table.correctionId, table.eventSeq] })],
);

export const correctionDecision = usage.table("correction_decision", {
  correctionId: text("correction_id").primaryKey(),
  outcome: text().$type<DecisionOutcome>().notNull(),
  decidedBy: text("decided_by").notNull(),
  note: text(),
  decidedAt: instantColumn("decided_at").notNull(),
});

const transactionId = customType<{ data: string }>({ dataType: () => "xid8" });

export const correctionBooking = usage.table("correction_booking", {
  seq: int8("seq").primaryKey(),
  correctionId: text("correction_id").notNull(),
  bookedAt: instantColumn("booked_at").notNull(),
  recordedXid: transactionId("recorded_xid").notNull(),
});

export const usageCorrectionStatuses = ["pending_approval", "executed", "rejected", "withdrawn"] as const;
export type UsageCorrectionStatus = (typeof usageCorrectionStatuses)[number];

/** Every correction with its decision, and where it stands. */
export const correctionStanding = usage
  .view("correction_standing", {
    ...asked,
    outcome: text().$type<DecisionOutcome>(),
    decidedBy: text("decided_by"),
    decisionNote: text("decision_note"),
    decidedAt: instantColumn("decided_at"),
    status: text().$type<UsageCorrectionStatus>().notNull(),
    /** The number of the fact that it is; null until it is booked. */
    seq: int8("seq"),
    bookedAt: instantColumn("booked_at"),
  })
  .existing();

/** Each corrected event with its newest booked correction. */
export const correctedEvent = usage
  .view("corrected_event", {
    eventSeq: int8("event_seq").notNull(),
    eventTime: instantColumn("event_time").notNull(),
    customerNumber: int8("customer_number").notNull(),
    seq: int8("seq").notNull(),
    kind: text().$type<UsageCorrectionKind>().notNull(),
    data: json().$type<Record<string, unknown>>(),
  })
  .existing();
