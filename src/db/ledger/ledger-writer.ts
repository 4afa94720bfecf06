import type { JournalEntryDraft } from "../../domain/ledger/index.ts";
import { CommitQueue } from "../commit-queue.ts";
import { openRenewedConnection, type RenewedConnection } from "../renewed-connection.ts";
import { entryText, type PostingResult } from "./ledger.ts";
import { settleBatch, type WaitingEntry } from "./ledger-batch.ts";

export { LedgerUnavailableError } from "./ledger-batch.ts";

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

export class LedgerWriterClosedError extends Error {
  readonly code = "ledger_writer_closed";

  constructor() {
    super("this writer of the ledger is closed and posts nothing more");
    this.name = new.target.name;
  }
}

/**
 * So many entries are worth a further batch beside one under way. A call costs as much as ten entries, so this is some half
 * more than their cost in one batch; to wait for more is what most of the time of a call at half load would be.
 */
const furtherSizeMin = 20;

/** A client of the ledger that makes batches of what concurrent callers post (group commit). */
export function openLedgerWriter(options: LedgerWriterOptions): LedgerWriter {
  const { url, applicationName, batchMax, batchesInFlight, queueMax, patienceMs } = { ...usual, ...options };
  const connections = Array.from({ length: batchesInFlight }, () =>
    openRenewedConnection({ url, applicationName, timeLimitMs: patienceMs }),
  );
  const queue = new CommitQueue<WaitingEntry, RenewedConnection>({
    lanes: connections,
    sizeMax: batchMax,
    furtherSizeMin,
    send: (connection, batch) => settleBatch(connection, batch, patienceMs),
  });
  let isClosed = false;
  return {
    async post(draft, actor = "reckoner") {
      if (isClosed) throw new LedgerWriterClosedError();
      if (queue.size >= queueMax) throw new LedgerBusyError(queue.size);
      const { sourceKey } = draft;
      const text = entryText(draft, actor);
      const { promise, resolve, reject } = Promise.withResolvers<PostingResult>();
      queue.add({ size: 1, sourceKey, text, takenAt: performance.now(), resolve, reject });
      return promise;
    },
    async close() {
      isClosed = true;
      await queue.drained();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
