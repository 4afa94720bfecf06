import { createHash } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccountingMonth } from "../../domain/ledger/accounting-month.ts";
import type { Database } from "../database.ts";
import type { ArchivedFile } from "../schema/usage-archive.ts";
import { type ContributionSum, eventPages, quarantinedOf, storedSums } from "./archive-events.ts";
import { archiveFormat, type EventFileWriter, writeEventFile } from "./archive-format.ts";
import { hashOfFile } from "./archive-store.ts";

/** What is kept beside the files of a month, as JSON. */
export interface ArchiveManifest {
  readonly format: string;
  readonly month: AccountingMonth;
  readonly events: number;
  readonly firstSeq: string | null;
  readonly lastSeq: string | null;
  /** Taken in for the month and never counted: they stay in the database. */
  readonly quarantined: number;
  readonly contributions: readonly ContributionSum[];
  readonly files: readonly ArchivedFile[];
}

export interface FileSizes {
  /** Events in one file. */
  readonly eventsPerFile: number;
  /** Events in memory: those of a row group. */
  readonly eventsPerGroup: number;
}

/** A file on this machine, and the name it is to be kept under. */
export interface ExportedFile {
  readonly name: string;
  readonly path: string;
}

export interface ExportedMonth {
  readonly manifest: ArchiveManifest;
  readonly files: readonly ExportedFile[];
  readonly manifestFile: ExportedFile;
  /** With the numbers of the meters. */
  readonly sums: Awaited<ReturnType<typeof storedSums>>;
}

/** Writes the events of a month to files in a folder, with their manifest. The same events make the same files. */
export async function exportMonth(
  db: Database,
  month: AccountingMonth,
  folder: string,
  sizes: FileSizes,
): Promise<ExportedMonth> {
  const { files, ...range } = await writeEventFiles(db, month, folder, sizes);
  const sums = await storedSums(db, month);
  const manifest: ArchiveManifest = {
    format: archiveFormat,
    month,
    ...range,
    quarantined: await quarantinedOf(db, month),
    contributions: sums.map(({ meter, count, sum }) => ({ meter, count, sum })),
    files: files.map(({ path: _, ...file }) => file),
  };
  return { manifest, files, manifestFile: await writeManifest(folder, manifest), sums };
}

async function writeEventFiles(
  db: Database,
  month: AccountingMonth,
  folder: string,
  { eventsPerFile, eventsPerGroup }: FileSizes,
) {
  const files: (ArchivedFile & ExportedFile)[] = [];
  let [events, firstSeq, lastSeq]: [number, string | null, string | null] = [0, null, null];
  let open: (EventFileWriter & { readonly path: string; events: number }) | undefined;
  for await (const page of eventPages(db, month, Math.min(eventsPerGroup, eventsPerFile))) {
    if (open !== undefined && open.events + page.length > eventsPerFile) {
      files.push(await finished(open, month, files.length + 1));
      open = undefined;
    }
    const path = join(folder, `${files.length}.parquet`);
    open ??= { ...writeEventFile(path), path, events: 0 };
    await open.write(page);
    open.events += page.length;
    events += page.length;
    firstSeq ??= String(page[0]?.seq);
    lastSeq = String(page.at(-1)?.seq);
  }
  if (open !== undefined) files.push(await finished(open, month, files.length + 1));
  return { files, events, firstSeq, lastSeq };
}

/** The content is in the name: what an earlier run has left, of other content, is in nobody's way. */
async function finished(
  { finish, path, events }: EventFileWriter & { readonly path: string; readonly events: number },
  month: AccountingMonth,
  number: number,
): Promise<ArchivedFile & ExportedFile> {
  await finish();
  const sha256 = await hashOfFile(path);
  const name = `${month}/events-${String(number).padStart(4, "0")}-${sha256.slice(0, 16)}.parquet`;
  return { name, events, bytes: (await stat(path)).size, sha256, path };
}

async function writeManifest(folder: string, manifest: ArchiveManifest): Promise<ExportedFile> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const path = join(folder, "manifest.json");
  await writeFile(path, text);
  const hash = createHash("sha256").update(text).digest("hex");
  return { path, name: `${manifest.month}/manifest-${hash.slice(0, 16)}.json` };
}
