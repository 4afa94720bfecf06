import { type Database, inSnapshot, rows, sql, type Tx } from "../database.ts";
import { type LedgerFinding, withOwners } from "./ledger-finding.ts";
import {
  digestList,
  type PublishedSeal,
  readDigestList,
  rootBeforeTheFirst,
  rootOf,
  type Seal,
} from "./seal-encoding.ts";
import type { SealStore } from "./seal-store.ts";
import {
  prepareToRecompute,
  readSealedRows,
  type SealedRows,
  type SealedTableName,
} from "./sealed-tables.ts";
import { sealsAfter } from "./stored-seals.ts";
import { neverSealed, unsealedRows } from "./unsealed-rows.ts";

export interface SealVerification {
  /** By seal: the first says where the ledger stopped being what was sealed. Empty when it is. */
  readonly findings: readonly LedgerFinding[];
  readonly seals: number;
  /** How many rows these seals cover. */
  readonly sealedRows: number;
  /** Rows recorded since the last seal, by table: nothing vouches for them yet. */
  readonly unsealed: Readonly<Partial<Record<SealedTableName, number>>>;
}

export interface SealVerificationOptions {
  /** The external copy. */
  readonly store?: SealStore | undefined;
  /** The store's last number before the snapshot was taken: what it holds by now may be newer. 0 when left out. */
  readonly published?: number | undefined;
  /** How long after it was made a seal may be missing in the copy; a minute when left out. */
  readonly publicationSeconds?: number | undefined;
  /** Told of each seal before it is recomputed. */
  readonly onSeal?: ((number: number) => void) | undefined;
}

/**
 * Recomputes every seal from the rows as they stand and compares with the external copy. Without a store only the
 * database is asked: that shows a change, but not of which row, and cannot show that the newest rows were cut off
 * together with their seals.
 */
export async function verifySeals(
  db: Database,
  store?: SealStore,
  publicationSeconds?: number,
): Promise<SealVerification> {
  const published = (await store?.last())?.number;
  return await inSnapshot(db, (tx) => verifySealsIn(tx, { store, published, publicationSeconds }));
}

/** The same within a snapshot of the caller's. */
export async function verifySealsIn(
  tx: Tx,
  { store, published = 0, publicationSeconds = 60, onSeal }: SealVerificationOptions = {},
): Promise<SealVerification> {
  await prepareToRecompute(tx);
  const findings: LedgerFinding[] = [];
  let before: Pick<Seal, "number" | "root" | "toXid"> = { number: 0, root: rootBeforeTheFirst, toXid: "0" };
  let sealedRows = 0;
  let due = published;
  const copies = store?.published()[Symbol.asyncIterator]() ?? nothingPublished();
  for await (const group of inGroups(sideBySide(sealsAfter(tx, 0), copies, published))) {
    const [first] = group;
    onSeal?.(first.seal.number);
    const found = await readSealedRows(tx, [
      first.seal.fromXid,
      first.seal.toXid,
      ...group.slice(1).map(({ seal }) => seal.toXid),
    ]);
    for (const [index, { seal, stored, copy }] of group.entries()) {
      if (store !== undefined && copy === undefined && seal.number > due) {
        due = Math.max(due, await lastSealBefore(tx, publicationSeconds));
      }
      const ofSeal = [...sealFindings(stored, copy, due), ...linkFindings(seal, before)];
      findings.push(...ofSeal, ...rowFindings(seal, copy, found[index] ?? [], ofSeal.length > 0));
      before = seal;
      sealedRows += seal.rowCount;
    }
  }
  const unsealed = await unsealedRows(tx, before.toXid);
  if (Object.keys(unsealed).length > 0) findings.push(...(await neverSealed(tx)));
  return { findings: await withOwners(tx, findings), seals: before.number, sealedRows, unsealed };
}

/** A seal, and what each side says of it. */
interface SealPair {
  readonly seal: Seal;
  readonly stored: Seal | undefined;
  readonly copy: PublishedSeal | undefined;
}

/** The rows of so many are read at once. */
const rowsPerGroupMax = 30_000;

