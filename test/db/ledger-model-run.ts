import { expect } from "vitest";
import { inTransaction, type Tx } from "../../src/db/database.ts";
import { expireHolds, placeHolds, releaseHolds, settleHolds } from "../../src/db/ledger/holds.ts";
import {
  carryClosedMonth,
  closeAccountingPeriod,
  foldHotBalances,
  postEntries,
  preparePartitions,
} from "../../src/db/ledger/ledger.ts";
import { type PublishedSeal, type SealStore, sealLedger } from "../../src/db/seals/ledger-seals.ts";
import { type LedgerFixture, openLedger, refusal } from "./ledger-fixture.ts";
import { LedgerModel, type Outcome, RequestUnsoundError } from "./ledger-model.ts";
import { expectAgreement } from "./ledger-model-checks.ts";
import { at, months, type Operation } from "./ledger-operations.ts";
import { hoursAfter, Requests } from "./ledger-requests.ts";

/** Told of everything that happens, such as "post: created". */
export type Observer = (what: string) => void;

/**
 * Carries a sequence out on a new ledger and on its model; throws at the first step after which they differ.
 * @param prepare changes the ledger before
 */
export async function runSequence(
  operations: readonly Operation[],
  observe: Observer = () => {},
  prepare: (ledger: LedgerFixture) => Promise<void> = async () => {},
): Promise<void> {
  const ledger = await openLedger({ poolSize: 1 });
  try {
    await prepare(ledger);
    const run = new ModelRun(ledger, sealsInMemory(), observe);
    for (const operation of operations) {
      await run.do(operation);
      await run.expectAgreement();
    }
    await run.observePartitions();
  } finally {
    await ledger.close();
  }
}

/** The copy outside the database. */
function sealsInMemory(): SealStore {
  const seals: PublishedSeal[] = [];
  return {
    async *published() {
      yield* seals;
    },
    last: async () => seals.at(-1) ?? null,
    append: async (seal) => void seals.push(structuredClone(seal)),
  };
}

const entriesPerPartition = 1_000_000;

class ModelRun {
  readonly #model = new LedgerModel();
  readonly #requests = new Requests(this.#model);
  readonly #ledger: LedgerFixture;
  readonly #store: SealStore;
  readonly #observe: Observer;

  constructor(ledger: LedgerFixture, store: SealStore, observe: Observer) {
    this.#ledger = ledger;
    this.#store = store;
    this.#observe = observe;
  }

