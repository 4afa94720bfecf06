import { afterAll, beforeAll, expect, test } from "vitest";
import { privilegeInvariants } from "../../src/db/invariants/privilege-invariants.ts";
import { expectInvariants, fund, type LedgerFixture, openLedger, refusal, spend } from "./ledger-fixture.ts";

/** What somebody could try who has taken over the application, and so has its connection to the database. */
let ledger: LedgerFixture;
let before: unknown;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("f", "g", 10n), spend("s", "g", 4n));
  before = await rulesAndRows();
});

afterAll(async () => {
  expect(await rulesAndRows()).toEqual(before);
  for (const { name, sql } of privilegeInvariants) {
    expect([...(await ledger.db.sql.unsafe(sql))], name).toEqual([]);
  }
  await expectInvariants(ledger.db);
  await ledger.close();
});

/** Everything that holds a rule, and the money. */
async function rulesAndRows() {
  const [found] = await ledger.owner.sql`
    select
      (select md5(string_agg(to_jsonb(pg_trigger)::text, '' order by oid)) from pg_trigger) as triggers,
      (select md5(string_agg(to_jsonb(pg_proc)::text, '' order by oid)) from pg_proc where pronamespace <> pg_my_temp_schema()) as functions,
      (select md5(string_agg(to_jsonb(pg_constraint)::text, '' order by oid)) from pg_constraint) as constraints,
      (select md5(string_agg(concat_ws(' ', oid, relowner, relacl, relpersistence, relispartition), '' order by oid))
        from pg_class where relnamespace in (select oid from pg_namespace where nspname !~ '^pg_')) as tables,
      (select md5(string_agg(to_jsonb(pg_auth_members)::text, '' order by oid)) from pg_auth_members) as memberships,
      (select md5(string_agg(to_jsonb(posting)::text, '' order by entry_id, line)) from ledger.posting) as postings,
      (select md5(string_agg(to_jsonb(balance)::text, '' order by account_id)) from ledger.account_balance as balance) as balances`;
  return found;
}

/** A statement by itself, on a connection of its own that is thrown away with whatever was set there. */
async function attempt(statement: string): Promise<string> {
  const connection = await ledger.db.sql.reserve();
  try {
    return await refusal(connection.unsafe(statement));
  } finally {
    await connection.unsafe("discard all");
    connection.release();
  }
}

const evil =
  "create function pg_temp.evil() returns trigger language plpgsql as $$ begin return null; end $$;";

test.each([
  // Switching the rules off.
  "set session_replication_role = replica",
  "set local session_replication_role = replica",
  "alter table ledger.posting disable trigger all",
  "alter table ledger.posting disable trigger append_only_rows",
  "alter table ledger.posting_1 disable trigger user",
  "drop trigger apply_postings on ledger.posting",
  "drop trigger all_else_is_fixed on billing.invoice",
  "alter trigger apply_postings on ledger.posting rename to gone",
  "alter table ledger.account_balance drop constraint account_balance_floor",
  "alter table ledger.posting detach partition ledger.posting_1",
  "alter table ledger.posting_1 set unlogged",
  "alter table ledger.posting drop column amount",
  "alter table ledger.posting alter column amount type numeric using amount + 1",
  "alter table ledger.posting owner to current_user",
  "drop table ledger.posting cascade",
  "drop schema ledger cascade",
  "update pg_trigger set tgenabled = 'D'",
  "update pg_class set relowner = 'reckoner_app'::regrole",
  // Putting something of one's own in the way.
  `${evil} create trigger evil before insert on ledger.posting for each row execute function pg_temp.evil()`,
  `${evil} create trigger evil before insert on billing.payment for each row execute function pg_temp.evil()`,
  "create rule evil as on insert to ledger.posting do instead nothing",
  "create rule evil as on insert to billing.payment do instead nothing",
  "create policy evil on ledger.posting using (false)",
  "create or replace function ledger.post_entries(entries jsonb) returns table (ordinal int, status text, entry_id bigint) language sql as 'select 1, null::text, null::bigint'",
  "create function ledger.claim(text) returns uuid language sql as 'select gen_random_uuid()'",
  "create function public.refuse_change(int) returns int language sql as 'select 1'",
  "alter function ledger.post_entries security invoker",
  "alter function ledger.post_entries set search_path = pg_temp",
  "drop function public.refuse_change cascade",
  "create table ledger.evil ()",
  "create table public.evil ()",
  "create view billing.evil as select 1",
  "create schema evil",
  "create event trigger evil on ddl_command_start execute function pg_temp.evil()",
  "create unique index evil on ledger.posting (amount)",
  // Becoming somebody else.
  "set role reckoner_owner",
  "set role postgres",
  "set session authorization reckoner_owner",
  "grant reckoner_owner to reckoner_app",
  "alter role reckoner_app superuser",
  "alter role reckoner_app createrole",
  "alter role reckoner_owner password 'mine'",
  "create role evil superuser",
  "alter system set session_replication_role = replica",
  // Past the functions.
  "set ledger.keeps_balances = 'on'; update ledger.account_balance set debit = debit + 1",
  "set ledger.keeps_balances = 'on'; delete from ledger.balance_delta",
  "set ledger.keeps_balances = 'on'; insert into ledger.entry_key values (gen_random_uuid(), 1)",
  "set usage.keeps_windows = 'on'; update usage.window set sum = sum + 1",
  "select nextval('ledger.entry_id')",
  "select setval('ledger.entry_id', 1)",
  "select ledger.record_entries('[]', null, true)",
  "select ledger.change_held('{}')",
  "select ledger.open_accounts('{}')",
  "call ledger.add_partition('ledger.posting', 'evil', 'default')",
  "call public.make_append_only('billing.invoice')",
  "call public.make_fixed_but('ledger.posting', 'amount')",
  // By way of the server.
  "copy ledger.posting from program 'echo 1'",
  "copy ledger.posting to program 'cat'",
  "copy ledger.posting from '/etc/hostname'",
  "copy (select 1) to '/tmp/evil'",
  "select pg_read_file('/etc/hostname')",
  "select lo_import('/etc/hostname')",
  "select pg_reload_conf()",
  // Standing in everybody's way.
  "do $$ begin lock table ledger.posting in row exclusive mode; end $$",
  "do $$ begin lock table ledger.posting in share mode; end $$",
  "do $$ begin lock table ledger.account_balance in access exclusive mode; end $$",
  "do $$ begin lock table billing.payment in access exclusive mode; end $$",
  "select from ledger.account_balance for update",
  "reindex table ledger.posting",
  "alter table ledger.posting set (fillfactor = 10)",
])("refused: %s", async (statement) => {
  expect(await attempt(statement)).toBe("42501");
});

// Refused in silence, or without any effect: what is compared afterwards shows it.
test.each([
  "grant update on ledger.posting to reckoner_app",
  "grant all on all tables in schema billing to reckoner_app",
  "vacuum full ledger.posting",
  "analyze ledger.posting",
  "do $$ begin lock table ledger.posting in access share mode; end $$",
])("without effect: %s", async (statement) => {
  await attempt(statement);
});
