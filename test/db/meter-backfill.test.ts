import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import {
  awaitCorrections,
  bookCorrection,
  eventsToCorrect,
  measuredAmendment,
  metersToAmendWith,
  requestCorrection,
} from "../../src/db/usage/corrections.ts";
import {
  eventsOf,
  findMeterBackfill,
  type MeterBackfillRequest,
  startMeterBackfill,
} from "../../src/db/usage/meter-backfill.ts";
import { backfillPage } from "../../src/db/usage/meter-backfill-page.ts";
import { publishedMeters, type StoredMeter } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { instant, instantOfEpochMs, period } from "../../src/domain/calendar/index.ts";
import type { JsonValue, Meter, UsageEvent } from "../../src/domain/metering/index.ts";
import { createLogger } from "../../src/logger.ts";
import { startMeterBackfilling } from "../../src/workers/meter-backfill.ts";
import { sharedServer } from "../support/shared-servers.ts";
import {
  addCustomer,
  expectInvariants,
  foldAll,
  openUsage,
  publishMeters,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeEach(async () => {
  fixture = await openUsage();
  await addCustomer(fixture.db, "zenith");
});
afterEach(() => fixture.close());

const monthMs = 31 * 86_400_000;
const january = instant("2026-01-01T00:00:00Z");

/** Requests of two customers over two months, every tenth without the property that some meters need. */
function requests(from: number, to: number): UsageEvent[] {
  return Array.from({ length: to - from }, (_, index) => {
    const n = from + index;
    return usageEvent({
      id: `${n}`,
      customerId: n % 3 === 0 ? "zenith" : "acme",
      time: instantOfEpochMs(january + ((n * 7_654_321) % (2 * monthMs))),
      data: {
        model: n % 2 === 0 ? "large" : "small",
        tokens: n,
        ...(n % 10 === 0 ? {} : { user: `user-${n % 17}` }),
      },
    });
  });
}

/** One meter of each aggregation; `user` is missing in some events. */
const definitions: readonly Meter[] = [
  { key: "late_count", eventType: "request", aggregation: "count", dimensions: [] },
  {
    key: "late_sum",
    eventType: "request",
    aggregation: "sum",
    value: "tokens * 2",
    filter: [{ member: "model", in: ["large"] }],
    dimensions: ["model"],
  },
  { key: "late_min", eventType: "request", aggregation: "min", property: "tokens", dimensions: ["model"] },
  { key: "late_users", eventType: "request", aggregation: "unique_count", property: "user", dimensions: [] },
  {
    key: "late_level",
    eventType: "request",
    aggregation: "time_weighted_sum",
    property: "tokens",
    dimensions: ["model"],
  },
];

const measuredWith = async (db: Database, events: readonly UsageEvent[]) => {
  const meters = await publishedMeters(db.orm);
  const outcomes = await ingestEvents(db, events, meters);
  return outcomes.map(({ status }) => status);
};

async function meter(key: string): Promise<StoredMeter> {
  const found = (await publishedMeters(fixture.db.orm)).find((published) => published.key === key);
  if (found === undefined) throw new Error(`there is no meter ${key}`);
  return found;
}

const start = async (key: string, over: Partial<MeterBackfillRequest> = {}) => {
  const asked = {
    id: randomUUID(),
    meter: (await meter(key)).number,
    since: january,
    until: null,
    requestedBy: "api-key/1",
    ...over,
  };
  await inTransaction(fixture.db, (tx) => startMeterBackfill(tx, asked));
  return asked.id;
};

async function work(options?: Parameters<typeof backfillPage>[1]): Promise<void> {
  while ((await backfillPage(fixture.db, options)) !== undefined);
}

const quantities = async (key: string, customerId: string) => {
  const asked = period(january, instantOfEpochMs(january + 2 * monthMs));
  const found = await usageQuantities(fixture.db.orm, { customerId, meter: await meter(key), period: asked });
  return found.map(({ dimensions, quantity, eventCount }) => ({
    dimensions,
    quantity: quantity.text,
    eventCount,
  }));
};

describe("a meter that is published after the events", () => {
  test("of any aggregation comes to what it had come to from the start, folded and not", async () => {
    // Those from the start: the same, under other keys. Events without a user cannot be taken in with it, so they say none here.
    const events = requests(0, 400).filter(({ data }) => data.user !== undefined);
    const early = definitions.map((definition) => ({
      ...definition,
      key: definition.key.replace("late", "early"),
    }));
    await publishMeters(fixture.db, early);
    expect(new Set(await measuredWith(fixture.db, events))).toEqual(new Set(["accepted"]));
    await foldAll(fixture.db);
    await publishMeters(fixture.db, definitions);
    for (const { key } of definitions) await start(key);
    await work({ eventsMax: 37 });
    for (const isFolded of [false, true]) {
      if (isFolded) await foldAll(fixture.db);
      for (const { key } of definitions) {
        for (const customerId of ["acme", "zenith"]) {
          const late = await quantities(key, customerId);
          expect(late.length, key).toBeGreaterThan(0);
          expect(late, key).toEqual(await quantities(key.replace("late", "early"), customerId));
        }
      }
    }
    await expectInvariants(fixture.db);
  });

  test("refuses what it cannot measure, event by event, and counts the others", async () => {
    await measuredWith(fixture.db, requests(0, 100));
    await publishMeters(fixture.db, definitions);
    const id = await start("late_users");
    await work({ eventsMax: 30 });
    expect(await findMeterBackfill(fixture.db.orm, id)).toMatchObject({
      state: "done",
      events: 100n,
      contributions: 90n,
      refusals: 10n,
    });
    expect(
      await fixture.db.sql`select code, field, count(*)::int from usage.meter_backfill_refusal group by 1, 2`,
    ).toEqual([{ code: "usage_property_missing", field: "data.user", count: 10 }]);
  });
});

test("an event counts once: taken in with the version, by two backfills, and asked for again", async () => {
  await measuredWith(fixture.db, requests(0, 60));
  await publishMeters(fixture.db, definitions);
  await start("late_count");
  await measuredWith(
    fixture.db,
    requests(60, 100).filter(({ data }) => data.user !== undefined),
  ); // 36
  await start("late_count");
  await work({ eventsMax: 7 });
  await start("late_count");
  await work();
  const counted = [
    ...(await quantities("late_count", "acme")),
    ...(await quantities("late_count", "zenith")),
  ];
  expect(counted.reduce((sum, { eventCount }) => sum + eventCount, 0n)).toBe(96n); // 60 + 36
  const made = await fixture.db.sql`
    select state, events::int, contributions::int from usage.meter_backfill_standing order by seq`;
  expect(made).toEqual([
    { state: "done", events: 60, contributions: 60 },
    { state: "done", events: 96, contributions: 0 },
    { state: "done", events: 96, contributions: 0 },
  ]);
});

test("how many events there are to look at is counted, or, when they are many, estimated", async () => {
  await measuredWith(fixture.db, requests(0, 300));
  await fixture.owner.sql`analyze usage.event`;
  await publishMeters(fixture.db, definitions);
  const stored = await findMeterBackfill(fixture.db.orm, await start("late_count"));
  if (stored === undefined) throw new Error("there is no backfill");
  expect(await eventsOf(fixture.db.orm, stored)).toBe(300n);
  const estimate = await eventsOf(fixture.db.orm, stored, 10);
  expect(Number(estimate)).toBeGreaterThan(100);
  expect(Number(estimate)).toBeLessThan(900);
});

test("only the time and the customer that were asked for", async () => {
  await measuredWith(fixture.db, requests(0, 90));
  await publishMeters(fixture.db, definitions);
  const february = instant("2026-02-01T00:00:00Z");
  await start("late_count", { customerId: "zenith", until: february });
  await work({ eventsMax: 4 });
  const expected = requests(0, 90).filter(
    ({ customerId, time }) => customerId === "zenith" && time < february,
  );
  expect(await quantities("late_count", "acme")).toEqual([]);
  expect((await quantities("late_count", "zenith")).map(({ eventCount }) => eventCount)).toEqual([
    BigInt(expected.length),
  ]);
});

test("what was taken back is passed over, and what was amended is measured as it stands", async () => {
  await measuredWith(fixture.db, requests(1, 4));
  await correct("1", null);
  await correct("2", { model: "large", tokens: 1000, user: "ada" });
  await publishMeters(fixture.db, definitions);
  await correct("3", { model: "large", tokens: 10, user: "ada" }); // the correction measures with the new meters itself
  await start("late_sum");
  await start("late_count");
  await work();
  expect(await quantities("late_sum", "acme")).toEqual([
    { dimensions: { model: "large" }, quantity: "2000", eventCount: 1n },
  ]);
  expect(await quantities("late_sum", "zenith")).toEqual([
    { dimensions: { model: "large" }, quantity: "20", eventCount: 1n },
  ]);
  const counts = [...(await quantities("late_count", "acme")), ...(await quantities("late_count", "zenith"))];
  expect(counts.map(({ eventCount }) => eventCount)).toEqual([1n, 1n]);
  await foldAll(fixture.db);
  await expectInvariants(fixture.db);
});

async function correct(id: string, data: Record<string, JsonValue> | null): Promise<void> {
  const at = instant("2026-03-01T00:00:00Z");
  await inTransaction(fixture.db, async (tx) => {
    const meters = await metersToAmendWith(tx);
    await awaitCorrections(tx);
    const [event] = await eventsToCorrect(tx, [{ source: "gateway", id }]);
    if (!event?.found) throw new Error(`there is no event ${id}`);
    const { found } = event;
    await requestCorrection(tx, {
      id,
      kind: data === null ? "void" : "amend",
      reasonCode: "duplicate",
      note: null,
      requestedBy: "alice",
      requestedAt: at,
      unapprovedMax: 10,
      about: [{ ...found, data }],
    });
    const amendment =
      data === null ? null : measuredAmendment(meters, { ...found, event: { ...found.event, data } });
    if (amendment instanceof Error) throw amendment;
    await bookCorrection(tx, id, at, amendment === null ? [] : [amendment], meters);
  });
}

describe("workers", () => {
  const pagesOf = async () => await fixture.db.sql`select page from usage.meter_backfill_page`;

  test("that are stopped and killed on the way, several at once, count every event once", async () => {
    await measuredWith(fixture.db, requests(0, 600));
    await publishMeters(fixture.db, definitions);
    await start("late_count");
    await start("late_min");
    const admin = postgres((await sharedServer("postgres")).adminUrl, { max: 1, onnotice: () => {} });
    const doomed = Array.from({ length: 6 }, (_, n) =>
      openDatabase({ url: fixture.appUrl, poolSize: 1, applicationName: `doomed ${n}` }),
    );
    let failures = 0;
    for (const pair of [doomed.slice(0, 2), doomed.slice(2, 4), doomed.slice(4)]) {
      const before = (await pagesOf()).length;
      const working = pair.map(async (db) => {
        while ((await backfillPage(db, { eventsMax: 5 })) !== undefined);
      });
      const outcomes = Promise.allSettled(working);
      await expect
        .poll(async () => (await pagesOf()).length, { interval: 2, timeout: 10_000 })
        .toBeGreaterThan(before + 4);
      await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'doomed %'`;
      failures += (await outcomes).filter(({ status }) => status === "rejected").length;
    }
    await admin.end();
    expect(failures).toBeGreaterThan(0);
    await work();
    await Promise.all(doomed.map((db) => db.close()));
    const made = await fixture.db.sql`
      select key, state, events::int, contributions::int from usage.meter_backfill_standing order by key`;
    expect(made).toEqual([
      { key: "late_count", state: "done", events: 600, contributions: 600 },
      { key: "late_min", state: "done", events: 600, contributions: 600 },
    ]);
    const [twice] = await fixture.db.sql`
      select count(*)::int as rows, count(distinct (event_seq, meter))::int as events from usage.later_contribution`;
    expect(twice).toEqual({ rows: 1200, events: 1200 });
    await foldAll(fixture.db);
    await expectInvariants(fixture.db);
  }, 60_000);

  test("find what is asked for while they run", async () => {
    await measuredWith(fixture.db, requests(0, 50));
    const metrics = new Registry();
    const logger = createLogger({ level: "silent", format: "json" }, "test");
    const { stop } = startMeterBackfilling({ db: fixture.db, logger, metrics, everyMs: 10, eventsMax: 20 });
    await publishMeters(fixture.db, definitions);
    const id = await start("late_count");
    await expect
      .poll(async () => (await findMeterBackfill(fixture.db.orm, id))?.state, { timeout: 10_000 })
      .toBe("done");
    await stop();
    const made = await metrics.getSingleMetric("reckoner_meter_backfill_contributions_total")?.get();
    expect(made?.values[0]?.value).toBe(50);
  });
});

test("the application cannot write a page that is not the next one", async () => {
  await measuredWith(fixture.db, requests(0, 3));
  await publishMeters(fixture.db, definitions);
  const id = await start("late_count");
  const { sql } = fixture.db;
  const write = (events: string) =>
    sql`select usage.write_meter_backfill_page((select seq from usage.meter_backfill where id = ${id}), 2, ${events}::text::int8[], '{1}', '{1}', '{null}', '[]')`;
  const [last] = await sql<
    [{ seq: bigint }]
  >`select max(seq) as seq from usage.event where customer_number = 2`;
  await expect(write(`{${last.seq}}`)).rejects.toMatchObject({ code: "RK032" });
  await expect(write("{4711}")).rejects.toMatchObject({ code: "RK032" });
  await work();
  await expect(write("{}")).rejects.toMatchObject({ code: "RK031" });
});
