import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Database, inTransaction, openDatabase, rows, sql, type Tx } from "../../src/db/database.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { sharedServer } from "../support/shared-servers.ts";

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

test("by a server that takes none for now: who asks meanwhile is told so, and not kept waiting until it does", async () => {
  const admin = openDatabase({ url: (await sharedServer("postgres")).adminUrl, poolSize: 1 });
  const [row] = await db.sql<[{ name: string; pid: number }]>`
    select current_database() as name, pg_backend_pid() as pid`;
  const allowConnections = (allowed: boolean) =>
    admin.sql.unsafe(`alter database "${row.name}" with allow_connections ${allowed}`);
  try {
    const running = expect(db.sql`select pg_sleep(10)`).rejects.toThrow();
    await allowConnections(false);
    await admin.sql`select pg_terminate_backend(${row.pid})`;
    await running;
    for (let n = 0; n < 3; n++) await expect(db.sql`select 1`).rejects.toMatchObject({ code: "55000" });
    await allowConnections(true);
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  } finally {
    await allowConnections(true);
    await admin.close();
  }
});
