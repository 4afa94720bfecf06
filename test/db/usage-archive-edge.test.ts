import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { archiveInvariants } from "../../src/db/invariants/archive-invariants.ts";
import { usageInvariants } from "../../src/db/invariants/usage-invariants.ts";
import { archiveMonths } from "../../src/db/usage/archive-months.ts";
import { openArchiveStore } from "../../src/db/usage/archive-store.ts";
import type { StoredMeter } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { usageByWindow, usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { instant, period } from "../../src/domain/calendar/index.ts";
import { accountingMonth } from "../../src/domain/ledger/accounting-month.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { foldAll, publishMeters, usageEvent } from "./usage-fixture.ts";

/** A day that began in an archived month and goes on after it: in New York the 1st of June begins at 04:00 UTC. */
const definitions = (["sum", "max", "latest", "unique_count", "time_weighted_sum"] as const).map(
  (aggregation) => ({
    key: aggregation,
    eventType: "request",
    aggregation,
    property: "level",
    dimensions: [],
  }),
);
const meters: readonly StoredMeter[] = definitions.map((definition, index) => ({
  ...definition,
  number: index + 1,
  version: 1,
  publishedAt: instant("2020-01-01T00:00:00Z"),
}));

let clone: TestDatabase;
let db: Database;
let owner: Database;
let folder: string;

const at = (time: string, level: number) => usageEvent({ id: time, time: instant(time), data: { level } });

/** The last two are before and after midnight UTC, in one day of New York. */
const archived = [
  at("2024-05-20T12:00:00.500Z", 7),
  at("2024-05-31T20:00:00Z", 90),
  at("2024-05-31T23:59:59.999Z", 3),
];
const here = [at("2024-06-01T01:00:00Z", 4), at("2024-06-01T02:30:00Z", 80), at("2024-06-10T00:00:00Z", 5)];

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 2 });
  owner = openDatabase({ url: clone.ownerUrl, poolSize: 2 });
  await publishMeters(db, definitions);
  await db.sql`insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values ('acme', 'acme', 'acme@example.com', 'usd', 'America/New_York', now())`;
  await ingestEvents(db, [...archived, ...here], meters);
  await foldAll(db);
  folder = mkdtempSync(join(tmpdir(), "reckoner-archived-edge-"));
});
afterAll(async () => {
  await Promise.all([db.close(), owner.close()]);
  await clone.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function everything() {
  const whole = period(instant("2024-05-01T00:00:00Z"), instant("2024-07-01T00:00:00Z"));
  const later = period(instant("2024-06-01T00:30:00Z"), instant("2024-06-03T00:00:00.250Z"));
  const read = [];
  for (const meter of meters) {
    for (const asked of [whole, later]) {
      const request = { customerId: "acme", meter, period: asked };
      read.push(await usageQuantities(db.orm, request));
      read.push(await usageByWindow(db.orm, { ...request, size: "day" }));
      read.push(await usageByWindow(db.orm, { ...request, size: "hour" }));
    }
  }
  return read;
}

async function expectAllHolds(): Promise<void> {
  for (const { name, sql } of [...usageInvariants, ...archiveInvariants])
    expect(await db.sql.unsafe(sql), name).toEqual([]);
}

const takeBack = (factSeq: number, id: string) => owner.sql`
  insert into usage.later_contribution (fact_seq, event_seq, time, customer_number, meter, dimensions, quantity, value, weight)
  select ${factSeq}, e.seq, e.time, e.customer_number, c.meter, c.dimensions, c.quantity, c.value, -1
  from usage.event e cross join lateral unnest(e.meters, e.dimensions, e.quantities, e.distinct_values) as c (meter, dimensions, quantity, value)
  where e.id = ${id}`;

test("every quantity is what it was before the archive, and after a change in a day that it cuts through", async () => {
  const before = await everything();
  const store = await openArchiveStore({ kind: "file", path: folder });
  const months = await archiveMonths(owner, store, { before: accountingMonth("2024-06"), by: "tester" });
  expect(months.map(({ month, manifest }) => [month, manifest.events])).toEqual([["2024-05", 3]]);
  expect(await everything()).toEqual(before);
  await expectAllHolds();

  // A level that comes late and out of order: unfolded it is read beside what is archived, folded it makes the day anew.
  await ingestEvents(db, [at("2024-06-01T02:00:00Z", 6)], meters);
  const added = await everything();
  expect(added).not.toEqual(before);
  await foldAll(db);
  expect(await everything()).toEqual(added);
  await expectAllHolds();

  await takeBack(1_000, "2024-06-01T02:00:00Z");
  await foldAll(db);
  expect(await everything()).toEqual(before);
  await expectAllHolds();
});
