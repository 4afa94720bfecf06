import { afterAll, beforeAll, expect, test } from "vitest";
import { ledgerInvariantQueries } from "../../src/db/invariants/ledger-invariants.ts";
import { derivedOnceTables, derivedTables, factTables } from "../../src/db/invariants/table-rules.ts";
import {
  draft,
  expectInvariants,
  fees,
  fund,
  type LedgerFixture,
  move,
  openLedger,
  revenue,
  spend,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 100n));
  await ledger.post(spend("s", "g", 10n), draft("fee", [move(fees, revenue, 1n)]));
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
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
  { damage: "delete from ledger.entry_key where entry_id = 2", broken: /^V4: every entry has claimed/ },
  {
    damage: "update ledger.journal_entry set source_key = 'another' where id = 2",
    broken: /^V4: every entry has claimed/,
  },
  {
    damage: "update ledger.journal_entry set cause_id = 'another' where id = 2",
    broken: /^V4: every entry has claimed/,
  },
  {
    damage: `insert into ledger.journal_entry select 900, kind, source_key, request_hash, occurred_at, effective_at, recorded_at,
      recorded_xid, actor, cause_type, cause_id, customer_id, currency, reverses, metadata from ledger.journal_entry_1 where id = 2;
      insert into ledger.posting select 900, line, currency, debit_account, credit_account, amount from ledger.posting_1 where entry_id = 2`,
    broken: /^V4: every entry has claimed/,
  },
  { damage: "update ledger.account set floor = -1000 where code = '2000'", broken: /^V3: every account/ },
  {
    damage: "update ledger.account_balance set currency = 'eur' where floor = 0",
    broken: /^V3: every account/,
  },
  { damage: "update ledger.account_balance set hot = not hot", broken: /^V3: every account/ },
  { damage: "update ledger.account_balance set keep_history = false", broken: /^V3: every account/ },
  { damage: "update ledger.account_balance set held = 1 where floor = 0", broken: /^V2: what is held/ },
])("after $damage an invariant says so: $broken", async ({ damage, broken }) => {
  const { sql } = ledger.owner;
  const names = await sql
    .begin(async (tx) => {
      for (const table of tablesOfTheLedger) await tx.unsafe(`alter table ${table} disable trigger user`);
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

const tablesOfTheLedger = [...factTables, ...derivedOnceTables, ...derivedTables].filter((table) =>
  table.startsWith("ledger."),
);

/** Rolls the damage back and carries what was found. */
class Damaged extends Error {
  readonly names: readonly string[];
  constructor(names: readonly string[]) {
    super("damage undone");
    this.names = names;
  }
}
