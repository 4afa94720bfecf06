-- Why: that windows are what the events say must be provable, and mendable, at any time; and a meter that is published later must be able to
-- count what was stored before it.

-- ── windows are proved ───────────────────────────────────────────────────────────────────────────────────────
-- Where a customer's day begins from which on all single events are here. A number that no customer has stands in windows only by
-- damage; its clock shows UTC.
create function usage.first_day_here(of_customer bigint) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  archived_before constant timestamptz := usage.archived_before();
  zone constant text := coalesce((select time_zone from billing.customer where number = of_customer), 'UTC');
begin
  if archived_before = '-infinity' then
    return archived_before;
  end if;
  return usage.window_end('day', usage.window_start('day', archived_before - interval '1 microsecond', zone), zone);
end
$$;

-- A customer's month, as whole days on his clock, as far as single events of it are here.
create function usage.customer_month(of_customer bigint, month date, out starts timestamptz, out ends timestamptz)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select greatest(usage.day_begins(date_trunc('month', month)::date, zone), usage.first_day_here(of_customer)),
    usage.day_begins((date_trunc('month', month) + interval '1 month')::date, zone)
  from (select coalesce((select time_zone from billing.customer where number = of_customer), 'UTC') as zone) as of_zone
$$;

-- From the month of the first to the month of the last that there is of a customer: events, what became of them later, windows. Those that
-- were archived are left out.
create function usage.months_of_customer(of_customer bigint) returns setof date
language sql stable set search_path = pg_catalog, pg_temp as $$
  select generate_series(date_trunc('month', greatest(min(at), usage.first_day_here(of_customer)) at time zone zone), date_trunc('month', max(at) at time zone zone), '1 month')::date
  from (select coalesce((select time_zone from billing.customer where number = of_customer), 'UTC') as zone) as of_zone
  cross join lateral (
    select min(time), max(time) from usage.event where customer_number = of_customer
    union all select min(time), max(time) from usage.later_contribution where customer_number = of_customer
    union all select min(start), max(start) from usage.window where customer_number = of_customer
    union all select min(start), max(start) from usage.window_level where customer_number = of_customer
    union all select min(start), max(start) from usage.window_value where customer_number = of_customer
  ) as extent (first, last)
  cross join lateral (values (first), (last)) as ends (at)
  group by zone
$$;

-- Where the windows of a time, a row each, are not what the contributions say that were folded: `stored` is null when the row is missing,
-- `expected` when there should be none. Sums are those of all meters; values and levels are of meters that need them. One statement, and
-- so of one moment, whatever is taken in and folded meanwhile. The time consists of whole days of the customer's.
create function usage.window_differences(of_customer bigint, since timestamptz, until timestamptz, kinds text[])
returns table (kind text, meter int, size text, start timestamptz, dimensions bigint, value text, stored jsonb, expected jsonb)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
  select 'sums', meter, size, start, dimensions, null,
    case when s.count is not null
      then jsonb_build_object('count', s.count::text, 'sum', s.sum::text, 'min', s.min::text, 'max', s.max::text) end,
    case when e.count is not null
      then jsonb_build_object('count', e.count::text, 'sum', e.sum::text, 'min', e.min::text, 'max', e.max::text) end
  from (select * from usage.window w where w.customer_number = of_customer and w.start >= since and w.start < until) as s
  full join usage.expected_windows(of_customer, null, null, since, until, (select before from usage.folded)) as e
    using (meter, size, start, dimensions)
  where 'sums' = any (kinds) and (s.count, s.sum, s.min, s.max) is distinct from (e.count, e.sum, e.min, e.max)
  union all
  select 'values', meter, size, start, dimensions, value,
    case when s.customer_number is not null then jsonb_build_object('value', value) end,
    case when e.customer_number is not null then jsonb_build_object('value', value) end
  from (select * from usage.window_value w where w.customer_number = of_customer and w.start >= since and w.start < until) as s
  full join usage.expected_values(of_customer, null, null, since, until, (select before from usage.folded)) as e
    using (meter, size, start, dimensions, value)
  where 'values' = any (kinds) and (s.customer_number is null or e.customer_number is null)
  union all
  select 'levels', meter, size, start, dimensions, null,
    case when s.area is not null then jsonb_build_object('first', s.first::text, 'last', s.last::text, 'area', s.area::text) end,
    case when e.area is not null then jsonb_build_object('first', e.first::text, 'last', e.last::text, 'area', e.area::text) end
  from (select * from usage.window_level w where w.customer_number = of_customer and w.start >= since and w.start < until) as s
  full join usage.expected_levels(of_customer, null, null, since, until, (select before from usage.folded)) as e
    using (meter, size, start, dimensions)
  where 'levels' = any (kinds) and (s.first, s.last, s.area) is distinct from (e.first, e.last, e.area)
