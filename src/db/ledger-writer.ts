import { setTimeout as delay } from "node:timers/promises";
import { type JournalEntryDraft, JournalEntryInvalidError } from "../domain/ledger/index.ts";
import type { Database } from "./database.ts";
import { batchText, entryText, type PostedRow, type PostingResult, postingResults } from "./ledger.ts";
import { isConnectionLost } from "./lost-connection.ts";
import { sqlState } from "./sql-state.ts";

export interface LedgerWriter {
  /**
   * Posts an entry together with those of other callers: one commit for many, and an outcome for each. Settles when
   * what it says is durable. Posting an entry again, after any error, does no harm: its key is its own for ever.
   * An entry is the unit: what must be posted together or not at all is one entry with several postings. A caller who
   * waits for each entry keeps their order; entries posted at the same time have none.
   * @param actor who causes the entry, for the record
   * @throws JournalEntryInvalidError, AccountRefInvalidError: the draft itself cannot be posted, now or later
   * @throws LedgerBusyError, LedgerUnavailableError, LedgerWriterClosedError
   */
  post(draft: JournalEntryDraft, actor?: string): Promise<PostingResult>;
  /** Takes no further entries; settles when every entry taken has its outcome. To be closed before its database. */
  close(): Promise<void>;
}

export interface LedgerWriterOptions {
  /** Entries in one batch. */
  readonly batchMax?: number;
  /** Batches on their way at the same time, each on a connection of the database's pool. */
  readonly batchesInFlight?: number;
  /** Entries that may wait for a batch; more are refused at once. */
  readonly queueMax?: number;
  /** How long an entry is sent again while the database is away, from when it was taken. */
  readonly patienceMs?: number;
}

const usual = { batchMax: 500, batchesInFlight: 2, queueMax: 10_000, patienceMs: 30_000 };

/** More entries wait than the database keeps up with: nothing was posted, and the same entry may be posted later. */
export class LedgerBusyError extends Error {
  readonly code = "ledger_busy";

  constructor(waiting: number) {
    super(`the ledger is busy, ${waiting} entries wait: post this one again later`);
    this.name = new.target.name;
  }
}

/** The database did not answer: the entry may be in the ledger or not. Posting it again is safe, and tells. */
export class LedgerUnavailableError extends Error {
  readonly code = "ledger_unavailable";

  constructor(sourceKey: string, cause: unknown) {
    super(`it is not known whether entry ${sourceKey} was posted, the database is away: post it again`, {
      cause,
    });
    this.name = new.target.name;
  }
}

export class LedgerWriterClosedError extends Error {
  readonly code = "ledger_writer_closed";

  constructor() {
    super("this writer of the ledger is closed and posts nothing more");
    this.name = new.target.name;
  }
}

interface WaitingEntry {
  readonly sourceKey: string;
  readonly text: string;
  /** On the clock of `performance`. */
  readonly takenAt: number;
  resolve(result: PostingResult): void;
  reject(error: unknown): void;
}

/**
 * A client of the ledger that makes batches of what concurrent callers post (group commit). Nobody waits for a batch
 * to fill: an entry leaves at once while fewer than `batchesInFlight` are on their way, else with the next batch.
 */
export function openLedgerWriter(db: Database, options: LedgerWriterOptions = {}): LedgerWriter {
  const { batchMax, batchesInFlight, queueMax, patienceMs } = { ...usual, ...options };
  const queue: WaitingEntry[] = [];
  const drained = Promise.withResolvers<void>();
  let [inFlight, isClosed, isSending] = [0, false, false];

  // Whoever posts in the same turn of the event loop goes along, as do callers who have just got their outcome.
  const sendSoon = () => {
    if (isSending) return;
    isSending = true;
    setImmediate(sendWaiting);
  };
  const sendWaiting = () => {
    isSending = false;
    for (; inFlight < batchesInFlight && queue.length > 0; inFlight++) {
      settleBatch(db, queue.splice(0, batchMax), patienceMs).finally(() => {
        inFlight--;
        sendSoon();
      });
    }
    if (isClosed && inFlight === 0) drained.resolve();
  };
  const requireRoom = () => {
    if (isClosed) throw new LedgerWriterClosedError();
    if (queue.length >= queueMax) throw new LedgerBusyError(queue.length);
  };

  return {
    async post(draft, actor = "reckoner") {
      requireRoom();
      const text = entryText(draft, actor);
      const { promise, resolve, reject } = Promise.withResolvers<PostingResult>();
      queue.push({ sourceKey: draft.sourceKey, text, takenAt: performance.now(), resolve, reject });
      sendSoon();
      return promise;
    },
    close() {
      isClosed = true;
      sendSoon();
      return drained.promise;
    },
  };
}

const [pauseMinMs, pauseMaxMs] = [10, 1_000];

/** Settles every entry, whatever happens. */
async function settleBatch(
  db: Database,
  entries: readonly WaitingEntry[],
  patienceMs: number,
): Promise<void> {
  let batch = entries;
  for (let pauseMs = pauseMinMs; batch.length > 0; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    try {
      const results = await sendBatch(db, batch);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      return;
    } catch (error) {
      if (!isPassing(error)) return refuse(db, batch, patienceMs, error);
      batch = withoutImpatient(batch, patienceMs, error);
      await delay(pauseMs);
    }
  }
}

/**
 * One statement is one transaction. It is prepared once on each connection, which a lone caller notices, and the driver
 * answers when its commit is durable.
 */
async function sendBatch({ sql }: Database, batch: readonly WaitingEntry[]): Promise<PostingResult[]> {
  const entries = batchText(batch.map(({ text }) => text));
  const posted = await sql<PostedRow[]>`
    select ordinal, status, entry_id from ledger.post_entries(${entries}::text::jsonb) order by ordinal`;
  return postingResults(batch, posted);
}

/** Something in the batch cannot be posted: it is halved until that stands alone, and all the others are posted. */
async function refuse(
  db: Database,
  batch: readonly WaitingEntry[],
  patienceMs: number,
  error: unknown,
): Promise<void> {
  const [first, ...others] = batch;
  if (others.length === 0) {
    first?.reject(refusalOf(first.sourceKey, error));
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await settleBatch(db, batch.slice(0, middle), patienceMs);
  await settleBatch(db, batch.slice(middle), patienceMs);
}

function withoutImpatient(
  batch: readonly WaitingEntry[],
  patienceMs: number,
  error: unknown,
): readonly WaitingEntry[] {
  const takenSince = performance.now() - patienceMs;
  return batch.filter(({ sourceKey, takenAt, reject }) => {
    if (takenAt > takenSince) return true;
    reject(new LedgerUnavailableError(sourceKey, error));
    return false;
  });
}

/**
 * Nothing is wrong with the entries: the connection was lost, then nobody knows what became of them; or it is certain
 * that nothing was posted, because of a deadlock, a lock's time limit, or a server that is full or a standby.
 */
function isPassing(error: unknown): boolean {
  return isConnectionLost(error) || /^(40|53|55P03|25006|57014)/.test(sqlState(error) ?? "");
}

/** Classes 22 and 23: what the tables' own rules refuse; RK002: what the posting function refuses. */
function refusalOf(sourceKey: string, error: unknown): unknown {
  if (!/^(22|23|RK002)/.test(sqlState(error) ?? "")) return error;
  const { message } = error as Error;
  return new JournalEntryInvalidError(`entry ${sourceKey} is refused: ${message}`);
}
