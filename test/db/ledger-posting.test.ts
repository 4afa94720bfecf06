import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, rows, sql } from "../../src/db/database.ts";
import { accountBalance, closeAccountingPeriod, findEntry, postEntries } from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type AccountRef, chartOfAccounts, reversalOf } from "../../src/domain/ledger/index.ts";
import {
  balanceOfAcme,
  draft,
  expectInvariants,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  owed,
  refusal,
  revenue,
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

describe("posting again", () => {
  const original = fund("again/1", "again", 100n);

  test("the same entry is created once and exists from then on", async () => {
    expect(await ledger.post(original)).toEqual(["created"]);
    expect(await ledger.post(original)).toEqual(["exists"]);
    expect(await balance(grantOf("again"))).toBe(100n);
  });

  test.each([
    { over: { kind: "other" }, why: "its kind" },
    { over: { occurredAt: instant("2026-01-16T00:00:00Z") }, why: "when it occurred" },
    { over: { effectiveAt: instant("2026-01-16T00:00:00Z") }, why: "when it is effective" },
    { over: { cause: { type: "test", id: "other" } }, why: "its cause" },
    { over: { customerId: "other" }, why: "its customer" },
    { over: { metadata: { note: "other" } }, why: "its metadata" },
    { over: { postings: [move(owed, grantOf("again"), 101n)] }, why: "an amount" },
    { over: { postings: [move(owed, grantOf("other"), 100n)] }, why: "an account" },
    {
      over: { postings: [...original.postings, move(owed, balanceOfAcme, 1n)] },
      why: "one posting more",
    },
  ])("with the same key but $why changed, it exists_different", async ({ over }) => {
    expect(await ledger.post({ ...original, ...over })).toEqual(["exists_different"]);
  });

  test("the same business event under another key is the same entry", async () => {
    const [result] = await inTransaction(ledger.db, (tx) =>
      postEntries(tx, [{ ...original, sourceKey: "again/2" }]),
    );
    expect(result).toMatchObject({ status: "exists" });
    expect(await findEntry(ledger.db.orm, "again/1")).toMatchObject({ id: result?.entryId });
    const different = fund("again/2", "again", 7n);
    expect(await ledger.post({ ...different, cause: original.cause })).toEqual(["exists_different"]);
  });

  test("an existing entry still exists when its month has been closed", async () => {
    const inMarch = { effectiveAt: instant("2025-03-31T23:59:59Z") };
    const entry = draft("closed/1", [move(owed, balanceOfAcme, 1n)], inMarch);
    expect(await ledger.post(entry)).toEqual(["created"]);
    expect(await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-03-01", "alice"))).toBe(
      true,
    );
    expect(await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-03-01", "alice"))).toBe(
      false,
    );
    expect(await ledger.post(entry)).toEqual(["exists"]);
    const particular = { ...inMarch, whenClosed: "refuse" as const };
    const refused = draft("closed/2", [move(owed, balanceOfAcme, 1n)], particular);
    expect(await ledger.post(refused)).toEqual(["period_closed"]);
    const before = draft("closed/3", [move(owed, balanceOfAcme, 1n)], {
      ...particular,
      effectiveAt: instant("2024-12-31T00:00:00Z"),
    });
    expect(await ledger.post(before), "the months before it are closed too").toEqual(["period_closed"]);
  });

  test("a late fact is booked in the first open month, and keeps the instant it occurred at", async () => {
    await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-04-01", "alice"));
    const occurredAt = instant("2025-04-30T23:59:59Z");
    const late = draft("late/1", [move(owed, balanceOfAcme, 1n)], { occurredAt, effectiveAt: occurredAt });
    expect(await ledger.post(late)).toEqual(["created"]);
    const [entry] = await ledger.db.sql`
      select occurred_at, effective_at from ledger.journal_entry where source_key = 'late/1'`;
    expect(entry).toEqual({
      occurred_at: "2025-04-30 23:59:59+00",
      effective_at: "2025-05-01 00:00:00+00",
    });
    expect(await ledger.post(late), "whatever has been closed since").toEqual(["exists"]);
  });
});

describe("a refused entry leaves nothing behind", () => {
  test("insufficient: all lines or none, and no account is opened", async () => {
    expect(await ledger.post(fund("poor/1", "poor", 10n))).toEqual(["created"]);
    const tooMuch = draft("poor/2", [
      move(owed, grantOf("unheard-of"), 5n),
      move(grantOf("poor"), revenue, 11n),
    ]);
    expect(await ledger.post(tooMuch)).toEqual(["insufficient"]);
    expect(await balance(grantOf("poor"))).toBe(10n);
    const opened = await ledger.db
      .sql`select from ledger.account where dimensions ->> 'grant' = 'unheard-of'`;
    expect(opened).toHaveLength(0);
    expect(await ledger.post(spend("poor/3", "poor", 10n), spend("poor/4", "never-funded", 1n))).toEqual([
      "created",
      "insufficient",
    ]);
  });

  test("a key that was refused is free: the same entry passes when the money is there", async () => {
    const wish = spend("free/1", "free", 3n);
    expect(await ledger.post(wish)).toEqual(["insufficient"]);
    expect(await ledger.post(fund("free/2", "free", 3n), wish)).toEqual(["created", "created"]);
  });

  test("only the sum of an entry's lines counts, in whatever order they are", async () => {
    const through = draft("through/1", [
      move(grantOf("through"), revenue, 5n),
      move(owed, grantOf("through"), 5n),
    ]);
    expect(await ledger.post(through)).toEqual(["created"]);
    expect(await balance(grantOf("through"))).toBe(0n);
  });

  test.each([
    { account: "7777/usd", why: "no such code" },
    { account: "1100/usd", why: "a customer is missing" },
    { account: "1100/usd/customer=", why: "an empty customer" },
    { account: "1100/usd/customer=a/grant=g", why: "a name too many" },
    { account: "2000/usd/grant=g/customer=a", why: "names out of order" },
    { account: "1100/usd/customer=a=b", why: "not escaped" },
    { account: "1100/USD/customer=a", why: "no currency" },
    { account: "1100/eur/customer=a", why: "not the entry's currency" },
    { account: "", why: "nothing" },
  ])("account_missing: $account, $why", async ({ account }) => {
    const postings = [{ debit: account, credit: "4000/usd/product=tokens", amount: "1" }];
    expect(await postRaw(postings)).toEqual([{ status: "account_missing", entry_id: null }]);
    expect(await ledger.db.sql`select from ledger.account where key = ${account}`).toHaveLength(0);
  });

  test.each([
    { amount: "0", why: "zero", code: "RK002" },
    { amount: "-1", why: "negative", code: "RK002" },
    { amount: "1.5", why: "below the ledger's resolution", code: "RK002" },
    { amount: null, why: "missing", code: "RK002" },
    { amount: "NaN", why: "not a number", code: "RK002" },
    { amount: "Infinity", why: "endless", code: "RK002" },
    { amount: "100000000000000000000000000000000000000", why: "39 digits", code: "RK002" },
  ])("an amount that is $why ends the transaction with $code", async ({ amount, code }) => {
    const postings = [{ debit: "5000/usd", credit: "4000/usd/product=tokens", amount }];
    expect(await refusal(postRaw(postings))).toBe(code);
  });

  test("an entry without postings, and one from an account to itself, end it too", async () => {
    expect(await refusal(postRaw([]))).toBe("RK002");
    expect(await refusal(postRaw([{ debit: "5000/usd", credit: "5000/usd", amount: "1" }]))).toBe("RK002");
  });

  test("the ledger is written in read committed only", async () => {
    const isolated = inTransaction(ledger.db, (tx) => postEntries(tx, [fund("isolated", "isolated", 1n)]), {
      isolation: "repeatable read",
    });
    await expect(isolated).rejects.toMatchObject({ cause: { code: "RK003" } });
  });
});

test("an entry is reversed once, whatever the key", async () => {
  await ledger.post(fund("undo/1", "undo", 9n));
  const entry = await findEntry(ledger.db.orm, "undo/1");
  if (!entry) throw new Error("undo/1 was posted");
  const times = { occurredAt: entry.occurredAt, effectiveAt: entry.effectiveAt };
  const reversal = reversalOf({ ...times, sourceKey: "undo/1/reversed" }, entry);
  expect(await ledger.post(reversal)).toEqual(["created"]);
  expect(await balance(grantOf("undo"))).toBe(0n);
  const again = { ...reversal, sourceKey: "undo/1/again", cause: { type: "test", id: "undo/1/again" } };
  expect(await ledger.post(again)).toEqual(["exists_different"]);
  expect(await ledger.post(reversal)).toEqual(["exists"]);
});

test("the entry goes with the caller's transaction", async () => {
  const rolledBack = inTransaction(ledger.db, async (tx) => {
    await postEntries(tx, [fund("gone/1", "gone", 1n)]);
    throw new Error("the caller changed its mind");
  });
  await expect(rolledBack).rejects.toThrow("changed its mind");
  expect(await findEntry(ledger.db.orm, "gone/1")).toBeUndefined();
  expect(await balance(grantOf("gone"))).toBe(0n);
});

test("the database's chart of accounts is the domain's", async () => {
  const stored = await ledger.db.sql`
    select code, name, class, dimensions, bounded, hot, keep_history from ledger.chart_account order by code`;
  const expected = Object.entries(chartOfAccounts).map(([code, account]) => ({
    code,
    name: account.name,
    class: account.class,
    dimensions: [...account.dimensions],
    bounded: "bounded" in account,
    hot: "hot" in account,
    keep_history: "keepHistory" in account,
  }));
  expect([...stored]).toEqual(expected);
});

/** Past the domain's own checks. */
function postRaw(postings: readonly object[]) {
  const entry = {
    source_key: "raw",
    kind: "test",
    occurred_at: "2026-01-15T00:00:00Z",
    effective_at: "2026-01-15T00:00:00Z",
    actor: "test",
    cause_type: "test",
    cause_id: "raw",
    currency: "usd",
    postings,
  };
  const entries = JSON.stringify([entry]);
  return rows(ledger.db.orm, sql`select status, entry_id from ledger.post_entries(${entries}::jsonb)`);
}
