import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  integer,
  json,
  jsonb,
  numeric,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import type { LimitWindow } from "../../domain/catalog/index.ts";
import type { HeldBucket } from "../../domain/entitlements/index.ts";
import type { JsonValue } from "../../domain/metering/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** Who spends, and what is set aside for requests before they run. Amounts are minor units, exact, as text. */

const numbersColumn = customType<{ data: readonly bigint[] }>({ dataType: () => "bigint[]" });
const transactionIdColumn = customType<{ data: string }>({ dataType: () => "xid8" });
const serial = (name: string) => bigint(name, { mode: "bigint" });

export const spender = billing.table("spender", {
  number: serial("number").primaryKey().generatedAlwaysAsIdentity(),
  customerId: text("customer_id").notNull(),
  kind: text().$type<"organisation" | "team" | "user">().notNull(),
  key: text().notNull(),
});

export const spenderPlacement = billing.table("spender_placement", {
  id: text().primaryKey(),
  spender: serial("spender").notNull(),
  parent: serial("parent"),
  effectiveAt: instantColumn("effective_at").notNull(),
  placedBy: text("placed_by").notNull(),
});

export const spendingCap = billing.table("spending_cap", {
  id: text().primaryKey(),
  spender: serial("spender").notNull(),
  kind: text().$type<"cap" | "raise">().notNull(),
  eachUser: boolean("each_user").notNull(),
  amountMinor: numeric("amount_minor").notNull(),
  window: jsonb("limit_window").$type<LimitWindow>().notNull(),
  effectiveAt: instantColumn("effective_at").notNull(),
  expiresAt: instantColumn("expires_at"),
  reason: text(),
  setBy: text("set_by").notNull(),
  setAt: instantColumn("set_at").notNull(),
});

export const spendingCapEnd = billing.table("spending_cap_end", {
  capId: text("cap_id").primaryKey(),
  endedBy: text("ended_by").notNull(),
  endedAt: instantColumn("ended_at").notNull(),
  reason: text(),
});

/** A charge as reservations and receipts keep it. */
export interface StoredCharge {
  readonly subscription: string;
  readonly plan: string;
  readonly planVersion: number;
  readonly price: string;
  readonly meter: string;
  readonly quantity: string;
  readonly exactMinor: string;
}

/** What one grant paid of one charge, from what was set aside for its request. */
export interface StoredPayment extends Pick<StoredCharge, "subscription" | "plan" | "planVersion" | "price"> {
  readonly bucket: HeldBucket;
  readonly grant: string;
  readonly amountMinor: string;
}

type EventData = Readonly<Record<string, JsonValue>>;

export const reservation = billing.table("reservation", {
  id: text().primaryKey(),
  requestHash: uuid("request_hash").notNull(),
  customerId: text("customer_id").notNull(),
  userKey: text("user_key"),
  purpose: text(),
  eventType: text("event_type").notNull(),
  worstCase: json("worst_case").$type<EventData>().notNull(),
  charges: json().$type<readonly StoredCharge[]>().notNull(),
  currency: text().notNull(),
  heldMinor: numeric("held_minor").notNull(),
  path: numbersColumn("path").notNull(),
  isOnTestClock: boolean("is_on_test_clock").notNull(),
  placedAt: instantColumn("placed_at").notNull(),
  expiresAt: instantColumn("expires_at").notNull(),
});

export const reservationExtension = billing.table(
  "reservation_extension",
  {
    reservationId: text("reservation_id").notNull(),
    expiresAt: instantColumn("expires_at").notNull(),
    extendedAt: instantColumn("extended_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.reservationId, table.expiresAt] })],
);

export const reservationExpiry = billing.table("reservation_expiry", {
  reservationId: text("reservation_id").primaryKey(),
  expiredAt: instantColumn("expired_at").notNull(),
});

export const receiptOutcomes = ["completed", "canceled", "failed", "released"] as const;
export type ReceiptOutcome = (typeof receiptOutcomes)[number];

export const receipt = billing.table("receipt", {
  reservationId: text("reservation_id").primaryKey(),
  requestHash: uuid("request_hash").notNull(),
  customerId: text("customer_id").notNull(),
  userKey: text("user_key"),
  purpose: text(),
  outcome: text().$type<ReceiptOutcome>().notNull(),
  isLate: boolean("is_late").notNull(),
  used: json().$type<EventData>().notNull(),
  charges: json().$type<readonly StoredCharge[]>().notNull(),
  currency: text().notNull(),
  costMinor: numeric("cost_minor").notNull(),
  heldMinor: numeric("held_minor").notNull(),
  path: numbersColumn("path").notNull(),
  usedAt: instantColumn("used_at").notNull(),
  settledAt: instantColumn("settled_at").notNull(),
  payments: json().$type<readonly StoredPayment[]>(),
  recordedXid: transactionIdColumn("recorded_xid").notNull().default(sql`pg_current_xact_id()`),
});

export const openReservation = billing.table("open_reservation", {
  reservationId: text("reservation_id").primaryKey(),
  expiresAt: instantColumn("expires_at").notNull(),
  isOnTestClock: boolean("is_on_test_clock").notNull(),
  heldMinor: numeric("held_minor").notNull(),
  counters: numbersColumn("counters").notNull(),
  grants: text().array(),
  buckets: text().array().$type<readonly HeldBucket[]>(),
  amounts: numeric().array(),
  customerId: text("customer_id").notNull(),
});

export const spendingCounter = billing.table("spending_counter", {
  number: serial("number").primaryKey().generatedAlwaysAsIdentity(),
  spender: serial("spender").notNull(),
  userKey: text("user_key"),
  windowKey: text("window_key").notNull(),
  windowStart: instantColumn("window_start").notNull(),
  windowEnd: instantColumn("window_end"),
  heldMinor: numeric("held_minor").notNull(),
  spentMinor: numeric("spent_minor").notNull(),
});

export const entitlementRevision = billing.table("entitlement_revision", {
  customerId: text("customer_id").primaryKey(),
  revision: serial("revision").notNull(),
  revisedXid: transactionIdColumn("revised_xid").notNull(),
});

/** Who alone may spend a grant: its own, or each time of a recurring one. */
export const creditGrantHolder = billing.table("credit_grant_holder", {
  grantId: text("grant_id").primaryKey(),
  spender: serial("spender").notNull(),
  givenBy: text("given_by").notNull(),
  givenAt: instantColumn("given_at").notNull(),
});

export const creditCounter = billing.table("credit_counter", {
  grantId: text("grant_id").primaryKey(),
  account: text().notNull(),
  heldMinor: numeric("held_minor").notNull(),
  unbilledMinor: numeric("unbilled_minor").notNull(),
  holdNumber: integer("hold_number").notNull(),
});

/** What a billing of a period drew for receipts. */
export const reservedDraw = billing.table(
  "reserved_draw",
  {
    subscriptionId: text("subscription_id").notNull(),
    periodStart: instantColumn("period_start").notNull(),
    revision: integer().notNull(),
    planKey: text("plan_key").notNull(),
    planVersion: integer("plan_version").notNull(),
    priceKey: text("price_key").notNull(),
    grantId: text("grant_id").notNull(),
    /** 10⁻⁸ of the minor unit. */
    amount: numeric({ precision: 38, scale: 0 }).notNull(),
    released: numeric({ precision: 38, scale: 0 }).notNull(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.subscriptionId,
        table.periodStart,
        table.grantId,
        table.planKey,
        table.planVersion,
        table.priceKey,
        table.revision,
      ],
    }),
  ],
);
