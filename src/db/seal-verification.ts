import { asc, getTableColumns, gt } from "drizzle-orm";
import { type Database, inSnapshot, rows, sql, type Tx } from "./database.ts";
import { seal as sealTable } from "./schema/ledger-seals.ts";
import {
  type EntryDigest,
  entryDigests,
  microseconds,
  rootBeforeTheFirst,
  rootOf,
  type Seal,
} from "./seal-encoding.ts";
import type { PublishedSeal, SealStore } from "./seal-store.ts";

/** What is wrong with a seal, or with one entry under it. */
export interface SealFault {
  readonly seal: number;
  readonly problem: string;
  readonly entryId?: string;
  /** As it stands now; absent for an entry that is gone. */
  readonly sourceKey?: string;
}

export interface SealVerification {
  /** By seal: the first says where the ledger stopped being what was sealed. Empty when it is. */
  readonly faults: readonly SealFault[];
  readonly seals: number;
  /** Entries recorded since the last seal: nothing vouches for them yet. */
  readonly unsealedEntries: number;
}

/**
 * Recomputes every seal from the entries as they stand and compares with the external copy. Without a store only the
 * database is asked: that shows a change, but not of which entry, and cannot show that the newest entries were cut off
 * together with their seals.
 * @param publicationSeconds how long after it was made a seal may be missing in the copy
 */
export async function verifySeals(
  db: Database,
  store?: SealStore,
  publicationSeconds?: number,
): Promise<SealVerification> {
  const published = await store?.lastNumber();
  return await inSnapshot(db, (tx) => verifySealsIn(tx, store, published, publicationSeconds));
}

/**
 * The same within a snapshot of the caller's.
 * @param published the store's last number before the snapshot was taken: what it holds by now may be newer
 */
export async function verifySealsIn(
  tx: Tx,
  store?: SealStore,
  published = 0,
  publicationSeconds = 60,
): Promise<SealVerification> {
  const faults: SealFault[] = [];
  let before = { number: 0, root: rootBeforeTheFirst, toXid: "0" };
  const copies = store?.published()[Symbol.asyncIterator]() ?? nothingPublished();
  const duePublished = store === undefined ? 0 : await lastSealBefore(tx, publicationSeconds);
  for await (const { stored, copy } of sideBySide(sealsAfter(tx, 0), copies)) {
    const seal = copy ?? stored;
    if (seal === undefined || (stored === undefined && seal.number > published)) continue;
    const { number } = seal;
    const problems = sealProblems(stored, copy, Math.max(published, duePublished));
    faults.push(...problems.map((problem) => ({ seal: number, problem })));
    if (number !== before.number + 1 || seal.previous !== before.root || seal.fromXid !== before.toXid) {
      faults.push({ seal: number, problem: `does not follow seal ${before.number}` });
    }
    faults.push(...entryFaults(seal, copy, await entryDigests(tx, seal.fromXid, seal.toXid)));
    before = seal;
  }
  faults.push(...(await neverSealed(tx, before.number + 1)));
  return { faults, seals: before.number, unsealedEntries: await entriesSince(tx, before.toXid) };
}

/** The last seal that was made so many seconds ago or longer; 0 when there is none. */
async function lastSealBefore(tx: Tx, secondsAgo: number): Promise<number> {
  const [row] = await rows<{ last: bigint | null }>(
    tx,
    sql`select max(number) as last from ledger.seal
        where sealed_at <= clock_timestamp() - make_interval(secs => ${secondsAgo})`,
  );
  return Number(row?.last ?? 0n);
}

/** Both sides in the order of their numbers; a seal that only one side has comes alone. */
async function* sideBySide(stored: AsyncIterator<Seal>, copies: AsyncIterator<PublishedSeal>) {
  let left = await stored.next();
  let right = await copies.next();
  while (!left.done || !right.done) {
    const number = Math.min(
      left.done ? Number.POSITIVE_INFINITY : left.value.number,
      right.done ? Number.POSITIVE_INFINITY : right.value.number,
    );
    const pair = { stored: numbered(left, number), copy: numbered(right, number) };
    yield pair;
    if (pair.stored !== undefined) left = await stored.next();
    if (pair.copy !== undefined) right = await copies.next();
  }
}

