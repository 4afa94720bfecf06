import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { accountBalances, foldHotBalances, type PostingStatus } from "../../src/db/ledger.ts";
import {
  type AccountRef,
  accountKey,
  chartAccount,
  customerBalance,
  type JournalEntryDraft,
  normalSideOf,
  type Posting,
  prepaidCredits,
  promotionalOffset,
  receivable,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import { draft, expectInvariants, type LedgerFixture, move, openLedger, usd } from "./ledger-fixture.ts";

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
});

afterAll(() => ledger.close());

/** The ledger in memory: entries one after the other, each whole or not at all. */
class LedgerModel {
  readonly #entries = new Map<string, JournalEntryDraft>();
  readonly #balances = new Map<string, bigint>();

  balance(ref: AccountRef): bigint {
    return this.#balances.get(accountKey(ref)) ?? 0n;
  }

  post(entry: JournalEntryDraft): PostingStatus {
    const recorded = this.#entries.get(entry.sourceKey);
    if (recorded) return text(recorded) === text(entry) ? "exists" : "exists_different";
    const after = new Map(this.#balances);
    const touched = entry.postings.flatMap(({ debit, credit, amount }) => [
      { ref: debit, change: normalSideOf(chartAccount(debit.code).class) === "debit" ? amount : -amount },
      { ref: credit, change: normalSideOf(chartAccount(credit.code).class) === "credit" ? amount : -amount },
    ]);
    for (const { ref, change } of touched) {
      after.set(accountKey(ref), (after.get(accountKey(ref)) ?? 0n) + change);
    }
    const breaks = touched.some(
      ({ ref }) => chartAccount(ref.code).bounded && (after.get(accountKey(ref)) ?? 0n) < 0n,
    );
    if (breaks) return "insufficient";
    this.#entries.set(entry.sourceKey, entry);
    for (const [key, balance] of after) this.#balances.set(key, balance);
    return "created";
  }
}

const text = ({ postings }: JournalEntryDraft) =>
  JSON.stringify(
    postings.map(({ debit, credit, amount }) => [accountKey(debit), accountKey(credit), amount.toString()]),
  );

/** Accounts of one run: bounded, with history, and hot. */
const accountsOf = (run: number): readonly AccountRef[] => [
  prepaidCredits(`run-${run}`, "g1", usd),
  prepaidCredits(`run-${run}`, "g2", usd),
  customerBalance(`run-${run}`, usd),
  receivable(`run-${run}`, usd),
  usageRevenue(`run-${run}`, usd),
  promotionalOffset(usd),
];

const anyPosting = fc
  .record({ from: fc.nat(5), steps: fc.integer({ min: 1, max: 5 }), amount: fc.bigInt(1n, 20n) })
  .map(({ from, steps, amount }) => ({ from, to: (from + steps) % 6, amount }));

/** Few keys, so that some come again, with the same content or another. */
const anyEntry = fc.record({
  key: fc.nat(30),
  postings: fc.array(anyPosting, { minLength: 1, maxLength: 3 }),
});
const anyBatch = fc.array(anyEntry, { minLength: 1, maxLength: 8 });
const anyRun = fc.array(fc.record({ batch: anyBatch, fold: fc.boolean(), again: fc.boolean() }), {
  minLength: 1,
  maxLength: 8,
});

test("any sequence of batches does to the database what it does to the model; V1, V2 and V3 hold", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(anyRun, async (steps) => {
      const run = ++runs;
      const accounts = accountsOf(run);
      const model = new LedgerModel();
      const at = (index: number) => accounts[index] ?? accounts[0] ?? promotionalOffset(usd);
      for (const { batch, fold, again } of steps) {
        const drafts = batch.map(({ key, postings }) => {
          const moves = postings.map(({ from, to, amount }): Posting => move(at(from), at(to), amount));
          return draft(`run/${run}/${key}`, moves, { customerId: `run-${run}` });
        });
        for (const sent of again ? [drafts, drafts] : [drafts]) {
          expect(await ledger.post(...sent)).toEqual(sent.map((entry) => model.post(entry)));
        }
        if (fold) await inTransaction(ledger.db, foldHotBalances);
      }
      // The last account is shared by all runs; V2 covers it.
      const own = accounts.slice(0, -1);
      expect(await accountBalances(ledger.db.orm, own)).toEqual(own.map((ref) => model.balance(ref)));
      await expectInvariants(ledger.db);
    }),
    { numRuns: 60 },
  );
});
