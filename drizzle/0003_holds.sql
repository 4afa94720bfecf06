-- Why: what a request may cost is set aside before it runs, so that it cannot be spent twice; then it is settled with what it
-- did cost, released, or it expires. A hold moves no money: it lowers what an account with a floor can still give.

create sequence ledger.hold_id;
create table ledger.hold (
  id bigint primary key default nextval('ledger.hold_id'),
  source_key text not null unique check (source_key <> ''),
  request_hash bytea not null,
  customer_id text,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  cause_type text not null check (cause_type <> ''),
  cause_id text not null check (cause_id <> ''),
  actor text not null check (actor <> ''),
  placed_at timestamptz not null check (placed_at between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  expires_at timestamptz not null check (expires_at > placed_at and expires_at between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_xid xid8 not null default pg_current_xact_id()
);
comment on column ledger.hold.source_key is 'the business fact behind the hold; unique for ever';
create index hold_customer on ledger.hold (customer_id, id) where customer_id is not null;

create table ledger.hold_line (
  hold_id bigint not null references ledger.hold,
  line int not null check (line > 0),
  account_id bigint not null,
  amount numeric(38, 0) not null check (amount > 0 and amount <> 'NaN'),
  at_most numeric(38, 0) check (at_most >= amount and at_most <> 'NaN'),
  primary key (hold_id, line),
  unique (hold_id, account_id)
);
comment on column ledger.hold_line.at_most is 'The most that may be settled from the account, when it has that much; null: any amount it has.';

-- The primary key is the rule that a hold resolves once.
create table ledger.hold_resolution (
  hold_id bigint primary key references ledger.hold,
  outcome text not null check (outcome in ('settled', 'released', 'expired')),
  entry_key text,
  actor text not null check (actor <> ''),
  resolved_at timestamptz not null check (resolved_at between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_xid xid8 not null default pg_current_xact_id(),
  check ((outcome = 'settled') = (entry_key is not null))
);
comment on column ledger.hold_resolution.entry_key is 'the source key of the entry that says what it did cost';
create unique index hold_resolution_entry on ledger.hold_resolution (entry_key) where entry_key is not null;

create table ledger.open_hold (
  hold_id bigint primary key,
  expires_at timestamptz not null
);
comment on table ledger.open_hold is 'Derived. The holds without a resolution.';
create index open_hold_expires_at on ledger.open_hold (expires_at);

call public.make_append_only('ledger.hold');
call public.make_append_only('ledger.hold_line');
call public.make_append_only('ledger.hold_resolution');
create trigger guard_derived before insert or update or delete or truncate on ledger.open_hold for each statement execute function ledger.guard_derived();
--> statement-breakpoint
-- ── what is held follows from holds and resolutions, whoever inserts them ────────────────────────────────────
create function ledger.open_holds() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from placed where recorded_xid <> pg_current_xact_id()) then
    raise exception 'recorded_xid is the database''s to set' using errcode = 'RK003';
  end if;
  perform set_config('ledger.keeps_balances', 'on', true);
  insert into ledger.open_hold (hold_id, expires_at) select id, expires_at from placed;
  perform set_config('ledger.keeps_balances', 'off', true);
  return null;
end
$$;
create trigger open_holds after insert on ledger.hold referencing new table as placed for each statement execute function ledger.open_holds();

create function ledger.set_aside() returns trigger language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  if exists (
    select from lines
    left join ledger.hold as hold on hold.id = lines.hold_id
    left join ledger.open_hold as open_hold on open_hold.hold_id = lines.hold_id
    left join ledger.account as account on account.id = lines.account_id
    -- Lines are written with their hold, before it is resolved; only what has a floor can run out, and so be held.
    where (hold.recorded_xid = pg_current_xact_id() and open_hold.hold_id is not null
      and hold.currency = account.currency and account.floor is not null) is not true
  ) then
    raise exception 'a hold is of accounts that have a floor, in its currency, and complete once it is committed or resolved' using errcode = 'RK002';
  end if;
  perform ledger.change_held(array(select row(account_id, sum(amount))::ledger.held_change from lines group by account_id));
  return null;
end
$$;

create function ledger.give_back() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  closed bigint;
begin
  if exists (select from resolved where recorded_xid <> pg_current_xact_id()) then
    raise exception 'recorded_xid is the database''s to set' using errcode = 'RK003';
  end if;
  perform set_config('ledger.keeps_balances', 'on', true);
  delete from ledger.open_hold where hold_id in (select hold_id from resolved);
  get diagnostics closed = row_count;
  perform set_config('ledger.keeps_balances', 'off', true);
  if closed <> (select count(*) from resolved) then
    raise exception 'a hold resolves once' using errcode = 'RK002';
  end if;
  perform ledger.change_held(array(
    select row(account_id, -sum(amount))::ledger.held_change
    from ledger.hold_line where hold_id in (select hold_id from resolved) group by account_id));
  return null;
end
$$;

create type ledger.held_change as (account_id bigint, amount numeric);

create function ledger.change_held(changes ledger.held_change[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  perform set_config('ledger.keeps_balances', 'on', true);
  update ledger.account_balance as balance set held = held + change.amount
  from (select * from unnest(changes) order by account_id) as change where balance.account_id = change.account_id;
  perform set_config('ledger.keeps_balances', 'off', true);
end
$$;
create trigger set_aside after insert on ledger.hold_line referencing new table as lines for each statement execute function ledger.set_aside();
create trigger give_back after insert on ledger.hold_resolution referencing new table as resolved for each statement execute function ledger.give_back();
--> statement-breakpoint
-- ── placing ──────────────────────────────────────────────────────────────────────────────────────────────────
create type ledger.hold_result as (status text, hold_id bigint);

-- The hash leaves out the times too: whoever repeats a request may count its time anew.
create function ledger.place_hold(hold jsonb) returns ledger.hold_result language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  hash constant bytea := sha256(convert_to((hold - '{source_key,actor,placed_at,expires_at}'::text[])::text, 'UTF8'));
  draft record;
  result ledger.hold_result;
  objector text;
begin
  select * into draft from jsonb_to_record(hold) as draft (
    source_key text, customer_id text, currency text, cause_type text, cause_id text, actor text, placed_at timestamptz,
    expires_at timestamptz, lines jsonb);
  select case when request_hash = hash then 'exists' else 'exists_different' end, id into result
  from ledger.hold where source_key = draft.source_key;
  if found then
    return result;
  end if;
  if (
    select bool_and((amount > 0 and amount < 1e38 and amount = trunc(amount)
      and (at_most is null or at_most >= amount and at_most < 1e38 and at_most = trunc(at_most))
      and line - '{account,amount,at_most}'::text[] = '{}') is true)
    from rows from (jsonb_array_elements(draft.lines), jsonb_to_recordset(draft.lines) as (amount numeric, at_most numeric)) as wanted (line, amount, at_most)
  ) is not true
    or hold - '{source_key,customer_id,currency,cause_type,cause_id,actor,placed_at,expires_at,lines}'::text[] <> '{}'
  then
    raise exception 'a hold needs lines, each of a positive whole amount of at most 38 digits, and has no fields but those of a hold' using errcode = 'RK002';
  end if;
  if exists (
    select from jsonb_to_recordset(draft.lines) as wanted (account text)
    where not exists (select from ledger.account_from_key(account) where floor is not null and currency = draft.currency)
  ) then
    return row('account_missing', null)::ledger.hold_result;
  end if;
  if exists (
    select from jsonb_to_recordset(draft.lines) as wanted (account text)
    where not exists (select from ledger.account where key = wanted.account)
  ) then
    -- What is not open has nothing to give.
    return row('insufficient', null)::ledger.hold_result;
  end if;
  insert into ledger.hold (source_key, request_hash, customer_id, currency, cause_type, cause_id, actor, placed_at, expires_at)
  values (draft.source_key, hash, draft.customer_id, draft.currency, draft.cause_type, draft.cause_id, draft.actor, draft.placed_at, draft.expires_at)
  returning 'created', id into result;
  insert into ledger.hold_line (hold_id, line, account_id, amount, at_most)
  select result.hold_id, line, id, amount, at_most
  from rows from (jsonb_to_recordset(draft.lines) as (account text, amount numeric, at_most numeric))
    with ordinality as wanted (account, amount, at_most, line)
  join ledger.account as account on account.key = wanted.account;
  return result;
exception when check_violation or unique_violation then
  get stacked diagnostics objector = constraint_name;
  if objector = 'account_balance_floor' then
    return row('insufficient', null)::ledger.hold_result;
  elsif objector = 'hold_source_key_key' then
    -- Someone placed it after we had looked, and has committed by now.
    return ledger.place_hold(hold);
  end if;
  raise;
end
$$;

create function ledger.place_holds(holds jsonb) returns table (ordinal int, status text, hold_id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- An older snapshot would not see a hold that was placed meanwhile.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'holds are placed in read committed, not in %', current_setting('transaction_isolation') using errcode = 'RK003';
  end if;
  perform ledger.lock_accounts(array(
    select line ->> 'account' from jsonb_array_elements(holds) as hold cross join jsonb_array_elements(hold -> 'lines') as line));
  return query
    select number::int, (result).* from (
      select number, ledger.place_hold(hold) as result from jsonb_array_elements(holds) with ordinality as item (hold, number) order by number
    ) as placed;
end
$$;
comment on function ledger.place_holds is 'Sets amounts aside, each hold whole or not at all; ordinal counts from 1. Statuses: created, exists, exists_different, insufficient, account_missing.';
--> statement-breakpoint
-- ── resolving ────────────────────────────────────────────────────────────────────────────────────────────────
-- What is wrong with settling a hold by an entry before it is posted; null when nothing is.
create function ledger.settlement_refusal(hold_key text, entry jsonb) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  held ledger.hold;
  resolution ledger.hold_resolution;
begin
  select * into held from ledger.hold where source_key = hold_key;
  if held.id is null then
    return 'hold_missing';
  end if;
  -- Whoever resolves it waits here for whoever is resolving it.
  perform from ledger.open_hold where hold_id = held.id for update;
  select * into resolution from ledger.hold_resolution where hold_id = held.id;
  if resolution.hold_id is not null then
    return case when resolution.entry_key = entry ->> 'source_key' then 'settled_by_it' else 'hold_resolved' end;
  end if;
  if exists (
    select from ledger.hold_line as line join ledger.account as account on account.id = line.account_id
    cross join lateral (
      select sum(case account.key when posting.debit then -account.normal when posting.credit then account.normal end * posting.amount) as amount
      from jsonb_to_recordset(entry -> 'postings') as posting (debit text, credit text, amount numeric)
    ) as taken
    where line.hold_id = held.id and taken.amount > line.at_most
  ) then
    return 'over_limit';
  end if;
  return null;
end
$$;

create function ledger.settle_hold(settlement jsonb) returns ledger.hold_result language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  entry constant jsonb := settlement -> 'entry';
  refusal constant text := ledger.settlement_refusal(settlement ->> 'hold', entry);
  posted record;
  objector text;
begin
  if settlement - '{hold,entry}'::text[] <> '{}' then
    raise exception 'a settlement has a hold and an entry, and no other fields' using errcode = 'RK002';
  elsif refusal <> 'settled_by_it' then
    return row(refusal, null)::ledger.hold_result;
  end if;
  if refusal is null then
    insert into ledger.hold_resolution (hold_id, outcome, entry_key, actor, resolved_at)
    select id, 'settled', entry ->> 'source_key', entry ->> 'actor', (entry ->> 'occurred_at')::timestamptz
    from ledger.hold where source_key = settlement ->> 'hold';
  end if;
  select status, entry_id into posted from ledger.post_entries(jsonb_build_array(entry));
  if refusal is null and posted.status <> 'created' then
    -- Undoes the resolution: the hold stays as it was. An entry that exists without it has settled something else.
    raise exception '%', case posted.status when 'exists' then 'exists_different' else posted.status end using errcode = 'RK006';
  end if;
  return row(posted.status, posted.entry_id)::ledger.hold_result;
exception
  when sqlstate 'RK006' then
    return row(sqlerrm, null)::ledger.hold_result;
  when unique_violation then
    -- The entry has settled another hold.
    get stacked diagnostics objector = constraint_name;
    if objector <> 'hold_resolution_entry' then
      raise;
    end if;
    return row('exists_different', null)::ledger.hold_result;
end
$$;

create function ledger.settle_holds(settlements jsonb) returns table (ordinal int, status text, entry_id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform ledger.lock_accounts(array(
    select account.key from jsonb_array_elements(settlements) as settlement
    join ledger.hold on hold.source_key = settlement ->> 'hold'
    join ledger.hold_line as line on line.hold_id = hold.id join ledger.account as account on account.id = line.account_id
    union
    select side from jsonb_array_elements(settlements) as settlement
    cross join jsonb_array_elements(settlement -> 'entry' -> 'postings') as posting
    cross join lateral (values (posting ->> 'debit'), (posting ->> 'credit')) as sides (side)));
  return query
    select number::int, (result).* from (
      select number, ledger.settle_hold(settlement) as result
      from jsonb_array_elements(settlements) with ordinality as item (settlement, number) order by number
    ) as settled;
end
$$;
comment on function ledger.settle_holds is 'Resolves each hold by posting what it did cost, both or neither: less than was held, or more up to the limits of the hold and of the accounts. Statuses: those of post_entries, hold_missing, hold_resolved, over_limit.';

create function ledger.release_holds(hold_keys text[], actor text, at timestamptz) returns table (hold_key text, status text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform ledger.lock_accounts(array(
    select account.key from ledger.hold join ledger.hold_line as line on line.hold_id = hold.id
    join ledger.account as account on account.id = line.account_id where hold.source_key = any (hold_keys)));
  return query
    with wanted as materialized (
      select distinct key, hold.id from unnest(hold_keys) as key left join ledger.hold on hold.source_key = key
    ), released as (
      insert into ledger.hold_resolution (hold_id, outcome, actor, resolved_at)
      select id, 'released', release_holds.actor, at from wanted join ledger.open_hold on open_hold.hold_id = wanted.id order by id
      on conflict do nothing
      returning hold_id
    )
    select key, case
      when wanted.id is null then 'hold_missing'
      when released.hold_id is not null then 'released'
      when exists (select from ledger.hold_resolution where hold_id = wanted.id and outcome = 'released') then 'exists'
      else 'hold_resolved' end
    from wanted left join released on released.hold_id = wanted.id;
end
$$;
comment on function ledger.release_holds is 'Gives back what was set aside. Statuses: released, exists when it was before, hold_resolved when it was settled or expired, hold_missing.';

create function ledger.expire_holds(at timestamptz, holds_max int) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  due bigint[];
begin
  due := array(select hold_id from ledger.open_hold where expires_at <= at order by expires_at limit holds_max);
  perform ledger.lock_accounts(array(
    select account.key from ledger.hold_line as line join ledger.account as account on account.id = line.account_id where line.hold_id = any (due)));
  insert into ledger.hold_resolution (hold_id, outcome, actor, resolved_at)
  select hold_id, 'expired', 'reckoner', expires_at from ledger.open_hold where hold_id = any (due) order by hold_id
  on conflict do nothing;
  return cardinality(due);
end
$$;
comment on function ledger.expire_holds is 'Resolves what nobody has resolved by this instant, at most so many; gives their number.';

revoke execute on all routines in schema ledger from public;
grant select on ledger.hold, ledger.hold_line, ledger.hold_resolution, ledger.open_hold to reckoner_app;
grant execute on function ledger.place_holds, ledger.settle_holds, ledger.release_holds, ledger.expire_holds to reckoner_app;
