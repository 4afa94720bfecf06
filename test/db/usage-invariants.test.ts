import { afterEach, beforeEach, expect, test } from "vitest";
import { usageInvariants } from "../../src/db/invariants/usage-invariants.ts";
import {
  addCustomer,
  expectInvariants,
  foldAll,
  ingest,
  openUsage,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeEach(async () => {
  fixture = await openUsage();
  await ingest(fixture.db, [
    usageEvent({ id: "a" }),
    usageEvent({ id: "b" }),
    usageEvent({ id: "c", customerId: "x" }),
  ]);
  await foldAll(fixture.db);
});
afterEach(() => fixture.close());

async function brokenRules(): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, sql } of usageInvariants) {
    const rows = await fixture.db.sql.unsafe(sql);
    if (rows.length > 0) broken.push(name);
  }
  return broken;
}

const [windows, , , keys, events, released] = usageInvariants.map(({ name }) => name);

// What the schema's owner could do with the guards switched off.
test.each([
  { damage: "update usage.window set sum = sum + 1 where meter = 2 and size = 'hour'", found: [windows] },
  { damage: "update usage.window set max = 9 where meter = 3 and size = 'day'", found: [windows] },
  { damage: "delete from usage.window where meter = 1 and size = 'minute'", found: [windows] },
  {
    damage: `insert into usage.window values (1, 2, 'hour', '2020-01-01Z', 1, 1, 0, 0, 0)`,
    found: [windows],
  },
  { damage: "delete from usage.event where id = 'a'", found: [windows, keys] },
  {
    damage: "update usage.event set meters = '{}', dimensions = '{}', quantities = '{}' where id = 'a'",
    found: [windows],
  },
  { damage: "delete from usage.quarantined_event", found: [keys] },
  { damage: "delete from usage.event_key where event_seq = 1", found: [events] },
  {
    damage:
      "insert into usage.event_key select gen_random_uuid(), payload_hash, event_seq, event_time from usage.event_key limit 1",
    found: [keys],
  },
])("$damage is found", async ({ damage, found }) => {
  await expectInvariants(fixture.db);
  await withoutGuards(damage);
  expect(await brokenRules()).toEqual(found);
});

test("an event that is released with other content is found", async () => {
  await addCustomer(fixture.db, "x");
  await withoutGuards(`
    insert into usage.event (seq, time, source, id, customer_number, type, data, meters, dimensions, quantities)
    select seq, time, source, id, 2, type, '{"tokens": 1}', '{2}', '{1}', '{1}' from usage.quarantined_event`);
  expect(await brokenRules()).toEqual([released]);
});

test("events that are inserted past the functions are counted all the same", async () => {
  await fixture.owner.sql`
    insert into usage.event (seq, time, source, id, customer_number, type, data, meters, dimensions, quantities)
    select 1000 + seq, time, source, id || '/copy', customer_number, type, data, meters, dimensions, quantities from usage.event`;
  await foldAll(fixture.db);
  expect(await brokenRules()).toEqual([events]); // their keys are missing, but the windows are right
});

async function withoutGuards(damage: string): Promise<void> {
  const guarded = ["event_key", "event", "quarantined_event"].flatMap((table) => [
    `usage.${table} ? trigger append_only_rows`,
    `usage.${table} ? trigger append_only_table`,
  ]);
  const guards = (how: "enable" | "disable") =>
    [...guarded, "usage.window ? trigger guard_derived"]
      .map((guard) => `alter table ${guard.replace("?", how)};`)
      .join("\n");
  await fixture.owner.sql.unsafe(`${guards("disable")} ${damage}; ${guards("enable")}`);
}
