import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import {
  endHeartbeats,
  type Heartbeat,
  noteHeartbeat,
  sourcesForMetrics,
  usageWatermarks,
} from "../../src/db/usage/watermarks.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { addCustomer, openUsage, type UsageFixture } from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
  await fixture.owner
    .sql`insert into billing.test_clock (id, current_at, target_at) values ('clock', now(), now())`;
  await addCustomer(fixture.db, "simulated", "clock");
});
afterAll(() => fixture.close());

const minute = 60_000;
const day = 24 * 60 * minute;
const now = instantOfEpochMs(Date.now());
const ago = (ms: number): Instant => instantOfEpochMs(now - ms);

const say = (source: string, behindMs: number, over: Partial<Heartbeat> = {}) =>
  noteHeartbeat(fixture.db.orm, {
    source,
    instance: "pod-1",
    completeUntil: ago(behindMs),
    customerIds: null,
    types: null,
    ...over,
  });

async function watermark(customerId: string, { isOnTestClock = false, type = "request" } = {}) {
  const found = await usageWatermarks(fixture.db.orm, { customerId, eventTypes: [type], now, isOnTestClock });
  return found.get(type);
}

/** Events of a source, each so long before now, stored as they are when they are accepted. */
async function store(
  customerId: string,
  source: string,
  lagsMs: readonly number[],
  firstSeq?: bigint,
): Promise<void> {
  const { sql } = fixture.owner;
  const times = `{${lagsMs.map((lagMs) => isoOf(ago(lagMs))).join()}}`;
  await sql`select usage.open_months(${times}::text::timestamptz[])`;
  await sql`
    insert into usage.event (seq, time, customer_number, type, source, id, data, meters, dimensions, quantities)
    select coalesce(${firstSeq?.toString() ?? null}::bigint, nextval('usage.event_seq')), at, c.number, 'request', ${source},
      at::text, '{}', '{}', '{}', '{}'
    from unnest(${times}::text::timestamptz[]) as at, billing.customer c where c.id = ${customerId}`;
}

/** Does something, and counts the events that it brought, once. */
async function counted(bring: () => Promise<void>): Promise<void> {
  const { sql } = fixture.owner;
  const next = async () =>
    (await sql<{ xid: string }[]>`select pg_current_xact_id()::text as xid`)[0]?.xid ?? "";
  const from = await next();
  await bring();
  await sql`select usage.count_arrivals(${from}::text::xid8, ${await next()}::text::xid8)`;
}

const send = (customerId: string, source: string, ...lagsMs: number[]) =>
  counted(() => store(customerId, source, lagsMs));

describe("what a source says", () => {
  test("never goes back, and the earlier word is answered with what stands", async () => {
    expect(await say("steady", 5_000)).toEqual({ isNews: true, completeUntil: ago(5_000) });
    expect(await say("steady", 9_000)).toEqual({ isNews: false, completeUntil: ago(5_000) });
    expect(await say("steady", 5_000)).toEqual({ isNews: false, completeUntil: ago(5_000) });
    expect(await say("steady", 1_000)).toEqual({ isNews: true, completeUntil: ago(1_000) });
  });

  test("of some customers or types it says for these alone; the most that it said counts", async () => {
    await addCustomer(fixture.db, "named");
    await say("scoped", 60_000, { types: ["request", "other"] });
    await say("scoped", 20_000, { customerIds: ["named", "named"], types: ["request"] });
    expect(await watermark("named")).toMatchObject({ source: "scoped", completeUntil: ago(20_000) });
    expect(await watermark("named", { type: "other" })).toMatchObject({ completeUntil: ago(60_000) });
    expect(await watermark("acme")).toMatchObject({ source: "scoped", completeUntil: ago(60_000) });
    await endHeartbeats(fixture.db.orm, "scoped", "pod-1");
    expect(await watermark("named")).toEqual({ kind: "none", completeUntil: now });
  });

  test("two that speak at once leave the later word", async () => {
    const words = Array.from({ length: 20 }, (_, index) => 1_000 * (index + 1));
    await Promise.all(words.map((behindMs) => say("hasty", behindMs, { types: ["hasty"] })));
    expect(await watermark("acme", { type: "hasty" })).toMatchObject({ completeUntil: ago(1_000) });
    await endHeartbeats(fixture.db.orm, "hasty", "pod-1");
  });
});

