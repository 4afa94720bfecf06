import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Database, inTransaction, openDatabase, rows, sql, type Tx } from "../../src/db/database.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

/** A transaction whose connection is lost is over: it fails, nothing of it is kept, and the process lives. */
let database: TestDatabase;
let db: Database;
let bystander: Database;

beforeAll(async () => {
  database = await cloneDatabase();
});
beforeEach(() => {
  db = openDatabase({ url: database.appUrl, poolSize: 1 });
  bystander = openDatabase({ url: database.appUrl, poolSize: 1 });
});
afterEach(() => Promise.all([db.close(), bystander.close()]));
afterAll(() => database.drop());

test("while a query runs", async () => {
  const work = inTransaction(db, async (tx) => {
    await writeSomething(tx, "while");
    const pid = await pidOf(tx);
    const ended = delay(50).then(() => endSession(pid));
    await Promise.all([tx.execute(sql`select pg_sleep(10)`), ended]);
  });
  await expect(work).rejects.toThrow();
  expect(await written("while")).toBe(false);
});

test("between two queries: the second is not sent on the connection that follows", async () => {
  const reached = Promise.withResolvers<unknown>();
  const work = inTransaction(db, async (tx) => {
    await endSession(await pidOf(tx));
    await delay(100);
    // By now the pool has the one connection it may have again, for somebody else.
    await bystanders;
    await writeSomething(tx, "between").catch(reached.resolve);
  });
  const bystanders = delay(50).then(() => db.orm.execute(sql`select 1`));
  await expect(work).rejects.toThrow();
  expect(await reached.promise).toMatchObject({
    cause: { message: "the transaction's connection was lost" },
  });
  expect(await written("between")).toBe(false);
});

test("between two queries that are written as templates", async () => {
  const reached = Promise.withResolvers<unknown>();
  const work = db.sql.begin(async (sql) => {
    const [row] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
    await endSession(row.pid);
    await delay(100);
    try {
      await sql`select 1`;
    } catch (error) {
      reached.resolve(error);
    }
  });
  await expect(work).rejects.toThrow();
  expect(await reached.promise).toMatchObject({ message: "the transaction's connection was lost" });
});

test("after the last query: no commit is sent", async () => {
  const work = inTransaction(db, async (tx) => {
    await writeSomething(tx, "after");
    await endSession(await pidOf(tx));
    await delay(100);
  });
  await expect(work).rejects.toThrow();
  expect(await written("after")).toBe(false);
});

test("what the work itself refuses is still rolled back", async () => {
  const work = inTransaction(db, async (tx) => {
    await writeSomething(tx, "refused");
    throw new RangeError("no");
  });
  await expect(work).rejects.toThrow(RangeError);
  expect(await written("refused")).toBe(false);
});

async function pidOf(tx: Tx): Promise<number> {
  const [row] = await rows<{ pid: number }>(tx, sql`select pg_backend_pid() as pid`);
  return row?.pid ?? 0;
}

async function endSession(pid: number): Promise<void> {
  await bystander.sql`select pg_terminate_backend(${pid})`;
}

async function writeSomething(tx: Tx, id: string): Promise<void> {
  const at = "2026-01-01T00:00:00Z";
  await tx.execute(
    sql`insert into billing.test_clock (id, current_at, target_at) values (${id}, ${at}, ${at})`,
  );
}

async function written(id: string): Promise<boolean> {
  return (await bystander.sql`select from billing.test_clock where id = ${id}`).length > 0;
}
