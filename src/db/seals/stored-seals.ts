import { asc, getTableColumns, gt } from "drizzle-orm";
import { sql, type Tx } from "../database.ts";
import { seal as sealTable } from "../schema/ledger-seals.ts";
import type { Seal } from "./seal-encoding.ts";

const sealsPerPage = 500;

const stored = getTableColumns(sealTable);
const columns = {
  ...stored,
  previous: sql<string>`encode(${stored.previous}, 'hex')`,
  root: sql<string>`encode(${stored.root}, 'hex')`,
  // The same text whatever the session's settings.
  sealedAt: sql<string>`extract(epoch from ${stored.sealedAt})::text`,
};

/** The seals in the database after a number, in order. */
export async function* sealsAfter(tx: Tx, after: number): AsyncGenerator<Seal> {
  for (let last = after; ; ) {
    const page = await tx
      .select(columns)
      .from(sealTable)
      .where(gt(sealTable.number, BigInt(last)))
      .orderBy(asc(sealTable.number))
      .limit(sealsPerPage);
    for (const { number, rowCount, ...texts } of page) {
      last = Number(number);
      yield { number: last, ...texts, rowCount: Number(rowCount) };
    }
    if (page.length < sealsPerPage) return;
  }
}
