import { afterEach, beforeEach, expect, test } from "vitest";
import { usageInvariants } from "../../src/db/invariants/usage-invariants.ts";
import {
  addCustomer,
  expectInvariants,
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

const [windows, keys, events, released] = usageInvariants.map(({ name }) => name);

// What the schema's owner could do with the guards switched off.
test.each([
  { damage: "update usage.hourly_window set sum = sum + 1 where meter_key = 'tokens'", found: [windows] },
  { damage: "update usage.hourly_window set max = 9 where meter_key = 'longest'", found: [windows] },
  { damage: "delete from usage.hourly_window where meter_key = 'requests'", found: [windows] },
  {
    damage: `insert into usage.hourly_window values ('acme', 'tokens', '2020-01-01Z', '{}', 0, 0, 1)`,
    found: [windows],
  },
  { damage: "delete from usage.event where id = 'a'", found: [windows, keys] },
  { damage: "update usage.event set contributions = contributions - 0 where id = 'a'", found: [windows] },
  { damage: "delete from usage.quarantined_event", found: [keys] },
  { damage: "delete from usage.event_key where event_seq = 1", found: [events] },
  {
    damage:
      "insert into usage.event_key select gen_random_uuid(), payload_hash, event_seq from usage.event_key limit 1",
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
    insert into usage.event (seq, time, source, id, customer_id, type, data, contributions)
    select seq, time, source, id, customer_id, type, '{"tokens": 1}',
      '[{"meter_key": "tokens", "dimensions_key": "{}", "quantity": "1"}]' from usage.quarantined_event`);
  expect(await brokenRules()).toEqual([released]);
});

test("events that are inserted past the functions are counted all the same", async () => {
  await fixture.owner.sql`
    insert into usage.event (seq, time, source, id, customer_id, type, data, contributions)
    select 1000 + seq, time, source, id || '/copy', customer_id, type, data, contributions from usage.event`;
  expect(await brokenRules()).toEqual([events]); // their keys are missing, but the windows are right
});

async function withoutGuards(damage: string): Promise<void> {
  const guarded = ["event_key", "event", "quarantined_event"].flatMap((table) => [
    `usage.${table} ? trigger append_only_rows`,
    `usage.${table} ? trigger append_only_table`,
  ]);
  const guards = (how: "enable" | "disable") =>
    [...guarded, "usage.hourly_window ? trigger guard_derived"]
      .map((guard) => `alter table ${guard.replace("?", how)};`)
      .join("\n");
  await fixture.owner.sql.unsafe(`${guards("disable")} ${damage}; ${guards("enable")}`);
}
