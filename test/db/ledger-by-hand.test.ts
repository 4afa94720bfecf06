import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { accountBalance, closeAccountingPeriod } from "../../src/db/ledger/ledger.ts";
import {
  draft,
  expectInvariants,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  refusal,
  revenue,
  spend,
  statement,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 100n));
  await ledger.post(spend("s", "g", 10n), draft("fee", [move(fees, revenue, 1n)]));
  await ledger.post(
    draft("euro", [{ ...move(fees, revenue, 1n), debit: euro(fees), credit: euro(revenue) }], {
      currency: euro(fees).currency,
    }),
  );
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const euro = <T extends { currency: unknown }>(ref: T): T => ({ ...ref, currency: "eur" });
const idOf = (key: string) => ledger.owner.sql`(select id from ledger.account where key = ${key})`;
const grantKey = "2000/usd/customer=acme/grant=g";
const revenueKey = "4000/usd/product=tokens";

interface ByHand {
  readonly effectiveAt?: string;
  readonly currency?: string;
  readonly causeId?: string;
  readonly reverses?: string | null;
  /** Names the partitions instead of their tables. */
  readonly partition?: string;
}

/** Writes an entry as its owner, around the posting function. */
function byHand(
  sourceKey: string,
  lines: readonly { debit: string; credit: string; amount: string; currency?: string }[],
  {
    effectiveAt = "2026-01-15T00:00:00Z",
    currency = "usd",
    causeId = sourceKey,
    reverses = null,
    partition = "",
  }: ByHand = {},
) {
  return ledger.owner.sql.begin(async (sql) => {
    const [entries, postings] = [sql(`ledger.journal_entry${partition}`), sql(`ledger.posting${partition}`)];
    const [entry] = await sql`
      insert into ${entries} (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, currency, reverses)
      values ('by_hand', ${sourceKey}, '\\x00', ${effectiveAt}, ${effectiveAt}, 'alice', 'hand', ${causeId}, ${currency}, ${reverses})
      returning id`;
    let number = 0;
    for (const line of lines) {
      await sql`
        insert into ${postings} (entry_id, line, currency, debit_account, credit_account, amount)
        values (${entry?.id}, ${++number}, ${line.currency ?? currency}, ${idOf(line.debit)}, ${idOf(line.credit)}, ${line.amount})`;
    }
  });
}

