import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { createLogger } from "../../src/logger.ts";
import { startGrantUpkeep } from "../../src/workers/grant-upkeep.ts";
import { cloneDatabase } from "../support/postgres.ts";

let db: Database;
const ending: (() => unknown)[] = [];

beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  ending.push(drop, () => db.close());
  await db.sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values ('acme', 'Acme', 'a@acme.test', 'usd', 'UTC', '2026-01-01Z')`;
  await db.sql`
    insert into billing.recurring_grant (id, customer_id, currency, amount_minor, priority, anchor_at, interval_unit, interval_count,
      time_zone, effective_at, expires_at, first, total_minor, reason_code, requested_by, requested_at, approval_limit_minor, next_at)
    values ('daily', 'acme', 'usd', 100, 50, '2026-01-01Z', 'day', 1, 'UTC', '2026-01-01Z', '2026-01-11Z', 'at_once', 1000, 'promotion',
      'api-key/key_1', '2026-01-01Z', 1000, '2026-01-01Z')`;
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

test("two workers give each day's credit once as time goes on, and end that of the day before", async () => {
  const logger = createLogger({ level: "error", format: "json" }, "worker");
  let now = instant("2026-01-01T00:00:00Z");
  const registries = [new Registry(), new Registry()];
  const workers = registries.map((metrics) =>
    startGrantUpkeep({ db, now: () => now, logger, metrics, everyMs: 5 }),
  );
  const counts = async () => {
    const [row] = await db.sql<{ given: number; ended: number }[]>`
      select count(*)::int as given, count(ended.grant_id)::int as ended
      from billing.credit_grant as credit left join billing.credit_grant_end as ended on ended.grant_id = credit.id`;
    return row;
  };
  const until = async (given: number, ended: number) => {
    for (let row = await counts(); row?.given !== given || row.ended !== ended; row = await counts())
      await delay(5);
  };
  await until(1, 0);
  now = instant("2026-01-04T00:00:00Z");
  await until(4, 3);
  now = instant("2026-02-01T00:00:00Z");
  await until(10, 10);
  await Promise.all(workers.map((worker) => worker.stop()));
  const texts = await Promise.all(registries.map((metrics) => metrics.metrics()));
  const total = (name: string) =>
    texts.reduce((sum, text) => sum + Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0), 0);
  expect(total("reckoner_recurring_grants_given_total")).toBe(10);
  expect(total("reckoner_credit_grants_ended_total")).toBe(10);
});