describe("which sources are waited for", () => {
  test("those that sent such events for the customer lately, as late as they used to come", async () => {
    await addCustomer(fixture.db, "quick");
    await send("quick", "edge", 100, 200, 300);
    expect(await watermark("quick")).toEqual({
      kind: "estimated",
      source: "edge",
      completeUntil: ago(minute),
      lagMs: minute,
      events: 3n,
    });
    expect(await watermark("acme")).toEqual({ kind: "none", completeUntil: now });
  });

  test("the bucket of a lag is the first power of two of seconds above it", async () => {
    await addCustomer(fixture.db, "slow");
    // Some milliseconds pass until they are recorded.
    await send("slow", "batch", 500, 100_000, 250_000);
    const found = await fixture.db.sql`
      select bucket, events from usage.arrival_lag where source = 'batch' order by bucket`;
    expect([...found]).toEqual([
      { bucket: expect.toSatisfy((bucket) => bucket <= 4), events: 1n },
      { bucket: 7, events: 1n },
      { bucket: 8, events: 1n },
    ]);
    expect(await watermark("slow")).toMatchObject({ kind: "estimated", completeUntil: ago(256_000) });
  });

  test("not those whose last event is of a month ago", async () => {
    await addCustomer(fixture.db, "former");
    await send("former", "gone", 32 * day);
    expect(await watermark("former")).toEqual({ kind: "none", completeUntil: now });
  });

  test("one that vouches for all holds back what it sends to anybody, and nothing else", async () => {
    await addCustomer(fixture.db, "new");
    await say("batch", 3 * minute);
    expect(await watermark("new")).toMatchObject({
      kind: "reported",
      source: "batch",
      completeUntil: ago(3 * minute),
    });
    expect(await watermark("slow")).toMatchObject({ kind: "reported", source: "batch" });
    expect(await watermark("new", { type: "other" })).toEqual({ kind: "none", completeUntil: now });
    await endHeartbeats(fixture.db.orm, "batch", "pod-1");
  });
});

describe("on a test clock", () => {
  test("only a source counts that names the customer: estimates and general words are of another time", async () => {
    await send("simulated", "edge", 100);
    await say("edge", minute);
    expect(await watermark("simulated", { isOnTestClock: true })).toEqual({
      kind: "none",
      completeUntil: now,
    });
    await say("edge", 2 * minute, { customerIds: ["simulated"] });
    expect(await watermark("simulated", { isOnTestClock: true })).toMatchObject({
      completeUntil: ago(2 * minute),
    });
    await endHeartbeats(fixture.db.orm, "edge", "pod-1");
  });

  test("how late events come there says nothing about their source", async () => {
    await send("simulated", "simulator", 20 * day);
    const found = await fixture.db.sql`select from usage.arrival_lag where source = 'simulator'`;
    expect(found).toHaveLength(0);
  });
});

test("events that waited in quarantine do not make their source late", async () => {
  await addCustomer(fixture.db, "late-customer");
  await fixture.owner.sql`
    insert into usage.quarantined_event (seq, time, source, id, customer_id, type, data, reason)
    values (900001, ${isoOf(ago(minute))}, 'early-bird', 'q', 'late-customer', 'request', '{}', 'unknown_customer')`;
  await counted(() => store("late-customer", "early-bird", [minute], 900_001n));
  const { sql } = fixture.db;
  expect(await sql`select from usage.active_source where source = 'early-bird'`).toHaveLength(1);
  expect(await sql`select from usage.arrival_lag where source = 'early-bird'`).toHaveLength(0);
});

test("nobody writes by hand what follows from events and heartbeats, and the application may not count either", async () => {
  await say("guarded", minute);
  const refusals = async ({ sql }: Pick<Database, "sql">, statements: readonly string[]) =>
    new Set(await Promise.all(statements.map((text) => sql.unsafe(text).catch(({ code }) => code))));
  const tables = ["usage.source_heartbeat", "usage.active_source", "usage.arrival_lag"];
  const statements = tables.flatMap((table) => [
    `insert into ${table} select * from ${table}`,
    `update ${table} set source = source`,
    `delete from ${table}`,
    `truncate ${table}`,
  ]);
  expect(await refusals(fixture.owner, statements)).toEqual(new Set(["RK001"]));
  const counting = "select usage.count_arrivals('0', pg_current_xact_id())";
  expect(await refusals(fixture.db, [...statements, counting])).toEqual(new Set(["42501"]));
  await endHeartbeats(fixture.db.orm, "guarded", "pod-1");
});

test("for metrics every source is there once, with its instances", async () => {
  await say("edge", minute);
  await say("edge", 2 * minute, { instance: "pod-2" });
  const sources = await sourcesForMetrics(fixture.db.orm);
  const names = sources.map(({ source }) => source);
  expect(new Set(names).size).toBe(names.length);
  expect(
    sources
      .find(({ source }) => source === "edge")
      ?.claims.map(({ instance }) => instance)
      .sort(),
  ).toEqual(["pod-1", "pod-2"]);
});
