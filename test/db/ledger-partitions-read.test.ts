import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { searchEntries } from "../../src/db/ledger/entry-search.ts";
import {
  accountBalance,
  entriesOfInvoice,
  findEntry,
  findEntryById,
  findEntryOfCause,
  preparePartitions,
} from "../../src/db/ledger/ledger.ts";
import { type JournalEntryDraft, reversalOf, usageRevenue } from "../../src/domain/ledger/index.ts";
import {
  at,
  draft,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  revenue,
  spend,
  usd,
} from "./ledger-fixture.ts";

/** Six partitions of entries: how many of them does what happens all day look into? */
let ledger: LedgerFixture;

const million = 1_000_000;
const partitions = 6;
const perPartition = 2_000;
const [first, last] = ["1/0", `${partitions}/${perPartition - 1}`];

beforeAll(async () => {
  ledger = await openLedger({ poolSize: 1 });
  await ledger.post(fund("funded", "g", 10n ** 9n));
  for (let number = 1; number <= partitions; number++) {
    const entries = Array.from({ length: perPartition }, (_, n) => {
      const key = `${number}/${n}`;
      const over = { customerId: `c${n % 50}`, metadata: { invoice_id: `in-${key}` } };
      return n % 10 === 0
        ? { ...spend(key, "g", 1n), metadata: over.metadata }
        : draft(key, [move(fees, usageRevenue(`p${n % 7}`, usd), 1n)], over);
    });
    for (let from = 0; from < perPartition; from += 500)
      await ledger.post(...entries.slice(from, from + 500));
    if (number === partitions) break;
    const [row] = await ledger.owner.sql`
      select end_id::text as end from ledger.entry_range where number = ${number}`;
    await ledger.owner.sql`select setval('ledger.entry_id', ${row?.end}, false)`;
    await inTransaction(ledger.db, (tx) => preparePartitions(tx, million));
  }
  await ledger.owner
    .sql`analyze ledger.journal_entry, ledger.posting, ledger.account_history, ledger.entry_key, ledger.account`;
}, 120_000);

afterAll(() => ledger.close());

/** How often each partition has been looked into, by an index or from end to end. */
async function looks(): Promise<Map<string, number>> {
  for (const pool of [ledger.db.orm, ledger.db.snapshots])
    await pool.execute("select pg_stat_force_next_flush()");
  const found = await ledger.owner.sql<{ name: string; looks: number }[]>`
    select relname as name, (coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::int as looks
    from pg_stat_user_tables where schemaname = 'ledger'`;
  return new Map(found.map(({ name, looks: count }) => [name, count]));
}

/** The partitions that were looked into while something was done. */
async function lookedInto(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await looks();
  await work();
  const after = await looks();
  const counts: Record<string, number> = {};
  for (const [name, count] of after) {
    if (count === before.get(name)) continue;
    const table = name.replace(/_\d+$/, "");
    counts[table] = (counts[table] ?? 0) + 1;
  }
  return counts;
}

let times = 0;
/** A key that was not used before. */
const fresh = () => `new/${++times}`;
const firstEntry = { ...spend(first, "g", 1n), metadata: { invoice_id: `in-${first}` } };

const cases: readonly {
  what: string;
  work: () => Promise<unknown>;
  /** The most partitions of each table. */
  atMost: { journal_entry: number; posting: number };
}[] = [
  {
    what: "posting an entry",
    work: () => ledger.post(draft(fresh(), [move(fees, revenue, 1n)])),
    atMost: { journal_entry: 1, posting: 0 },
  },
  {
    what: "spending",
    work: () => ledger.post(spend(fresh(), "g", 1n)),
    atMost: { journal_entry: 1, posting: 0 },
  },
  {
    what: "posting an old entry again",
    work: () => ledger.post(firstEntry),
    atMost: { journal_entry: 1, posting: 0 },
  },
  {
    what: "reversing an old entry",
    work: () => ledger.post(reversals.pop() ?? firstEntry),
    atMost: { journal_entry: 2, posting: 2 },
  },
  {
    what: "reading a balance",
    work: () => accountBalance(ledger.db.orm, grantOf("g")),
    atMost: { journal_entry: 0, posting: 0 },
  },
  {
    what: "an old entry by its key",
    work: () => findEntry(ledger.db.orm, first),
    atMost: { journal_entry: 1, posting: 1 },
  },
  {
    what: "an old entry by its id",
    work: () => findEntryById(ledger.db.orm, 2n),
    atMost: { journal_entry: 1, posting: 1 },
  },
  {
    what: "an entry by its cause",
    work: () => findEntryOfCause(ledger.db.orm, "test", { type: "test", id: last }),
    atMost: { journal_entry: 1, posting: 1 },
  },
  {
    what: "a customer's newest entries",
    work: () => searchEntries(ledger.db, { customerId: "c7" }, { limit: 20 }),
    atMost: { journal_entry: 2, posting: 1 },
  },
  {
    what: "an invoice's entries, whenever they were: one probe of an index in each",
    work: () => entriesOfInvoice(ledger.db.orm, "in-3/3"),
    atMost: { journal_entry: 7, posting: 1 },
  },
];

const reversals: JournalEntryDraft[] = [];

test.each(cases)("$what", async ({ work, atMost }) => {
  for (const key of ["1/10", "1/20"]) {
    const undone = await findEntry(ledger.db.orm, key);
    if (undone === undefined) throw new Error(`${key} was posted`);
    reversals.push(reversalOf({ sourceKey: fresh(), occurredAt: at, effectiveAt: at }, undone));
  }
  await work(); // what is looked up once in a session is looked up here
  const { journal_entry = 0, posting = 0 } = await lookedInto(work);
  expect(journal_entry, "journal_entry").toBeLessThanOrEqual(atMost.journal_entry);
  expect(posting, "posting").toBeLessThanOrEqual(atMost.posting);
});
