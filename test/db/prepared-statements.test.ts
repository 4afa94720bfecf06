import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, inSnapshot, inTransaction, openDatabase, rows, sql } from "../../src/db/database.ts";
import { cloneDatabase } from "../support/postgres.ts";

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  const clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 1 });
  drop = clone.drop;
});
afterAll(async () => {
  await db.close();
  await drop();
});

const kept = async () => {
  const found = await db.sql<{ statement: string }[]>`
    select statement from pg_prepared_statements where statement like 'select count(*), %' order by statement`;
  return found.map(({ statement }) => statement);
};

const counted = (numbers: readonly number[]) =>
  sql`select count(*), ${numbers.length} as asked from (values ${sql.join(
    numbers.map((number) => sql`(${number}::int)`),
    sql`, `,
  )}) as given`;

test("a statement is kept for as long as its connection lives, inside transactions too; lists of rows are not", async () => {
  expect(await kept()).toEqual([]);
  await rows(db.orm, counted([1]));
  await inTransaction(db, (tx) => rows(tx, counted([2])));
  expect(await kept()).toHaveLength(1);
  await inTransaction(db, (tx) => rows(tx, counted([3, 4])));
  expect(await kept()).toHaveLength(2);
  await rows(db.orm, counted(Array.from({ length: 100 }, (_, number) => number)));
  expect(await kept()).toHaveLength(2);
});

test("connections for snapshots read as of one moment and write nothing", async () => {
  const settings = await inSnapshot(db, (tx) =>
    rows(
      tx,
      sql`select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as "readOnly"`,
    ),
  );
  expect(settings).toEqual([{ isolation: "repeatable read", readOnly: "on" }]);
});
