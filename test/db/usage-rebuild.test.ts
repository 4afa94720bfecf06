import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { projectFolder } from "../../src/config.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import {
  compareSlice,
  repairSlice,
  type SliceFilter,
  type WindowDifference,
  windowSlices,
} from "../../src/db/usage/rebuild-windows.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import type { UsageEvent } from "../../src/domain/metering/index.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import {
  expectInvariants,
  foldAll,
  openUsage,
  publishMeters,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

/** Zones off the hour, and dates on which the clock is changed, forth and back. */
const customers = [
  { id: "kathmandu", zone: "Asia/Kathmandu", from: "2026-02-27T00:00:00Z" }, // +05:45
  { id: "adelaide", zone: "Australia/Adelaide", from: "2026-04-03T12:00:00Z" }, // +10:30 to +09:30, a day of 25 h
  { id: "lord-howe", zone: "Australia/Lord_Howe", from: "2026-10-02T12:00:00Z" }, // +10:30 to +11, half an hour
  { id: "new-york", zone: "America/New_York", from: "2026-03-07T00:00:00Z" }, // a day of 23 h
  { id: "santiago", zone: "America/Santiago", from: "2026-09-05T00:00:00Z" }, // no midnight
] as const;

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
  await publishMeters(fixture.db, [
    { key: "users", eventType: "request", aggregation: "unique_count", property: "user", dimensions: [] },
    {
      key: "seats",
      eventType: "request",
      aggregation: "time_weighted_sum",
      property: "tokens",
      dimensions: [],
    },
  ]);
  for (const { id, zone } of customers) {
    await fixture.db.sql`
      insert into billing.customer (id, name, email, currency, time_zone, created_at)
      values (${id}, ${id}, ${`${id}@example.com`}, 'usd', ${zone}, now())`;
  }
  await take(customers.flatMap(({ id, from }) => threeDays(id, from)));
  await foldAll(fixture.db);
});
afterEach(async () => {
  expect(await found()).toEqual([]);
  await expectInvariants(fixture.db);
});
afterAll(() => fixture.close());

async function take(events: readonly UsageEvent[]): Promise<void> {
  const outcomes = await ingestEvents(fixture.db, events, await publishedMeters(fixture.db.orm));
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["accepted"]));
}

/** An event every 20 minutes: in each of the hours, and in both halves of those that are cut. */
function threeDays(customerId: string, from: string): UsageEvent[] {
  return Array.from({ length: 3 * 72 }, (_, n) =>
    usageEvent({
      id: `${customerId}/${n}`,
      customerId,
      time: instantOfEpochMs(Date.parse(from) + n * 1_200_000),
      data: { model: n % 5 === 0 ? "small" : "large", class: "input", tokens: n, user: `user-${n % 3}` },
    }),
  );
}

async function found(filter: SliceFilter = {}, repair = false): Promise<WindowDifference[]> {
  const differences: WindowDifference[] = [];
  for await (const { slice } of windowSlices(fixture.db, filter)) {
    for await (const difference of (repair ? repairSlice : compareSlice)(fixture.db, slice)) {
      differences.push(difference);
    }
  }
  return differences;
}

/** What the schema's owner could do. */
async function damage(statement: string): Promise<void> {
  await fixture.owner.sql.begin(async (sql) => {
    await sql`select set_config('usage.keeps_windows', 'on', true)`;
    const { count } = await sql.unsafe(statement);
    expect(count).toBeGreaterThan(0);
  });
}

const number = (id: string) => `(select number from billing.customer where id = '${id}')`;
const ofNewYork = `customer_number = ${number("new-york")}`;
/** The day of 23 hours, from 05:00 in UTC. */
const shortDay = `${ofNewYork} and size = 'day' and start = '2026-03-08T05:00Z'`;

