import { bigint, customType } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";
import { ledger } from "./ledger.ts";

const digestColumn = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
const transactionIdColumn = customType<{ data: string }>({ dataType: () => "xid8" });

/** Each covers the facts of a range of transactions, with their lines, and the seal before it. */
export const seal = ledger.table("seal", {
  number: bigint({ mode: "bigint" }).primaryKey(),
  previous: digestColumn().notNull(),
  fromXid: transactionIdColumn("from_xid").notNull(),
  toXid: transactionIdColumn("to_xid").notNull(),
  rowCount: bigint("row_count", { mode: "bigint" }).notNull(),
  root: digestColumn().notNull(),
  sealedAt: instantColumn("sealed_at").notNull(),
});
