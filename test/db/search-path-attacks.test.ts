import type { ReservedSql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fund, type LedgerFixture, openLedger } from "./ledger-fixture.ts";

/**
 * Functions that act with their owner's rights look names up where the caller may have put something: each is called
 * with temporary types, tables, functions and operators in the way, which note as whom they were run.
 */
let ledger: LedgerFixture;
let attacker: ReservedSql;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 100n));
  for (const { before } of Object.values(calls)) {
    if (before !== undefined) await ledger.db.sql.unsafe(before);
  }
  // A session in which nothing was looked up yet.
  attacker = await ledger.db.sql.reserve();
  await attacker.unsafe("discard all");
  await obstruct();
});

afterAll(async () => {
  attacker.release();
  await ledger.close();
});

const run = async (statement: string) => [...(await attacker.unsafe(statement))];

const json = (value: unknown) => `'${JSON.stringify(value)}'::pg_catalog.text::pg_catalog.jsonb`;

const grantKey = "2000/usd/customer=acme/grant=g";
const entry = (key: string) => ({
  source_key: key,
  kind: "test",
  occurred_at: "2026-01-15T00:00:00Z",
  effective_at: "2026-01-15T00:00:00Z",
  actor: "test",
  cause_type: "test",
  cause_id: key,
  currency: "usd",
  metadata: {},
  postings: [{ debit: grantKey, credit: "4000/usd/product=tokens", amount: "1" }],
});
const hold = (key: string) => ({
  source_key: key,
  currency: "usd",
  cause_type: "test",
  cause_id: key,
  actor: "test",
  placed_at: "2026-01-15T00:00:00Z",
  expires_at: "2026-01-15T01:00:00Z",
  lines: [{ account: grantKey, amount: "1", at_most: "2" }],
});
const meterPublished = `
  insert into catalog.meter (key, version, definition)
  values ('m', 1, '{"eventType": "request", "aggregation": "count"}') on conflict do nothing`;

/** A call of usage.ingest with one event, counted or of a customer whom nobody knows; its answer is null where it counts. */
const taken = (id: string, number: number, customer: "counted" | "nobody") => {
  const uuid = (kind: number) => `{00000000-0000-0000-000${kind}-${String(number).padStart(12, "0")}}`;
  const isCounted = customer === "counted";
  const numbers = "(select pg_catalog.array_agg(c.number) from billing.customer c where c.id = 'counted')";
  return `usage.ingest(null, true, '${uuid(1)}', '${uuid(2)}', '{${id}}', '{1768435200000}',
    ${isCounted ? numbers : "'{NULL}'"}, '{${customer}}', '{}', ${isCounted ? `'{"{1}"}'` : "'{NULL}'"}, '{}', '{1}',
    '{request}', '{edge}', ${isCounted ? `'{"{1}"}', '{"{1}"}'` : "'{NULL}', '{NULL}'"})`;
};

/** An event that counts, to be corrected. */
const countedEvent = (id: string, number: number) => `
  insert into billing.customer (id, name, email, currency, time_zone, created_at)
  values ('counted', 'x', 'x@example.com', 'usd', 'UTC', now()) on conflict do nothing;
  ${meterPublished};
  select usage.open_months('{2026-01-15Z}'), usage.dimension_numbers('{"{}"}');
  select ${taken(id, number, "counted")};`;
const asked = (id: string, event: string, aloneMax: number) => `
  usage.request_correction('${id}', 'void', null, 'duplicate', 'why', 'alice', pg_catalog.now(), ${aloneMax},
    (select pg_catalog.array_agg(e.seq) from usage.event e where e.id = '${event}'), '{2026-01-15Z}', '{NULL}')::pg_catalog.text`;
const refused = {
  partition: 0,
  message_offset: 0,
  event_number: 0,
  code: "x",
  detail: "x",
  content: "",
  content_bytes: 0,
};

