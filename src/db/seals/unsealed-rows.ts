import { rows, sql, type Tx } from "../database.ts";
import type { LedgerFinding } from "./ledger-finding.ts";
import { keyTextOf, type SealedTableName, sealedTableNames, sealedTables } from "./sealed-tables.ts";

/** How many rows were recorded by this transaction or later; tables without any are left out. */
export async function unsealedRows(
  tx: Pick<Tx, "execute">,
  fromXid: string,
): Promise<Partial<Record<SealedTableName, number>>> {
  const counted = await rows<{ table: SealedTableName; rows: bigint }>(
    tx,
    sql`select * from (${sql.join(
      sealedTableNames.map(
        (table) => sql`
          select ${table}::text as table, count(*) as rows from ${sql.raw(fromOf(table))}
          where recorded_xid >= ${fromXid}::xid8`,
      ),
      sql` union all `,
    )}) as counted where rows > 0`,
  );
  return Object.fromEntries(counted.map(({ table, rows: number }) => [table, Number(number)]));
}

/** A row of a transaction that has not happened, and is not the one that asks, would never come under a seal. */
export async function neverSealed(tx: Pick<Tx, "execute">): Promise<LedgerFinding[]> {
  const facts = sealedTableNames.filter((table) => sealedTables[table].parent === undefined);
  return await rows<LedgerFinding>(
    tx,
    sql`${sql.join(
      facts.map(
        (table) => sql`
          select ${table}::text as table, ${sql.raw(keyTextOf(table))} as key,
            'names a transaction that has not happened' as problem
          from ledger.${sql.raw(table)}
          where recorded_xid >= pg_snapshot_xmax(pg_current_snapshot())
            and recorded_xid is distinct from pg_current_xact_id_if_assigned()`,
      ),
      sql` union all `,
    )}`,
  );
}

/** A table, a line with what it belongs to. */
function fromOf(table: SealedTableName): string {
  const { parent, key } = sealedTables[table];
  return parent === undefined
    ? `ledger.${table}`
    : `ledger.${parent} as parent join ledger.${table} as line on line.${key[0]} = parent.id`;
}