describe("damage is found, named and put right", () => {
  test.each([
    {
      what: "a row that is missing",
      statement: `delete from usage.window where ${shortDay} and meter = 1`,
      named: { kind: "sums", meter: "requests@1", stored: null },
      rows: 2, // of two models
    },
    {
      what: "a row too many",
      statement: `insert into usage.window values (${number("adelaide")}, 2, 'hour', '2026-04-04T16:00Z', 1, 1, 1, 1, 1)`,
      named: { kind: "sums", meter: "tokens@1", size: "hour", start: "2026-04-04T16:00:00Z", expected: null },
      rows: 1,
    },
    ...["count", "sum", "min", "max"].map((column) => ({
      what: `another ${column}`,
      statement: `update usage.window set ${column} = ${column} + 1 where ${shortDay} and meter = 4`,
      named: { kind: "sums", meter: "users@1", size: "day", start: "2026-03-08T05:00:00Z" },
      rows: 1,
    })),
    {
      what: "a value that is missing",
      statement: `delete from usage.window_value where ${shortDay} and value = '"user-1"'`,
      named: { kind: "values", meter: "users@1", stored: null, expected: { value: '"user-1"' } },
      rows: 1,
    },
    {
      what: "a value too many",
      statement: `insert into usage.window_value select customer_number, meter, size, start, dimensions, '"eve"'
        from usage.window_value where ${shortDay} limit 1`,
      named: { kind: "values", meter: "users@1", stored: { value: '"eve"' }, expected: null },
      rows: 1,
    },
    {
      what: "another level",
      statement: `update usage.window_level set area = area + 1 where customer_number = ${number("lord-howe")}
        and size = 'hour' and start = (select min(start) from usage.window_level where customer_number = ${number("lord-howe")} and size = 'hour')`,
      named: { kind: "levels", meter: "seats@1", size: "hour", customer: "lord-howe" },
      rows: 1,
    },
    {
      what: "levels that are missing",
      statement: `delete from usage.window_level where customer_number = ${number("santiago")} and size = 'day'`,
      named: { kind: "levels", meter: "seats@1", size: "day", customer: "santiago", stored: null },
      rows: 4, // three days that do not begin at midnight
    },
    {
      what: "a window of nobody",
      statement: "insert into usage.window values (4711, 4712, 'minute', '2026-01-01Z', 4713, 1, 1, 1, 1)",
      named: {
        customer: "customer 4711",
        meter: "meter 4712",
        dimensions: "dimensions 4713",
        expected: null,
      },
      rows: 1,
    },
  ])("$what", async ({ statement, named, rows }) => {
    await damage(statement);
    const differences = await found();
    expect(differences).toHaveLength(rows);
    for (const difference of differences) expect(difference).toMatchObject(named);
    expect(await found({}, true)).toEqual(differences);
  });

  test("of all windows together", async () => {
    const before = await fixture.db.sql`select * from usage.window order by 1, 2, 3, 4, 5`;
    await damage("delete from usage.window");
    await damage("delete from usage.window_level");
    await damage("delete from usage.window_value");
    expect((await found({}, true)).length).toBeGreaterThan(before.length);
    expect(await fixture.db.sql`select * from usage.window order by 1, 2, 3, 4, 5`).toEqual(before);
  });

  test("within the customer and month that were asked for alone", async () => {
    await damage(`update usage.window set sum = sum + 1 where size = 'day' and meter = 4`);
    const march = await found({ customerId: "kathmandu", month: "2026-03" });
    expect(march.map(({ customer, start }) => [customer, start])).toEqual([
      ["kathmandu", "2026-02-28T18:15:00Z"], // 1 March at 00:00 there
      ["kathmandu", "2026-03-01T18:15:00Z"],
    ]);
    await found({ customerId: "kathmandu" }, true);
    expect(new Set((await found()).map(({ customer }) => customer)).has("kathmandu")).toBe(false);
    await found({}, true);
  });
});

test("taking in, folding and repairing at the same time come to windows that are right", async () => {
  const { db } = fixture;
  const taking = (async () => {
    for (let n = 0; n < 30; n++) {
      const times = threeDays(`new-york`, "2026-03-07T00:00:00Z").slice(0, 40);
      await take(times.map((event) => ({ ...event, id: `${event.id}/again/${n}` })));
    }
  })();
  const seen: WindowDifference[] = [];
  await whileRepeating([() => foldAll(db)], async () => {
    for (let n = 0; n < 10; n++) {
      seen.push(...(await found({ customerId: "new-york" })));
      await damage(`update usage.window set sum = sum + 1 where ${shortDay} and meter = 4`);
      const repaired = await found({ customerId: "new-york" }, true);
      expect(repaired.map(({ meter, size }) => [meter, size])).toEqual([["users@1", "day"]]);
    }
    await taking;
  });
  await foldAll(db);
  expect(seen).toEqual([]);
}, 60_000);

describe("npm run usage:rebuild", () => {
  async function run(...args: string[]) {
    const child = spawn(process.execPath, [join(projectFolder, "src/cli/usage-rebuild.ts"), ...args], {
      env: { ...process.env, DATABASE_URL: fixture.appUrl },
    });
    const [output, errors, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.once("exit", resolve)),
    ]);
    return { output: output.trimEnd().split("\n"), errors, code };
  }

  test("ends with 0 when the windows are equal, with 1 and each row when not, with 0 when repaired", async () => {
    expect(await run("--month", "2026-10")).toEqual({
      output: ["Months of customers that were compared: 1.", "The windows are what the events say."],
      errors: "",
      code: 0,
    });
    await damage(`update usage.window set max = max + 1 where ${shortDay} and meter = 4`);
    const { output, code } = await run("--customer", "new-york");
    expect(code).toBe(1);
    expect(output).toEqual([
      "new-york users@1 day from 2026-03-08T05:00:00Z {}: max is 2 and should be 1",
      "Months of customers that were compared: 1.",
      "Rows that are not what the events say: 1.",
    ]);
    const forPrograms = await run("--json");
    expect(forPrograms.code).toBe(1);
    expect(JSON.parse(forPrograms.output.join("\n"))).toMatchObject({
      holds: false,
      count: 1,
      differences: [{ customer: "new-york", stored: { max: "2" }, expected: { max: "1" } }],
    });
    const repaired = await run("--repair");
    expect([repaired.code, repaired.output.at(-1)]).toEqual([
      0,
      "Rows that were not what the events say, and were put right: 1.",
    ]);
  });

  test.each([
    { args: ["--month", "March"], said: "must look like 2026-03" },
    { args: ["--customer", "nobody"], said: 'there is no customer "nobody"' },
    { args: ["--everything"], said: "Unknown option" },
  ])("ends with 2 for $args", async ({ args, said }) => {
    const { output, errors, code } = await run(...args);
    expect({ output, code }).toEqual({ output: [""], code: 2 });
    expect(errors).toContain(said);
  });
});
