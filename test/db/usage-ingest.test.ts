import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlState } from "../../src/db/database.ts";
import { usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { eventCounts } from "../../src/db/usage/usage-reads.ts";
import { instant, period } from "../../src/domain/calendar/index.ts";
import {
  addCustomer,
  expectInvariants,
  ingest,
  meterOf,
  openUsage,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 8 });
});
afterAll(() => fixture.close());

const january = period(instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));

/** All tokens of a customer, as text. */
async function tokensOf(customerId: string): Promise<string | undefined> {
  const request = {
    customerId,
    meter: meterOf("tokens"),
    period: january,
    groupBy: [],
  };
  const [total] = await usageQuantities(fixture.db.orm, request);
  return total?.quantity.text;
}

const tokens = (count: number | string) => ({ model: "large", class: "input", tokens: count });

describe("an event is counted once", () => {
  const twenty = { data: tokens(20) };
  test.each([
    {
      name: "twice-in-a-batch",
      batches: [["a", "b", "a"]],
      outcomes: [["accepted", "accepted", "duplicate"]],
      total: "20",
      why: "10 + 10",
    },
    {
      name: "in-later-batches",
      batches: [["a"], ["b", "a"], ["a"]],
      outcomes: [["accepted"], ["accepted", "duplicate"], ["duplicate"]],
      total: "20",
      why: "10 + 10",
    },
    {
      name: "contradicted-in-a-batch",
      batches: [["a", "a!", "a"]],
      outcomes: [["accepted", "conflict", "duplicate"]],
      total: "10",
      why: "the first counts",
    },
    {
      name: "contradicted-later",
      batches: [["a"], ["a!", "b!"], ["a!"]],
      outcomes: [["accepted"], ["conflict", "accepted"], ["conflict"]],
      total: "30",
      why: "10 + 20",
    },
  ])("$name: $total tokens, $why", async ({ name, batches, outcomes, total }) => {
    await addCustomer(fixture.db, name);
    for (const [index, batch] of batches.entries()) {
      const events = batch.map((id) =>
        usageEvent({
          id: `${name}/${id.replace("!", "")}`,
          customerId: name,
          ...(id.endsWith("!") ? twenty : {}),
        }),
      );
      expect(await ingest(fixture.db, events)).toEqual(outcomes[index]);
    }
    expect(await tokensOf(name)).toBe(total);
    await expectInvariants(fixture.db);
  });

  test("the same id from two sources is two events", async () => {
    await addCustomer(fixture.db, "two-sources");
    const event = usageEvent({ id: "same", customerId: "two-sources" });
    expect(await ingest(fixture.db, [event, { ...event, source: "batch-jobs" }])).toEqual([
      "accepted",
      "accepted",
    ]);
    expect(await tokensOf("two-sources")).toBe("20");
  });

  test("the same content with its fields in another order is a duplicate", async () => {
    await addCustomer(fixture.db, "same-content");
    const event = usageEvent({ id: "order", customerId: "same-content" });
    const reordered = { ...event, data: { tokens: 10, class: "input", model: "large" } };
    expect(await ingest(fixture.db, [event, reordered])).toEqual(["accepted", "duplicate"]);
  });

  test("both contents of a conflict are kept, a repeated contradiction once", async () => {
    await addCustomer(fixture.db, "conflict");
    const first = usageEvent({ id: "conflict", customerId: "conflict" });
    const second = { ...first, data: tokens("20") };
    await ingest(fixture.db, [first]);
    await ingest(fixture.db, [second, second]);
    await ingest(fixture.db, [second]);
    const kept = await fixture.db.sql`
      select e.data ->> 'tokens' as counted, c.data ->> 'tokens' as contradicting
      from usage.event_conflict c join usage.event e on e.seq = c.event_seq where e.id = 'conflict'`;
    expect([...kept]).toEqual([{ counted: "10", contradicting: "20" }]);
    expect(await eventCounts(fixture.db.orm, "conflict")).toEqual({
      accepted: 1,
      conflicting: 1,
      quarantined: 0,
    });
  });
});

