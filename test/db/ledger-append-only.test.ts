import { setTimeout as delay } from "node:timers/promises";
import { Column, getTableColumns, getTableName, getViewName, is, Table } from "drizzle-orm";
import { getViewConfig } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { closeAccountingPeriod, foldHotBalances, postEntries } from "../../src/db/ledger.ts";
import * as ledgerSchema from "../../src/db/schema/ledger.ts";
import { seal } from "../../src/db/schema/ledger-seals.ts";
import { expectInvariants, fund, type LedgerFixture, openLedger, refusal, spend } from "./ledger-fixture.ts";

const refusedByTrigger = "RK001";
const refusedByPrivilege = "42501";

let ledger: LedgerFixture;
let columns: { table: string; column: string; is_identity: boolean }[];

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 10n), spend("s", "g", 4n));
  await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-01-01", "alice"));
  // Transactions of other tests on the server hold back what can be sealed.
  while ((await ledger.db.sql`select from ledger.seal_closed_range(10)`).length === 0) await delay(10);
  columns = await ledger.owner.sql`
    select table_name as table, column_name as column, is_identity = 'YES' as is_identity
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema = 'ledger' and table_type = 'BASE TABLE' order by 1, ordinal_position`;
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const tables = () => [...new Set(columns.map(({ table }) => table))];

test("every table has a row that could be changed", async () => {
  expect(tables()).toHaveLength(9);
  for (const table of tables()) {
    const [found] = await ledger.db.sql`select count(*)::int as rows from ledger.${ledger.db.sql(table)}`;
    expect(found?.rows, table).toBeGreaterThan(0);
  }
});

describe.each([
  { who: "owner" as const, code: refusedByTrigger },
  { who: "db" as const, code: refusedByPrivilege },
])("as $who", ({ who, code }) => {
  test("no column of any table can be updated", async () => {
    const { sql } = ledger[who];
    const outcomes = await Promise.all(
      columns.map(async ({ table, column, is_identity }) => {
        const value = is_identity ? sql`default` : sql(column);
        const update = sql`update ledger.${sql(table)} set ${sql(column)} = ${value}`;
        return { table, column, code: await refusal(update) };
      }),
    );
    expect(outcomes.length).toBeGreaterThan(50);
    expect(outcomes.filter((outcome) => outcome.code !== code)).toEqual([]);
  });

  test.each(["delete from", "truncate"])("%s is refused on every table", async (verb) => {
    const { sql } = ledger[who];
    const cascade = verb === "truncate" ? sql`cascade` : sql``;
    for (const table of tables()) {
      const statement = sql`${sql.unsafe(verb)} ledger.${sql(table)} ${cascade}`;
      expect({ table, code: await refusal(statement) }).toEqual({ table, code });
    }
  });
});

test("the application inserts into no table; derived tables take no insert from their owner either", async () => {
  const insert = (who: "owner" | "db", table: string) => {
    const { sql } = ledger[who];
    return refusal(sql`insert into ledger.${sql(table)} overriding system value table ledger.${sql(table)}`);
  };
  for (const table of tables()) {
    expect({ table, code: await insert("db", table) }).toEqual({ table, code: refusedByPrivilege });
  }
  for (const table of ["account_balance", "balance_delta", "account_history"]) {
    expect({ table, code: await insert("owner", table) }).toEqual({ table, code: refusedByTrigger });
  }
});

