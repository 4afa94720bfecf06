import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Tx } from "../../src/db/database.ts";
import { findHold, placeHolds, settleHolds } from "../../src/db/ledger/holds.ts";
import { postEntries } from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { JournalEntryDraft } from "../../src/domain/ledger/index.ts";
import { cost, expectNothingPending, expiry, hold, holdsOf, line, reserve } from "./holds-fixture.ts";
import {
  draft,
  expectInvariants,
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
let holds: ReturnType<typeof holdsOf>;

beforeAll(async () => {
  ledger = await openLedger({ poolSize: 20 });
  holds = holdsOf(ledger);
});

afterEach(() => expectInvariants(ledger.db));

afterAll(async () => {
  await holds.expire(instant("2100-01-01T00:00:00Z"), 10_000);
  await expectNothingPending(ledger);
  await ledger.close();
});

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

function tally<T extends PropertyKey>(statuses: readonly T[]): Partial<Record<T, number>> {
  const counts: Partial<Record<T, number>> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("of many who place at once", () => {
  test("each an amount of its own, as many get it as there is room for", async () => {
    await ledger.post(fund("room/funded", "room", 700n));
    const placed = await Promise.all(times(200, (n) => holds.place(reserve(`room/${n}`, "room", 7n))));
    expect(tally(placed.flat())).toEqual({ created: 100, insufficient: 100 });
    expect(await holds.standing(grantOf("room"))).toEqual({ balance: 700n, held: 700n });
  });

  test("or spend at once, never more is gone than there was", async () => {
    await ledger.post(fund("mixed/funded", "mixed", 700n));
    const [placed, spent] = await Promise.all([
      Promise.all(times(100, (n) => holds.place(reserve(`mixed/held/${n}`, "mixed", 7n)))),
      Promise.all(times(100, (n) => ledger.post(spend(`mixed/spent/${n}`, "mixed", 7n)))),
    ]);
    const [held, gone] = [tally(placed.flat()).created ?? 0, tally(spent.flat()).created ?? 0];
    expect(held + gone).toBe(100);
    expect(await holds.standing(grantOf("mixed"))).toEqual({
      balance: 700n - 7n * BigInt(gone),
      held: 7n * BigInt(held),
    });
  });

  test("the same hold, it is placed once", async () => {
    await ledger.post(fund("same/funded", "same", 700n));
    const placed = await Promise.all(times(40, () => holds.place(reserve("same/1", "same", 7n))));
    expect(tally(placed.flat())).toEqual({ created: 1, exists: 39 });
    expect(await holds.standing(grantOf("same"))).toEqual({ balance: 700n, held: 7n });
  });

  test("over two grants in both orders, all are answered", async () => {
    await ledger.post(fund("pair/a", "pair-a", 500n), fund("pair/b", "pair-b", 500n));
    const lines = [line(grantOf("pair-a"), 10n), line(grantOf("pair-b"), 10n)];
    const placed = await Promise.all(
      times(100, (n) => holds.place(hold(`pair/${n}`, n % 2 === 0 ? lines : lines.toReversed()))),
    );
    expect(tally(placed.flat())).toEqual({ created: 50, insufficient: 50 });
  });
});

/** Ways to end a hold, each answering whether it was this call that did. */
const endings = {
  settled: async (key: string, grant: string) =>
    (await holds.settle(key, cost(key, grant, 6n))) === "created",
  released: async (key: string) => (await holds.release(key)) === "released",
  expired: async (key: string) => {
    await holds.expire(expiry, 10);
    return (await findHold(ledger.db.orm, key))?.resolution?.outcome === "expired";
  },
};

describe("a hold resolves once", () => {
  const races = 100;

  test.each([
    { one: "settled", other: "settled" },
    { one: "settled", other: "released" },
    { one: "settled", other: "expired" },
    { one: "released", other: "expired" },
  ] as const)(`in ${races} races: $one, $other`, async ({ one, other }) => {
    const grant = `${one}-${other}`;
    await ledger.post(fund(`${grant}/funded`, grant, 10_000n));
    const wins: Partial<Record<string, number>> = {};
    let settledCount = 0n;
    for (let n = 0; n < races; n++) {
      const key = `${grant}/${n}`;
      await holds.place(reserve(key, grant, 5n));
      // Who is asked first takes turns, so that either wins at times.
      const contenders = n % 2 === 0 ? [one, other] : [other, one];
      const won = await Promise.all(contenders.map((ending) => endings[ending](key, grant)));
      expect(won.filter((isWinner) => isWinner)).toHaveLength(1);
      const outcome = contenders[won.indexOf(true)] ?? "";
      expect((await findHold(ledger.db.orm, key))?.resolution?.outcome).toBe(outcome);
      wins[outcome] = (wins[outcome] ?? 0) + 1;
      if (outcome === "settled") settledCount++;
    }
    expect(await holds.standing(grantOf(grant))).toEqual({ balance: 10_000n - 6n * settledCount, held: 0n });
    expect(Object.keys(wins).toSorted()).toEqual([...new Set([one, other])].toSorted());
  });

  test("by one of many different entries at once", async () => {
    await ledger.post(fund("entries/funded", "entries", 100n));
    await holds.place(reserve("entries/1", "entries", 50n));
    const entry = (n: number): JournalEntryDraft => ({
      ...cost("entries/1", "entries", BigInt(n + 1)),
      sourceKey: `entries/by/${n}`,
      cause: { type: "test", id: `entries/by/${n}` },
    });
    const statuses = await Promise.all(times(30, (n) => holds.settle("entries/1", entry(n))));
    expect(tally(statuses.map(String))).toEqual({ created: 1, hold_resolved: 29 });
  });

  test("and an entry settles one of many holds at once", async () => {
    const grants = times(10, (n) => `claims-${n}`);
    await ledger.post(...grants.map((grant) => fund(`${grant}/funded`, grant, 100n)));
    await holds.place(...grants.map((grant) => reserve(grant, grant, 50n)));
    const entry = draft("claims/settled", [move(owed, revenue, 1n)]);
    const statuses = await Promise.all(grants.map((grant) => holds.settle(grant, entry)));
    expect(tally(statuses.map(String))).toEqual({ created: 1, exists_different: 9 });
  });

  test("an entry that is posted while it settles a hold is posted once", async () => {
    const races = 10;
    await ledger.post(fund("posted/funded", "posted", 100n));
    for (let n = 0; n < races; n++) {
      const key = `posted/${n}`;
      await holds.place(reserve(key, "posted", 5n));
      const entry = cost(key, "posted", 5n);
      const [settled, [posted]] = await Promise.all([holds.settle(key, entry), ledger.post(entry)]);
      expect(["settled: created, posted: exists", "settled: exists_different, posted: created"]).toContain(
        `settled: ${settled}, posted: ${posted}`,
      );
      expect(await holds.release(key)).toBe(settled === "created" ? "hold_resolved" : "released");
    }
    expect(await holds.standing(grantOf("posted"))).toEqual({ balance: 100n - 5n * BigInt(races), held: 0n });
  });
});

test("batches that settle, place, fund and spend the same grants in any order never wait in a circle", async () => {
  const grants = times(5, (n) => `crowd-${n}`);
  await ledger.post(...grants.map((grant) => fund(`${grant}/funded`, grant, 1_000n)));
  const grantAt = (n: number) => grants[n % grants.length] ?? "";
  const keys = times(60, (n) => `crowd/${n}`);
  await holds.place(...keys.map((key, n) => reserve(key, grantAt(n), 10n)));
  const settlements = keys.map((holdKey, n) => ({
    holdKey,
    // What is over comes from what the customer owes, which every funding touches too.
    entry: draft(`${holdKey}/settled`, [move(grantOf(grantAt(n)), revenue, 10n), move(owed, revenue, 1n)]),
  }));
  // Not in a transaction that is tried again: a deadlock would fail the test.
  const once = <T>(work: (tx: Tx) => Promise<T>) => ledger.db.orm.transaction((tx) => work(tx));
  await Promise.all([
    ...times(12, (n) => once((tx) => settleHolds(tx, settlements.slice(n * 5, n * 5 + 5).toReversed()))),
    ...times(20, (n) =>
      once((tx) =>
        placeHolds(tx, [
          reserve(`crowd/new/${n}`, grantAt(n), 1n),
          reserve(`crowd/more/${n}`, grantAt(n + 3), 1n),
        ]),
      ),
    ),
    ...times(20, (n) =>
      once((tx) =>
        postEntries(tx, [
          fund(`crowd/fund/${n}`, grantAt(n), 1n),
          spend(`crowd/spend/${n}`, grantAt(n + 2), 1n),
        ]),
      ),
    ),
  ]);
  for (const grant of grants) {
    expect(await holds.standing(grantOf(grant))).toEqual({ balance: 1_000n - 120n, held: 8n });
  }
});