function numbered<S extends Seal>(next: IteratorResult<S>, number: number): S | undefined {
  return !next.done && next.value.number === number ? next.value : undefined;
}

async function* nothingPublished(): AsyncGenerator<PublishedSeal> {}

function sealProblems(
  stored: Seal | undefined,
  copy: PublishedSeal | undefined,
  duePublished: number,
): string[] {
  if (stored === undefined) return ["is published and not in the database"];
  if (copy === undefined) return stored.number <= duePublished ? ["is missing in the copy"] : [];
  const names = Object.keys(stored) as (keyof Seal)[];
  return names.every((name) => stored[name] === copy[name]) ? [] : ["was changed"];
}

function entryFaults(
  seal: Seal,
  copy: PublishedSeal | undefined,
  entries: readonly EntryDigest[],
): SealFault[] {
  const { number } = seal;
  const faults = copy === undefined ? [] : differences(copy, entries);
  if (faults.length === 0 && rootOf(seal, entries) !== seal.root) {
    return [{ seal: number, problem: "does not match its entries" }];
  }
  return faults;
}

function differences({ number, entries }: PublishedSeal, found: readonly EntryDigest[]): SealFault[] {
  const foundById = new Map(found.map((entry) => [entry.id, entry]));
  const sealedIds = new Set(entries.map(([id]) => id));
  return [
    ...entries.flatMap(([entryId, digest]): SealFault[] => {
      const entry = foundById.get(entryId);
      if (entry === undefined) return [{ seal: number, problem: "entry was cut", entryId }];
      if (entry.digest === digest) return [];
      return [{ seal: number, problem: "entry was changed", entryId, sourceKey: entry.sourceKey }];
    }),
    ...found
      .filter(({ id }) => !sealedIds.has(id))
      .map(({ id, sourceKey }) => ({ seal: number, problem: "entry was inserted", entryId: id, sourceKey })),
  ];
}

/** An entry of a transaction that has not happened, and is not the one that asks, would never come under a seal. */
async function neverSealed(tx: Tx, number: number): Promise<SealFault[]> {
  const found = await rows<{ id: string; source_key: string }>(
    tx,
    sql`select id::text, source_key from ledger.journal_entry
        where recorded_xid >= pg_snapshot_xmax(pg_current_snapshot())
          and recorded_xid is distinct from pg_current_xact_id_if_assigned()
        order by id`,
  );
  return found.map(({ id, source_key: sourceKey }) => ({
    seal: number,
    problem: "entry names a transaction that has not happened",
    entryId: id,
    sourceKey,
  }));
}

async function entriesSince(tx: Tx, xid: string): Promise<number> {
  const [row] = await rows<{ entries: bigint }>(
    tx,
    sql`select count(*) as entries from ledger.journal_entry where recorded_xid >= ${xid}::xid8`,
  );
  return Number(row?.entries ?? 0n);
}

const sealsPerPage = 500;

/** The seals in the database after a number, in order. */
export async function* sealsAfter(tx: Tx, number: number): AsyncGenerator<Seal> {
  for (let last = number; ; ) {
    const page = await tx
      .select(columns)
      .from(sealTable)
      .where(gt(sealTable.number, BigInt(last)))
      .orderBy(asc(sealTable.number))
      .limit(sealsPerPage);
    for (const { number: counted, entryCount, postingCount, ...texts } of page) {
      last = Number(counted);
      yield { ...texts, number: last, entryCount: Number(entryCount), postingCount: Number(postingCount) };
    }
    if (page.length < sealsPerPage) return;
  }
}

const { number, previous, fromXid, toXid, entryCount, postingCount, root, sealedAt } =
  getTableColumns(sealTable);
const hexadecimal = (digest: typeof root | typeof previous) => sql<string>`encode(${digest}, 'hex')`;
const columns = {
  number,
  previous: hexadecimal(previous),
  fromXid,
  toXid,
  entryCount,
  postingCount,
  root: hexadecimal(root),
  sealedAt: sql<string>`${microseconds(sealedAt)}`,
};
