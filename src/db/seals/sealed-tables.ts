import { hash } from "node:crypto";
import { rows, sql, type Tx } from "../database.ts";

/**
 * What seals cover: every column of every fact of the ledger, named here a second time, beside `ledger.sealed_rows`. The
 * digests are made outside the database: what a changed function there would answer is of no use to whoever changed it.
 */

interface SealedTable {
  readonly columns: readonly string[];
  /** The columns that name a row. */
  readonly key: readonly [string, string?];
  /** A number in whose order its rows are hashed, where it is not the first column of the key. */
  readonly order?: string;
  /** How its name is written, where the columns' own text depends on the session. */
  readonly keyText?: string;
  /** Of lines: the table they are recorded with. */
  readonly parent?: SealedTableName;
}

/** In the order in which a seal's root takes their digests; lines come right after what they belong to. */
export const sealedTableNames = [
  "account",
  "journal_entry",
  "posting",
  "hold",
  "hold_line",
  "hold_resolution",
  "accounting_period",
] as const;
export type SealedTableName = (typeof sealedTableNames)[number];

const words = (text: string) => text.split(/\s+/);

export const sealedTables: Readonly<Record<SealedTableName, SealedTable>> = {
  account: {
    key: ["id"],
    columns: words(`id key code class normal currency floor hot keep_history customer_id dimensions opened_at
      recorded_xid`),
  },
  journal_entry: {
    key: ["id"],
    columns:
      words(`id kind source_key request_hash occurred_at effective_at recorded_at recorded_xid actor cause_type cause_id
      customer_id currency reverses metadata`),
  },
  posting: {
    key: ["entry_id", "line"],
    columns: words("entry_id line currency debit_account credit_account amount"),
    parent: "journal_entry",
  },
  hold: {
    key: ["id"],
    columns:
      words(`id source_key request_hash customer_id currency cause_type cause_id actor placed_at expires_at recorded_at
      recorded_xid`),
  },
  hold_line: {
    key: ["hold_id", "line"],
    columns: words("hold_id line account_id amount at_most"),
    parent: "hold",
  },
  hold_resolution: {
    key: ["hold_id"],
    columns: words("hold_id outcome entry_key actor resolved_at recorded_at recorded_xid"),
  },
  accounting_period: {
    key: ["month"],
    order: "month - date '2000-01-01'",
    keyText: "to_char(month, 'YYYY-MM-DD')",
    columns: words("month closed_at closed_by recorded_xid"),
  },
};

/** The rows of a table that one seal covers, in the order of their keys. */
export interface SealedRows {
  readonly table: SealedTableName;
  /** As in findings: `1042` or `1042/1`. */
  readonly keys: readonly string[];
  /** SHA-256 of each row. */
  readonly digests: readonly Buffer[];
}

/** To be called before rows are read, for the rest of the transaction. */
export async function prepareToRecompute(tx: Pick<Tx, "execute">): Promise<void> {
  await tx.execute(sql`
    -- Names mean the server's own functions, whatever the database's owner has put beside them.
    set local search_path = pg_catalog, pg_temp;
    -- The rows of a seal are sorted in memory.
    set local work_mem = '64MB'`);
}

/**
 * What was recorded from each of these transactions to before the next, as it stands now: for each such range every table in
 * its order. Many small ranges take no longer than a large one.
 * @param bounds in ascending order; one more than there are ranges
 */
export async function readSealedRows(
  tx: Pick<Tx, "execute">,
  bounds: readonly [string, string, ...string[]],
): Promise<SealedRows[][]> {
  const found = await rows<FoundRow>(tx, sql.raw(sealedRowsQuery(bounds.map(BigInt))));
  const read = bounds.slice(1).map(() => sealedTableNames.map((table) => emptyRows(table)));
  // A line is in the range of what it belongs to, which comes before it.
  const rangeOfParent = new Map<string, number>();
  for (const { ordinal, range, owner, key, bytes } of found) {
    if (range !== null) rangeOfParent.set(`${ordinal}/${owner}`, range);
    const own = read[(range ?? rangeOfParent.get(`${ordinal - 1}/${owner}`) ?? 0) - 1]?.[ordinal];
    own?.keys.push(key);
    own?.digests.push(hash("sha256", bytes, "buffer"));
  }
  return read;
}

interface FoundRow {
  /** The place of its table. */
  readonly ordinal: number;
  /** Counts from 1; null for a line. */
  readonly range: number | null;
  /** The number of the row, or of what a line belongs to. */
  readonly owner: string;
  readonly key: string;
  readonly bytes: Buffer;
}

const emptyRows = (table: SealedTableName) => ({ table, keys: [] as string[], digests: [] as Buffer[] });

/** As one text that is put together quickly: verification asks it often. */
function sealedRowsQuery(bounds: readonly bigint[]): string {
  const recorded = `recorded_xid >= '${bounds[0]}' and recorded_xid < '${bounds.at(-1)}'`;
  const range = `width_bucket(recorded_xid, '{${bounds.join()}}'::xid8[])`;
  const parts = sealedTableNames.map((table, ordinal) => {
    const { columns, key, order = key[0], parent } = sealedTables[table];
    // Lines are looked up by what they belong to, whatever the planner believes of its number.
    const [rangeOf, wanted] =
      parent === undefined
        ? [range, recorded]
        : ["null", `${key[0]} = any(array(select id from ledger.${parent} where ${recorded}))`];
    // A row's binary form puts type and length before every value, so that no two rows are written alike.
    return `
      select ${ordinal} as ordinal, ${rangeOf} as range, (${order})::bigint as owner, ${key[1] ?? 0} as line,
        ${keyTextOf(table)} as key, record_send(row('${table}'::text, ${columns.join()})) as bytes
      from ledger.${table} where ${wanted}`;
  });
  return `
    select ordinal, range, owner::text, key, bytes
    from (${parts.join(" union all ")}) as sealed order by ordinal, sealed.owner, line`;
}

/** A row's name as findings say it, in SQL. */
export function keyTextOf(table: SealedTableName): string {
  const { key, keyText = `concat_ws('/', ${key.join()})` } = sealedTables[table];
  return keyText;
}
