import { asc, eq } from "drizzle-orm";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../../domain/calendar/index.ts";
import {
  CatalogInvalidError,
  type CostTable,
  type CostTableVersion,
  newCostVersions,
} from "../../domain/catalog/index.ts";
import type { Currency } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { costTable } from "../schema/catalog.ts";

/** The published versions of a cost table, the oldest first. */
export async function costTableVersions(tx: Tx, key: string): Promise<CostTableVersion[]> {
  const found = await tx
    .select()
    .from(costTable)
    .where(eq(costTable.key, key))
    .orderBy(asc(costTable.effectiveAt));
  return found.map(versionOf);
}

/** Every cost table with all its versions; name, currency and dimensions as they were last written. */
export async function publishedTables(tx: Tx): Promise<CostTable[]> {
  const found = await tx.select().from(costTable).orderBy(costTable.key, costTable.effectiveAt);
  return [...Map.groupBy(found, ({ key }) => key).values()].flatMap((versions) => {
    const newest = versions.at(-1);
    if (newest === undefined) return [];
    const { key, name, currency, dimensions } = newest;
    return [
      {
        key,
        name,
        currency: currency as Currency,
        dimensions,
        versions: versions.map(versionOf),
      },
    ];
  });
}

const versionOf = ({ effectiveAt, rows: costs }: typeof costTable.$inferSelect): CostTableVersion => ({
  effectiveAt: isoOf(effectiveAt),
  rows: costs,
});

/** A cost table with those of its versions that are not published yet. */
export interface NewCosts {
  readonly table: CostTable;
  readonly isNew: boolean;
  readonly versions: readonly CostTableVersion[];
}

/**
 * What publishing these tables would add.
 * @throws CatalogInvalidError for versions that would change what usage was priced by
 */
export async function newCosts(tx: Tx, tables: readonly CostTable[]): Promise<NewCosts[]> {
  if (tables.length === 0) return [];
  const now = await databaseTime(tx);
  const published = new Map((await publishedTables(tx)).map((table) => [table.key, table]));
  const changes = tables.map((table, index) => ({
    table,
    isNew: !published.has(table.key),
    ...newCostVersions(published.get(table.key), table, now, `costTables[${index}]`),
  }));
  const issues = changes.flatMap((change) => change.issues);
  if (issues.length > 0) throw new CatalogInvalidError(issues);
  return changes;
}

/** Publishes the versions that are new. Give it the transaction of the catalog. @throws as {@link newCosts} */
export async function publishCostTables(tx: Tx, tables: readonly CostTable[]): Promise<void> {
  const added = (await newCosts(tx, tables)).flatMap(({ table, versions }) =>
    versions.map(({ effectiveAt, rows: costs }) => ({
      key: table.key,
      name: table.name,
      currency: table.currency,
      dimensions: table.dimensions,
      effectiveAt: instant(effectiveAt),
      rows: costs,
    })),
  );
  if (added.length > 0) await tx.insert(costTable).values(added);
}

async function databaseTime(tx: Tx): Promise<Instant> {
  const [row] = await rows<{ ms: bigint }>(
    tx,
    sql`select (extract(epoch from clock_timestamp()) * 1000)::int8 as ms`,
  );
  return instantOfEpochMs(Number(row?.ms));
}
