import { setTimeout as delay } from "node:timers/promises";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { expireHolds, placeHolds, releaseHolds, settleHolds } from "../../src/db/ledger/holds.ts";
import { foldHotBalances, postEntries } from "../../src/db/ledger/ledger.ts";
import { openLedgerWriter } from "../../src/db/ledger/ledger-writer.ts";
import type { JournalEntryDraft } from "../../src/domain/ledger/index.ts";
import { cost, reserve } from "./holds-fixture.ts";
import { at, draft, fund, move, owed, revenue, spend } from "./ledger-fixture.ts";

/** A grant that all of them spend, so that they wait for each other. */
export const pool = "pool";

const timeLimitMs = 5_000;
const grantsOf = (writer: number) => [pool, `own-${writer}`] as const;

/**
 * Six writers that insist: what was not answered is sent again until it is. What was answered is written down here, and
 * must be in the ledger for ever, once.
 */
export class InsistingWriters {
  /** Source key of every entry that was acknowledged, with its id. */
  readonly entries = new Map<string, bigint>();
  /** Source key of every hold that was acknowledged, with its outcome. */
  readonly holds = new Map<string, "open" | "settled" | "released">();
  /** Requests that were cut off at least once, and entries that were in the ledger although nobody had been told. */
  interrupted = 0;
  untold = 0;
  #isOver = false;
  readonly #url: string;
  readonly #writer;

  constructor(url: string) {
    this.#url = url;
    this.#writer = openLedgerWriter({ url, patienceMs: 1_000 });
  }

  /** Settles after {@link end}, when everybody has got an answer to their last request. */
  async run(): Promise<void> {
    await Promise.all([
      ...[0, 1].map((writer) => this.#repeat((round) => this.#postGrouped(writer, round))),
      ...[2, 3].map((writer) => this.#repeat((round, line) => this.#postDirectly(writer, round, line))),
      ...[4, 5].map((writer) => this.#repeat((round, line) => this.#hold(writer, round, line))),
      this.#repeat((_, line) => this.#keepUp(line)),
    ]);
    await this.#writer.close();
  }

  end(): void {
    this.#isOver = true;
  }

  async #repeat(work: (round: number, line: Line) => Promise<void>): Promise<void> {
    const line = new Line(this.#url);
    for (let round = 0; !this.#isOver; round++) await work(round, line);
    await line.close();
  }

  /** Several at once through the writer that makes batches of them. */
  async #postGrouped(writer: number, round: number): Promise<void> {
    await Promise.all(
      draftsOf(writer, round).map(async (entry) => {
        const posted = await this.#insist(async () => [await this.#writer.post(entry)]);
        this.#acknowledge([entry], posted);
      }),
    );
  }

  /** A transaction of several entries: all of them or none. */
  async #postDirectly(writer: number, round: number, line: Line): Promise<void> {
    const entries = draftsOf(writer, round);
    const posted = await this.#insist(() =>
      line.use((db) => inTransaction(db, (tx) => postEntries(tx, entries))),
    );
    if (new Set(posted.map(({ status }) => status)).size > 1) throw new Error(`half a batch: ${round}`);
    this.#acknowledge(entries, posted);
  }

  async #hold(writer: number, round: number, line: Line): Promise<void> {
    const [shared, own] = grantsOf(writer);
    await this.#postDirectly(writer, round, line);
    const key = `hold/${writer}/${round}`;
    const [placed] = await this.#insist(() =>
      line.use((db) => inTransaction(db, (tx) => placeHolds(tx, [reserve(key, shared, 2n, 3n)]))),
    );
    this.#expect(key, placed?.status, ["created", "exists"]);
    this.holds.set(key, "open");
    if (round % 3 === 0) {
      const released = await this.#insist(() =>
        line.use((db) => inTransaction(db, (tx) => releaseHolds(tx, [key], at))),
      );
      this.#expect(key, released.get(key), ["released", "exists"]);
      this.holds.set(key, "released");
      return;
    }
    const entry = {
      ...cost(key, shared, 3n),
      postings: [...cost(key, shared, 3n).postings, ...spend(key, own, 1n).postings],
    };
    const settled = await this.#insist(() =>
      line.use((db) => inTransaction(db, (tx) => settleHolds(tx, [{ holdKey: key, entry }]))),
    );
    this.#acknowledge([entry], settled);
    this.holds.set(key, "settled");
  }

  async #keepUp(line: Line): Promise<void> {
    await this.#insist(() => line.use((db) => inTransaction(db, foldHotBalances)));
    await this.#insist(() => line.use((db) => inTransaction(db, (tx) => expireHolds(tx, at))));
    await delay(20);
  }

  async #insist<T>(request: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch {
        if (attempt === 1) this.interrupted++;
        await delay(100);
      }
    }
  }

  #acknowledge(
    entries: readonly JournalEntryDraft[],
    results: readonly { readonly status: string; readonly entryId: bigint | null }[],
  ): void {
    for (const [index, { sourceKey }] of entries.entries()) {
      const result = results[index];
      this.#expect(sourceKey, result?.status, ["created", "exists"]);
      if (result?.status === "exists") this.untold++;
      if (typeof result?.entryId === "bigint") this.entries.set(sourceKey, result.entryId);
    }
  }

  #expect(key: string, status: string | undefined, wanted: readonly string[]): void {
    if (status === undefined || !wanted.includes(status)) throw new Error(`${key}: ${status}`);
  }
}

/** What a writer posts in a round: it funds a grant of its own and spends of both. */
function draftsOf(writer: number, round: number): JournalEntryDraft[] {
  const key = `${writer}/${round}`;
  const [shared, own] = grantsOf(writer);
  return [
    fund(`${key}/funded`, own, 10n),
    spend(`${key}/spent`, own, 3n),
    spend(`${key}/shared`, shared, 1n),
    draft(`${key}/billed`, [move(owed, revenue, 7n)]),
  ];
}

/** A connection that is thrown away after an error: what a driver makes of a lost one is not what is tested. */
class Line {
  #db: Database;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
    this.#db = this.#connect();
  }

  async use<T>(work: (db: Database) => Promise<T>): Promise<T> {
    const db = this.#db;
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => silence.reject(new Error("no answer")), timeLimitMs);
    try {
      return await Promise.race([work(db), silence.promise]);
    } catch (error) {
      this.#db = this.#connect();
      db.close().catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #connect = () => openDatabase({ url: this.#url, poolSize: 1 });
}