describe("the door by which balances are kept is shut again", () => {
  const edits = [
    "insert into ledger.account_balance (account_id, normal) values (987654, 1)",
    "update ledger.account_balance set debit = debit + 1",
    "delete from ledger.balance_delta",
    "insert into ledger.account_history values (1, 987654, 1, 1, 1, 1)",
  ];

  test.each([
    { after: "an account was opened and a posting made", draft: () => fund("door/1", "another", 1n) },
    { after: "a posting to known accounts", draft: () => spend("door/2", "g", 1n) },
    { after: "a posting was refused", draft: () => spend("door/3", "g", 1_000n) },
  ])("in the transaction in which $after", async ({ draft }) => {
    for (const edit of edits) {
      const edited = inTransaction(ledger.owner, async (tx) => {
        await postEntries(tx, [draft()]);
        await tx.execute(edit);
      });
      expect({ edit, code: await refusal(edited) }).toEqual({ edit, code: refusedByTrigger });
    }
  });

  test("in the transaction in which hot balances were folded", async () => {
    for (const edit of edits) {
      let folded = 0n;
      const edited = inTransaction(ledger.owner, async (tx) => {
        folded = await foldHotBalances(tx);
        await tx.execute(edit);
      });
      expect({ edit, code: await refusal(edited) }).toEqual({ edit, code: refusedByTrigger });
      expect(folded).toBeGreaterThan(0n);
    }
  });

  test("in the transaction in which keeping them failed", async () => {
    const edited = ledger.owner.sql.begin(async (sql) => {
      const below = sql.savepoint(
        (inner) => inner`
        with entry as (
          insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, currency)
          values ('by_hand', 'door/4', '\\x00', now(), now(), 'alice', 'hand', 'door/4', 'usd') returning id
        )
        insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
        select entry.id, 1, 'usd', debited.id, credited.id, 1000000
        from entry, ledger.account as debited, ledger.account as credited
        where debited.key = '2000/usd/customer=acme/grant=g' and credited.key = '4000/usd/product=tokens'`,
      );
      expect(await refusal(below)).toBe("23514");
      await sql`update ledger.account_balance set debit = debit + 1`;
    });
    expect(await refusal(edited)).toBe(refusedByTrigger);
  });
});

test("the application may run four functions of the ledger, and nobody else any", async () => {
  const functions = await ledger.owner.sql`
    select proname as name, has_function_privilege('reckoner_app', oid, 'execute') as allowed,
      exists (select from aclexplode(proacl) as acl where acl.grantee = 0) as public
    from pg_proc where pronamespace = 'ledger'::regnamespace order by proname`;
  expect(functions.filter(({ allowed }) => allowed).map(({ name }) => name)).toEqual([
    "close_period",
    "fold_hot_balances",
    "post_entries",
    "seal_closed_range",
  ]);
  expect(functions.filter((row) => row.public)).toEqual([]);
  expect(functions.length).toBeGreaterThan(10);
});

test("functions that run with the owner's rights have a pinned search path", async () => {
  const unpinned = await ledger.owner.sql`
    select proname from pg_proc
    where pronamespace = 'ledger'::regnamespace and prosecdef and not ('search_path=""' = any(coalesce(proconfig, '{}')))`;
  expect([...unpinned]).toEqual([]);
});

test("the Drizzle schema has exactly the columns of the database, with the same nullability", async () => {
  const actual = await ledger.owner.sql`
    select table_name as table, column_name as column, is_nullable = 'NO' as not_null
    from information_schema.columns where table_schema = 'ledger' and table_name <> 'balance' order by 1, 2`;
  const declared = Object.values({ ...ledgerSchema, seal })
    .filter((value) => is(value, Table))
    .flatMap((table) =>
      Object.values(getTableColumns(table)).map(({ name, notNull }) => ({
        table: getTableName(table),
        column: name,
        not_null: notNull,
      })),
    );
  const order = (left: { table: string; column: string }, right: { table: string; column: string }) =>
    `${left.table} ${left.column}` < `${right.table} ${right.column}` ? -1 : 1;
  expect(declared.sort(order)).toEqual([...actual].sort(order as never));
  const view = await ledger.owner.sql`
    select column_name as column from information_schema.columns where table_schema = 'ledger' and table_name = 'balance'`;
  const declaredView = Object.values(getViewConfig(ledgerSchema.balance).selectedFields)
    .filter((field) => is(field, Column))
    .map(({ name }) => name);
  expect(getViewName(ledgerSchema.balance)).toBe("balance");
  expect(declaredView.sort()).toEqual(view.map(({ column }) => column).sort());
});
