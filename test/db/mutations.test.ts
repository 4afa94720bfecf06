import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import * as rules from "../../src/db/invariants/table-rules.ts";
import { type CatalogColumn, everyColumn, everyView, fillEveryTable } from "./every-table.ts";
import { type LedgerFixture, openLedger, refusal } from "./ledger-fixture.ts";

/**
 * Every column of every table and of every partition, from the catalog, times update, delete and truncate: as the
 * application, which has no right to, and as the owner, who has every right and meets the triggers.
 */
let ledger: LedgerFixture;
let columns: readonly CatalogColumn[];
const ending: (() => unknown)[] = [];

beforeAll(async () => {
  ledger = await openLedger();
  const story = await fillEveryTable(ledger);
  ending.push(ledger.close, story.close);
  columns = await everyColumn(ledger.owner);
});

afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const byPrivilege = "42501";
const byTrigger = "RK001";

const { changeableColumns, claimColumns } = rules;
const facts = [...rules.factTables, ...rules.derivedOnceTables, ...rules.derivedTables];
const records = Object.keys(changeableColumns);
const claims = Object.keys(claimColumns);
const changeable = new Map(Object.entries({ ...changeableColumns, ...claimColumns }));

const relationsOf = (tables: readonly string[]) => [
  ...new Set(columns.filter(({ table }) => tables.includes(table)).map(({ relation }) => relation)),
];

test("every table is known to be of facts, derived from them, or of records with a state", () => {
  const known = [...facts, ...records, ...claims, ...rules.foreignTables];
  expect(new Set(known).size).toBe(known.length);
  expect([...new Set(columns.map(({ table }) => table))].sort()).toEqual(known.sort());
});

test("what is looked at are hundreds of columns, partitions among them, and every table has a row", async () => {
  expect(columns.length).toBeGreaterThan(400);
  expect(relationsOf(["ledger.posting"])).toEqual(["ledger.posting", "ledger.posting_1", "ledger.posting_2"]);
  const empty: string[] = [];
  for (const table of [...facts, ...records, ...claims]) {
    const [found] = await ledger.db.sql.unsafe(`select exists (select from ${table}) as some`);
    if (found?.some !== true) empty.push(table);
  }
  expect(empty).toEqual([]);
});

/** Runs statements, each by itself, and gives those that did not end as they should. */
async function unexpected(
  { sql }: Database,
  statements: readonly string[],
  code: string,
): Promise<{ statement: string; code: string }[]> {
  const outcomes = await Promise.all(
    statements.map(async (statement) => ({ statement, code: await refusal(sql.unsafe(statement)) })),
  );
  return outcomes.filter((outcome) => outcome.code !== code);
}

const update = ({ relation, column, isGenerated }: CatalogColumn) =>
  `update ${relation} set ${column} = ${isGenerated ? "default" : column}`;

const removals = (relation: string) => [
  `delete from ${relation}`,
  `delete from only ${relation}`,
  `truncate ${relation}`,
  `truncate ${relation} restart identity cascade`,
];

describe("the application", () => {
  test("updates no column but the state of a record", async () => {
    const fixed = columns.filter(({ table, column }) => !changeable.get(table)?.includes(column));
    expect(fixed.length).toBeGreaterThan(350);
    expect(await unexpected(ledger.db, fixed.map(update), byPrivilege)).toEqual([]);
  });

  test("may update the state of a record", async () => {
    const state = columns.filter(({ table, column }) => changeable.get(table)?.includes(column));
    const named = [...changeable].flatMap(([table, names]) => names.map((name) => `${table}.${name}`));
    expect(state.map(({ table, column }) => `${table}.${column}`).sort()).toEqual(named.sort());
    expect(
      await unexpected(
        ledger.db,
        state.map((column) => `explain ${update(column)}`),
        "done",
      ),
    ).toEqual([]);
  });

  test("removes nothing, but a claim that came to nothing", async () => {
    const all = relationsOf(columns.map(({ table }) => table)).flatMap(removals);
    const refused = all.filter((statement) => !/^delete .*access.idempotency_key$/.test(statement));
    expect(refused.length).toBe(all.length - 2);
    expect(await unexpected(ledger.db, refused, byPrivilege)).toEqual([]);
  });

  test("changes nothing in passing: by merging, on conflict, or by locking rows", async () => {
    const statements = [...facts, ...rules.foreignTables].flatMap((table) => {
      const first = columns.find((column) => column.table === table)?.column;
      return [
        `merge into ${table} using (values (1)) as one on true when matched then delete`,
        `merge into ${table} using (values (1)) as one on true when matched then update set ${first} = default`,
        `insert into ${table} default values on conflict on constraint ${table.split(".")[1]}_pkey do update set ${first} = default`,
        `select from ${table} for update`,
        `select from ${table} for key share`,
      ];
    });
    const noKey = (statement: string) => /(balance_delta|source_heartbeat|migration)_pkey/.test(statement);
    expect(
      await unexpected(
        ledger.db,
        statements.filter((statement) => !noKey(statement)),
        byPrivilege,
      ),
    ).toEqual([]);
  });

  test("inserts no fact of ledger and usage, and nothing derived", async () => {
    const tables = facts.filter((table) => /^(ledger|usage)[.]/.test(table));
    const inserts = relationsOf([...tables, ...rules.foreignTables]).flatMap((relation) => [
      `insert into ${relation} default values`,
      `insert into ${relation} overriding system value select * from ${relation}`,
    ]);
    expect(inserts.length).toBeGreaterThan(50);
    expect(await unexpected(ledger.db, inserts, byPrivilege)).toEqual([]);
  });

  test("changes nothing by way of a view", async () => {
    const views = await everyView(ledger.owner);
    expect(views.length).toBeGreaterThan(3);
    const outcomes = await Promise.all(
      views
        .flatMap((view) => [`delete from ${view}`, `insert into ${view} default values`, `truncate ${view}`])
        .map((statement) => refusal(ledger.db.sql.unsafe(statement))),
    );
    // 55000: it is no view that anybody could write; 42809: it is no table.
    expect(outcomes.filter((code) => !["42501", "55000", "42809"].includes(code))).toEqual([]);
  });
});