$$;

-- Makes the windows of a customer's month what the contributions say, and gives what was not so. Folding waits meanwhile; taking in and
-- reading go on. Whoever calls it can only make windows right, so the application may.
create function usage.repair_windows(of_customer bigint, month date)
returns table (kind text, meter int, size text, start timestamptz, dimensions bigint, value text, stored jsonb, expected jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
#variable_conflict use_column
declare
  since timestamptz;
  until timestamptz;
  horizon xid8;
begin
  select m.starts, m.ends into since, until from usage.customer_month(of_customer, month) as m;
  select before into horizon from usage.folded for update;
  return query select * from usage.window_differences(of_customer, since, until, '{sums,values,levels}');
  if not found then
    return;
  end if;

  perform set_config('usage.keeps_windows', 'on', true);
  with right_ones as materialized (
    select * from usage.expected_windows(of_customer, null, null, since, until, horizon)
  ), removed as (
    delete from usage.window w where w.customer_number = of_customer and w.start >= since and w.start < until and not exists (
      select from right_ones r where (r.meter, r.size, r.start, r.dimensions) = (w.meter, w.size, w.start, w.dimensions))
  )
  insert into usage.window as w select * from right_ones
  on conflict (customer_number, meter, size, start, dimensions) do update
    set count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max
    where (w.count, w.sum, w.min, w.max) is distinct from (excluded.count, excluded.sum, excluded.min, excluded.max);

  with right_ones as materialized (
    select * from usage.expected_levels(of_customer, null, null, since, until, horizon)
  ), removed as (
    delete from usage.window_level w where w.customer_number = of_customer and w.start >= since and w.start < until and not exists (
      select from right_ones r where (r.meter, r.size, r.start, r.dimensions) = (w.meter, w.size, w.start, w.dimensions))
  )
  insert into usage.window_level as w select * from right_ones
  on conflict (customer_number, meter, size, start, dimensions) do update
    set first = excluded.first, last = excluded.last, area = excluded.area
    where (w.first, w.last, w.area) is distinct from (excluded.first, excluded.last, excluded.area);

  with right_ones as materialized (
    select * from usage.expected_values(of_customer, null, null, since, until, horizon)
  ), removed as (
    delete from usage.window_value w where w.customer_number = of_customer and w.start >= since and w.start < until and not exists (
      select from right_ones r
      where (r.meter, r.size, r.start, r.dimensions, r.value) = (w.meter, w.size, w.start, w.dimensions, w.value))
  )
  insert into usage.window_value select * from right_ones on conflict do nothing;
  perform set_config('usage.keeps_windows', 'off', true);
end
$$;

revoke execute on function usage.first_day_here, usage.customer_month, usage.months_of_customer, usage.window_differences, usage.repair_windows from public;
grant execute on function usage.first_day_here, usage.customer_month, usage.months_of_customer, usage.window_differences, usage.repair_windows to reckoner_app;
--> statement-breakpoint
-- ── stored events for a new meter ────────────────────────────────────────────────────────────────────────────
-- Somebody asked to have stored events counted by a version of a meter: those with a smaller number, of that time, of all customers
-- or of one. Its number is that of the fact to which the contributions are due.
create table usage.meter_backfill (
  seq bigint primary key default nextval('usage.event_seq'),
  id text not null unique, -- what its requester calls it
  meter int not null references catalog.meter (number),
  customer_number bigint references billing.customer (number),
  since timestamptz not null,
  until timestamptz check (until > since), -- null: all that there is
  requested_by text not null,
  requested_at timestamptz not null default now()
);
create index meter_backfill_of_meter on usage.meter_backfill (meter);
call public.make_append_only('usage.meter_backfill');

-- How far it has come, written with the contributions up to there. The counts are of all pages up to this one.
create table usage.meter_backfill_page (
  backfill_seq bigint not null references usage.meter_backfill (seq),
  page int not null check (page > 0),
  -- The last event that was looked at, in this order.
  customer_number bigint not null,
  event_time timestamptz not null,
  event_seq bigint not null,
  events bigint not null, -- looked at
  contributions bigint not null, -- made
  refusals bigint not null,
  recorded_at timestamptz not null default now(),
  primary key (backfill_seq, page)
);
call public.make_append_only('usage.meter_backfill_page');

-- Events that the meter cannot measure: they stay as they are, and do not count for it.
create table usage.meter_backfill_refusal (
  backfill_seq bigint not null references usage.meter_backfill (seq),
  event_seq bigint not null,
  event_time timestamptz not null,
  code text not null,
  detail text not null,
  field text,
  primary key (backfill_seq, event_seq)
);
call public.make_append_only('usage.meter_backfill_refusal');

create table usage.meter_backfill_end (
  backfill_seq bigint primary key references usage.meter_backfill (seq),
  outcome text not null check (outcome in ('done', 'canceled')),
  ended_by text check ((ended_by is not null) = (outcome = 'canceled')),
  ended_at timestamptz not null default now()
);
call public.make_append_only('usage.meter_backfill_end');

create view usage.meter_backfill_standing with (security_invoker) as
select b.*, m.key, m.version, customer.id as customer_id,
  coalesce(ended.outcome, case when page.page is null then 'waiting' else 'running' end) as state,
  coalesce(page.events, 0) as events, coalesce(page.contributions, 0) as contributions, coalesce(page.refusals, 0) as refusals,
  coalesce(page.page, 0) as pages, page.customer_number as at_customer, page.event_time as at_time, page.event_seq as at_seq,
  ended.ended_by, ended.ended_at
from usage.meter_backfill b
join catalog.meter m on m.number = b.meter
left join billing.customer on customer.number = b.customer_number
left join usage.meter_backfill_end ended on ended.backfill_seq = b.seq
left join lateral (
  select * from usage.meter_backfill_page p where p.backfill_seq = b.seq order by p.page desc limit 1
) as page on true;
comment on view usage.meter_backfill_standing is 'Every backfill of a meter with how far it has come.';

-- Batches that measure without the version have ended when it is numbered, and later ones measure with it: so the events with a smaller
-- number are all there, and those with a larger one need no backfill. Asked for again under the same id, it is the first one.
create function usage.start_meter_backfill(new_id text, of_meter int, of_customer bigint, since timestamptz, until timestamptz, requested_by text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('catalog', 0));
  perform usage.events_are_here(since, 'infinity');
  insert into usage.meter_backfill (id, meter, customer_number, since, until, requested_by)
  values (new_id, of_meter, of_customer, since, until, requested_by) on conflict (id) do nothing;
  select b.seq into started from usage.meter_backfill b where b.id = new_id;
  return started;
end
$$;

-- Takes on, until the end of this transaction, the oldest backfill of a version that nobody else is at. Null when there is none.
create function usage.claim_meter_backfill() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  open record;
begin
  for open in
    select b.seq, b.meter, b.since from usage.meter_backfill b
    where not exists (select from usage.meter_backfill_end e where e.backfill_seq = b.seq) order by b.seq
  loop
    if pg_try_advisory_xact_lock(hashtext('usage.meter_backfill'), open.meter)
      -- Whoever had it before may have ended it since this was asked.
      and not exists (select from usage.meter_backfill_end e where e.backfill_seq = open.seq) then
      if open.since < usage.archived_before() then
        -- Its events are gone: who asked may ask for those that are here.
        insert into usage.meter_backfill_end (backfill_seq, outcome, ended_by) values (open.seq, 'canceled', 'archive');
        continue;
      end if;
      -- A correction measures an event with every version, also with this one: it comes wholly before the page or wholly after.
      perform usage.await_corrections();
      return open.seq;
    end if;
  end loop;
  return null;
end
$$;

-- The next events of a backfill in the order of customer and time, with what they say now: `data` is null when nothing is to be measured,
-- because the event was taken back or the version has counted it already.
create function usage.next_of_meter_backfill(of_backfill bigint, events_max int)
returns table (seq bigint, "time" timestamptz, customer_number bigint, customer_id text, type text, source text, id text, data json)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select e.seq, e.time, e.customer_number, (select c.id from billing.customer c where c.number = e.customer_number), e.type, e.source, e.id,
    case
      when b.meter = any (e.meters) or exists (select from usage.later_contribution l where l.event_seq = e.seq and l.meter = b.meter) then null
      when corrected.kind is null then e.data
      when corrected.kind = 'amend' then corrected.data
    end
  from usage.meter_backfill_standing b
  join catalog.meter m on m.number = b.meter
  cross join lateral (
    select * from usage.event e
    where e.customer_number between coalesce(b.customer_number, 0) and coalesce(b.customer_number, 9223372036854775807)
      and e.time >= b.since and e.time < coalesce(b.until, 'infinity') and e.seq < b.seq and e.type = m.definition ->> 'eventType'
      and (e.customer_number, e.time, e.seq) > (coalesce(b.at_customer, -1), coalesce(b.at_time, '-infinity'), coalesce(b.at_seq, -1))
    order by e.customer_number, e.time, e.seq limit events_max
  ) as e
  left join lateral (select c.kind, c.data from usage.corrected_event c where c.event_seq = e.seq) as corrected on true
  where b.seq = of_backfill
  order by e.customer_number, e.time, e.seq
$$;

-- Writes a page: what the version made of events (lists of equal length), which it refused, and how far the backfill is; it ends when no
-- event follows. Who writes has claimed the backfill and asked for its next events in this transaction. An event is counted by a
-- version once, whichever backfill comes to it: pages of one version are written one after the other.
create function usage.write_meter_backfill_page(of_backfill bigint, events_max int,
  event_seqs bigint[], dimensions bigint[], quantities numeric[], distinct_values text[], refusals jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  of_meter int;
  written bigint;
  refused bigint;
  looked_at bigint;
begin
  select meter into of_meter from usage.meter_backfill where seq = of_backfill;
  perform pg_advisory_xact_lock(hashtext('usage.meter_backfill'), of_meter);
  perform usage.await_corrections();
  if of_meter is null or exists (select from usage.meter_backfill_end where backfill_seq = of_backfill) then
    raise exception 'backfill % is not open', of_backfill using errcode = 'RK031';
  end if;
  with page as materialized (
    select seq, time, customer_number, data is not null as is_due, row_number() over (order by customer_number desc, time desc, seq desc) as back
    from usage.next_of_meter_backfill(of_backfill, events_max)
  ), measured as (
    insert into usage.later_contribution (fact_seq, event_seq, time, customer_number, meter, dimensions, quantity, value, weight)
    select of_backfill, page.seq, page.time, page.customer_number, of_meter, m.dimensions, m.quantity, m.value, 1
    from unnest(event_seqs, dimensions, quantities, distinct_values) as m (seq, dimensions, quantity, value)
    join page using (seq) where page.is_due
    returning 1
  ), refusing as (
    insert into usage.meter_backfill_refusal (backfill_seq, event_seq, event_time, code, detail, field)
    select of_backfill, page.seq, page.time, r.code, r.detail, r.field
    from jsonb_to_recordset(refusals) as r (seq bigint, code text, detail text, field text) join page using (seq) where page.is_due
    returning 1
  ), turned as (
    insert into usage.meter_backfill_page (backfill_seq, page, customer_number, event_time, event_seq, events, contributions, refusals)
    select of_backfill, b.pages + 1, page.customer_number, page.time, page.seq, b.events + (select count(*) from page),
      b.contributions + (select count(*) from measured), b.refusals + (select count(*) from refusing)
    from page join usage.meter_backfill_standing b on b.seq = of_backfill where page.back = 1
  )
  select (select count(*) from measured), (select count(*) from refusing), (select count(*) from page) into written, refused, looked_at;
  if written <> cardinality(event_seqs) or refused <> jsonb_array_length(refusals) then
    raise exception 'an event is not of this page' using errcode = 'RK032';
  end if;
  if looked_at < events_max then
    insert into usage.meter_backfill_end (backfill_seq, outcome) values (of_backfill, 'done');
  end if;
  return looked_at < events_max;
end
$$;

-- What has been counted stays counted. False when it had ended.
create function usage.cancel_meter_backfill(of_backfill bigint, canceled_by text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- A page that is being written comes before.
  perform pg_advisory_xact_lock(hashtext('usage.meter_backfill'), meter) from usage.meter_backfill where seq = of_backfill;
  insert into usage.meter_backfill_end (backfill_seq, outcome, ended_by)
  select b.seq, 'canceled', canceled_by from usage.meter_backfill b where b.seq = of_backfill on conflict do nothing;
  return found;
end
$$;

revoke execute on function usage.start_meter_backfill, usage.claim_meter_backfill, usage.next_of_meter_backfill,
  usage.write_meter_backfill_page, usage.cancel_meter_backfill from public;
grant execute on function usage.start_meter_backfill, usage.claim_meter_backfill, usage.next_of_meter_backfill,
  usage.write_meter_backfill_page, usage.cancel_meter_backfill to reckoner_app;
grant select on usage.meter_backfill, usage.meter_backfill_page, usage.meter_backfill_refusal, usage.meter_backfill_end,
  usage.meter_backfill_standing to reckoner_app;
