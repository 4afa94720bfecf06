import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, sql } from "../../src/db/database.ts";
import { publishedMeters, type StoredMeter } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { customersToReplay, replayQuarantined } from "../../src/db/usage/usage-quarantine.ts";
import { eventCounts } from "../../src/db/usage/usage-reads.ts";
import { instant, period } from "../../src/domain/calendar/index.ts";
import type { Meter } from "../../src/domain/metering/index.ts";
import {
  addCustomer,
  expectInvariants,
  ingest,
  meterOf,
  meters,
  openUsage,
  publishMeters,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
});
afterAll(() => fixture.close());

const replay = (customerId: string, metersNow: readonly StoredMeter[] = meters) =>
  inTransaction(fixture.db, (tx) => replayQuarantined(tx, { customerId, meters: metersNow }));

async function requestsOf(customerId: string) {
  const january = period(instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));
  const request = {
    customerId,
    meter: meterOf("requests"),
    period: january,
    groupBy: [],
  };
  const [total] = await usageQuantities(fixture.db.orm, request);
  return total?.quantity.text ?? "0";
}

test("events of a customer who does not exist yet wait, and are counted once when the customer appears", async () => {
  const event = (n: number) => usageEvent({ id: `early/${n}`, customerId: "early" });
  expect(await ingest(fixture.db, [event(1), event(2), event(1)])).toEqual([
    "unknown_customer",
    "unknown_customer",
    "duplicate",
  ]);
  expect(await ingest(fixture.db, [event(2), { ...event(2), type: "other" }])).toEqual([
    "duplicate",
    "conflict",
  ]);
  expect(await replay("early")).toEqual({ released: 0, remaining: 2 });
  expect(await requestsOf("early")).toBe("0");

  await addCustomer(fixture.db, "early");
  expect(await ingest(fixture.db, [event(1), event(3)])).toEqual(["duplicate", "accepted"]);
  expect(await customersToReplay(fixture.db.orm)).toContain("early");
  expect(await replay("early")).toEqual({ released: 2, remaining: 0 });
  expect(await replay("early")).toEqual({ released: 0, remaining: 0 });
  expect(await requestsOf("early")).toBe("3");
  expect(await eventCounts(fixture.db.orm, "early")).toEqual({ accepted: 3, conflicting: 1, quarantined: 0 });
  expect(await customersToReplay(fixture.db.orm)).not.toContain("early");
  await expectInvariants(fixture.db);
});

test("events of a type without a meter wait for the meter; one that it cannot measure waits on", async () => {
  await addCustomer(fixture.db, "unmetered");
  const event = (id: string, data = {}) => usageEvent({ id, customerId: "unmetered", type: "build", data });
  const events = [event("build/1", { minutes: "2.5" }), event("build/2")];
  expect(await ingest(fixture.db, events)).toEqual(["no_meter", "no_meter"]);
  expect(await replay("unmetered")).toEqual({ released: 0, remaining: 2 });
  const minutes: Meter = {
    key: "build_minutes",
    eventType: "build",
    aggregation: "sum",
    property: "minutes",
    dimensions: [],
  };
  await publishMeters(fixture.db, [minutes]);
  const published = await publishedMeters(fixture.db.orm);
  expect(await replay("unmetered", published)).toEqual({ released: 1, remaining: 1 });
  expect(await ingestEvents(fixture.db, events, published)).toMatchObject([
    { status: "duplicate" },
    { status: "invalid", refusal: { code: "usage_property_missing" } },
  ]);
  await expectInvariants(fixture.db);
});

test("a full batch of customers whom nobody knows is kept", async () => {
  const strangers = Array.from({ length: 10_000 }, (_, n) =>
    usageEvent({ id: `${n}`, customerId: `stranger-${n}` }),
  );
  expect(new Set(await ingest(fixture.db, strangers))).toEqual(new Set(["unknown_customer"]));
});

describe("no event is forgotten while its customer is being added", () => {
  const event = (id: string) => usageEvent({ id: `race/${id}`, customerId: id });

  /** Adds the customer, replays, and then does `last` before the commit. */
  const adding = (customerId: string, last = async () => {}) =>
    inTransaction(fixture.db, async (tx) => {
      await tx.execute(sql`
        insert into billing.customer (id, name, email, currency, time_zone, created_at)
        values (${customerId}, 'Race', 'race@example.com', 'usd', 'UTC', now())`);
      const result = await replayQuarantined(tx, { customerId, meters });
      await last();
      return result;
    });

  test("a batch that comes after the replay waits for the customer", async () => {
    let late: Promise<string[]> | undefined;
    await adding("late", async () => {
      late = ingest(fixture.db, [event("late")]);
      await someoneWaitsForTheOther();
    });
    expect(await late).toEqual(["accepted"]);
    expect(await requestsOf("late")).toBe("1");
  });

  test("the replay waits for a batch that has missed the customer and not committed", async () => {
    let added: ReturnType<typeof adding> | undefined;
    await fixture.db.sql.begin(async (sql) => {
      const outcomes = await ingestEvents({ sql }, [event("missed")], meters);
      expect(outcomes).toEqual([{ status: "quarantined", reason: "unknown_customer" }]);
      added = adding("missed");
      await someoneWaitsForTheOther();
    });
    expect(await added).toEqual({ released: 1, remaining: 0 });
    expect(await requestsOf("missed")).toBe("1");
    await expectInvariants(fixture.db);
  });
});

/** Until a connection to this database waits for another at the customer's lock. */
async function someoneWaitsForTheOther(): Promise<void> {
  await expect
    .poll(
      () => fixture.db.sql`
      select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`,
      { timeout: 10_000 },
    )
    .toHaveLength(1);
}
