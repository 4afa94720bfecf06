import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { reserve } from "../../src/api/reservations/reserve.ts";
import { sql as drizzle, inTransaction, rows } from "../../src/db/database.ts";
import { KnownPaths } from "../../src/db/entitlements/known-paths.ts";
import { openReservationWriter } from "../../src/db/entitlements/reservation-writer.ts";
import { expireReservations } from "../../src/db/entitlements/stored-reservations.ts";
import { usualLimits } from "../../src/db/invariants/invariant-query.ts";
import { reservationInvariants } from "../../src/db/invariants/reservation-invariants.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type ReservationApi, startReservationApi } from "../api/support/reservation-api.ts";
import { wallClock } from "../api/support/running-api.ts";
import { expectInvariants } from "../support/invariants.ts";
import { lookAt, openAsSuperuser, withoutGuards } from "../support/superuser.ts";
import { whileRepeating } from "../support/while-repeating.ts";

// Agents run requests of the real trace at once, under caps at every level, through two processes. Some die between reserving
// and settling, some settle twice, or fail, or settle when it is too late.
const isNightly = process.env.NIGHTLY === "1";
const agents = isNightly ? 48 : 8;
const requestsOfAgent = isNightly ? 400 : 25;
const seed = Number(process.env.AGENTS_SEED ?? (isNightly ? Date.now() % 1_000_000_000 : 5));

const trace = readFileSync("data/llm-code-trace-2023.csv", "utf8")
  .trim()
  .split("\n")
  .slice(1, 1 + agents * requestsOfAgent)
  .map((line) => line.split(",").slice(1).map(Number))
  .map(([input = 0, output = 0]) => ({ input, output }));

const customers = ["agents-a", "agents-b"];
/** In cents: what the requests come to is some times as much. */
const caps = { user: 3, team: 5, organisation: 8, pool: 11 };
const scale = agents * requestsOfAgent;
const capOf = (level: keyof typeof caps, part = 1) =>
  `${Math.ceil((caps[level] * Math.ceil(scale / 4)) / part)}`;

let api: ReservationApi;
let stopSecond: () => Promise<void>;
let second: Parameters<typeof reserve>[0];
beforeAll(async () => {
  api = await startReservationApi();
  const [row] = await api.db.sql`select current_database() as name`;
  const url = new URL(api.ownerUrl);
  expect(row?.name).toBe(url.pathname.slice(1));
  const writer = openReservationWriter({ url: api.ownerUrl });
  second = { writer, paths: new KnownPaths(api.db) };
  stopSecond = () => writer.close();
  await Promise.all(["payer", ...customers].map((id) => api.subscribe(id)));
  const organisation = { type: "organisation" };
  await api.cap("payer", { spender: organisation, amount_minor: capOf("pool") });
  for (const id of customers) {
    await api.place(id, { spender: organisation, below: { type: "customer", id: "payer" } });
    await api.cap(id, { spender: organisation, amount_minor: capOf("organisation") });
    await api.cap(id, { spender: organisation, each_user: true, amount_minor: capOf("user") });
    await api.cap(id, { spender: { type: "team", key: "t" }, amount_minor: capOf("team") });
    await api.place(id, { spender: { type: "user", key: "u0" }, below: { type: "team", key: "t" } });
    await api.place(id, { spender: { type: "user", key: "u1" }, below: { type: "team", key: "t" } });
    await give(id, capOf("user", 5), { type: "user", key: "u0" });
    await give(id, capOf("team", 5), { type: "team", key: "t" });
    await give(id, capOf("organisation", 8));
  }
});

/** Credit that pays before money: of a user, of a team, or of anybody. */
async function give(customer: string, cents: string, holder?: object) {
  const credit = { amount_minor: cents, reason_code: "goodwill", kind: "goodwill" };
  const { body } = await api.call("POST", `/v1/customers/${customer}/credit-grants`, credit);
  if (holder === undefined) return;
  const held = { credit_grant: body.id, holder };
  expect((await api.call("POST", `/v1/customers/${customer}/grant-holders`, held)).status).toBe(201);
}
afterAll(async () => {
  await stopSecond();
  await api.stop();
});

type Fate = "settles" | "settles twice" | "fails" | "releases" | "dies" | "too late";

const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("settles") },
  { weight: 4, arbitrary: fc.constantFrom<Fate>("settles twice", "fails", "releases", "dies", "too late") },
);

