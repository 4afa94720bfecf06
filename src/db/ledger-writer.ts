import { setTimeout as delay } from "node:timers/promises";
import { type JournalEntryDraft, JournalEntryInvalidError } from "../domain/ledger/index.ts";
import { entryText, type PostingResult, postingResults } from "./ledger.ts";
import { isConnectionLost } from "./lost-connection.ts";
import { openPostingConnection, type PostingConnection } from "./posting-connection.ts";
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
  /** Takes no further entries; settles when every entry taken has its outcome. */
  close(): Promise<void>;
}

export interface LedgerWriterOptions {
  /** The primary, as the application connects to it. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** Entries in one batch. */
  readonly batchMax?: number;
  /** Batches on their way at the same time, each on a connection of its own. */
  readonly batchesInFlight?: number;
  /** Entries that may wait for a batch; more are refused at once. */
  readonly queueMax?: number;
  /** How long the database may be silent or away: what was taken longer ago is sent no more. */
  readonly patienceMs?: number;
}

const usual = {
  applicationName: "reckoner ledger writer",
  batchMax: 500,
  batchesInFlight: 2,
  queueMax: 10_000,
  patienceMs: 30_000,
};

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
export function openLedgerWriter(options: LedgerWriterOptions): LedgerWriter {
  const { url, applicationName, batchMax, batchesInFlight, queueMax, patienceMs } = { ...usual, ...options };
  const connections = Array.from({ length: batchesInFlight }, () =>
    openPostingConnection({ url, applicationName, timeLimitMs: patienceMs }),
  );
  const idle = [...connections];
  const queue: WaitingEntry[] = [];
  const drained = Promise.withResolvers<void>();
  let [isClosed, isSending] = [false, false];

  // Whoever posts in the same turn of the event loop goes along, as do callers who have just got their outcome.
  const sendSoon = () => {
    if (!isSending) setImmediate(sendWaiting);
    isSending = true;
  };
  const sendWaiting = () => {
    isSending = false;
    while (queue.length > 0) {
      const connection = idle.pop();
      if (connection === undefined) return;
      settleBatch(connection, queue.splice(0, batchMax), patienceMs).finally(() => {
        idle.push(connection);
        sendSoon();
      });
    }
    if (isClosed && idle.length === connections.length) drained.resolve();
  };

  return {
    async post(draft, actor = "reckoner") {
      if (isClosed) throw new LedgerWriterClosedError();
      if (queue.length >= queueMax) throw new LedgerBusyError(queue.length);
      const text = entryText(draft, actor);
      const { promise, resolve, reject } = Promise.withResolvers<PostingResult>();
      queue.push({ sourceKey: draft.sourceKey, text, takenAt: performance.now(), resolve, reject });
      sendSoon();
      return promise;
    },
    async close() {
      isClosed = true;
      sendSoon();
      await drained.promise;
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

const [pauseMinMs, pauseMaxMs] = [10, 1_000];

/** Settles every entry, whatever happens. */
async function settleBatch(
  connection: PostingConnection,
  entries: readonly WaitingEntry[],
  patienceMs: number,
): Promise<void> {
  let batch = entries;
  for (let pauseMs = pauseMinMs; batch.length > 0; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    try {
      const posted = await connection.post(batch.map(({ text }) => text));
      const results = postingResults(batch, posted);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      return;
    } catch (error) {
      if (!isPassing(error)) return refuse(connection, batch, patienceMs, error);
      batch = withoutImpatient(batch, patienceMs, error);
      await delay(pauseMs);
    }
  }
}

/** Something in the batch cannot be posted: it is halved until that stands alone, and all the others are posted. */
async function refuse(
  connection: PostingConnection,
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
  await settleBatch(connection, batch.slice(0, middle), patienceMs);
  await settleBatch(connection, batch.slice(middle), patienceMs);
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
