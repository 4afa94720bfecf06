import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { type Database, inSnapshot, type Tx } from "../db/database.ts";
import { journalPages, journalTotals } from "../db/ledger/journal-export.ts";
import { trialBalance } from "../db/ledger/ledger-trial-balance.ts";
import { type JournalFormat, journalHead, journalLines } from "../domain/export/journal-rows.ts";
import { type CodeSums, differencesBetween, journalSums } from "../domain/export/journal-sums.ts";
import { type AccountingMonth, periodOfMonth } from "../domain/ledger/accounting-month.ts";

export interface JournalFile {
  readonly month: AccountingMonth;
  readonly format: JournalFormat;
  /** Where it goes; a file that is there is replaced. */
  readonly path: string;
}

export interface WrittenJournal {
  readonly postings: number;
  /** What the written rows come to. */
  readonly sums: readonly CodeSums[];
  /** In words, where that is not what the trial balance of the month says. */
  readonly differences: readonly string[];
}

/** How many of all postings are written. */
export type WriteProgress = (written: number, all: number) => void;

/**
 * Writes the journal of a month, from one snapshot of the ledger. The file has its name only when it is whole, on the disk
 * and comes to the movements of the trial balance; one that does not is left beside it, as `….part`.
 */
export async function writeJournalFile(
  db: Database,
  { month, format, path }: JournalFile,
  progress: WriteProgress,
): Promise<WrittenJournal> {
  const unfinished = `${path}.part`;
  const written = await filled(unfinished, (file) =>
    inSnapshot(db, (tx) => writeRows(tx, file, { month, format }, progress)),
  );
  if (written.differences.length === 0) await rename(unfinished, path);
  return written;
}

/** A file that is on the disk when this ends, or is not there at all. */
async function filled<T>(path: string, fill: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, "w");
  try {
    const result = await fill(file);
    await file.sync();
    await file.close();
    return result;
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

async function writeRows(
  tx: Tx,
  file: FileHandle,
  { month, format }: Pick<JournalFile, "month" | "format">,
  progress: WriteProgress,
): Promise<WrittenJournal> {
  const all = Number((await journalTotals(tx, month)).postings);
  const sums = journalSums();
  let postings = 0;
  progress(postings, all);
  await file.appendFile(journalHead(format));
  for await (const page of journalPages(tx, month)) {
    await file.appendFile(journalLines(format, page));
    sums.add(page);
    postings += page.length;
    progress(postings, all);
  }
  const { start, end } = periodOfMonth(month);
  const movements = await trialBalance(tx, undefined, { effectiveFrom: start, effectiveBefore: end });
  return { postings, sums: sums.all(), differences: differencesBetween(sums.all(), movements) };
}
