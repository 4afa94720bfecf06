import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import {
  accountBalance,
  closeAccountingPeriod,
  foldHotBalances,
  type PostingStatus,
  postEntries,
} from "../../src/db/ledger/ledger.ts";
import { openLedgerWriter } from "../../src/db/ledger/ledger-writer.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { accountKey } from "../../src/domain/ledger/index.ts";
import {
  draft,
  expectInvariants,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  owed,
  revenue,
  spend,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger({ poolSize: 20 });
});

afterEach(() => expectInvariants(ledger.db));

afterAll(() => ledger.close());

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

function tally(statuses: readonly PostingStatus[]): Partial<Record<PostingStatus, number>> {
  const counts: Partial<Record<PostingStatus, number>> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("of 2000 spends at once with room for 1000, exactly 1000 succeed", () => {
  const expectExactlyThousand = async (grantId: string, statuses: readonly PostingStatus[]) => {
    expect(tally(statuses)).toEqual({ created: 1000, insufficient: 1000 });
    expect(await accountBalance(ledger.db.orm, grantOf(grantId))).toBe(0n);
    const [booked] = await ledger.db.sql`
      select count(*)::int as entries, sum(amount)::text as amount from ledger.posting
      where debit_account = (select id from ledger.account where key = ${accountKey(grantOf(grantId))})`;
    expect(booked).toEqual({ entries: 1000, amount: "7000" });
  };

  test("one by one, from 20 connections", async () => {
    await ledger.post(fund("race/fund", "race", 7000n));
    const statuses = await Promise.all(times(2000, (n) => ledger.post(spend(`race/${n}`, "race", 7n))));
    await expectExactlyThousand("race", statuses.flat());
  });

  test("through two writers, which make batches of them", async () => {
    await ledger.post(fund("writers/fund", "writers", 7000n));
    const writers = times(2, () =>
      openLedgerWriter({ url: ledger.appUrl, batchesInFlight: 3, batchMax: 150 }),
    );
    const results = await Promise.all(
      times(2000, (n) => writers[n % 2]?.post(spend(`writers/${n}`, "writers", 7n))),
    );
    await Promise.all(writers.map((writer) => writer.close()));
    await expectExactlyThousand(
      "writers",
      results.flatMap((result) => result?.status ?? []),
    );
  });
});

test("of 40 batches of 5 spends at once with room for 100, exactly 100 succeed", async () => {
  await ledger.post(fund("batch/fund", "batch", 700n));
  const batches = times(40, (n) => times(5, (m) => spend(`batch/${n}/${m}`, "batch", 7n)));
  const statuses = await Promise.all(batches.map((batch) => ledger.post(...batch)));
  expect(tally(statuses.flat())).toEqual({ created: 100, insufficient: 100 });
});

describe("the same entry from 20 connections at once", () => {
  test.each([
    { name: "on hot accounts, which nobody locks", posting: move(fees, revenue, 3n) },
    { name: "on accounts that are locked", posting: move(owed, grantOf("same"), 3n) },
    { name: "that opens its accounts", posting: move(owed, grantOf("new"), 3n) },
  ])("is created once, $name", async ({ name, posting }) => {
    const results = await Promise.all(
      times(20, () => inTransaction(ledger.db, (tx) => postEntries(tx, [draft(`same/${name}`, [posting])]))),
    );
    expect(tally(results.flat().map(({ status }) => status))).toEqual({ created: 1, exists: 19 });
    expect(new Set(results.flat().map(({ entryId }) => entryId)).size).toBe(1);
  });

  test("under 20 keys is created once: it is one business event", async () => {
    const cause = { type: "test", id: "one event" };
    const statuses = await Promise.all(
      times(20, (n) => ledger.post(draft(`keys/${n}`, [move(fees, revenue, 3n)], { cause }))),
    );
    expect(tally(statuses.flat())).toEqual({ created: 1, exists: 19 });
  });

  test("with 20 contents under one key, one is created and the others are told", async () => {
    const statuses = await Promise.all(
      times(20, (n) => ledger.post(draft("contents", [move(fees, revenue, BigInt(n + 1))]))),
    );
    expect(tally(statuses.flat())).toEqual({ created: 1, exists_different: 19 });
  });
});

test("overlapping batches in any order neither deadlock for good nor post anything twice", async () => {
  const entries = times(60, (n) =>
    n % 2 === 0
      ? draft(`overlap/${n}`, [move(owed, grantOf(`overlap-${n % 7}`), 1n)])
      : draft(`overlap/${n}`, [move(fees, revenue, 1n), move(fees, owed, 1n)]),
  );
  const statuses = await Promise.all(
    times(12, (n) => ledger.post(...entries.slice(n * 2, n * 2 + 30).sort(() => (n % 2 === 0 ? 1 : -1)))),
  );
  expect(tally(statuses.flat()).created).toBe(52);
});

test("reads of a hot account are exact while it is posted to and folded", async () => {
  const posted = 300;
  const before = await accountBalance(ledger.db.orm, revenue);
  let writing = true;
  const writers = Promise.all(
    times(6, async (writer) => {
      for (let n = 0; n < posted / 6; n++) {
        await ledger.post(draft(`hot/${writer}/${n}`, [move(fees, revenue, 5n)]));
      }
    }),
  ).finally(() => {
    writing = false;
  });
  let folded = 0n;
  const folding = async () => {
    while (writing) folded += await inTransaction(ledger.db, foldHotBalances);
  };
  let reads = 0;
  const reading = async () => {
    while (writing) {
      const inexact = await ledger.db.sql`
        select key, balance from ledger.balance as balance
        where code = '4000' and balance <> (select sum(amount) from ledger.posting where credit_account = account_id)`;
      expect([...inexact]).toEqual([]);
      reads++;
    }
  };
  await Promise.all([writers, folding(), folding(), reading()]);
  expect(reads).toBeGreaterThan(0);
  expect(folded).toBeGreaterThan(0n);
  expect(await accountBalance(ledger.db.orm, revenue)).toBe(before + 5n * BigInt(posted));
  await inTransaction(ledger.db, foldHotBalances);
  expect(await ledger.db.sql`select from ledger.balance_delta`).toHaveLength(0);
  expect(await accountBalance(ledger.db.orm, revenue)).toBe(before + 5n * BigInt(posted));
});

test("hot accounts are not locked: others post to them while an entry is under way", async () => {
  await inTransaction(ledger.db, async (tx) => {
    await postEntries(tx, [draft("lockless/1", [move(fees, revenue, 1n)])]);
    expect(await ledger.post(draft("lockless/2", [move(fees, revenue, 1n)]))).toEqual(["created"]);
  });
});

describe("a month", () => {
  const inMay = { effectiveAt: instant("2025-05-31T12:00:00Z"), whenClosed: "refuse" as const };
  const inJune = { effectiveAt: instant("2025-06-01T00:00:00Z"), whenClosed: "refuse" as const };

  test("is closed after the entry under way in it, and the next one finds it closed", async () => {
    let closing: Promise<boolean> | undefined;
    await inTransaction(ledger.db, async (tx) => {
      const [result] = await postEntries(tx, [draft("may/1", [move(fees, revenue, 1n)], inMay)]);
      expect(result?.status).toBe("created");
      closing = inTransaction(ledger.db, (other) => closeAccountingPeriod(other, "2025-05-01", "alice"));
      await until(someoneWaitsForAMonth);
    });
    expect(await closing).toBe(true);
    expect(await ledger.post(draft("may/2", [move(fees, revenue, 1n)], inMay))).toEqual(["period_closed"]);
  });

  test("that is being closed makes entries wait, and refuses them", async () => {
    let posting: Promise<PostingStatus[]> | undefined;
    await inTransaction(ledger.db, async (tx) => {
      await closeAccountingPeriod(tx, "2025-06-01", "alice");
      posting = ledger.post(draft("june/1", [move(fees, revenue, 1n)], inJune));
      await until(someoneWaitsForAMonth);
    });
    expect(await posting).toEqual(["period_closed"]);
  });
});

async function someoneWaitsForAMonth(): Promise<boolean> {
  const waiting = await ledger.db.sql`
    select from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
  return waiting.length === 1;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("waited 10 seconds in vain");
    await wait(10);
  }
}
