import { afterAll, beforeAll, expect, test } from "vitest";
import { keepUpAllGrants } from "../../src/activities/keep-up-grants.ts";
import { moveClock } from "../../src/activities/move-test-clock.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cloneDatabase } from "../support/postgres.ts";

let db: Database;
const ending: (() => unknown)[] = [];

/** A customer on a clock who is given a dollar every day, until the next. */
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  ending.push(drop, () => db.close());
  await db.sql`
    insert into billing.test_clock (id, current_at, target_at, is_settled)
    values ('fast', '2026-01-01Z', '2026-01-01Z', true)`;
  await db.sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at, test_clock_id)
    values ('acme', 'Acme', 'a@acme.test', 'usd', 'UTC', '2026-01-01Z', 'fast')`;
  await db.sql`
    insert into billing.recurring_grant (id, customer_id, currency, amount_minor, priority, anchor_at, interval_unit, interval_count,
      time_zone, effective_at, expires_at, first, total_minor, reason_code, requested_by, requested_at, approval_limit_minor, next_at)
    values ('daily', 'acme', 'usd', 100, 50, '2026-01-01Z', 'day', 1, 'UTC', '2026-01-01Z', '2026-01-11Z', 'at_once', 1000, 'promotion',
      'api-key/key_1', '2026-01-01Z', 1000, '2026-01-01Z')`;
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const move = (now: string, isSettled = false) =>
  moveClock(db, { clockId: "fast", now, target: now, isSettled });

/** "granted 2 Jan", in the order in which it was booked. */
async function booked(): Promise<string[]> {
  const rows = await db.sql<{ text: string }[]>`
    select concat(case kind when 'promotional_credits_granted' then 'given' else kind end, ' ', to_char(effective_at at time zone 'UTC', 'FMDD HH24:MI')) as text
    from ledger.journal_entry order by id`;
  return rows.map(({ text }) => text);
}

test("credit is given and ends at its own instants on the way, whatever the clock's steps are", async () => {
  await move("2026-01-03T12:00:00.000Z");
  const firstDays = [
    "given 1 00:00",
    "given 2 00:00",
    "grant_expired 2 00:00",
    "given 3 00:00",
    "grant_expired 3 00:00",
  ];
  expect(await booked()).toEqual(firstDays);
  const settled = await db.sql`select settled_at = ended_at as on_time from billing.credit_grant_end`;
  expect(settled).toEqual([{ on_time: true }, { on_time: true }]);

  // Asked again, and late, it does nothing more.
  await move("2026-01-03T12:00:00.000Z");
  await move("2026-01-02T00:00:00.000Z");
  expect(await booked()).toEqual(firstDays);

  await move("2026-01-04T00:00:00.000Z", true);
  expect((await booked()).slice(firstDays.length)).toEqual(["given 4 00:00", "grant_expired 4 00:00"]);
  await expectInvariants(db);
});

test("a worker's look leaves a clock alone that is on its way", async () => {
  await db.sql`update billing.test_clock set current_at = '2026-01-05Z', target_at = '2026-01-05Z', is_settled = false`;
  const before = await booked();
  await keepUpAllGrants(db, instant("2026-01-20T00:00:00Z"));
  expect(await booked()).toEqual(before);
  await db.sql`update billing.test_clock set is_settled = true`;
  await keepUpAllGrants(db, instant("2026-01-20T00:00:00Z"));
  expect((await booked()).slice(before.length)).toEqual(["given 5 00:00", "grant_expired 5 00:00"]);
});