/** Another value of the column's type, whatever it holds. */
function otherValue({ column, type, isGenerated }: CatalogColumn): string {
  if (isGenerated) return "default";
  if (/^(bigint|integer|smallint|numeric)/.test(type)) return `coalesce(${column}, 0) + 1`;
  if (type === "text") return `coalesce(${column}, '') || 'x'`;
  if (type.startsWith("timestamp")) return `coalesce(${column}, now()) + interval '1 day'`;
  if (type === "boolean") return `not coalesce(${column}, false)`;
  if (type === "jsonb") return `jsonb_build_array(${column})`;
  if (type === "uuid") return "gen_random_uuid()";
  if (type === "bytea") return `coalesce(${column}, '') || '\\x00'`;
  if (type === "text[]") return `array_append(${column}, 'x')`;
  return column;
}

describe("the owner", () => {
  test("updates no column of a fact or of what follows from facts, not even where there is no row", async () => {
    const fixed = columns.filter(({ table }) => facts.includes(table));
    expect(fixed.length).toBeGreaterThan(300);
    expect(await unexpected(ledger.owner, fixed.map(update), byTrigger)).toEqual([]);
    expect(
      await unexpected(
        ledger.owner,
        fixed.map((column) => `${update(column)} where false`),
        byTrigger,
      ),
    ).toEqual([]);
  });

  test("updates no column of a record but its state", async () => {
    const fixed = columns.filter(
      ({ table, column }) => records.includes(table) && !changeable.get(table)?.includes(column),
    );
    expect(fixed.length).toBeGreaterThan(40);
    const updates = fixed.map(
      (column) => `update ${column.relation} set ${column.column} = ${otherValue(column)}`,
    );
    expect(await unexpected(ledger.owner, updates, byTrigger)).toEqual([]);
  });

  test("removes no fact, nothing that follows from facts, and no record", async () => {
    const statements = relationsOf([...facts, ...records]).flatMap(removals);
    const outcomes = await unexpected(ledger.owner, statements, byTrigger);
    // 0A000: others refer to it, and it is not even tried without "cascade".
    const tried = outcomes.filter(
      ({ statement, code }) => code !== "0A000" || /cascade|delete/.test(statement),
    );
    expect(tried).toEqual([]);
    const all = claims.map((table) => `truncate ${table}`);
    expect(await unexpected(ledger.owner, all, byTrigger)).toEqual([]);
  });

  test("writes nothing that follows from facts", async () => {
    const inserts = relationsOf([...rules.derivedOnceTables, ...rules.derivedTables]).map(
      (relation) => `insert into ${relation} overriding system value select * from ${relation}`,
    );
    expect(inserts.length).toBeGreaterThan(12);
    expect(await unexpected(ledger.owner, inserts, byTrigger)).toEqual([]);
  });

  test("updates nothing by way of a view", async () => {
    const views = await everyView(ledger.owner);
    const outcomes = await Promise.all(
      views.map((view) => refusal(ledger.owner.sql.unsafe(`delete from ${view}`))),
    );
    expect(outcomes.filter((code) => ![byTrigger, "55000"].includes(code))).toEqual([]);
  });
});
