import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { accountBalance, closeAccountingPeriod } from "../../src/db/ledger.ts";
import { ledgerInvariantQueries } from "../../src/db/ledger-invariants.ts";
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

/** Writes an entry as its owner, around the posting function. */
function byHand(
  sourceKey: string,
  lines: readonly { debit: string; credit: string; amount: string; currency?: string }[],
  { effectiveAt = "2026-01-15T00:00:00Z", currency = "usd" } = {},
) {
  return ledger.owner.sql.begin(async (sql) => {
    const [entry] = await sql`
      insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, currency)
      values ('by_hand', ${sourceKey}, '\\x00', ${effectiveAt}, ${effectiveAt}, 'alice', 'hand', ${sourceKey}, ${currency})
      returning id`;
    let number = 0;
    for (const line of lines) {
      await sql`
        insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
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

// Whoever owns the tables can switch triggers off; the invariants must then name the damage.
test.each([
  {
    damage: "update ledger.posting set amount = amount + 1 where entry_id = 1",
    broken: /^V2: every balance/,
  },
  {
    damage: "update ledger.account_balance set debit = debit + 1 where account_id = 1",
    broken: /^V1: in each currency/,
  },
  { damage: "delete from ledger.posting where entry_id = 1", broken: /^V1: every entry has postings/ },
  {
    damage: "update ledger.posting set currency = 'eur' where entry_id = 1",
    broken: /^V1: every posting stays/,
  },
  { damage: "delete from ledger.account_history where version = 1", broken: /^V2: a statement/ },
  { damage: "update ledger.account_history set balance_after = 1", broken: /^V2: a statement/ },
  { damage: "delete from ledger.balance_delta", broken: /^V2: every balance/ },
  { damage: "update ledger.posting set amount = 1 where entry_id = 1", broken: /^V3/ },
])("after $damage an invariant says so: $broken", async ({ damage, broken }) => {
  const { sql } = ledger.owner;
  const names = await sql
    .begin(async (tx) => {
      for (const table of ["posting", "account_balance", "account_history", "balance_delta"]) {
        await tx`alter table ledger.${tx(table)} disable trigger user`;
      }
      await tx.unsafe(damage);
      const found: string[] = [];
      for (const invariant of ledgerInvariantQueries) {
        if ((await tx.unsafe(invariant.sql)).length > 0) found.push(invariant.name);
      }
      throw new Damaged(found);
    })
    .catch((error: unknown) => {
      if (error instanceof Damaged) return error.names;
      throw error;
    });
  expect(names).toContainEqual(expect.stringMatching(broken));
});

/** Rolls the damage back and carries what was found. */
class Damaged extends Error {
  readonly names: readonly string[];
  constructor(names: readonly string[]) {
    super("damage undone");
    this.names = names;
  }
}
