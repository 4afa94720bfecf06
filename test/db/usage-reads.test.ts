import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, rows, sql, type Tx } from "../../src/db/database.ts";
import { type EventPosition, searchEvents } from "../../src/db/usage/event-search.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { eventCount } from "../../src/db/usage/usage-reads.ts";
import { instant, period } from "../../src/domain/calendar/index.ts";
import { addCustomer, ingest, openUsage, type UsageFixture, usageEvent } from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
});
afterAll(() => fixture.close());

const january = period(instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));

async function snapshotOf(tx: Tx): Promise<string> {
  const [row] = await rows<{ snapshot: string }>(tx, sql`select pg_current_snapshot()::text as snapshot`);
  return row?.snapshot ?? "";
}

describe("rating runs and the events they saw", () => {
  const event = (id: string, over = {}) => usageEvent({ id: `runs/${id}`, customerId: "runs", ...over });
  const counted = { customerId: "runs", period: january };
  /** In all versions. */
  const metersOf = async (...keys: string[]) =>
    (await publishedMeters(fixture.db.orm)).filter(({ key }) => keys.includes(key));
  beforeAll(() => addCustomer(fixture.db, "runs"));

  test("an event that commits while a run is going on belongs to the next run, and to one run only", async () => {
    const meters = await metersOf("tokens");
    await ingest(fixture.db, [event("before")]);
    const first = await inTransaction(
      fixture.db,
      async (tx) => {
        const snapshot = await snapshotOf(tx);
        await ingest(fixture.db, [event("during")]);
        return { snapshot, seen: await eventCount(tx, { ...counted, meters }) };
      },
      { isolation: "repeatable read" },
    );
    await ingest(fixture.db, [
      event("after"),
      event("in-february", { time: instant("2026-02-01T00:00:00Z") }),
    ]);
    const second = await snapshotOf(fixture.db.orm);
    await ingest(fixture.db, [event("too-late")]);

    const count = (seen: { visibleIn?: string; notVisibleIn?: string }) =>
      eventCount(fixture.db.orm, { ...counted, meters, ...seen });
    expect(first.seen).toBe(1n);
    expect(await count({ visibleIn: first.snapshot })).toBe(1n);
    expect(await count({ visibleIn: second, notVisibleIn: first.snapshot })).toBe(2n);
    expect(await count({ notVisibleIn: second })).toBe(1n);
    expect(await count({})).toBe(4n); // 1 + 2 + 1
  });

  test("only events of the meters in question are counted", async () => {
    const count = async (...keys: string[]) =>
      await eventCount(fixture.db.orm, { ...counted, meters: await metersOf(...keys) });
    expect(await count("storage")).toBe(0n);
    expect(await count("storage", "longest")).toBe(4n);
  });
});

describe("finding events", () => {
  const time = instant("2026-01-15T10:30:00Z");
  beforeAll(async () => {
    await addCustomer(fixture.db, "found");
    const times = [time, time, time, instant("2026-01-14T00:00:00Z"), instant("2026-01-16T00:00:00Z")];
    const events = times.map((at, n) => usageEvent({ id: `found/${n}`, customerId: "found", time: at }));
    await ingest(fixture.db, events);
  });

  test("pages are complete and in order, also through events of one instant", async () => {
    const seen: string[] = [];
    let after: EventPosition | undefined;
    do {
      const page = await searchEvents(fixture.db, { customerId: "found" }, { limit: 2, after });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toHaveLength(5);
    expect(seen[0]).toBe("found/4");
    expect(seen.slice(1, 4).sort()).toEqual(["found/0", "found/1", "found/2"]);
    expect(seen[4]).toBe("found/3");
  });

  test.each([
    { filter: { from: time }, ids: 4, why: "the start belongs to it" },
    { filter: { to: time }, ids: 1, why: "the end does not" },
    { filter: { id: "found/2" }, ids: 1, why: "one id" },
    { filter: { id: "found/2", source: "elsewhere" }, ids: 0, why: "of another source" },
  ])("$filter finds $ids: $why", async ({ filter, ids }) => {
    const page = await searchEvents(fixture.db, { customerId: "found", ...filter }, { limit: 10 });
    expect(page.items).toHaveLength(ids);
  });
});