describe("postings written by hand, around the function", () => {
  test("keep balances, statements and hot accounts right", async () => {
    const before = await accountBalance(ledger.db.orm, revenue);
    await byHand("hand/1", [
      { debit: grantKey, credit: revenueKey, amount: "30" },
      { debit: revenueKey, credit: grantKey, amount: "5" },
    ]);
    expect(await accountBalance(ledger.db.orm, grantOf("g"))).toBe(65n);
    expect((await accountBalance(ledger.db.orm, revenue)) - before).toBe(25n);
    const { lines } = await statement(ledger.db, { subject: "credits", grantId: "g" });
    expect(lines.slice(-2).map(({ version, change, balance }) => ({ version, change, balance }))).toEqual([
      { version: 3n, change: -30n, balance: 60n },
      { version: 4n, change: 5n, balance: 65n },
    ]);
    await expectInvariants(ledger.db);
  });

  test.each([
    { amount: "66", code: "23514", why: "below the floor" },
    { amount: "0", code: "23514", why: "nothing" },
    { amount: "-1", code: "23514", why: "negative" },
    { amount: "NaN", code: "23514", why: "no number" },
  ])("an amount of $amount is refused: $why", async ({ amount, code }) => {
    expect(await refusal(byHand("hand/bad", [{ debit: grantKey, credit: revenueKey, amount }]))).toBe(code);
  });

  test.each([
    { line: { debit: "5000/eur", credit: revenueKey }, code: "RK002", why: "accounts in two currencies" },
    {
      line: { debit: grantKey, credit: revenueKey, currency: "eur" },
      code: "RK002",
      why: "not the accounts'",
    },
    {
      line: { debit: "5000/eur", credit: "4000/eur/product=tokens", currency: "eur" },
      code: "RK002",
      why: "not the entry's",
    },
    { line: { debit: revenueKey, credit: revenueKey }, code: "23514", why: "an account to itself" },
    { line: { debit: "no such key", credit: revenueKey }, code: "23502", why: "no account" },
  ])("refused, $why", async ({ line, code }) => {
    expect(await refusal(byHand("hand/bad", [{ amount: "1", ...line }]))).toBe(code);
  });

  test("an account that does not exist is refused without a foreign key", async () => {
    const { sql } = ledger.owner;
    const posting = sql`
      with entry as (
        insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, currency)
        values ('by_hand', 'hand/none', '\\x00', now(), now(), 'alice', 'hand', 'none', 'usd') returning id
      )
      insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
      select id, 1, 'usd', 987654, 987655, 1 from entry`;
    expect(await refusal(posting)).toBe("RK002");
  });

  test("an entry that was committed takes no further line", async () => {
    const { sql } = ledger.owner;
    const line = sql`
      insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
      select id, 2, 'usd', ${idOf("5000/usd")}, ${idOf(revenueKey)}, 1 from ledger.journal_entry where source_key = 'fee'`;
    expect(await refusal(line)).toBe("RK002");
  });

  test("nothing becomes effective in a closed month", async () => {
    await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-01-01", "alice"));
    const lines = [{ debit: "5000/usd", credit: revenueKey, amount: "1" }];
    expect(await refusal(byHand("hand/late", lines, { effectiveAt: "2025-01-31T23:59:59.999Z" }))).toBe(
      "RK004",
    );
    expect(await refusal(byHand("hand/next", lines, { effectiveAt: "2025-02-01T00:00:00Z" }))).toBe("done");
  });

  test("the transaction that recorded an entry cannot be made up", async () => {
    const { sql } = ledger.owner;
    const entry = sql`
      insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, currency, recorded_xid)
      values ('by_hand', 'hand/xid', '\\x00', now(), now(), 'alice', 'hand', 'xid', 'usd', '3')`;
    expect(await refusal(entry)).toBe("RK003");
  });
});

describe.each([
  { where: "into the tables", partition: "" },
  { where: "into their partitions", partition: "_1" },
])("inserts by hand $where", ({ partition }) => {
  const key = `${partition}/hand`;
  const line = { debit: grantKey, credit: revenueKey, amount: "1" };

  test("are followed by balances, statements and claims", async () => {
    const before = await accountBalance(ledger.db.orm, grantOf("g"));
    await byHand(key, [line, line], { partition });
    expect(await accountBalance(ledger.db.orm, grantOf("g"))).toBe(before - 2n);
    await expectInvariants(ledger.db);
  });

  test.each([
    { what: "more than there is", lines: [{ ...line, amount: "1000" }], over: {}, code: "23514" },
    { what: "another currency", lines: [line], over: { currency: "eur" }, code: "RK002" },
    { what: "a key that is taken", sourceKey: "fee", lines: [line], over: {}, code: "23505" },
    { what: "a cause that is taken", lines: [line], over: { causeId: key }, code: "23505" },
    { what: "a closed month", lines: [line], over: { effectiveAt: "2025-01-31T00:00:00Z" }, code: "RK004" },
    { what: "a date that is none", lines: [line], over: { effectiveAt: "infinity" }, code: "23514" },
    { what: "a reversal that mirrors nothing", lines: [line], over: { reverses: "2" }, code: "RK002" },
  ])("are refused: $what", async ({ what, sourceKey = `${key}/${what}`, lines, over, code }) => {
    expect(await refusal(byHand(sourceKey, lines, { partition, ...over }))).toBe(code);
  });

  test("reverse an entry once", async () => {
    await byHand(`${key}/undone`, [line], { partition });
    const [undone] = await ledger.db
      .sql`select id from ledger.journal_entry where source_key = ${`${key}/undone`}`;
    const reversal = (sourceKey: string) =>
      byHand(sourceKey, [{ ...line, debit: revenueKey, credit: grantKey }], {
        partition,
        reverses: String(undone?.id),
      });
    expect(await refusal(reversal(`${key}/reversal`))).toBe("done");
    expect(await refusal(reversal(`${key}/reversal again`))).toBe("23505");
    await expectInvariants(ledger.db);
  });
});