const over = `
  select level.name, counter.* from billing.spending_counter as counter
  join billing.spender on spender.number = counter.spender
  cross join lateral (select case when user_key is not null then 'user' when kind = 'team' then 'team'
    when customer_id = 'payer' then 'pool' else 'organisation' end as name) as level`;

async function countersOver() {
  const found =
    await api.db.sql.unsafe<{ name: keyof typeof caps; held_minor: string; spent_minor: string }[]>(over);
  return found.filter(
    ({ name, held_minor, spent_minor }) => Number(held_minor) + Number(spent_minor) > Number(capOf(name)),
  );
}

test("no cap is exceeded, nothing stays reserved, and every cent is in a receipt and in the ledger", async () => {
  const fates = fc.sample(anyFate, { seed, numRuns: agents * requestsOfAgent });
  const [tooLate, denied]: [(() => Promise<unknown>)[], string[]] = [[], []];
  const run = async (agent: number) => {
    for (let turn = 0; turn < requestsOfAgent; turn++) {
      const index = agent * requestsOfAgent + turn;
      const { input, output } = trace[index] ?? { input: 0, output: 0 };
      const [customer = "", user] = [customers[agent % 2], `u${(agent >> 1) % 4}`];
      const id = `req-${index}`;
      const worst = { model: "large", input, output: 2 * output + 50 };
      const asked = { id, customer, user, event: { type: "model.request", data: worst } };
      const answer =
        index % 3 === 0
          ? await reserve(
              second,
              {
                id,
                customerId: customer,
                user,
                purpose: null,
                eventType: "model.request",
                worstCase: worst,
                ttlSeconds: 300,
              },
              wallClock,
            ).then(({ status }) =>
              status === "placed" ? { granted: true } : { granted: false, denied_by: { level: "any" } },
            )
          : (await api.call("POST", "/v1/reservations", asked)).body;
      if (!answer.granted) {
        denied.push(answer.denied_by.level);
        continue;
      }
      const used = { outcome: "completed", data: { ...worst, output, cached: Math.floor(input / 2) } };
      const settle = (said: object) => api.call("POST", `/v1/reservations/${id}/settle`, said);
      const fate = fates[index];
      if (fate === "settles" || fate === "settles twice") expect((await settle(used)).status).toBe(200);
      if (fate === "settles twice") expect((await settle(used)).status).toBe(200);
      if (fate === "fails") await settle({ ...used, outcome: "failed" });
      if (fate === "releases") await api.call("POST", `/v1/reservations/${id}/release`);
      if (fate === "too late") tooLate.push(() => settle(used));
    }
  };
  // Before the others leave nothing: one request that each bucket pays.
  for (const customer of customers) {
    for (const user of ["u0", "u1", "u2"]) {
      const id = `first-${customer}-${user}`;
      const data = { model: "large", input: 100, output: 100 };
      const asked = { id, customer, user, event: { type: "model.request", data } };
      expect((await api.call("POST", "/v1/reservations", asked)).body).toMatchObject({ granted: true });
      const used = { outcome: "completed", data: { ...data, cached: 0 } };
      expect((await api.call("POST", `/v1/reservations/${id}/settle`, used)).status).toBe(200);
    }
    // And one that is settled when it is too late, whatever becomes of the others.
    const id = `late-${customer}`;
    const data = { model: "large", input: 100, output: 100 };
    const asked = { id, customer, user: "u3", event: { type: "model.request", data } };
    expect((await api.call("POST", "/v1/reservations", asked)).body).toMatchObject({ granted: true });
    tooLate.push(() => api.call("POST", `/v1/reservations/${id}/settle`, { data }));
  }
  const watch = async () => {
    expect(await countersOver()).toEqual([]);
    await delay(20);
  };
  await whileRepeating([watch], () => Promise.all(Array.from({ length: agents }, (_, agent) => run(agent))));
  expect(await countersOver()).toEqual([]);
  expect(denied.length).toBeGreaterThan(0);

  await inTransaction(api.db, (tx) => expireReservations(tx, instant("2026-03-01T13:00:00Z"), 100_000));
  expect([...(await api.db.sql`select from billing.open_reservation`)]).toEqual([]);
  expect([...(await api.db.sql`select from billing.spending_counter where held_minor > 0`)]).toEqual([]);
  expect([...(await api.db.sql`select from billing.credit_counter where held_minor > 0`)]).toEqual([]);
  await Promise.all(tooLate.map((settle) => settle()));

  for (const customer of customers) {
    const period = { periodStart: "2026-02-10T00:00:00.000Z", at: "2026-03-10T00:00:00.000Z" };
    const closed = await closePeriodOnce(
      api.db,
      { subscriptionId: `sub-${customer}`, ...period },
      { usageWaitMsMax: 0 },
    );
    expect(closed.outcome).toBe("closed");
    const [receipts] = await api.db.sql`
      select sum(cost_minor * 100000000)::text as cost, count(*) filter (where is_late) > 0 as has_late,
        count(*) filter (where cost_minor > 0)::text as charged
      from billing.receipt where customer_id = ${customer}`;
    const [booked] = await api.db.sql`
      select sum(amount)::text as amount from ledger.posting
      join ledger.journal_entry as entry on entry.id = entry_id
      where entry.kind = 'usage_rated' and entry.customer_id = ${customer}`;
    expect(Number(receipts?.charged)).toBeGreaterThan(0);
    expect(receipts?.has_late).toBe(true);
    const [paid] = await api.db.sql`
      select coalesce(sum(amount), 0)::text as drawn, count(*)::int as draws from billing.credit_draw
      join billing.invoice on invoice.id = invoice_id where customer_id = ${customer}`;
    const [said] = await api.db.sql`
      select sum("amountMinor" * 100000000)::text as paid, array_agg(distinct bucket order by bucket) as buckets
      from billing.receipt cross join json_to_recordset(payments) as payment (bucket text, "amountMinor" numeric)
      where customer_id = ${customer}`;
    expect(said?.buckets).toEqual(["prepaid_credits", "seat_allowance", "team_pool"]);
    expect(Number(paid?.drawn)).toBeGreaterThanOrEqual(Number(said?.paid));
    // What money owes is booked as usage, what credit paid as drawn.
    expect(Number(booked?.amount) + Number(paid?.drawn)).toBe(Number(receipts?.cost));
  }
  // The API's wall stands still in a month that is long over for the database.
  await expectInvariants(api.db, { limits: { billing: 1e9 } });
});