/** A call of each function, what it answers, and what it needs before. */
const calls: Readonly<Record<string, { call: string; answer: unknown; before?: string }>> = {
  "ledger.post_entries": {
    call: `select status as answer from ledger.post_entries(${json([entry("posted")])})`,
    answer: "created",
  },
  "ledger.place_holds": {
    call: `select status as answer from ledger.place_holds(${json([hold("placed")])})`,
    answer: "created",
  },
  "ledger.settle_holds": {
    before: `select from ledger.place_holds(${json([hold("settled")])})`,
    call: `select status as answer from ledger.settle_holds(${json([{ hold: "settled", entry: entry("settled") }])})`,
    answer: "created",
  },
  "ledger.release_holds": {
    before: `select from ledger.place_holds(${json([hold("released")])})`,
    call: "select status as answer from ledger.release_holds(array['released'::pg_catalog.text], 'alice', pg_catalog.now())",
    answer: "released",
  },
  "ledger.expire_holds": {
    before: `select from ledger.place_holds(${json([hold("expired")])})`,
    call: "select ledger.expire_holds('2026-01-16T00:00:00Z', 1)::pg_catalog.text as answer",
    answer: "1",
  },
  "ledger.fold_hot_balances": {
    before: `select from ledger.post_entries(${json([entry("folded")])})`,
    call: "select ledger.fold_hot_balances() > 0 as answer",
    answer: true,
  },
  "stripe.take_turn": {
    call:
      "select stripe.take_turn(array['account'::pg_catalog.text], array[1::pg_catalog.numeric], " +
      "'1 hour'::pg_catalog.interval)::pg_catalog.text as answer",
    answer: "00:00:00",
  },
  "ledger.close_period": {
    call: "select ledger.close_period('2025-01-01', 'alice') as answer",
    answer: true,
  },
  "ledger.carry_closed_month": {
    before: "select ledger.close_period('2024-12-01', 'alice')",
    call: "select ledger.carry_closed_month() is not null as answer",
    answer: true,
  },
  "ledger.prepare_partitions": {
    call: "select ledger.prepare_partitions(100000000) as answer",
    answer: 1,
  },
  "ledger.seal_closed_range": {
    call: "select pg_catalog.count(*) >= 0 as answer from ledger.seal_closed_range(10)",
    answer: true,
  },
  "usage.ingest": {
    call: `select ${taken("stranger", 1, "nobody")} as answer`,
    answer: ["unknown_customer"],
  },
  "usage.release": {
    call: `select pg_catalog.count(*) = 0 as answer from usage.release('{1}', '{"{1}"}', '{"{1}"}', '{"{1}"}', '{NULL}')`,
    answer: true,
  },
  "usage.dimension_numbers": {
    call: `select pg_catalog.count(*) = 1 as answer from usage.dimension_numbers('{"{}"}')`,
    answer: true,
  },
  "usage.open_months": {
    call: "select pg_catalog.count(*) = 1 as answer from usage.open_months('{2026-03-15Z}')",
    answer: true,
  },
  "usage.fold": {
    before: countedEvent("folded", 2),
    call: "select contributions >= 0 as answer from usage.fold(10)",
    answer: true,
  },
  "usage.note_heartbeat": {
    call: "select is_news as answer from usage.note_heartbeat('edge', 'pod', '2026-01-15Z', null, null)",
    answer: true,
  },
  "usage.end_heartbeats": {
    call: "select usage.end_heartbeats('edge', 'pod')::pg_catalog.text as answer",
    answer: "",
  },
  "usage.refuse_from_log": {
    call: `select usage.refuse_from_log('00000000-0000-0000-0000-000000000001', ${json([refused])})::pg_catalog.text as answer`,
    answer: null,
  },
  "usage.open_backfill": {
    call: "select usage.open_backfill('opened', 'x', 'y', 'alice', pg_catalog.now())::pg_catalog.text as answer",
    answer: null,
  },
  "usage.close_backfill": {
    before: "select usage.open_backfill('closed', 'x', 'y', 'alice', now())",
    call: "select usage.close_backfill('closed', 'alice', pg_catalog.now())::pg_catalog.text as answer",
    answer: "",
  },
  "usage.add_to_backfill": {
    before: "select usage.open_backfill('filled', 'x', 'y', 'alice', now())",
    call: "select usage.add_to_backfill('filled', '{}') = 0 as answer",
    answer: true,
  },
  "usage.request_correction": {
    before: countedEvent("asked", 4),
    call: `select ${asked("asked", "asked", 100)} as answer`,
    answer: "",
  },
  "usage.decide_correction": {
    before: `${countedEvent("decided", 5)} select ${asked("decided", "decided", 0)}`,
    call: "select usage.decide_correction('decided', 'rejected', 'bob', 'no', pg_catalog.now())::pg_catalog.text as answer",
    answer: "",
  },
  "usage.book_correction": {
    before: `${countedEvent("booked", 6)} select ${asked("booked", "booked", 100)}`,
    call: "select usage.book_correction('booked', pg_catalog.now(), '{}', '{}', '{}', '{}', '{}') as answer",
    answer: true,
  },
  "usage.repair_windows": {
    call: "select pg_catalog.count(*) = 0 as answer from usage.repair_windows(1, '2026-01-01')",
    answer: true,
  },
  "usage.start_meter_backfill": {
    before: meterPublished,
    call: "select usage.start_meter_backfill('started', 1, null, '2026-01-01Z', null, 'alice') > 0 as answer",
    answer: true,
  },
  "usage.claim_meter_backfill": {
    call: "select usage.claim_meter_backfill() > 0 as answer",
    answer: true,
  },
  "usage.write_meter_backfill_page": {
    call: `select usage.write_meter_backfill_page(usage.claim_meter_backfill(), 1, '{}', '{}', '{}', '{}', '[]') is not null as answer`,
    answer: true,
  },
  "usage.cancel_meter_backfill": {
    call: "select usage.cancel_meter_backfill(4711, 'alice') as answer",
    answer: false,
  },
  "billing.open_window": {
    before: countedEvent("opened", 7),
    call: `select billing.open_window('counted', 'm', '{}', 3600000, '2026-01-01Z', '2026-01-15T00:10Z', '2026-01-15T00:15Z')
      = '2026-01-15Z' as answer`,
    answer: true,
  },
  "billing.open_counters": {
    call: "select billing.open_counters('{}', '{}', '{}', '{}', '{}') as answer",
    answer: [],
  },
  "billing.place_reservations": {
    call: `select count(*)::int as answer from billing.place_reservations(
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}')`,
    answer: 0,
  },
  "billing.bill_reserved_draws": {
    call: `select billing.bill_reserved_draws('nobody', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '2026-01-15T00:00:00Z')
      is not null as answer`,
    answer: true,
  },
  "billing.first_use_window": {
    before: `
      insert into billing.customer (id, name, email, currency, time_zone, created_at)
      values ('spends', 'x', 'x@example.com', 'usd', 'UTC', now()) on conflict do nothing;
      insert into billing.spender (customer_id, kind, key) values ('spends', 'organisation', 'spends') on conflict do nothing`,
    call: `select billing.first_use_window(
      (select max(number) from billing.spender), null, 'five hours', '2026-01-15T00:00:00Z', '5 hours') is not null as answer`,
    answer: true,
  },
  "billing.settle_reservations": {
    call: "select count(*)::int as answer from billing.settle_reservations('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    answer: 0,
  },
  "billing.write_reservations": {
    call: `select count(*)::int as answer from billing.write_reservations('{}', '{}',
      row('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')::billing.reservation_settling,
      row(0, '{}', '{}', '{}', '{}', '{}', '{}', '', '{}', '{}', '{}', '{}', '{}', '{}', '{}')::billing.reservation_metering,
      row('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
        ::billing.reservation_placing)`,
    answer: 0,
  },
  "billing.extend_reservation": {
    call: "select billing.extend_reservation('r', now(), now()) as answer",
    answer: false,
  },
  "access.record_audit": {
    call: `select 'written' as answer from access.record_audit('{"id": "aud_1", "at": "2026-01-01T00:00:00Z", "actor": "api-key/1",
      "rights": ["admin"], "operation": "PUT /v1/seller", "resource": "seller", "verb": "admin", "path": "/v1/seller", "request": "1"}')`,
    answer: "written",
  },
  "billing.expire_reservations": {
    call: "select billing.expire_reservations(now(), 10) as answer",
    answer: 0,
  },
  "usage.judge_archived": {
    call: "select usage.judge_archived('{}', '{}', '{}', '{}', '{}', '{}') as answer",
    answer: [],
  },
};

