import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { inTransaction, openDatabase } from "../src/db/database.ts";
import { archiveMonths } from "../src/db/usage/archive-months.ts";
import { openArchiveStore } from "../src/db/usage/archive-store.ts";
import { foldUsage } from "../src/db/usage/folding.ts";
import { publishedMeters } from "../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../src/db/usage/usage-ingest.ts";
import { type Instant, instant, instantOfEpochMs } from "../src/domain/calendar/index.ts";
import { accountingMonth } from "../src/domain/ledger/accounting-month.ts";
import type { UsageEvent } from "../src/domain/metering/index.ts";
import { createProgress, type Note } from "../src/sandbox/local-services/progress.ts";
import { thisMachine, writeFigures } from "./figures.ts";
import { prepare } from "./ingest/ingest-under-test.ts";
import { workload } from "./ingest/workload.ts";
import { startServer } from "./ledger/server.ts";

/**
 * `npm run usage:size`: how many bytes an event takes, by table and index, and in the archive: of a month of events that
 * come in the order of their times, as they do from services.
 */
const { values: flags } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    customers: { type: "string", default: "1000" },
    out: { type: "string" },
  },
});
const [events, customers] = [Number(flags.events), Number(flags.customers)];

const progress = createProgress(process.stderr);
const server = await progress.step("a database", (note) => startServer(note));
const folder = mkdtempSync(join(tmpdir(), "reckoner-usage-size-"));
try {
  await prepare(server.ownerUrl, customers);
  const before = await sizes();
  await progress.step("a month of events", takeIn);
  const taken = await sizes();
  await progress.step("windows", fold);
  const folded = await sizes();
  const archive = await progress.step("the archive", archived);
  const grown = folded.tables
    .map(({ name, heap, indexes }) => {
      const was = before.tables.find((table) => table.name === name) ?? { heap: 0, indexes: 0 };
      return { name, heap: each(heap - was.heap), indexes: each(indexes - was.indexes) };
    })
    .filter(({ heap, indexes }) => heap + indexes >= 0.05);
  const figures = {
    machine: thisMachine(),
    settings: server.settings,
    events,
    customers,
    bytesPerEvent: {
      tables: Object.fromEntries(grown.map(({ name, heap, indexes }) => [name, { heap, indexes }])),
      whole: tenths(grown.reduce((sum, { heap, indexes }) => sum + heap + indexes, 0)),
      archive: each(archive.bytes),
      log: { takingIn: each(taken.log - before.log), folding: each(folded.log - taken.log) },
    },
    archiveSeconds: archive.seconds,
  };
  console.log(JSON.stringify(figures.bytesPerEvent, null, 2));
  if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);
} finally {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
}

function each(bytes: number): number {
  return tenths(bytes / events);
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Bytes of every table of usage, a partitioned one as a whole, and of the log since it began; all is vacuumed. */
async function sizes() {
  const owner = postgres(server.ownerUrl, { max: 1, onnotice: () => {} });
  const [position] = await owner<[{ log: string }]>`select pg_current_wal_lsn() - '0/0' as log`;
  await owner`vacuum`;
  const tables = await owner<{ name: string; heap: number; indexes: number }[]>`
    select coalesce(pg_partition_root(oid)::regclass, oid::regclass)::text as name,
      sum(pg_table_size(oid))::float8 as heap, sum(pg_indexes_size(oid))::float8 as indexes
    from pg_class where relnamespace = 'usage'::regnamespace and relkind = 'r' group by 1 order by 1`;
  await owner.end();
  return { tables, log: Number(position.log) };
}

async function takeIn(note: Note): Promise<void> {
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  const meters = await publishedMeters(db.orm);
  const start: Instant = instant("2024-05-01T00:00:00Z");
  const monthMs = 31 * 86_400_000;
  const made = workload({ name: "0190a4d1", customers, at: start });
  const batch = 1_000;
  for (let from = 0; from < events; from += batch) {
    if (from % 50_000 === 0) note(`${from} of ${events}`);
    const sent = Array.from({ length: Math.min(batch, events - from) }, (_, place): UsageEvent => {
      const index = from + place;
      return {
        ...made.eventOf(index),
        time: instantOfEpochMs(start + Math.floor((index / events) * monthMs)),
      };
    });
    await ingestEvents(db, sent, meters);
  }
  await db.close();
}

async function fold(): Promise<void> {
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  while ((await inTransaction(db, foldUsage)).isBehind);
  await db.close();
}

async function archived(): Promise<{ bytes: number; seconds: number }> {
  const db = openDatabase({ url: server.ownerUrl, poolSize: 2 });
  const startedAt = performance.now();
  const store = await openArchiveStore({ kind: "file", path: folder });
  const months = await archiveMonths(db, store, { before: accountingMonth("2024-06"), by: "benchmark" });
  await db.close();
  const bytes = months.flatMap(({ manifest }) => manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  return { bytes, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}