/** Seals whose ranges follow one another, as many as are read at once. */
async function* inGroups(pairs: AsyncIterable<SealPair>): AsyncGenerator<[SealPair, ...SealPair[]]> {
  let group: [SealPair, ...SealPair[]] | null = null;
  let rowCount = 0;
  for await (const pair of pairs) {
    const { seal } = pair;
    rowCount += seal.rowCount;
    const follows = group?.at(-1)?.seal.toXid === seal.fromXid && BigInt(seal.toXid) > BigInt(seal.fromXid);
    if (group !== null && follows && rowCount <= rowsPerGroupMax) {
      group.push(pair);
    } else {
      if (group !== null) yield group;
      group = [pair];
      rowCount = seal.rowCount;
    }
  }
  if (group !== null) yield group;
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

/** Both sides in the order of their numbers, but for what was published after the snapshot was taken. */
async function* sideBySide(
  stored: AsyncIterator<Seal>,
  copies: AsyncIterator<PublishedSeal>,
  published: number,
): AsyncGenerator<SealPair> {
  let left = await stored.next();
  let right = await copies.next();
  while (!left.done || !right.done) {
    const number = Math.min(
      left.done ? Number.POSITIVE_INFINITY : left.value.number,
      right.done ? Number.POSITIVE_INFINITY : right.value.number,
    );
    const pair = { stored: numbered(left, number), copy: numbered(right, number) };
    const seal = pair.copy ?? pair.stored;
    if (seal !== undefined && (pair.stored !== undefined || number <= published)) yield { seal, ...pair };
    if (pair.stored !== undefined) left = await stored.next();
    if (pair.copy !== undefined) right = await copies.next();
  }
}

function numbered<S extends Seal>(next: IteratorResult<S>, number: number): S | undefined {
  return !next.done && next.value.number === number ? next.value : undefined;
}

async function* nothingPublished(): AsyncGenerator<PublishedSeal> {}

/** What the two sides say of the seal itself. */
function sealFindings(
  stored: Seal | undefined,
  copy: PublishedSeal | undefined,
  duePublished: number,
): LedgerFinding[] {
  if (stored === undefined) {
    return copy === undefined ? [] : [sealFinding(copy, "is published and not in the database")];
  }
  if (copy === undefined) {
    return stored.number <= duePublished ? [sealFinding(stored, "is missing in the copy")] : [];
  }
  const names = Object.keys(stored) as (keyof Seal)[];
  return names
    .filter((name) => stored[name] !== copy[name])
    .map((name) => ({
      ...sealFinding(stored, "was changed"),
      column: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      found: String(stored[name]),
      expected: String(copy[name]),
    }));
}

function linkFindings(seal: Seal, before: Pick<Seal, "number" | "root" | "toXid">): LedgerFinding[] {
  const follows =
    seal.number === before.number + 1 && seal.previous === before.root && seal.fromXid === before.toXid;
  return follows ? [] : [sealFinding(seal, `does not follow seal ${before.number}`)];
}

function rowFindings(
  seal: Seal,
  copy: PublishedSeal | undefined,
  found: readonly SealedRows[],
  isSealDoubtful: boolean,
): LedgerFinding[] {
  const changed = copy === undefined ? [] : changedRows(copy, found);
  if (rootOf(seal, found) === seal.root) {
    return changed.length === 0 ? [] : [sealFinding(seal, "has digests in the copy that are not its rows'")];
  }
  if (changed.length > 0) return changed;
  return isSealDoubtful ? [] : [sealFinding(seal, "does not match its rows")];
}

function sealFinding({ number }: Seal, problem: string): LedgerFinding {
  return { table: "seal", key: String(number), problem, seal: number };
}

function changedRows(copy: PublishedSeal, found: readonly SealedRows[]): LedgerFinding[] {
  return found.flatMap((rowsNow) => {
    const { table } = rowsNow;
    const { [table]: listThen = "" } = copy.rows;
    const listNow = digestList(rowsNow);
    if (listNow === listThen) return [];
    const then = readDigestList(listThen);
    const now = readDigestList(listNow);
    const finding = (key: string, problem: string) => ({ table, key, problem, seal: copy.number });
    return [
      ...[...then]
        .filter(([key, digest]) => now.get(key) !== digest)
        .map(([key]) => finding(key, now.has(key) ? "was changed" : "was deleted")),
      ...[...now.keys()].filter((key) => !then.has(key)).map((key) => finding(key, "was inserted")),
    ];
  });
}