test("every function that acts with its owner's rights and that the application may run is called here", async () => {
  const found = await ledger.owner.sql<{ name: string }[]>`
    select concat_ws('.', nspname, proname) as name from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
    where prosecdef and nspname !~ '^pg_' and has_function_privilege('reckoner_app', pg_proc.oid, 'execute') order by name`;
  expect(found.map(({ name }) => name)).toEqual(Object.keys(calls).sort());
});

/** Domains named like the types that functions use: a value that becomes one of them runs the caller's code. */
const shadowedTypes = "text jsonb json uuid date timestamptz bytea xid8 oid regclass int4 int8 bool".split(
  " ",
);
const shadowedFunctions =
  "sha256 convert_to now clock_timestamp pg_current_xact_id hashtext nextval set_config".split(" ");
const transitionTables = "entered posted opened placed lines resolved added".split(" ");

/** Puts the caller's things in the way; each notes in whose name it was run. */
async function obstruct(): Promise<void> {
  await run(`create function pg_temp.note(anyelement) returns pg_catalog.bool language plpgsql as $$ begin
    perform pg_catalog.set_config('attack.ran_as', current_user, false);
    return true;
  end $$`);
  const tables = await run(`
    select distinct relname::pg_catalog.text as name from pg_catalog.pg_class
    where relkind in ('r', 'p', 'v') and not relispartition and relname !~ '^pg_toast'`);
  for (const name of new Set([...tables.map((table) => table.name), ...transitionTables])) {
    await run(`create temp table "${name}" (id pg_catalog.int8, amount pg_catalog.numeric)`);
  }
  for (const name of shadowedFunctions) {
    await run(
      `create function pg_temp.${name}(pg_catalog.text) returns pg_catalog.bool language sql as 'select pg_temp.note(true)'`,
    );
  }
  for (const type of shadowedTypes) {
    await run(`create domain pg_temp."${type}" as pg_catalog."${type}" check (pg_temp.note(value))`);
  }
  await run("set search_path = pg_temp, public, ledger, usage, pg_catalog");
}

/** Runs a statement of the caller's, and tells in whose name any of the caller's things were run meanwhile. */
async function ranAs(statement: string): Promise<{ answer: unknown; who: unknown }> {
  await run("select pg_catalog.set_config('attack.ran_as', 'nobody', false)");
  const [row] = await run(statement);
  const [noted] = await run("select pg_catalog.current_setting('attack.ran_as') as who");
  return { answer: row?.answer, who: noted?.who };
}

test("what is in the way runs: for the caller, and for a function that looks there", async () => {
  expect(await ranAs("select 'x'::text as answer")).toEqual({ answer: "x", who: "reckoner_app" });
  await ledger.owner.sql.unsafe(`
    create function ledger.careless() returns text language plpgsql security definer set search_path = '' as $$ begin return 'x'::text; end $$;
    grant execute on function ledger.careless to reckoner_app`);
  expect(await ranAs("select ledger.careless() as answer")).toEqual({ answer: "x", who: "reckoner_owner" });
});

test.each(Object.keys(calls))("%s runs nothing of the caller's", async (name) => {
  const { call, answer } = calls[name] ?? { call: "", answer: "" };
  expect(await ranAs(call)).toEqual({ answer, who: "nobody" });
});
