import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type AccountingMonth, firstDayOf } from "../../domain/ledger/accounting-month.ts";
import { type Database, sqlState } from "../database.ts";
import type { ArchivedFile } from "../schema/usage-archive.ts";
import { damaged, requireEqual, wholeFile } from "./archive-comparison.ts";
import { attachedMonths, eventCountOf, tableOf } from "./archive-events.ts";
import { type ArchiveManifest, type ExportedMonth, exportMonth, type FileSizes } from "./archive-export.ts";
import { requireUnneeded } from "./archive-readiness.ts";
import { type ArchiveStore, hashOfFile } from "./archive-store.ts";

export interface ArchiveOptions extends Partial<FileSizes> {
  /** Months before this one, oldest first. */
  readonly before: AccountingMonth;
  /** Who does it. */
  readonly by: string;
  /** Told of each step that is done: the process may end after any of them, and the next run goes on. */
  readonly onStep?: (step: ArchiveStep, month: AccountingMonth) => void;
}

export type ArchiveStep = "exported" | "kept" | "read back" | "detached";

export interface MonthArchived {
  readonly month: AccountingMonth;
  readonly manifest: ArchiveManifest;
}

const usual = { eventsPerFile: 1_000_000, eventsPerGroup: 10_000, onStep: () => {} };

/**
 * Archives the events of months: writes them to files, reads those back and compares every event with the database, and
 * only then writes it down and takes the events out of usage.event, in one commit. Their tables stay until
 * `dropArchived`. Run again after any failure it goes on where it was.
 * @param db connected as the owner of the schema
 * @throws UsageMonthNeededError, UsageArchiveDamagedError; the months before are archived then
 */
export async function archiveMonths(
  db: Database,
  store: ArchiveStore,
  options: ArchiveOptions,
): Promise<MonthArchived[]> {
  const archived: MonthArchived[] = [];
  for (const month of await attachedMonths(db)) {
    if (month >= options.before) break;
    archived.push({ month, manifest: await archiveMonth(db, store, month, { ...usual, ...options }) });
  }
  return archived;
}

async function archiveMonth(
  db: Database,
  store: ArchiveStore,
  month: AccountingMonth,
  options: Required<ArchiveOptions>,
): Promise<ArchiveManifest> {
  await requireUnneeded(db, month);
  const [folded] = await db.sql<[{ before: string }]>`select before::text as before from usage.folded`;
  const folder = await mkdtemp(join(tmpdir(), "reckoner-archive-"));
  try {
    const { manifest, files, manifestFile, sums } = await exportMonth(db, month, folder, options);
    options.onStep("exported", month);
    for (const { name, path } of [...files, manifestFile]) await store.keep(name, path);
    options.onStep("kept", month);
    await requireEqual(db, store, month, manifest);
    options.onStep("read back", month);
    const at = `${store.location}/${manifestFile.name}`;
    const hash = await hashOfFile(manifestFile.path);
    await detach(db, month, { exportedBefore: folded.before, manifest, at, hash, sums, by: options.by });
    options.onStep("detached", month);
    return manifest;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Detachment {
  readonly exportedBefore: string;
  readonly manifest: ArchiveManifest;
  readonly at: string;
  readonly hash: string;
  readonly sums: ExportedMonth["sums"];
  readonly by: string;
}

const [lockAttemptsMax, lockTimeoutMs, pauseMs] = [30, 1_000, 2_000];

/** Who takes in usage waits meanwhile: a moment, and when that is not enough, another one later. */
async function detach(
  { sql }: Database,
  month: AccountingMonth,
  { exportedBefore, manifest: { events, files }, at, hash, sums, by }: Detachment,
): Promise<void> {
  const contributions = sums.map(({ number, count, sum }) => ({ meter: number, count, sum }));
  for (let attempt = 1; ; attempt++) {
    try {
      await sql.begin(async (tx) => {
        await tx.unsafe(`set local lock_timeout = ${lockTimeoutMs}`);
        await tx`select usage.archive_month(${firstDayOf(month)}::text::date, ${exportedBefore}::text::xid8, ${events},
          ${at}, ${hash}, ${JSON.stringify(files)}::text::jsonb, ${JSON.stringify(contributions)}::text::jsonb, ${by})`;
      });
      return;
    } catch (error) {
      if (sqlState(error) !== "55P03" || attempt === lockAttemptsMax) throw error;
      await delay(pauseMs);
    }
  }
}

/**
 * Drops the tables of archived months that are still there, each once its files are found whole where they are kept.
 * @returns which were dropped
 * @throws UsageArchiveDamagedError
 */
export async function dropArchived(db: Database, store: ArchiveStore): Promise<AccountingMonth[]> {
  const archived = await db.sql<{ month: AccountingMonth; files: ArchivedFile[]; events: bigint }[]>`
    select to_char(month, 'YYYY-MM') as month, files, events from usage.archived_month
    where to_regclass('usage.' || to_char(month, '"event_"YYYY_MM')) is not null order by 1`;
  for (const { month, files, events } of archived) {
    for (const file of files) await wholeFile(store, file);
    if (BigInt(await eventCountOf(db, month)) !== events)
      throw damaged(store, month, "holds other events than their table: look before anything is dropped");
    await db.sql`drop table usage.${db.sql(tableOf(month))}`;
  }
  return archived.map(({ month }) => month);
}
