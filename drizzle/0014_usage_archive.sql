-- Why: single events of months that are long billed may leave the database, to files that were read back; what was counted, and the
-- keys, stay. Whatever would need the events that are gone is refused.

-- A month of events that was archived. Months are archived in their order.
create table usage.archived_month (
  month date primary key check (extract(day from month) = 1), -- its first day, UTC
  events bigint not null check (events >= 0),
  manifest text not null, -- where it is
  manifest_hash text not null check (manifest_hash ~ '^[0-9a-f]{64}$'), -- SHA-256
  files jsonb not null, -- the name, events, bytes and SHA-256 of each
  archived_by text not null check (archived_by <> ''),
  recorded_at timestamptz not null default now()
);
call public.make_append_only('usage.archived_month');

-- What its events contributed when they were accepted, to each version of a meter. With what became of them later it is what the
-- windows of its minutes say.
create table usage.archived_contribution (
  month date not null references usage.archived_month (month),
  meter int not null,
  count bigint not null check (count > 0),
  sum numeric not null,
  primary key (month, meter)
);
call public.make_append_only('usage.archived_contribution');

-- Single events before this instant are archived, if there were any.
create function usage.archived_before() returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((select max(month) + interval '1 month' from usage.archived_month) at time zone 'UTC', '-infinity');
end
$$;

-- What can still be released.
create or replace view usage.pending_event with (security_invoker) as
select q.* from usage.quarantined_event q
where q.time >= (select usage.archived_before())
  and not exists (select from usage.event e where e.seq = q.seq and e.time = q.time);
--> statement-breakpoint
-- Nothing is made any more of events that are archived: what their windows hold could not be made anew.
create function usage.keep_archived_months() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('usage.archive'));
  if exists (select from added where time < usage.archived_before()) then
    raise exception 'single events before % are archived', usage.archived_before() using errcode = 'RK014';
  end if;
  return null;
end
$$;
create trigger archived_months_are_kept after insert on usage.later_contribution
  referencing new table as added for each statement execute function usage.keep_archived_months();

-- Makes room for events of the months of these times. Gives the months that were not there before this transaction, and those that are
-- archived, for which there is none.
create function usage.make_room(times timestamptz[]) returns table (month timestamptz, is_archived boolean)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select opened, false from usage.open_months(array(select at from unnest(times) as at where at >= usage.archived_before())) as opened
  union all
  select distinct date_trunc('month', at, 'UTC'), true from unnest(times) as at where at < usage.archived_before();
end
$$;

-- Events that were sent with a time in an archived month: whether each was taken in before (duplicate, conflict), or is archived, which
-- means that it is not taken in.
create function usage.judge_archived(keys uuid[], payload_hashes uuid[], customer_ids text[], types text[], times timestamptz[], data json[])
returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  repeats constant usage.sent_event[] := array(
    select row(ordinal, key, payload_hash, customer_id, type, time, said)::usage.sent_event
    from unnest(keys, payload_hashes, customer_ids, types, times, data)
      with ordinality as s (key, payload_hash, customer_id, type, time, said, ordinal));
begin
  return array(
    select coalesce(known.outcome, 'archived')
    from generate_subscripts(keys, 1) as ordinal
    left join (
      select * from usage.judge_repeats(repeats) as judged cross join lateral unnest(judged.ordinals, judged.outcomes) as o (ordinal, outcome)
    ) as known using (ordinal)
    order by ordinal);
end
$$;

