import { afterAll, beforeAll, expect, test } from "vitest";
import { isBegun, operationLog } from "../../src/db/billing/stripe-operations.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

/** What is recorded of writes to Stripe before and after they are sent, by many at the same time. */
let clone: TestDatabase;
let db: Database;
const at = instant("2026-05-01T00:00:00Z");

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 4 });
});
afterAll(async () => {
  await db.close();
  await clone.drop();
});

const start = (key: string, requestHash = "one") => ({
  ...{ key, requestHash, at },
  operation: "POST /v1/invoices",
  body: { said: [key, null, "é'\\"] },
});

test("of those who begin under one key at once, the first has begun it, and others are told so", async () => {
  const log = operationLog(db);
  const later = { ...start("a"), at: instantOfEpochMs(at + 1) };
  const begun = await Promise.all([log.begin(start("a")), log.begin(later), log.begin(start("a", "two"))]);
  expect(begun).toEqual([
    { state: "new", firstSentAt: at },
    { state: "unknown", firstSentAt: at },
    { state: "reused" },
  ]);
  expect([await isBegun(db.orm, "a"), await isBegun(db.orm, "b")]).toEqual([true, false]);
  const [kept] = await db.sql`select body, operation from stripe.operation where key = 'a'`;
  expect(kept).toEqual({ body: start("a").body, operation: "POST /v1/invoices" });
});

test("what was answered is given back, each to its own", async () => {
  const log = operationLog(db);
  const keys = Array.from({ length: 250 }, (_, number) => `many-${number}`);
  const begun = await Promise.all(keys.map((key) => log.begin(start(key))));
  expect(new Set(begun.map(({ state }) => state))).toEqual(new Set(["new"]));
  const refusal = { kind: "invalid_request", code: "x", message: "no" } as never;
  await Promise.all(
    keys.map((key, number) =>
      number % 5 === 0 ? log.refuse(key, refusal) : log.succeed(key, { id: `in_${key}`, total: number }),
    ),
  );
  const again = await Promise.all(keys.toReversed().map((key) => operationLog(db).begin(start(key))));
  expect(again.toReversed()).toEqual(
    keys.map((key, number) =>
      number % 5 === 0
        ? { state: "refused", error: refusal }
        : { state: "succeeded", response: { id: `in_${key}`, total: number } },
    ),
  );
  const [open] = await db.sql`
    select count(*)::int as count from stripe.operation where key like 'many-%' and finished_at is null`;
  expect(open).toEqual({ count: 0 });
});

test("an outcome that is known stays as it is, and one of a call that was never begun is that of nothing", async () => {
  const log = operationLog(db);
  const refusal = { kind: "invalid_request", code: "x", message: "no" } as never;
  await log.begin(start("known"));
  await log.refuse("known", refusal);
  await Promise.all([log.succeed("known", { id: "in_1" }), log.succeed("never", { id: "in_2" })]);
  expect(await log.begin(start("known"))).toEqual({ state: "refused", error: refusal });
  expect(await isBegun(db.orm, "never")).toBe(false);
});

test("processes that begin the same calls in another order do not wait for each other for ever", async () => {
  const keys = Array.from({ length: 40 }, (_, number) => `both-${number}`);
  const [one, other] = [operationLog(db), operationLog(db)];
  const begun = await Promise.all([
    ...keys.map((key) => one.begin(start(key))),
    ...keys.toReversed().map((key) => other.begin(start(key))),
  ]);
  expect(Map.groupBy(begun, ({ state }) => state).get("new")).toHaveLength(keys.length);
});
