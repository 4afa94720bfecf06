import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { cloneDatabase } from "../support/postgres.ts";

let db: Database;
const ending: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 1 });
  ending.push(() => db.close(), drop);
});
afterAll(async () => {
  for (const end of ending) await end();
});

// The driver takes a list that begins with a truth, a whole number or bytes for one of them; one that begins with null it asks about.
test.each([
  ["text", []],
  [
    "text",
    [
      "plain",
      "",
      "null",
      "NULL",
      'a "quoted" one',
      "back\\slash",
      "{brace}",
      "a,b",
      " led",
      "ünïcode\n",
      null,
    ],
  ],
  ["varchar", ["a", "b c"]],
  ["name", ["pg_class"]],
  ["uuid", ["9f1c2a60-3f4e-4a53-8f0c-2f7f1a1b2c3d", null]],
  ["boolean", [null, true, false]],
  ["int2", [-1, 2]],
  ["int4", [1, null, -3]],
  ["int8", [null, 9_007_199_254_740_993n, -1n]],
  ["float8", [0.5, -2e300]],
  ["json", [{ a: [1, "x"] }, "text", null]],
  ["jsonb", [{ b: { c: 'a "quoted" one' } }, 3]],
  ["bytea", [null, Buffer.from([0, 255, 92]), Buffer.alloc(0)]],
])("a list of %s comes back as it went", async (type, list) => {
  const [row] = await db.sql.unsafe(`select $1::${type}[] as list, pg_typeof($1::${type}[])::text as type`, [
    list as never,
  ]);
  expect(row?.list).toEqual(list);
  expect(row?.type).toContain("[]");
});

test("what the database makes of it is that list: its items are counted there", async () => {
  const odd = ["a,b", 'c"d', "\\", null, ""];
  const [row] = await db.sql<{ count: number; second: string }[]>`
    select cardinality(${odd}::text[]) as count, (${odd}::text[])[2] as second`;
  expect(row).toEqual({ count: 5, second: 'c"d' });
});
