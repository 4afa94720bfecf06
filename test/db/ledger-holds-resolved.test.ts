import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { findHold, releaseHolds, settleHolds } from "../../src/db/ledger/holds.ts";
import { closeAccountingPeriod, findEntry } from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { receivable } from "../../src/domain/ledger/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import { cost, expectNothingPending, hold, holdsOf, line, reserve } from "./holds-fixture.ts";
import {
  at,
  draft,
  expectInvariants,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  owed,
  refusal,
  revenue,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;
let holds: ReturnType<typeof holdsOf>;

beforeAll(async () => {
  ledger = await openLedger();
  holds = holdsOf(ledger);
});

afterEach(() => expectInvariants(ledger.db));

afterAll(async () => {
  await holds.expire(instant("2100-01-01T00:00:00Z"), 1_000);
  await expectNothingPending(ledger);
  await ledger.close();
});

const standing = (grantId: string) => holds.standing(grantOf(grantId));
const funded = (grantId: string, amount: bigint) => ledger.post(fund(`${grantId}/funded`, grantId, amount));

describe("settling", () => {
  test.each([
    { name: "exact", costs: 40n, left: 60n, why: "what was held" },
    { name: "less", costs: 1n, left: 99n, why: "less: the rest is free again" },
    { name: "more", costs: 100n, left: 0n, why: "more: all that the account has" },
    { name: "limit", atMost: 45n, costs: 45n, left: 55n, why: "as much as the hold allows" },
  ])("with $costs of 40 held of 100, $why", async ({ name, atMost, costs, left }) => {
    const grant = `settle-${name}`;
    await funded(grant, 100n);
    await holds.place(reserve(`${grant}/1`, grant, 40n, atMost));
    expect(await holds.settle(`${grant}/1`, cost(`${grant}/1`, grant, costs))).toBe("created");
    expect(await standing(grant)).toEqual({ balance: left, held: 0n });
    expect(await findHold(ledger.db.orm, `${grant}/1`)).toMatchObject({
      resolution: { outcome: "settled", entryKey: `${grant}/1/settled`, resolvedAt: at },
    });
  });

  test("with nothing of it: what it did cost was taken elsewhere", async () => {
    await funded("elsewhere", 10n);
    await holds.place(reserve("elsewhere/1", "elsewhere", 10n));
    const elsewhere = draft("elsewhere/1/settled", [move(receivable("acme", owed.currency), revenue, 3n)]);
    expect(await holds.settle("elsewhere/1", elsewhere)).toBe("created");
    expect(await standing("elsewhere")).toEqual({ balance: 10n, held: 0n });
  });

  test("takes from several accounts at once, each within its limit", async () => {
    await funded("several", 50n);
    await funded("several-too", 50n);
    await holds.place(
      hold("several/1", [line(grantOf("several"), 10n, 12n), line(grantOf("several-too"), 10n, 12n)]),
    );
    const takes = (one: bigint, other: bigint) =>
      draft("several/1/settled", [
        move(grantOf("several"), revenue, one),
        move(grantOf("several-too"), revenue, other),
      ]);
    expect(await holds.settle("several/1", takes(1n, 13n))).toBe("over_limit");
    expect(await holds.settle("several/1", takes(12n, 12n))).toBe("created");
    expect(await standing("several-too")).toEqual({ balance: 38n, held: 0n });
  });

  test("only what the entry takes in all counts against a limit", async () => {
    await funded("net", 50n);
    await holds.place(reserve("net/1", "net", 5n, 5n));
    const thereAndBack = draft("net/1/settled", [
      move(grantOf("net"), revenue, 15n),
      move(fees, grantOf("net"), 10n),
    ]);
    expect(await holds.settle("net/1", thereAndBack)).toBe("created");
    expect(await standing("net")).toEqual({ balance: 45n, held: 0n });
  });

  describe("refused leaves the hold as it was", () => {
    const inJanuary2020 = { effectiveAt: instant("2020-01-31T00:00:00Z"), whenClosed: "refuse" as const };
    const taking = (amount: bigint, over = {}) =>
      draft("refused/1/settled", [move(grantOf("refused"), revenue, amount)], over);
    beforeAll(async () => {
      await funded("refused", 100n);
      await holds.place(reserve("refused/1", "refused", 40n, 70n), reserve("refused/2", "refused", 50n));
      await ledger.post(taking(1n, { sourceKey: "refused/before", cause: { type: "test", id: "before" } }));
      await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2020-01-01", "alice"));
    });

    test.each([
      { status: "over_limit", entry: taking(71n), why: "more than the hold allows" },
      { status: "insufficient", entry: taking(50n), why: "into what another hold has set aside" },
      {
        status: "exists_different",
        entry: taking(1n, { sourceKey: "refused/before", cause: { type: "test", id: "before" } }),
        why: "the very entry was posted before, for something else",
      },
      {
        status: "exists_different",
        entry: taking(2n, { sourceKey: "refused/before" }),
        why: "its key is taken",
      },
      {
        status: "exists_different",
        entry: taking(1n, { cause: { type: "test", id: "before" } }),
        why: "its business event is booked",
      },
      { status: "period_closed", entry: taking(1n, inJanuary2020), why: "its month is closed" },
      {
        status: "account_missing",
        entry: draft("refused/1/settled", [
          move(grantOf("refused"), { ...revenue, currency: currency("eur") }, 1n),
        ]),
        why: "one of its accounts is in euro",
      },
    ])("$status: $why", async ({ status, entry }) => {
      expect(await holds.settle("refused/1", entry)).toBe(status);
      expect(await standing("refused")).toEqual({ balance: 99n, held: 90n });
      expect(await findHold(ledger.db.orm, "refused/1")).toMatchObject({ resolution: null });
      expect(await findEntry(ledger.db.orm, "refused/1/settled")).toBeUndefined();
    });

    test("also by an error: an entry that is none", async () => {
      const toItself = draft("refused/1/settled", [move(fees, fees, 1n)]);
      expect(await refusal(holds.settle("refused/1", toItself))).toBe("RK002");
      expect(await standing("refused")).toEqual({ balance: 99n, held: 90n });
    });
  });

  test("what is not a hold cannot be settled", async () => {
    expect(await holds.settle("nobody/1", cost("nobody/1", "nobody", 1n))).toBe("hold_missing");
    expect(await findEntry(ledger.db.orm, "nobody/1/settled")).toBeUndefined();
  });

  test("again, by the same entry, it exists; by another the hold is resolved", async () => {
    await funded("resettle", 100n);
    await holds.place(reserve("resettle/1", "resettle", 10n));
    const entry = cost("resettle/1", "resettle", 7n);
    expect(await holds.settle("resettle/1", entry)).toBe("created");
    const stored = await findEntry(ledger.db.orm, entry.sourceKey);
    const again = inTransaction(ledger.db, (tx) => settleHolds(tx, [{ holdKey: "resettle/1", entry }]));
    expect(await again).toEqual([{ holdKey: "resettle/1", status: "exists", entryId: stored?.id }]);
    expect(await holds.settle("resettle/1", cost("resettle/1", "resettle", 8n))).toBe("exists_different");
    const other = { ...cost("resettle/1", "resettle", 7n), sourceKey: "resettle/1/other" };
    expect(await holds.settle("resettle/1", other)).toBe("hold_resolved");
    expect(await standing("resettle")).toEqual({ balance: 93n, held: 0n });
  });

  test("an entry settles one hold only", async () => {
    await funded("one", 100n);
    await holds.place(reserve("one/1", "one", 10n), reserve("one/2", "one", 20n));
    const entry = cost("one/1", "one", 7n);
    expect(await holds.settle("one/1", entry)).toBe("created");
    expect(await holds.settle("one/2", entry)).toBe("exists_different");
    expect(await standing("one")).toEqual({ balance: 93n, held: 20n });
  });

  test("a batch is settled in its order, each hold by itself", async () => {
    await funded("batch", 30n);
    await holds.place(reserve("batch/1", "batch", 10n), reserve("batch/2", "batch", 10n, 10n));
    const settlements = [
      { holdKey: "batch/2", entry: cost("batch/2", "batch", 11n) },
      { holdKey: "batch/1", entry: cost("batch/1", "batch", 20n) },
      { holdKey: "batch/1", entry: cost("batch/1", "batch", 20n) },
      { holdKey: "batch/none", entry: cost("batch/none", "batch", 1n) },
      { holdKey: "batch/2", entry: cost("batch/2", "batch", 10n) },
    ];
    const settled = await inTransaction(ledger.db, (tx) => settleHolds(tx, settlements));
    expect(settled.map(({ status }) => status)).toEqual([
      "over_limit",
      "created",
      "exists",
      "hold_missing",
      "created",
    ]);
    expect(await standing("batch")).toEqual({ balance: 0n, held: 0n });
    expect(await inTransaction(ledger.db, (tx) => settleHolds(tx, []))).toEqual([]);
  });
});

describe("releasing and expiring", () => {
  test("a released hold gives everything back, once", async () => {
    await funded("release", 10n);
    await holds.place(reserve("release/1", "release", 10n));
    expect(await holds.release("release/1")).toBe("released");
    expect(await standing("release")).toEqual({ balance: 10n, held: 0n });
    expect(await holds.release("release/1")).toBe("exists");
    expect(await holds.settle("release/1", cost("release/1", "release", 1n))).toBe("hold_resolved");
    expect(await holds.place(reserve("release/1", "release", 10n)), "its key is its own for ever").toEqual([
      "exists",
    ]);
    expect(await standing("release")).toEqual({ balance: 10n, held: 0n });
  });

  test("several at once have a status each, whatever the order and however often they are named", async () => {
    await funded("many", 30n);
    await holds.place(reserve("many/1", "many", 10n), reserve("many/2", "many", 10n));
    await holds.settle("many/2", cost("many/2", "many", 1n));
    const released = await inTransaction(ledger.db, (tx) =>
      releaseHolds(tx, ["many/none", "many/2", "many/1", "many/1"], at),
    );
    expect(Object.fromEntries(released)).toEqual({
      "many/1": "released",
      "many/2": "hold_resolved",
      "many/none": "hold_missing",
    });
    expect(await inTransaction(ledger.db, (tx) => releaseHolds(tx, [], at))).toEqual(new Map());
  });

  test("a hold expires at its instant, not before, and may be settled until then or someone looks", async () => {
    await funded("expire", 30n);
    const early = { placedAt: at, expiresAt: instant("2026-01-15T00:00:00.001Z") };
    const names = ["expire/1", "expire/2", "expire/3"];
    await holds.place(...names.map((name) => ({ ...reserve(name, "expire", 10n), ...early })));
    expect(await holds.expire(at)).toBe(0);
    expect(await holds.settle("expire/3", cost("expire/3", "expire", 5n))).toBe("created");
    expect(await holds.expire(early.expiresAt, 1), "as many as asked for").toBe(1);
    expect(await standing("expire")).toEqual({ balance: 25n, held: 10n });
    expect(await holds.expire(early.expiresAt)).toBe(1);
    expect(await holds.expire(early.expiresAt)).toBe(0);
    expect(await standing("expire")).toEqual({ balance: 25n, held: 0n });
    expect(await findHold(ledger.db.orm, "expire/1")).toMatchObject({
      resolution: { outcome: "expired", entryKey: null, resolvedAt: early.expiresAt },
    });
    expect(await holds.settle("expire/1", cost("expire/1", "expire", 1n))).toBe("hold_resolved");
    expect(await holds.release("expire/1")).toBe("hold_resolved");
    expect(await holds.place({ ...reserve("expire/1", "expire", 10n), ...early })).toEqual(["exists"]);
    expect(await standing("expire")).toEqual({ balance: 25n, held: 0n });
  });
});
