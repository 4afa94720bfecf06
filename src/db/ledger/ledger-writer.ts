import { invariant } from "../../domain/errors.ts";
import type { JournalEntryDraft } from "../../domain/ledger/index.ts";
import { entryText, type PostingResult } from "./ledger.ts";
import { settleBatch, type WaitingEntry } from "./ledger-batch.ts";
import { openPostingConnection, type PostingConnection } from "./posting-connection.ts";

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
 * A client of the ledger that makes batches of what concurrent callers post (group commit). Nobody waits for a batch
 * to fill: an entry leaves at once while no batch is on its way, else with the next one.
 */
export function openLedgerWriter(options: LedgerWriterOptions): LedgerWriter {
  const { url, applicationName, batchMax, batchesInFlight, queueMax, patienceMs } = { ...usual, ...options };
  const connections = Array.from({ length: batchesInFlight }, () =>
    openPostingConnection({ url, applicationName, timeLimitMs: patienceMs }),
  );
  const queue = new EntryQueue(connections, { batchMax, patienceMs });
  let isClosed = false;
  return {
    async post(draft, actor = "reckoner") {
      if (isClosed) throw new LedgerWriterClosedError();
      if (queue.length >= queueMax) throw new LedgerBusyError(queue.length);
      const text = entryText(draft, actor);
      const { promise, resolve, reject } = Promise.withResolvers<PostingResult>();
      queue.add({ sourceKey: draft.sourceKey, text, takenAt: performance.now(), resolve, reject });
      return promise;
    },
    async close() {
      isClosed = true;
      await queue.drained();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** A call costs as much as some ten entries: one more beside those under way is for this many, or for who has waited. */
const furtherBatchMin = 25;
const waitMsMax = 10;

type BatchLimits = Required<Pick<LedgerWriterOptions, "batchMax" | "patienceMs">>;

/** Entries on their way into batches, each on a connection that is idle. */
class EntryQueue {
  readonly #connections: number;
  readonly #idle: PostingConnection[];
  readonly #limits: BatchLimits;
  readonly #entries: WaitingEntry[] = [];
  readonly #drained = Promise.withResolvers<void>();
  #isDraining = false;
  #sendsSoon = false;
  #sendsLater = false;

  constructor(connections: readonly PostingConnection[], limits: BatchLimits) {
    this.#connections = connections.length;
    this.#idle = [...connections];
    this.#limits = limits;
  }

  get length(): number {
    return this.#entries.length;
  }

  add(entry: WaitingEntry): void {
    this.#entries.push(entry);
    this.#sendSoon();
  }

  /** Settles when every entry has its outcome; none may be added any more. */
  drained(): Promise<void> {
    this.#isDraining = true;
    this.#sendSoon();
    return this.#drained.promise;
  }

  /** Whoever posts in the same turn of the event loop goes along, as do callers who have just got their outcome. */
  #sendSoon(): void {
    if (this.#sendsSoon) return;
    this.#sendsSoon = true;
    setImmediate(() => {
      this.#sendsSoon = false;
      this.#sendWaiting();
    });
  }

  /** For entries behind a batch that is held up, by a lock for example, when nothing else comes along. */
  #sendLater(): void {
    if (this.#sendsLater) return;
    this.#sendsLater = true;
    setTimeout(() => {
      this.#sendsLater = false;
      this.#sendWaiting();
    }, waitMsMax);
  }

  #sendWaiting(): void {
    for (
      let first = this.#entries[0];
      first !== undefined && this.#idle.length > 0;
      first = this.#entries[0]
    ) {
      if (!this.#mayLeave(first)) {
        this.#sendLater();
        return;
      }
      this.#sendBatch();
    }
    if (this.#isDraining && this.#isQuiet()) this.#drained.resolve();
  }

  #mayLeave(first: WaitingEntry): boolean {
    const hasWaited = performance.now() - first.takenAt >= waitMsMax;
    return this.#isQuiet() || this.#entries.length >= furtherBatchMin || hasWaited;
  }

  /** No batch is on its way. */
  #isQuiet(): boolean {
    return this.#idle.length === this.#connections;
  }

  #sendBatch(): void {
    const connection = this.#idle.pop();
    invariant(connection, "a batch has a connection of its own");
    const batch = this.#entries.splice(0, this.#limits.batchMax);
    settleBatch(connection, batch, this.#limits.patienceMs).finally(() => {
      this.#idle.push(connection);
      this.#sendSoon();
    });
  }
}
