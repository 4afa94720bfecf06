import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountBalance } from "../../src/db/ledger/ledger.ts";
import { type AccountRef, receivable } from "../../src/domain/ledger/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import {
  draft,
  expectInvariants,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  spend,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const balance = (ref: AccountRef) => accountBalance(ledger.db.orm, ref);

describe("a batch", () => {
  test("of spends: all pass when all fit", async () => {
    await ledger.post(fund("fits/0", "fits", 30n));
    const spends = [1, 2, 3].map((n) => spend(`fits/${n}`, "fits", 10n));
    expect(await ledger.post(...spends)).toEqual(["created", "created", "created"]);
  });

  test("that asks for too much is served in its order, and a later small one may still fit", async () => {
    await ledger.post(fund("order/0", "order", 10n), fund("calm/0", "calm", 10n));
    const statuses = await ledger.post(
      spend("order/1", "order", 6n),
      spend("order/2", "order", 6n),
      spend("calm/1", "calm", 6n),
      spend("order/3", "order", 4n),
      fund("order/4", "order", 3n),
      spend("order/5", "order", 3n),
    );
    expect(statuses).toEqual(["created", "insufficient", "created", "created", "created", "created"]);
    expect(await balance(grantOf("order"))).toBe(0n);
  });

  test("spends what it brings only after it has brought it", async () => {
    await ledger.post(fund("late/0", "late", 10n), fund("early/0", "early", 10n));
    const statuses = await ledger.post(
      spend("late/1", "late", 6n),
      spend("late/2", "late", 6n),
      fund("late/3", "late", 3n),
      fund("early/1", "early", 3n),
      spend("early/2", "early", 6n),
      spend("early/3", "early", 6n),
    );
    expect(statuses).toEqual(["created", "insufficient", "created", "created", "created", "created"]);
    expect(await balance(grantOf("late"))).toBe(7n);
    expect(await balance(grantOf("early"))).toBe(1n);
  });

  test("may hold the same entry twice, and the same key with other content", async () => {
    const once = fund("twice/1", "twice", 5n);
    expect(await ledger.post(once, once, fund("twice/1", "twice", 6n))).toEqual([
      "created",
      "exists",
      "exists_different",
    ]);
    expect(await balance(grantOf("twice"))).toBe(5n);
  });

  test("takes the first of two entries for one business event, whatever their keys", async () => {
    const first = fund("z/first", "event", 5n);
    const second = { ...fund("a/second", "event", 6n), cause: first.cause };
    expect(await ledger.post(first, second)).toEqual(["created", "exists_different"]);
    expect(await balance(grantOf("event"))).toBe(5n);
  });

  test("of a thousand entries is one statement", async () => {
    const many = Array.from({ length: 1000 }, (_, n) =>
      draft(`many/${n}`, [move(fees, receivable(`many-${n % 50}`, currency("usd")), 2n)]),
    );
    expect(new Set(await ledger.post(...many))).toEqual(new Set(["created"]));
    expect(new Set(await ledger.post(...many))).toEqual(new Set(["exists"]));
    expect(await balance(receivable("many-7", currency("usd")))).toBe(-40n);
  });

  test("of nothing is nothing", async () => {
    expect(await ledger.post()).toEqual([]);
  });
});
