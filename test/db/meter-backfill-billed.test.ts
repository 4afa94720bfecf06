import { afterAll, beforeAll, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { ratingInvariants } from "../../src/db/invariants/rating-invariants.ts";
import {
  findMeterBackfill,
  ratedPeriodsReached,
  startMeterBackfill,
} from "../../src/db/usage/meter-backfill.ts";
import { backfillPage } from "../../src/db/usage/meter-backfill-page.ts";
import { newestVersions, publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { expectInvariants, foldAll } from "./usage-fixture.ts";

let clone: TestDatabase;
let db: Database;
beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 3 });
});
afterAll(async () => {
  await db.close();
  await clone.drop();
});

/** A tenth of a cent for what `value` says of each request. */
const publish = (value: string) =>
  inTransaction(db, (tx) =>
    publishCatalog(
      tx,
      parseCatalog({
        meters: [{ key: "tokens", eventType: "request", aggregation: "sum", value }],
        plans: [
          {
            key: "metered",
            name: "Metered",
            currency: "usd",
            interval: { unit: "month", count: 1 },
            graceSeconds: 3600,
            prices: [
              {
                type: "usage",
                key: "tokens",
                name: "Tokens",
                product: "tokens",
                meter: "tokens",
                unitLabel: "token",
                model: { type: "per_unit", unitPriceMinor: "0.1" },
              },
            ],
          },
        ],
      }),
    ),
  );

const at = async (time: string) => {
  const now = instant(time);
  await moveTestClock(db.orm, "clock", { currentAt: now, targetAt: now, isSettled: true });
};

async function use(times: readonly string[], tokens: number): Promise<void> {
  const events = times.map((time) => ({
    id: time,
    source: "edge",
    customerId: "acme",
    type: "request",
    time: instant(time),
    data: { tokens },
  }));
  await ingestEvents(db, events, await publishedMeters(db.orm));
}

/** Closes the month before and gives the amounts of its invoice's lines, with the month they are for. */
async function close(month: string, now: string): Promise<readonly unknown[]> {
  await at(now);
  const period = { subscriptionId: "sub", periodStart: `${month}-01T00:00:00Z`, at: now };
  await closePeriodOnce(db, period, { usageWaitMsMax: 0 });
  return await db.sql`
    select to_char(line.period_start at time zone 'UTC', 'YYYY-MM') as month, amount_minor::text as amount
    from billing.rating_run run join billing.invoice_line line on line.invoice_id = run.invoice_id
    where run.subscription_id = 'sub' and run.period_start = ${`${month}-01T00:00:00Z`}::timestamptz and revision = 0 order by 1`;
}

test("a period that was billed keeps its version, whatever a new one counts there, and every rule holds", async () => {
  await publish("tokens");
  await insertTestClock(db.orm, "clock", instant("2026-01-01T00:00:00Z"));
  await insertCustomer(db.orm, {
    id: "acme",
    name: "Acme",
    email: "acme@example.com",
    currency: "usd",
    timeZone: "UTC",
    testClockId: "clock",
    createdAt: instant("2026-01-01T00:00:00Z"),
  });
  await openSubscription(db, {
    subscriptionId: "sub",
    customerId: "acme",
    requestId: "open",
    at: "2026-01-01T00:00:00Z",
    items: [{ planKey: "metered", seats: 1 }],
  });
  await use(
    [10, 11, 12, 13].map((day) => `2026-01-${day}T00:00:00Z`),
    1_000,
  );
  expect(await close("2026-01", "2026-02-01T01:00:00Z")).toEqual([{ month: "2026-01", amount: "400" }]);

  await publish("tokens * 2");
  await use(["2026-02-10T00:00:00Z"], 1_000);
  const [newest] = newestVersions(await publishedMeters(db.orm));
  await inTransaction(db, (tx) =>
    startMeterBackfill(tx, {
      id: "again",
      meter: newest?.number ?? 0,
      since: instant("2026-01-01T00:00:00Z"),
      until: null,
      requestedBy: "alice",
    }),
  );
  const asked = await findMeterBackfill(db.orm, "again");
  expect(asked && (await ratedPeriodsReached(db.orm, asked))).toBe(0);
  // January's four events in two commits, which are one fact.
  while ((await backfillPage(db, { eventsMax: 2 })) !== undefined);
  expect(await close("2026-02", "2026-03-01T01:00:00Z")).toEqual([
    { month: "2026-02", amount: "200" }, // 2000 × 0.1: its first event came after the version
  ]);
  await foldAll(db);
  await expectInvariants(db);
  for (const { name, sql } of ratingInvariants) expect([...(await db.sql.unsafe(sql))], name).toEqual([]);
});