test("an event that a meter cannot measure is refused alone and leaves nothing behind", async () => {
  await addCustomer(fixture.db, "invalid");
  const event = (id: string, count: number | string) =>
    usageEvent({ id: `invalid/${id}`, customerId: "invalid", data: tokens(count) });
  const quantities = [
    event("minus", -1),
    event("huge", "1e30"),
    event("exact", "0.000000000000000001"),
    event("nan", "NaN"),
  ];
  expect(await ingest(fixture.db, quantities)).toEqual([
    "usage_quantity_negative",
    "usage_quantity_invalid",
    "accepted",
    "usage_quantity_invalid",
  ]);
  expect(await tokensOf("invalid")).toBe("0.000000000000000001");
  expect(await ingest(fixture.db, [event("minus", 1)])).toEqual(["accepted"]);
});

test("an empty batch is no work", async () => {
  expect(await ingest(fixture.db, [])).toEqual([]);
});

test("eight connections that send the same events in different orders count each once", async () => {
  await addCustomer(fixture.db, "crowd-0");
  await addCustomer(fixture.db, "crowd-1");
  const events = Array.from({ length: 400 }, (_, n) =>
    usageEvent({
      id: `crowd/${n}`,
      customerId: `crowd-${n % 2}`,
      time: instant(`2026-01-15T${String(n % 7).padStart(2, "0")}:00:00Z`),
      data: tokens(n),
    }),
  );
  // A step that shares no factor with 400 visits every event, in another order for each sender.
  const steps = [1, 3, 7, 9, 11, 13, 17, 399];
  const outcomes = await Promise.all(
    steps.map(async (step) => {
      const order = events
        .map((_, n) => events[(n * step + step) % events.length])
        .filter((event) => event !== undefined);
      const batches = Array.from({ length: 8 }, (_, n) => order.slice(n * 50, n * 50 + 50));
      return (await Promise.all(batches.map((batch) => ingest(fixture.db, batch)))).flat();
    }),
  );
  const numberOf = (status: string) => outcomes.flat().filter((outcome) => outcome === status).length;
  expect({ accepted: numberOf("accepted"), duplicates: numberOf("duplicate") }).toEqual({
    accepted: 400,
    duplicates: 2800,
  });
  expect(await tokensOf("crowd-0")).toBe("39800"); // 0 + 2 + … + 398 = 2 × (199 × 200 / 2)
  expect(await tokensOf("crowd-1")).toBe("40000"); // 1 + 3 + … + 399 = 200²
  await expectInvariants(fixture.db);
});

describe("what was recorded stays as it is", () => {
  const tables = ["event_key", "event", "event_conflict", "quarantined_event"];
  beforeAll(async () => {
    const stranger = usageEvent({ id: "stays-quarantined", customerId: "stranger" });
    await ingest(fixture.db, [
      usageEvent({ id: "stays" }),
      usageEvent({ id: "stays", data: tokens(1) }),
      stranger,
    ]);
  });

  test.each(tables)("the owner of usage.%s can neither change nor remove a row", async (table) => {
    for (const change of [
      `update usage.${table} set`,
      `delete from usage.${table}`,
      `truncate usage.${table}`,
    ]) {
      const [column] = await fixture.owner.sql`
        select attname as name from pg_attribute where attrelid = ${`usage.${table}`}::regclass and attnum = 1`;
      const statement = change.startsWith("update") ? `${change} ${column?.name} = ${column?.name}` : change;
      await expect(fixture.owner.sql.unsafe(statement).catch(sqlState), statement).resolves.toBe("RK001");
    }
  });

  test.each([...tables, "window", "window_level", "window_value", "folded"])(
    "the application cannot write usage.%s past the functions",
    async (table) => {
      for (const statement of [`insert into usage.${table} default values`, `delete from usage.${table}`]) {
        await expect(fixture.db.sql.unsafe(statement).catch(sqlState), statement).resolves.toBe("42501");
      }
    },
  );
});
