import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  jsonb,
  numeric,
  pgSchema,
  primaryKey,
  smallint,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import type { AccountClass, AccountCode, DimensionName } from "../../domain/ledger/index.ts";
import type { Currency, LedgerAmount, LedgerSum } from "../../domain/money/index.ts";
import { instantColumn } from "./columns.ts";

export const ledger = pgSchema("ledger");

const bytesColumn = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
const transactionIdColumn = customType<{ data: string }>({ dataType: () => "xid8" });

/** 10⁻⁸ of the currency's minor unit. */
const amountColumn = (name: string) =>
  numeric(name, { precision: 38, scale: 0, mode: "bigint" }).$type<LedgerAmount>();

/** The same without a limit: what amounts add up to. */
const sumColumn = (name: string) => numeric(name, { mode: "bigint" }).$type<LedgerSum>();

export const chartAccount = ledger.table("chart_account", {
  code: text().$type<AccountCode>().primaryKey(),
  name: text().notNull(),
  class: text().$type<AccountClass>().notNull(),
  /** 1 when debits increase it, -1 when credits do. */
  normal: smallint().$type<1 | -1>().notNull(),
  bounded: boolean().notNull(),
  hot: boolean().notNull(),
  keepHistory: boolean("keep_history").notNull(),
  dimensions: text().array().$type<DimensionName[]>().notNull(),
});

export const account = ledger.table("account", {
  id: bigint({ mode: "bigint" }).primaryKey(),
  key: text().notNull(),
  code: text().$type<AccountCode>().notNull(),
  class: text().$type<AccountClass>().notNull(),
  normal: smallint().$type<1 | -1>().notNull(),
  currency: text().$type<Currency>().notNull(),
  /** The least the balance may be, on its normal side. */
  floor: amountColumn("floor"),
  hot: boolean().notNull(),
  keepHistory: boolean("keep_history").notNull(),
  customerId: text("customer_id"),
  dimensions: jsonb().$type<Partial<Record<DimensionName, string>>>().notNull(),
  openedAt: instantColumn("opened_at").notNull(),
  recordedXid: transactionIdColumn("recorded_xid").notNull(),
});

export const accountBalance = ledger.table("account_balance", {
  accountId: bigint("account_id", { mode: "bigint" }).primaryKey(),
  normal: smallint().$type<1 | -1>().notNull(),
  currency: text().$type<Currency>().notNull(),
  floor: amountColumn("floor"),
  hot: boolean().notNull(),
  keepHistory: boolean("keep_history").notNull(),
  debit: sumColumn("debit").notNull(),
  credit: sumColumn("credit").notNull(),
  /** What open holds have set aside. */
  held: sumColumn("held").notNull(),
  version: bigint({ mode: "bigint" }).notNull(),
});

export const balanceDelta = ledger.table("balance_delta", {
  accountId: bigint("account_id", { mode: "bigint" }).notNull(),
  debit: sumColumn("debit").notNull(),
  credit: sumColumn("credit").notNull(),
  postings: bigint({ mode: "bigint" }).notNull(),
});

export const journalEntry = ledger.table("journal_entry", {
  id: bigint({ mode: "bigint" }).primaryKey(),
  kind: text().notNull(),
  sourceKey: text("source_key").notNull(),
  requestHash: bytesColumn("request_hash").notNull(),
  occurredAt: instantColumn("occurred_at").notNull(),
  effectiveAt: instantColumn("effective_at").notNull(),
  recordedAt: instantColumn("recorded_at").notNull(),
  recordedXid: transactionIdColumn("recorded_xid").notNull(),
  actor: text().notNull(),
  causeType: text("cause_type").notNull(),
  causeId: text("cause_id").notNull(),
  customerId: text("customer_id"),
  currency: text().$type<Currency>().notNull(),
  reverses: bigint({ mode: "bigint" }),
  metadata: jsonb().$type<Record<string, string>>().notNull(),
});

export const posting = ledger.table(
  "posting",
  {
    entryId: bigint("entry_id", { mode: "bigint" }).notNull(),
    line: integer().notNull(),
    currency: text().$type<Currency>().notNull(),
    debitAccount: bigint("debit_account", { mode: "bigint" }).notNull(),
    creditAccount: bigint("credit_account", { mode: "bigint" }).notNull(),
    amount: amountColumn("amount").notNull(),
  },
  (table) => [primaryKey({ columns: [table.entryId, table.line] })],
);

export const accountHistory = ledger.table(
  "account_history",
  {
    accountId: bigint("account_id", { mode: "bigint" }).notNull(),
    version: bigint({ mode: "bigint" }).notNull(),
    entryId: bigint("entry_id", { mode: "bigint" }).notNull(),
    line: integer().notNull(),
    /** Positive on the account's normal side. */
    delta: amountColumn("delta").notNull(),
    balanceAfter: sumColumn("balance_after").notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.version] })],
);

export const accountingPeriod = ledger.table("accounting_period", {
  month: date().primaryKey(),
  closedAt: instantColumn("closed_at").notNull(),
  closedBy: text("closed_by").notNull(),
  recordedXid: transactionIdColumn("recorded_xid").notNull(),
});

/** All that was posted with effect up to the end of a closed month; a row for each month in which something was. */
export const periodBalance = ledger.table(
  "period_balance",
  {
    accountId: bigint("account_id", { mode: "bigint" }).notNull(),
    month: date().notNull(),
    debit: sumColumn("debit").notNull(),
    credit: sumColumn("credit").notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.month] })],
);

/** The closed months whose `period_balance` is complete. */
export const carriedMonth = ledger.table("carried_month", {
  month: date().primaryKey(),
});

/** The ranges of entry ids, `endId` not included, that have partitions. */
export const entryRange = ledger.table("entry_range", {
  number: integer().primaryKey(),
  firstId: bigint("first_id", { mode: "bigint" }).notNull(),
  endId: bigint("end_id", { mode: "bigint" }).notNull(),
});

/** What entries have claimed for ever. */
export const entryKey = ledger.table("entry_key", {
  hash: uuid().primaryKey(),
  entryId: bigint("entry_id", { mode: "bigint" }).notNull(),
});

/** Every account with its balance, exact in the snapshot of the query. */
export const balance = ledger
  .view("balance", {
    accountId: bigint("account_id", { mode: "bigint" }).notNull(),
    key: text().notNull(),
    code: text().$type<AccountCode>().notNull(),
    name: text().notNull(),
    class: text().$type<AccountClass>().notNull(),
    normal: smallint().$type<1 | -1>().notNull(),
    currency: text().$type<Currency>().notNull(),
    floor: amountColumn("floor"),
    customerId: text("customer_id"),
    dimensions: jsonb().$type<Partial<Record<DimensionName, string>>>().notNull(),
    debit: sumColumn("debit").notNull(),
    credit: sumColumn("credit").notNull(),
    /** Positive on the account's normal side. */
    balance: sumColumn("balance").notNull(),
    held: sumColumn("held").notNull(),
    version: bigint({ mode: "bigint" }).notNull(),
  })
  .existing();
