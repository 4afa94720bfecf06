import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, rows, sql } from "../../src/db/database.ts";
import { findHold, placeHolds } from "../../src/db/ledger/holds.ts";
import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { HoldInvalidError } from "../../src/domain/ledger/index.ts";
import { expectNothingPending, expiry, hold, holdsOf, line, reserve } from "./holds-fixture.ts";
import {
  at,
  expectInvariants,
  fund,
  grantOf,
  type LedgerFixture,
  openLedger,
  owed,
  refusal,
  spend,
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

describe("placing", () => {
  test("sets an amount aside: the balance stays, and only the rest can be spent", async () => {
    await funded("aside", 100n);
    expect(await holds.place(reserve("aside/1", "aside", 60n))).toEqual(["created"]);
    expect(await standing("aside")).toEqual({ balance: 100n, held: 60n });
    expect(
      await ledger.post(spend("aside/2", "aside", 41n), spend("aside/3", "aside", 40n)),
      "beyond the rest, and the rest",
    ).toEqual(["insufficient", "created"]);
    expect(await holds.place(reserve("aside/4", "aside", 1n))).toEqual(["insufficient"]);
    expect(await findHold(ledger.db.orm, "aside/1")).toMatchObject({
      customerId: "acme",
      placedAt: at,
      expiresAt: expiry,
      lines: [{ account: "2000/usd/customer=acme/grant=aside", amount: 60n, atMost: null }],
      resolution: null,
    });
    expect(await findHold(ledger.db.orm, "aside/4")).toBeUndefined();
  });

  describe("again", () => {
    const original = hold("again/1", [line(grantOf("again"), 10n, 20n), line(grantOf("again-too"), 5n)]);
    beforeAll(async () => {
      await funded("again", 100n);
      await funded("again-too", 100n);
      expect(await holds.place(original)).toEqual(["created"]);
    });

    test("the same hold exists, also later and for someone else", async () => {
      const later = instantOfEpochMs(at + 5_000);
      const [again] = await inTransaction(ledger.db, (tx) =>
        placeHolds(
          tx,
          [{ ...original, placedAt: later, expiresAt: instantOfEpochMs(expiry + 5_000) }],
          "bob",
        ),
      );
      const stored = await findHold(ledger.db.orm, "again/1");
      expect(again).toEqual({ sourceKey: "again/1", status: "exists", holdId: stored?.id });
      expect(stored).toMatchObject({ placedAt: at, expiresAt: expiry });
      expect(await standing("again")).toEqual({ balance: 100n, held: 10n });
    });

    test.each([
      { over: { customerId: "other" }, why: "its customer" },
      { over: { cause: { type: "request", id: "other" } }, why: "its cause" },
      {
        over: { lines: [line(grantOf("again"), 11n, 20n), line(grantOf("again-too"), 5n)] },
        why: "an amount",
      },
      { over: { lines: [line(grantOf("again"), 10n, 21n), line(grantOf("again-too"), 5n)] }, why: "a limit" },
      { over: { lines: [line(grantOf("again"), 10n), line(grantOf("again-too"), 5n)] }, why: "no limit" },
      { over: { lines: [line(grantOf("again"), 10n, 20n)] }, why: "one line less" },
      { over: { lines: [line(grantOf("again"), 10n, 20n), line(grantOf("other"), 5n)] }, why: "an account" },
    ])("with the same key but $why changed, it exists_different", async ({ over }) => {
      expect(await holds.place({ ...original, ...over })).toEqual(["exists_different"]);
    });

    test("in one batch too", async () => {
      const twice = reserve("again/2", "again", 1n);
      expect(await holds.place(twice, twice, reserve("again/2", "again", 2n))).toEqual([
        "created",
        "exists",
        "exists_different",
      ]);
    });
  });

  test("of several accounts is whole or not at all, and a key that was refused is free", async () => {
    await funded("both", 10n);
    await funded("both-poor", 4n);
    const wish = hold("both/1", [line(grantOf("both"), 5n), line(grantOf("both-poor"), 5n)]);
    expect(await holds.place(wish)).toEqual(["insufficient"]);
    expect(await standing("both")).toEqual({ balance: 10n, held: 0n });
    await ledger.post(fund("both/2", "both-poor", 1n));
    expect(await holds.place(wish)).toEqual(["created"]);
    expect(await standing("both")).toEqual({ balance: 10n, held: 5n });
    expect(await standing("both-poor")).toEqual({ balance: 5n, held: 5n });
  });

  test("in a batch goes by the order: what the first sets aside the second cannot", async () => {
    await funded("order", 10n);
    expect(
      await holds.place(
        reserve("order/1", "order", 8n),
        reserve("order/2", "order", 3n),
        reserve("order/3", "order", 2n),
      ),
    ).toEqual(["created", "insufficient", "created"]);
  });

  test("of an account that is not open is insufficient, and opens nothing", async () => {
    expect(await holds.place(reserve("unopened/1", "unopened", 1n))).toEqual(["insufficient"]);
    expect(
      await ledger.db.sql`select from ledger.account where dimensions ->> 'grant' = 'unopened'`,
    ).toHaveLength(0);
  });

  test("nothing is refused before anything is held", async () => {
    await funded("unsound", 10n);
    const wrong = hold("unsound/2", [line(owed, 1n)]);
    await expect(holds.place(reserve("unsound/1", "unsound", 1n), wrong)).rejects.toThrow(HoldInvalidError);
    expect(await standing("unsound")).toEqual({ balance: 10n, held: 0n });
    expect(await holds.place()).toEqual([]);
  });

  test("goes with the caller's transaction", async () => {
    await funded("gone", 10n);
    const rolledBack = inTransaction(ledger.db, async (tx) => {
      await placeHolds(tx, [reserve("gone/1", "gone", 1n)]);
      throw new Error("the caller changed its mind");
    });
    await expect(rolledBack).rejects.toThrow("changed its mind");
    expect(await standing("gone")).toEqual({ balance: 10n, held: 0n });
  });

  test("is done in read committed only", async () => {
    await funded("isolated", 10n);
    const isolated = inTransaction(
      ledger.db,
      (tx) => placeHolds(tx, [reserve("isolated/1", "isolated", 1n)]),
      {
        isolation: "repeatable read",
      },
    );
    await expect(isolated).rejects.toMatchObject({ cause: { code: "RK003" } });
  });
});

describe("past the domain's checks", () => {
  const grantKey = "2000/usd/customer=acme/grant=raw";
  beforeAll(() => funded("raw", 10n));

  const placeRaw = (lines: readonly object[]) => {
    const sent = JSON.stringify([
      {
        source_key: "raw",
        currency: "usd",
        cause_type: "test",
        cause_id: "raw",
        actor: "test",
        placed_at: "2026-01-15T00:00:00Z",
        expires_at: "2026-01-15T01:00:00Z",
        lines,
      },
    ]);
    return rows(ledger.db.orm, sql`select status, hold_id from ledger.place_holds(${sent}::jsonb)`);
  };

  test.each([
    { account: "1100/usd/customer=acme", why: "no floor" },
    { account: "4000/usd/product=tokens", why: "no floor, and hot" },
    { account: "2000/eur/customer=acme/grant=raw", why: "another currency" },
    { account: "7777/usd", why: "no such code" },
    { account: "2000/usd/customer=acme", why: "no grant" },
    { account: "", why: "nothing" },
  ])("account_missing: $account, $why", async ({ account }) => {
    expect(await placeRaw([{ account, amount: "1" }])).toEqual([
      { status: "account_missing", hold_id: null },
    ]);
  });

  test.each([
    { lines: [], why: "no line" },
    { lines: [{ account: grantKey, amount: "0" }], why: "zero" },
    { lines: [{ account: grantKey, amount: "-1" }], why: "negative" },
    { lines: [{ account: grantKey, amount: "1.5" }], why: "below the ledger's resolution" },
    { lines: [{ account: grantKey, amount: "NaN" }], why: "not a number" },
    { lines: [{ account: grantKey, amount: "Infinity" }], why: "endless" },
    { lines: [{ account: grantKey, amount: `1${"0".repeat(38)}` }], why: "39 digits" },
    { lines: [{ account: grantKey, amount: null }], why: "missing" },
    { lines: [{ account: grantKey, amount: "2", at_most: "1" }], why: "a limit below what is held" },
    { lines: [{ account: grantKey, amount: "2", at_most: "2.5" }], why: "a limit below the resolution" },
    { lines: [{ account: grantKey, amount: "2", at_most: "NaN" }], why: "a limit that is no number" },
  ])("refused, $why", async ({ lines }) => {
    expect(await refusal(placeRaw(lines))).toBe("RK002");
  });

  test("two lines of one account are refused: their sum is what is meant", async () => {
    const twice = { account: grantKey, amount: "1" };
    expect(await refusal(placeRaw([twice, twice]))).toBe("23505");
  });
});