const damages = [
  { rule: "V2: what is spent", sql: "update billing.spending_counter set spent_minor = spent_minor + 1" },
  { rule: "V2: what is spent", sql: "delete from billing.receipt where cost_minor > 0" },
  {
    rule: "V2: the ledger holds",
    sql: "update billing.credit_counter set unbilled_minor = unbilled_minor + 1",
  },
  { rule: "V2: the ledger holds", sql: "delete from billing.reserved_draw" },
  {
    rule: "V8: what grants paid",
    sql: "update billing.receipt set cost_minor = 0 where payments is not null",
  },
  { rule: "V8: what grants paid", sql: "update billing.reserved_draw set amount = 1, released = 0" },
  {
    rule: "V4: every request",
    sql: "update billing.receipt set cost_minor = cost_minor + 1 where cost_minor > 0",
  },
  {
    rule: "V4: every request",
    sql: "delete from usage.event_key where event_seq = (select min(seq) from usage.event)",
  },
  {
    rule: "V4: every request",
    sql: "update billing.receipt set reservation_id = 'never-reserved' where reservation_id = (select min(reservation_id) from billing.receipt)",
  },
  { rule: "V9: where all usage", sql: "update billing.rated_usage set exact_minor = exact_minor + 1" },
  {
    rule: "V12: every reservation",
    sql: "insert into billing.open_reservation select id, now() - interval '1 day', false, 0, '{}', null, null, null, customer_id from billing.reservation limit 1",
  },
];

test.each(damages)("$rule notices: $sql", async ({ rule, sql }) => {
  const broken = async (tx: Parameters<typeof rows>[0]) => {
    const queries = reservationInvariants(usualLimits);
    const found = await Promise.all(queries.map((query) => rows(tx, drizzle.raw(query.sql))));
    return queries.filter((_, index) => (found[index]?.length ?? 0) > 0).map(({ name }) => name);
  };
  expect(await broken(api.db.orm)).toEqual([]);
  const superuser = await openAsSuperuser(api.db);
  const reported = await lookAt(superuser, (tx) => withoutGuards(tx, sql), broken).finally(() =>
    superuser.close(),
  );
  expect(reported).toContainEqual(expect.stringContaining(rule));
});
