-- Why: an invoice must not pretend to know what is still on its way, so it is kept up to when each source has sent everything.

-- Only the functions below may write these tables, by a setting that they switch on for as long as they do: by hand they would
-- disagree with the events, and with what sources have said.
create function usage.guard_watermarks() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('usage.keeps_watermarks', true) is distinct from 'on' then
    raise exception '% on %.% is refused: it follows from what sources send', tg_op, tg_table_schema, tg_table_name using errcode = 'RK001';
  end if;
  return null;
end
$$;

-- What an instance of a source said last: all that it will ever send with a time before complete_until is accepted. Null
-- says it of every customer, of every type. Only the latest word matters, so earlier ones are not kept.
create table usage.source_heartbeat (
  source text not null,
  instance text not null,
  customer_id text,
  type text,
  complete_until timestamptz not null,
  heard_at timestamptz not null,
  unique nulls not distinct (source, instance, customer_id, type)
);
create index source_heartbeat_of_customer on usage.source_heartbeat (customer_id, type);

-- Which sources sent what for whom, and the last day (UTC) that their events were of.
create table usage.active_source (
  customer_number bigint not null,
  type text not null,
  source text not null,
  last_day date not null,
  primary key (customer_number, type, source)
);

-- How late events come: per day (UTC) of arrival, how many came within 2^bucket seconds and not within half of that.
create table usage.arrival_lag (
  source text not null,
  type text not null,
  day date not null,
  bucket smallint not null check (bucket >= 0),
  events bigint not null check (events > 0),
  primary key (source, type, day, bucket)
);

create trigger guard_derived before insert or update or delete or truncate on usage.source_heartbeat
  for each statement execute function usage.guard_watermarks();
create trigger guard_derived before insert or update or delete or truncate on usage.active_source
  for each statement execute function usage.guard_watermarks();
create trigger guard_derived before insert or update or delete or truncate on usage.arrival_lag
  for each statement execute function usage.guard_watermarks();
--> statement-breakpoint
-- Keeps what an instance says, for each of these customers and types (null: for all). It never goes back: an earlier word is
-- heard and changes nothing. Says whether any of it was news, and how far the instance is where it is furthest behind.
create function usage.note_heartbeat(source text, instance text, complete_until timestamptz, customer_ids text[], types text[],
  out is_news boolean, out known_until timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform set_config('usage.keeps_watermarks', 'on', true);
  delete from usage.source_heartbeat h where h.source = note_heartbeat.source and h.heard_at < now() - interval '90 days';
  with kept as (
    insert into usage.source_heartbeat as h (source, instance, customer_id, type, complete_until, heard_at)
    select note_heartbeat.source, note_heartbeat.instance, c.id, t.type, note_heartbeat.complete_until, clock_timestamp()
    from unnest(coalesce(customer_ids, array[null::text])) as c (id), unnest(coalesce(types, array[null::text])) as t (type)
    group by c.id, t.type
    order by c.id, t.type
    on conflict (source, instance, customer_id, type) do update
      set complete_until = greatest(h.complete_until, excluded.complete_until), heard_at = excluded.heard_at
    returning old.complete_until as before, new.complete_until as after
  )
  select bool_or(before is null or after > before), min(after) into is_news, known_until from kept;
  perform set_config('usage.keeps_watermarks', 'off', true);
end
$$;

-- An instance will send nothing more: nobody waits for it from now on.
create function usage.end_heartbeats(source text, instance text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('usage.keeps_watermarks', 'on', true);
  delete from usage.source_heartbeat h
  where h.source = end_heartbeats.source and h.instance = end_heartbeats.instance;
  perform set_config('usage.keeps_watermarks', 'off', true);
end
$$;

-- Counts the events that the transactions from from_xid on, and before to_xid, recorded. All of these must have ended, and no
-- range may be counted twice. Customers on test clocks have times of their own, and events let out of quarantine waited for
-- us: neither says anything about how late their source is.
create function usage.count_arrivals(from_xid xid8, to_xid xid8) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = on as $$
declare
  seconds constant float8[] := array(select 2 ^ n from generate_series(0, 30) as n);
  on_clocks constant bigint[] := array(select c.number from billing.customer c where c.test_clock_id is not null);
begin
  perform set_config('usage.keeps_watermarks', 'on', true);
  with arrived as materialized (
    select e.customer_number, e.source, e.type, (e.recorded_at at time zone 'UTC')::date as day, width_bucket(date_part('epoch', e.recorded_at - e.time), seconds) as bucket,
      exists (select from usage.quarantined_event q where q.seq = e.seq) as has_waited, count(*) as events, max(e.time) as latest
    from usage.event e where e.recorded_xid >= from_xid and e.recorded_xid < to_xid
    group by 1, 2, 3, 4, 5, 6
  ), seen as (
    insert into usage.active_source as s (customer_number, type, source, last_day)
    select * from (
      select customer_number, type, source, max((latest at time zone 'UTC')::date) as last_day from arrived
      group by customer_number, type, source order by customer_number, type, source
    ) as sent
    -- Most are known: to look is much less than to try.
    where not exists (
      select from usage.active_source k
      where (k.customer_number, k.type, k.source) = (sent.customer_number, sent.type, sent.source) and k.last_day >= sent.last_day)
    on conflict (customer_number, type, source) do update set last_day = excluded.last_day where s.last_day < excluded.last_day
  )
  insert into usage.arrival_lag as l (source, type, day, bucket, events)
  select source, type, day, bucket, sum(events)
  from arrived where not has_waited and customer_number <> all (on_clocks)
  group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict (source, type, day, bucket) do update set events = l.events + excluded.events;
  perform set_config('usage.keeps_watermarks', 'off', true);
end
$$;

revoke execute on function usage.guard_watermarks, usage.note_heartbeat, usage.end_heartbeats, usage.count_arrivals from public;
grant execute on function usage.note_heartbeat, usage.end_heartbeats to reckoner_app;
grant select on usage.source_heartbeat, usage.active_source, usage.arrival_lag to reckoner_app;
