import postgres from "postgres";
import { ledgerInvariantQueries } from "../../src/db/invariants/ledger-invariants.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { type RateRun, rateWatch } from "./calls.ts";
import type { LedgerUnderTest } from "./ledger-under-test.ts";

/** Posts until the ledger has so many entries, and refreshes its statistics. */
export async function fillUp(ledger: LedgerUnderTest, entriesMin: number, note: Note): Promise<void> {
  while (ledger.acknowledged() < entriesMin) {
    note(`${ledger.acknowledged()} of ${entriesMin} entries`);
    await ledger.sendDirectly({ work: "uniform", batch: 1_000, connections: 2, seconds: 5 });
  }
  await asOwner(ledger, (owner) => owner`vacuum (analyze)`);
}

/** Recomputes every balance from all postings and compares it with the stored one: V2. */
export async function recompute(ledger: LedgerUnderTest): Promise<RateRun> {
  const query = ledgerInvariantQueries.find(({ name }) => name.startsWith("V2: every balance"));
  if (query === undefined) throw new Error("there is no V2 of every balance any more");
  const sql = ledger.pool(1);
  const [counted] = await sql<[{ count: string }]>`select count(*) from ledger.posting`;
  const watch = rateWatch(ledger.server.pid);
  const breaking = await sql.unsafe(query.sql);
  if (breaking.length > 0) throw new Error(`${breaking.length} balances are not the sums of their postings`);
  return watch.rate(Number(counted.count));
}

export interface StorageFigures {
  readonly entries: number;
  /** Bytes of tables with their indexes, for each entry. */
  readonly bytesPerEntry: number;
  /** Bytes for each entry, and how many of them are indexes. */
  readonly tables: Readonly<Record<string, { readonly total: number; readonly indexes: number }>>;
  /** Bytes written to the log for each entry. */
  readonly walPerEntry: number;
}

/** What a number of entries with one posting each add to the ledger. */
export async function measureStorage(ledger: LedgerUnderTest, seconds: number): Promise<StorageFigures> {
  return asOwner(ledger, async (owner) => {
    const sizes = async () => {
      await owner`vacuum`;
      return sizesOf(owner);
    };
    const before = await sizes();
    const { entries } = await ledger.sendDirectly({
      work: "uniform",
      batch: 1_000,
      connections: 2,
      seconds,
    });
    const wal = (await walPosition(owner)) - before.wal;
    const after = await sizes();
    const grown = [...after.tables].map(([name, { total, indexes }]) => {
      const was = before.tables.get(name) ?? { total: 0, indexes: 0 };
      return [
        name,
        { total: (total - was.total) / entries, indexes: (indexes - was.indexes) / entries },
      ] as const;
    });
    const tables = grown
      .filter(([, { total }]) => total >= 0.5)
      .sort(([, one], [, other]) => other.total - one.total);
    return {
      entries,
      bytesPerEntry: Math.round(grown.reduce((sum, [, { total }]) => sum + total, 0)),
      tables: Object.fromEntries(
        tables.map(([name, { total, indexes }]) => [
          name,
          { total: Math.round(total), indexes: Math.round(indexes) },
        ]),
      ),
      walPerEntry: Math.round(wal / entries),
    };
  });
}

/** Bytes of every table of the ledger, a partitioned one as a whole. */
async function sizesOf(owner: postgres.Sql) {
  const sizes = await owner<{ name: string; total: string; indexes: string }[]>`
    select coalesce(pg_partition_root(oid)::regclass, oid::regclass)::text as name,
      sum(pg_total_relation_size(oid)) as total, sum(pg_indexes_size(oid)) as indexes
    from pg_class where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'm') group by 1`;
  return {
    tables: new Map(
      sizes.map(({ name, total, indexes }) => [name, { total: Number(total), indexes: Number(indexes) }]),
    ),
    wal: await walPosition(owner),
  };
}

async function walPosition(owner: postgres.Sql): Promise<number> {
  const [row] = await owner<[{ position: string }]>`select pg_current_wal_insert_lsn() - '0/0' as position`;
  return Number(row.position);
}

/** V1 to V3 on everything that was posted; and what was acknowledged is there, neither more nor less. */
export async function proveLedger(ledger: LedgerUnderTest) {
  const sql = ledger.pool(1);
  for (const { name, sql: query } of ledgerInvariantQueries) {
    const breaking = await sql.unsafe(query);
    if (breaking.length > 0) throw new Error(`${name}: broken by ${JSON.stringify(breaking.slice(0, 3))}`);
  }
  const [row] = await sql<[{ present: string }]>`select count(*) as present from ledger.journal_entry`;
  const [present, acknowledged] = [Number(row.present), ledger.acknowledged()];
  if (present !== acknowledged)
    throw new Error(`${acknowledged} entries were acknowledged, ${present} are there`);
  return { acknowledged, present, rules: ledgerInvariantQueries.map(({ name }) => name) };
}

async function asOwner<T>(ledger: LedgerUnderTest, work: (owner: postgres.Sql) => Promise<T>): Promise<T> {
  const owner = postgres(ledger.server.ownerUrl, { max: 1, onnotice: () => {} });
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}
