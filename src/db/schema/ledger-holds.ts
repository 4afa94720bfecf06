import { bigint, customType, integer, numeric, primaryKey, text } from "drizzle-orm/pg-core";
import type { Currency, LedgerAmount } from "../../domain/money/index.ts";
import { instantColumn } from "./columns.ts";
import { ledger } from "./ledger.ts";

const bytesColumn = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
const transactionIdColumn = customType<{ data: string }>({ dataType: () => "xid8" });
const amountColumn = (name: string) =>
  numeric(name, { precision: 38, scale: 0, mode: "bigint" }).$type<LedgerAmount>();

export const hold = ledger.table("hold", {
  id: bigint({ mode: "bigint" }).primaryKey(),
  sourceKey: text("source_key").notNull(),
  requestHash: bytesColumn("request_hash").notNull(),
  customerId: text("customer_id"),
  currency: text().$type<Currency>().notNull(),
  causeType: text("cause_type").notNull(),
  causeId: text("cause_id").notNull(),
  actor: text().notNull(),
  placedAt: instantColumn("placed_at").notNull(),
  expiresAt: instantColumn("expires_at").notNull(),
  recordedAt: instantColumn("recorded_at").notNull(),
  recordedXid: transactionIdColumn("recorded_xid").notNull(),
});

export const holdLine = ledger.table(
  "hold_line",
  {
    holdId: bigint("hold_id", { mode: "bigint" }).notNull(),
    line: integer().notNull(),
    accountId: bigint("account_id", { mode: "bigint" }).notNull(),
    amount: amountColumn("amount").notNull(),
    /** The most that may be settled; null: any amount the account has. */
    atMost: amountColumn("at_most"),
  },
  (table) => [primaryKey({ columns: [table.holdId, table.line] })],
);

export const holdResolution = ledger.table("hold_resolution", {
  holdId: bigint("hold_id", { mode: "bigint" }).primaryKey(),
  outcome: text().$type<"settled" | "released" | "expired">().notNull(),
  entryKey: text("entry_key"),
  actor: text().notNull(),
  resolvedAt: instantColumn("resolved_at").notNull(),
  recordedAt: instantColumn("recorded_at").notNull(),
  recordedXid: transactionIdColumn("recorded_xid").notNull(),
});

export const openHold = ledger.table("open_hold", {
  holdId: bigint("hold_id", { mode: "bigint" }).primaryKey(),
  expiresAt: instantColumn("expires_at").notNull(),
});
