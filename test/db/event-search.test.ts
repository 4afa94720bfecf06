import type { SQL } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventBilling } from "../../src/db/billing/event-billing.ts";
import { eventsOfLine, type RatedLine } from "../../src/db/billing/line-events.ts";
import { rows, sql, type Tx } from "../../src/db/database.ts";
import { findEventRecord, quarantinedEvents } from "../../src/db/usage/event-records.ts";
import { findEvents, searchEvents } from "../../src/db/usage/event-search.ts";
import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { addCustomer, ingest, openUsage, type UsageFixture, usageEvent } from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
  await fillWithOthers();
  await ingest(fixture.db, [
    usageEvent({ id: "wanted" }),
    usageEvent({ id: "nested", type: "request", data: { tokens: 3, usage: { tier: 2, free: true } } }),
    usageEvent({ id: "waits", customerId: "nobody" }),
  ]);
  await ingest(fixture.db, [usageEvent({ id: "wanted", data: { tokens: 11 } })]);
  await fixture.owner.sql`vacuum analyze usage.event`;
  await fixture.owner
    .sql`analyze usage.event_key, usage.quarantined_event, usage.event_conflict, usage.dimensions`;
});
afterAll(() => fixture.close());

/** Enough in three months that no plan would look at everything unless it must. */
async function fillWithOthers(): Promise<void> {
  for (let customer = 0; customer < 20; customer++) await addCustomer(fixture.db, `other-${customer}`);
  const first = instant("2025-12-01T00:00:00Z");
  const events = Array.from({ length: 12_000 }, (_, n) =>
    usageEvent({
      id: `other/${n}`,
      customerId: n % 6 === 0 ? `unknown-${n % 97}` : `other-${n % 20}`,
      time: instantOfEpochMs(first + n * 600_000),
    }),
  );
  for (let from = 0; from < events.length; from += 2_000) {
    const batch = events.slice(from, from + 2_000);
    await ingest(fixture.db, batch);
    await ingest(
      fixture.db,
      batch.map((event) => ({ ...event, data: { tokens: 1 } })),
    );
  }
}

/** The statements of a read, and the tables of events that their plans read from one end to the other. */
async function tablesReadWhole(read: (tx: Tx) => Promise<unknown>): Promise<string[]> {
  const statements: SQL[] = [];
  const { orm } = fixture.db;
  const listening = Object.assign(Object.create(orm) as Tx, {
    execute: (statement: SQL) => {
      statements.push(statement);
      return orm.execute(statement);
    },
  });
  await read(listening);
  expect(statements.length).toBeGreaterThan(0);
  const whole: string[] = [];
  for (const statement of statements) {
    const [plan] = await rows<{ "QUERY PLAN": unknown }>(orm, sql`explain (format json) ${statement}`);
    const text = JSON.stringify(plan?.["QUERY PLAN"]);
    const scans = text.matchAll(/"Node Type":"Seq Scan"[^{}]*?"Relation Name":"([a-z_0-9]+)"/g);
    whole.push(...[...scans].map(([, table = ""]) => table));
  }
  return whole.filter((table) => /^(event|quarantined_event)/.test(table));
}

const page = { limit: 20 };
const january = { from: instant("2026-01-01T00:00:00Z"), to: instant("2026-02-01T00:00:00Z") };
const ofOther = { customerId: "other-3" };
const line: RatedLine = {
  customerId: "other-3",
  subscriptionId: "sub",
  revision: 1,
  period: { start: january.from, end: january.to },
  meterKey: "tokens",
  meterVersion: 1,
  aggregation: "sum",
  quantity: "0",
  where: { model: "large" },
  meter: 2,
  snapshot: "1000000000:1000000000:",
  meterBefore: 2,
  snapshotBefore: "1:1:",
};

describe("no search reads all events", () => {
  test.each<[string, (tx: Tx) => Promise<unknown>]>([
    ["by source and id", (tx) => findEventRecord(tx, "gateway", "wanted")],
    ["by the key of what is quarantined", (tx) => findEventRecord(tx, "gateway", "waits")],
    ["by customer", (tx) => findEvents(tx, ofOther, page)],
    [
      "by customer, on a later page",
      (tx) => findEvents(tx, ofOther, { ...page, after: { time: january.to, seq: 5n } }),
    ],
    ["by customer and time", (tx) => findEvents(tx, { ...ofOther, ...january }, page)],
    ["by type", (tx) => findEvents(tx, { ...ofOther, ...january, type: "request" }, page)],
    ["by property", (tx) => findEvents(tx, { ...ofOther, ...january, properties: { model: "small" } }, page)],
    ["what a customer has in quarantine", (tx) => quarantinedEvents(tx, { customerId: "unknown-3" }, page)],
    [
      "what an event is billed by",
      (tx) => eventBilling(tx, { seq: 5n, time: january.from, customerId: "acme" }),
    ],
    ["the events of a line", (tx) => eventsOfLine(tx, line, page)],
  ])("%s", async (_name, read) => {
    expect(await tablesReadWhole(read)).toEqual([]);
  });

  test("and the plans are really looked at: a search without its index is found", async () => {
    const read = (tx: Tx) => rows(tx, sql`select * from usage.event where data ->> 'model' = 'small'`);
    expect(await tablesReadWhole(read)).not.toEqual([]);
  });
});

describe("by property, in the data as it was sent", () => {
  test.each([
    { properties: { model: "large" }, ids: ["wanted"], why: "a text" },
    { properties: { tokens: "3" }, ids: ["nested"], why: "a number, as JSON writes it" },
    {
      properties: { "usage.tier": "2", "usage.free": "true" },
      ids: ["nested"],
      why: "members of members, all of them",
    },
    { properties: { "usage.tier": "2", model: "large" }, ids: [], why: "one of the two does not hold" },
    { properties: { "model.large": "x" }, ids: [], why: "a text has no members" },
  ])("$properties finds $ids: $why", async ({ properties, ids }) => {
    const found = await searchEvents(fixture.db, { customerId: "acme", ...january, properties }, page);
    expect(found.items.map(({ id }) => id)).toEqual(ids);
  });

  test("what takes too long is refused, and says how to ask for less", async () => {
    const looksLong = { customerId: "acme", properties: { model: "x" } };
    const blocked = fixture.owner.sql.begin(async (owner) => {
      await owner`lock table usage.event in access exclusive mode`;
      await expect(searchEvents(fixture.db, looksLong, page, 100)).rejects.toMatchObject({
        code: "search_too_broad",
        message: expect.stringContaining("shorter time"),
      });
    });
    await blocked;
  });
});

test("one key tells everything that was sent under it", async () => {
  const wanted = await findEventRecord(fixture.db.orm, "gateway", "wanted");
  expect(wanted).toMatchObject({
    accepted: { customerId: "acme", data: { tokens: 10 } },
    quarantined: null,
    conflicts: [{ customerId: "acme", source: "gateway", id: "wanted", data: { tokens: 11 } }],
  });
  const waits = await findEventRecord(fixture.db.orm, "gateway", "waits");
  expect(waits).toMatchObject({
    accepted: null,
    quarantined: { customerId: "nobody", reason: "unknown_customer" },
    conflicts: [],
  });
  expect(await findEventRecord(fixture.db.orm, "gateway", "never")).toBeUndefined();
});
