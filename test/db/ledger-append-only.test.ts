import { Column, getTableColumns, getTableName, getViewName, is, Table } from "drizzle-orm";
import { getViewConfig } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { closeAccountingPeriod } from "../../src/db/ledger.ts";
import * as schema from "../../src/db/schema/ledger.ts";
import { expectInvariants, fund, type LedgerFixture, openLedger, refusal, spend } from "./ledger-fixture.ts";

const refusedByTrigger = "RK001";
const refusedByPrivilege = "42501";

let ledger: LedgerFixture;
let columns: { table: string; column: string; is_identity: boolean }[];

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 10n), spend("s", "g", 4n));
  await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-01-01", "alice"));
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
  expect(tables()).toHaveLength(8);
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

test("the application may run three functions of the ledger, and nobody else any", async () => {
  const functions = await ledger.owner.sql`
    select proname as name, has_function_privilege('reckoner_app', oid, 'execute') as allowed,
      exists (select from aclexplode(proacl) as acl where acl.grantee = 0) as public
    from pg_proc where pronamespace = 'ledger'::regnamespace order by proname`;
  expect(functions.filter(({ allowed }) => allowed).map(({ name }) => name)).toEqual([
    "close_period",
    "fold_hot_balances",
    "post_entries",
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
  const declared = Object.values(schema)
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
  const declaredView = Object.values(getViewConfig(schema.balance).selectedFields)
    .filter((field) => is(field, Column))
    .map(({ name }) => name);
  expect(getViewName(schema.balance)).toBe("balance");
  expect(declaredView.sort()).toEqual(view.map(({ column }) => column).sort());
});