  expectAgreement(): Promise<void> {
    return expectAgreement(this.#ledger, this.#model, this.#store);
  }

  async do(operation: Operation): Promise<void> {
    switch (operation.do) {
      case "post": {
        const drafts = this.#requests.entries(operation.entries);
        return this.#request(
          "post",
          () => this.#model.post(drafts),
          (tx) => postEntries(tx, drafts),
        );
      }
      case "settle": {
        const settlements = this.#requests.settlements(operation.settlements);
        return this.#request(
          "settle",
          () => this.#model.settle(settlements),
          (tx) => settleHolds(tx, settlements),
        );
      }
      case "place": {
        const drafts = this.#requests.holds(operation.holds);
        const placed = await this.#transact((tx) => placeHolds(tx, drafts));
        return this.#agree(
          "place",
          placed.map(({ status }) => status),
          this.#model.place(drafts),
        );
      }
      case "release": {
        const keys = [...new Set(operation.holds.map((index) => this.#requests.holdKey(index)))];
        const released = await this.#transact((tx) => releaseHolds(tx, keys, hoursAfter(0)));
        return this.#agree(
          "release",
          keys.map((key) => released.get(key)),
          keys.map((key) => this.#model.release(key)),
        );
      }
      case "expire": {
        const until = hoursAfter(operation.at);
        const expired = await this.#transact((tx) => expireHolds(tx, until));
        return this.#agree("expire", [expired], [this.#model.expire(until)], expired > 0 ? "some" : "none");
      }
      case "close": {
        const month = at(months, operation.month);
        const closed = await this.#transact((tx) => closeAccountingPeriod(tx, month, "alice"));
        return this.#agree("close", [closed], [this.#model.close(month)]);
      }
      case "carry": {
        const month = await this.#transact(carryClosedMonth);
        return this.#agree("carry", [month], [this.#model.carry()], month === null ? "nothing" : "a month");
      }
      case "fold": {
        const folded = await this.#transact(foldHotBalances);
        expect(await this.#ledger.db.sql`select from ledger.balance_delta`).toHaveLength(0);
        return this.#observe(`fold: ${folded > 0n ? "some" : "nothing"}`);
      }
      case "prepare":
      case "jump":
        return this.#prepare(operation.do === "jump" ? operation.idsLeft : null);
      case "seal":
        return this.#observe(
          `seal: ${(await sealLedger(this.#ledger.db, this.#store)) > 0 ? "some" : "nothing"}`,
        );
    }
  }

  /** Entries of more than one partition, by one transaction too. */
  async observePartitions(): Promise<void> {
    const [found] = await this.#ledger.db.sql<{ across: number; partitions: number }[]>`
      select count(*) filter (where partitions > 1)::int as across, max(of_all)::int as partitions from (
        select count(distinct entry.tableoid) as partitions, (select count(distinct tableoid) from ledger.journal_entry) as of_all
        from ledger.journal_entry as entry group by recorded_xid
      ) as written`;
    if ((found?.partitions ?? 0) > 1) this.#observe("entries in several partitions");
    if ((found?.across ?? 0) > 0) this.#observe("a batch across two partitions");
  }

  /** A request about entries: each has a status, or all are refused. */
  async #request<Status extends string>(
    name: string,
    expected: () => Outcome<Status>[],
    act: (tx: Tx) => Promise<readonly { status: Status; entryId: bigint | null }[]>,
  ): Promise<void> {
    const outcomes = unlessUnsound(expected);
    if (outcomes === null) {
      expect(await refusal(this.#transact(act)), `${name} is refused`).toBe("RK002");
      return this.#observe(`${name}: refused`);
    }
    const results = await this.#transact(act);
    this.#agree(
      name,
      results.map(({ status }) => status),
      outcomes.map(({ status }) => status),
    );
    for (const [index, { entryId }] of results.entries()) {
      const { status, entry } = at(outcomes, index);
      if (status === "created" && entry !== undefined && entryId !== null) {
        entry.id = entryId;
        if (entry.effectiveAt !== entry.draft.effectiveAt) this.#observe("a late entry");
        if (entry.draft.reverses !== undefined) this.#observe("a reversal");
      }
      const isTwin =
        status !== "created" && outcomes.some((other) => other.status === "created" && other.entry === entry);
      if (entry !== undefined && isTwin) this.#observe("a twin in its batch");
      expect(entryId, `the entry of ${status}`).toBe(entry?.id ?? null);
    }
  }

  async #prepare(idsLeft: number | null): Promise<void> {
    if (idsLeft !== null) {
      await this.#ledger.owner.sql`
        select setval('ledger.entry_id', min(end_id) - ${idsLeft}::int - 1) from ledger.entry_range
        where end_id - ${idsLeft}::int - 1 > (select last_value from ledger.entry_id)`;
    }
    const added = await this.#transact((tx) => preparePartitions(tx, entriesPerPartition));
    this.#observe(`prepare: ${added > 0 ? "some" : "nothing"}`);
  }

  #agree(name: string, found: readonly unknown[], expected: readonly unknown[], occurred?: string): void {
    expect(found, name).toEqual(expected);
    for (const status of found) this.#observe(`${name}: ${occurred ?? status}`);
  }

  #transact<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return inTransaction(this.#ledger.db, work);
  }
}

function unlessUnsound<T>(request: () => T): T | null {
  try {
    return request();
  } catch (error) {
    if (error instanceof RequestUnsoundError) return null;
    throw error;
  }
}