-- Makes a window that began in an archived month anew: from its minutes up to there, and from contributions after.
create function usage.rebuild_from_minutes(
  of_customer bigint, of_meter int, of_size text, since timestamptz, until timestamptz, of_dimensions bigint, recorded_before xid8
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  -- A minute itself is not divided: its events are asked for, and that is refused.
  here constant timestamptz := case when of_size = 'minute' then since else least(usage.archived_before(), until) end;
begin
  insert into usage.window
  select of_customer, of_meter, of_size, since, of_dimensions, sum(part.count), sum(part.sum), min(part.min), max(part.max)
  from (
    select w.count, w.sum, w.min, w.max from usage.window w
    where (w.customer_number, w.meter, w.size, w.dimensions) = (of_customer, of_meter, 'minute', of_dimensions)
      and w.start >= since and w.start < here
    union all
    select 1, quantity, quantity, quantity
    from usage.standing(of_customer, of_meter, here, until, recorded_before) where dimensions = of_dimensions
  ) as part having count(*) > 0;

  insert into usage.window_level
  select of_customer, of_meter, of_size, since, of_dimensions, (array_agg(first order by place))[1],
    (array_agg(last order by place desc))[1], sum(area)
  from (
    select first, last, row_number() over in_order as place,
      area + coalesce((last).quantity * extract(epoch from (lead(first) over in_order).time - (last).time) * 1000, 0) as area
    from (
      select w.first, w.last, w.area from usage.window_level w
      where (w.customer_number, w.meter, w.size, w.dimensions) = (of_customer, of_meter, 'minute', of_dimensions)
        and w.start >= since and w.start < here
      union all
      select level, level, 0 from (
        select row(at, event_seq, quantity)::usage.level as level
        from usage.standing(of_customer, of_meter, here, until, recorded_before) where dimensions = of_dimensions
      ) as said
    ) as span
    window in_order as (order by first)
  ) as levels
  where exists (select from usage.meter m where m.meter = of_meter and m.aggregation in ('latest', 'time_weighted_sum'))
  having count(*) > 0;

  insert into usage.window_value
  select of_customer, of_meter, of_size, since, of_dimensions, said.value
  from (
    select w.value from usage.window_value w
    where (w.customer_number, w.meter, w.size, w.dimensions) = (of_customer, of_meter, 'minute', of_dimensions)
      and w.start >= since and w.start < here
    union
    select value from usage.standing(of_customer, of_meter, here, until, recorded_before) where dimensions = of_dimensions
  ) as said
  where exists (select from usage.meter m where m.meter = of_meter and m.aggregation = 'unique_count');
end
$$;
--> statement-breakpoint
-- Writes down that a month is archived and takes its events out of usage.event, in one commit; their table stays as it is, under its
-- name, until it is dropped. Refused (RK015) when it is not the oldest month that is left, or when something was recorded of it since
-- it was exported, at which time everything before `exported_before` was. Whoever waits here holds up the intake of usage: limit it.
create function usage.archive_month(
  of_month date, exported_before xid8, event_count bigint, at_manifest text, hash_of_manifest text, of_files jsonb, contributions jsonb, actor text
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  name constant text := to_char(of_month, '"event_"YYYY_MM');
  starts constant timestamptz := of_month::timestamp at time zone 'UTC';
  ends constant timestamptz := (of_month + interval '1 month') at time zone 'UTC';
  is_changed boolean;
begin
  perform pg_advisory_xact_lock(hashtext('usage.archive'));
  if exists (
    select from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'usage.event'::regclass and relname < name
  ) then
    raise exception 'a month before % is not archived yet', of_month using errcode = 'RK015';
  end if;
  execute format('alter table usage.event detach partition usage.%I', name);
  execute format('select exists (select from usage.%I where recorded_xid >= $1)', name) into is_changed using exported_before;
  if is_changed or exists (
    select from usage.later_contribution where time >= starts and time < ends and recorded_xid >= exported_before
  ) then
    raise exception 'usage of % was recorded since it was exported', of_month using errcode = 'RK015';
  end if;
  execute format('revoke all on usage.%I from reckoner_app', name);

  insert into usage.archived_month (month, events, manifest, manifest_hash, files, archived_by)
  values (of_month, event_count, at_manifest, hash_of_manifest, of_files, actor);
  insert into usage.archived_contribution (month, meter, count, sum)
  select of_month, meter, count, sum from jsonb_to_recordset(contributions) as c (meter int, count bigint, sum numeric);
end
$$;

revoke execute on function usage.archived_before, usage.keep_archived_months, usage.make_room, usage.judge_archived, usage.rebuild_from_minutes,
  usage.archive_month from public;
grant execute on function usage.archived_before, usage.make_room, usage.judge_archived to reckoner_app;
grant select on usage.archived_month, usage.archived_contribution to reckoner_app;
