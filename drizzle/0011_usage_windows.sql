-- Why: how much a customer used must be told at once, for any period, whatever was used before. Windows of a minute, an hour and a day
-- hold the contributions of all transactions before one (usage.folded); those since are read as they are. So windows are right in
-- every snapshot, and can be made anew from the events at any time.

-- ── where windows begin ──────────────────────────────────────────────────────────────────────────────────────
-- The definition is windowOf of src/domain/metering, and tests compare the two over every time zone.
create function usage.utc_offset(at timestamptz, zone text) returns interval
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select (at at time zone zone) - (at at time zone 'UTC')
$$;

-- When the clock was changed between two instants that are not far apart, to the minute.
create function usage.clock_change(after timestamptz, until timestamptz, zone text) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  minutes int := extract(epoch from until - after) / 60;
  half int;
  offset_before constant interval := usage.utc_offset(after, zone);
begin
  while minutes > 1 loop
    half := minutes / 2;
    if usage.utc_offset(after + half * interval '1 minute', zone) = offset_before then
      after := after + half * interval '1 minute';
      minutes := minutes - half;
    else
      minutes := half;
    end if;
  end loop;
  return after + interval '1 minute';
end
$$;

-- When a date first begins on the clock; of one that never does, when the one after it begins.
create function usage.day_begins(day date, zone text) returns timestamptz
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select min(candidate)
  from (values (interval '-1 day'), (interval '1 day')) as beside (distance)
  cross join lateral (
    select (day::timestamp - usage.utc_offset(day::timestamp at time zone 'UTC' + distance, zone)) at time zone 'UTC' as candidate
  ) as begun
  where (candidate at time zone zone)::date >= day
$$;

create function usage.hour_begins(at timestamptz, zone text) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  shown constant timestamp := at at time zone zone;
  start constant timestamptz := at - (shown - date_trunc('hour', shown));
begin
  if start at time zone zone = date_trunc('hour', shown) then
    return start;
  end if;
  return usage.clock_change(start, date_trunc('minute', at), zone);
end
$$;

create function usage.window_start(size text, at timestamptz, zone text) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  shown timestamp;
  midnight timestamptz;
begin
  case size
    when 'minute' then return date_trunc('minute', at, 'UTC');
    when 'hour' then return usage.hour_begins(at, zone);
    when 'day' then
      shown := at at time zone zone;
      midnight := at - (shown - date_trunc('day', shown));
      -- Most days: the clock was not changed since, nor on the day before.
      if midnight at time zone zone = date_trunc('day', shown)
        and (midnight - interval '24 hours') at time zone zone = date_trunc('day', shown) - interval '24 hours' then
        return midnight;
      end if;
      -- Where the clock goes back over midnight, the date before comes again in what has begun as the next day.
      return greatest(usage.day_begins(shown::date, zone),
        case when usage.day_begins(shown::date + 1, zone) <= at then usage.day_begins(shown::date + 1, zone) end);
  end case;
end
$$;

-- Where the window that begins at `start` ends.
create function usage.window_end(size text, start timestamptz, zone text) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  full_end timestamptz;
begin
  case size
    when 'minute' then return start + interval '1 minute';
    when 'hour' then
      full_end := (date_trunc('hour', start at time zone zone) + interval '1 hour' - usage.utc_offset(start, zone)) at time zone 'UTC';
      if usage.utc_offset(full_end - interval '1 minute', zone) = usage.utc_offset(start, zone) then
        return full_end;
      end if;
      return usage.clock_change(start, full_end, zone);
    when 'day' then return usage.day_begins((start at time zone zone)::date + 1, zone);
  end case;
end
$$;

-- A period as whole windows, as large as may be, and the pieces of a minute at its ends.
create function usage.cover(period_start timestamptz, period_end timestamptz, zone text)
returns table (size text, starts timestamptz, ends timestamptz)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  inner_start timestamptz := period_start;
  inner_end timestamptz := period_end;
  larger_start timestamptz;
  larger_end timestamptz;
begin
  foreach size in array array['piece', 'minute', 'hour'] loop
    declare
      larger constant text := case size when 'piece' then 'minute' when 'minute' then 'hour' else 'day' end;
    begin
      larger_start := usage.window_start(larger, inner_start, zone);
      if larger_start < inner_start then
        larger_start := usage.window_end(larger, larger_start, zone);
      end if;
      larger_end := usage.window_start(larger, inner_end, zone);
      if larger_start >= larger_end then
        starts := inner_start;
        ends := inner_end;
        return next;
        return;
      end if;
      if inner_start < larger_start then
        starts := inner_start;
        ends := larger_start;
        return next;
      end if;
      if larger_end < inner_end then
        starts := larger_end;
        ends := inner_end;
        return next;
      end if;
      inner_start := larger_start;
      inner_end := larger_end;
    end;
  end loop;
  size := 'day';
  starts := inner_start;
  ends := inner_end;
  return next;
end
$$;
--> statement-breakpoint
-- ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────
-- All that must be kept of contributions to tell any quantity that they make; see WindowState of src/domain/metering.
create table usage.window (
  customer_number bigint not null,
  meter int not null,
  size text not null check (size in ('minute', 'hour', 'day')),
  start timestamptz not null,
  dimensions bigint not null,
  count bigint not null,
  sum numeric not null,
  min numeric not null,
  max numeric not null,
  primary key (customer_number, meter, size, start, dimensions)
) with (fillfactor = 80); -- leaves room to update a window in place

-- What one event said of a level, such as the bytes that are stored: it holds until the next one.
create type usage.level as (time timestamptz, seq bigint, quantity numeric);

-- Of meters that read levels: the first and the last of a window, and between them quantity × milliseconds.
create table usage.window_level (
  customer_number bigint not null,
  meter int not null,
  size text not null check (size in ('minute', 'hour', 'day')),
  start timestamptz not null,
  dimensions bigint not null,
  first usage.level not null,
  last usage.level not null,
  area numeric not null,
  primary key (customer_number, meter, size, start, dimensions)
) with (fillfactor = 80);

-- Of meters that count values: every value of a window.
create table usage.window_value (
  customer_number bigint not null,
  meter int not null,
  size text not null check (size in ('minute', 'hour', 'day')),
  start timestamptz not null,
  dimensions bigint not null,
  value text not null,
  primary key (customer_number, meter, size, start, dimensions, value)
);

-- Only the functions that switch this setting on, for as long as they write, may write windows: by hand they would disagree with the events.
create function usage.guard_windows() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('usage.keeps_windows', true) is distinct from 'on' then
    raise exception '% on %.% is refused: it follows from the events', tg_op, tg_table_schema, tg_table_name using errcode = 'RK001';
  end if;
  return null;
end
$$;
create trigger guard_derived before insert or update or delete or truncate on usage.window for each statement execute function usage.guard_windows();
create trigger guard_derived before insert or update or delete or truncate on usage.window_level for each statement execute function usage.guard_windows();
create trigger guard_derived before insert or update or delete or truncate on usage.window_value for each statement execute function usage.guard_windows();

-- Windows hold what was recorded by the transactions before this one, all of which have ended.
create table usage.folded (
  is_row boolean primary key default true check (is_row),
  before xid8 not null
);
insert into usage.folded (before) values (pg_snapshot_xmin(pg_current_snapshot()));
create trigger guard_derived before insert or update or delete or truncate on usage.folded for each statement execute function usage.guard_windows();

-- How the meters that need more than sums read; a meter is a version of one.
create view usage.meter with (security_invoker) as
select number as meter, key, version, definition ->> 'aggregation' as aggregation from catalog.meter;

-- True when single events of a time can be read. Where they were archived it is refused: less than everything would be a wrong answer.
create function usage.events_are_here(since timestamptz, until timestamptz) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if since < until and since < usage.archived_before() then
    raise exception 'single events before % are archived', usage.archived_before() using errcode = 'RK014';
  end if;
  return true;
end
$$;

-- Contributions of a time that hold, those that were taken back left out: all, or those recorded by the transactions before one.
create function usage.standing(of_customer bigint, of_meter int, since timestamptz, until timestamptz, recorded_before xid8)
returns table (dimensions bigint, at timestamptz, event_seq bigint, quantity numeric, value text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select c.dimensions, c.time, c.event_seq, c.quantity, c.value
  from usage.contribution c
  where c.customer_number = of_customer and c.meter = of_meter and c.time >= since and c.time < until
    and (recorded_before is null or c.recorded_xid < recorded_before) and usage.events_are_here(since, until)
  group by c.dimensions, c.time, c.event_seq, c.quantity, c.value having sum(c.weight) > 0
$$;

-- The contributions of a customer's time that hold, once for each of the three windows they are in, of what the transactions before one
-- recorded: of some meters, or of all when that is null. The time consists of whole windows; or it is one of the size that `whole` names,
-- which saves looking for where it begins.
create function usage.in_windows(of_customer bigint, of_meters int[], whole text, since timestamptz, until timestamptz, recorded_before xid8)
returns table (meter int, size text, start timestamptz, dimensions bigint, at timestamptz, event_seq bigint, quantity numeric, value text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
  with held as materialized (
    select c.meter, c.dimensions, c.time as at, date_trunc('minute', c.time, 'UTC') as minute, c.event_seq, c.quantity, c.value
    from usage.contribution c
    where c.customer_number = of_customer and (of_meters is null or c.meter = any (of_meters)) and c.time >= since and c.time < until
      and c.recorded_xid < recorded_before and usage.events_are_here(since, until)
    group by 1, 2, 3, 4, 5, 6, 7 having sum(c.weight) > 0
  ), clock as materialized (
    select minutes.minute, sizes.size,
      case when whole is null then usage.window_start(sizes.size, minutes.minute, customer.time_zone) else since end as start
    from (select distinct minute from held) as minutes
    cross join (values ('minute'), ('hour'), ('day')) as sizes (size)
    join billing.customer on customer.number = of_customer
    where whole is null or sizes.size = whole
  )
  select held.meter, clock.size, clock.start, held.dimensions, held.at, held.event_seq, held.quantity, held.value
  from held join clock using (minute)
$$;

-- What windows of a time hold. This is what a window is: folding comes to it step by step, and what is made anew or compared is asked here.
create function usage.expected_windows(of_customer bigint, of_meter int, whole text, since timestamptz, until timestamptz, recorded_before xid8)
returns setof usage.window language sql stable set search_path = pg_catalog, pg_temp as $$
  select of_customer, meter, size, start, dimensions, count(*), sum(quantity), min(quantity), max(quantity)
  from usage.in_windows(of_customer, case when of_meter is not null then array[of_meter] end, whole, since, until, recorded_before) group by 2, 3, 4, 5
$$;

create function usage.expected_levels(of_customer bigint, of_meter int, whole text, since timestamptz, until timestamptz, recorded_before xid8)
returns setof usage.window_level language sql stable set search_path = pg_catalog, pg_temp as $$
  select of_customer, meter, size, start, dimensions, (array_agg(level order by place))[1], (array_agg(level order by place desc))[1],
    coalesce(sum(area), 0)
  from (
    select *, row(at, event_seq, quantity)::usage.level as level, row_number() over in_order as place,
      quantity * (extract(epoch from lead(at) over in_order - at) * 1000) as area
    from usage.in_windows(of_customer, array(
        select m.meter from usage.meter m where m.aggregation in ('latest', 'time_weighted_sum') and m.meter = coalesce(of_meter, m.meter)
      ), whole, since, until, recorded_before)
    window in_order as (partition by meter, size, start, dimensions order by at, event_seq)
  ) as levels group by 2, 3, 4, 5
$$;

create function usage.expected_values(of_customer bigint, of_meter int, whole text, since timestamptz, until timestamptz, recorded_before xid8)
returns setof usage.window_value language sql stable set search_path = pg_catalog, pg_temp as $$
  select distinct of_customer, meter, size, start, dimensions, value
  from usage.in_windows(of_customer, array(
      select m.meter from usage.meter m where m.aggregation = 'unique_count' and m.meter = coalesce(of_meter, m.meter)
    ), whole, since, until, recorded_before)
$$;

-- Makes one window anew from the contributions it stands for.
create function usage.rebuild_window(of_customer bigint, of_meter int, of_size text, since timestamptz, of_dimensions bigint, recorded_before xid8)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  aggregation constant text := (select m.aggregation from usage.meter m where m.meter = of_meter);
  until constant timestamptz := usage.window_end(of_size, since, (select time_zone from billing.customer where number = of_customer));
begin
  delete from usage.window where (customer_number, meter, size, start, dimensions) = (of_customer, of_meter, of_size, since, of_dimensions);
  delete from usage.window_level where (customer_number, meter, size, start, dimensions) = (of_customer, of_meter, of_size, since, of_dimensions);
  delete from usage.window_value where (customer_number, meter, size, start, dimensions) = (of_customer, of_meter, of_size, since, of_dimensions);

  if since < usage.archived_before() then
    perform usage.rebuild_from_minutes(of_customer, of_meter, of_size, since, until, of_dimensions, recorded_before);
    return;
  end if;
  insert into usage.window
  select * from usage.expected_windows(of_customer, of_meter, of_size, since, until, recorded_before) where dimensions = of_dimensions;
  if aggregation in ('latest', 'time_weighted_sum') then
    insert into usage.window_level
    select * from usage.expected_levels(of_customer, of_meter, of_size, since, until, recorded_before) where dimensions = of_dimensions;
  elsif aggregation = 'unique_count' then
    insert into usage.window_value
    select * from usage.expected_values(of_customer, of_meter, of_size, since, until, recorded_before) where dimensions = of_dimensions;
  end if;
end
$$;
--> statement-breakpoint
-- ── folding ──────────────────────────────────────────────────────────────────────────────────────────────────
-- The end of the next fold: all before it has ended, and no more than so many facts lie before it, or else one transaction.
create function usage.fold_end(since xid8, facts_max int) returns xid8
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  horizon constant xid8 := pg_snapshot_xmin(pg_current_snapshot());
  enough xid8;
begin
  select recorded_xid into enough from (
    (select recorded_xid from usage.event where recorded_xid >= since and recorded_xid < horizon order by recorded_xid limit facts_max)
    union all
    (select recorded_xid from usage.later_contribution where recorded_xid >= since and recorded_xid < horizon order by recorded_xid limit facts_max)
  ) as fact order by recorded_xid offset facts_max - 1 limit 1;
  return coalesce((
    select min(recorded_xid) from (
      (select min(recorded_xid) as recorded_xid from usage.event where recorded_xid > enough and recorded_xid < horizon)
      union all
      (select min(recorded_xid) from usage.later_contribution where recorded_xid > enough and recorded_xid < horizon)
    ) as later), horizon);
end
$$;

-- The windows of three sizes that contributions of one transaction after another belong to.
create function usage.unfolded(since xid8, until xid8, meters int[])
returns table (customer_number bigint, meter int, size text, start timestamptz, dimensions bigint, at timestamptz, seq bigint, quantity numeric, value text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select c.customer_number, c.meter, s.size,
    usage.window_start(s.size, c.time, (select b.time_zone from billing.customer b where b.number = c.customer_number)),
    c.dimensions, c.time, c.event_seq, c.quantity, c.value
  from usage.contribution c cross join (values ('minute'), ('hour'), ('day')) as s (size)
  where c.recorded_xid >= since and c.recorded_xid < until and c.meter = any (meters) and c.weight > 0
$$;

-- Values that are new in their window.
create function usage.fold_values(since xid8, until xid8, meters int[]) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  insert into usage.window_value
  select distinct customer_number, meter, size, start, dimensions, value from usage.unfolded(since, until, meters) order by 1, 2, 3, 4, 5, 6
  on conflict do nothing
$$;

-- Levels that follow on those of their window; gives the windows whose levels came out of order.
create function usage.fold_levels(since xid8, until xid8, meters int[]) returns setof usage.window_level
language sql set search_path = pg_catalog, pg_temp as $$
  with level as (
    select *, row(at, seq, quantity)::usage.level as said, row_number() over in_order as place,
      coalesce(quantity * extract(epoch from lead(at) over in_order - at) * 1000, 0) as area
    from usage.unfolded(since, until, meters)
    window in_order as (partition by customer_number, meter, size, start, dimensions order by at, seq)
  ), span as materialized (
    select customer_number, meter, size, start, dimensions, (array_agg(said order by place))[1] as first,
      (array_agg(said order by place desc))[1] as last, sum(area) as area
    from level group by 1, 2, 3, 4, 5
  ), joined as (
    insert into usage.window_level as w
    select * from span order by 1, 2, 3, 4, 5
    on conflict (customer_number, meter, size, start, dimensions) do update set last = excluded.last,
      area = w.area + excluded.area + (w.last).quantity * extract(epoch from (excluded.first).time - (w.last).time) * 1000
    where w.last < excluded.first
    returning customer_number, meter, size, start, dimensions
  )
  select span.* from span left join joined using (customer_number, meter, size, start, dimensions) where joined.meter is null
$$;

-- Adds what was recorded by transactions that have ended since the last time to the windows and to what is known of arrivals, about so many facts at most. Gives how many
-- contributions that were, and whether there are more. Whoever comes while another is at it does nothing.
create function usage.fold(facts_max int, out contributions bigint, out is_behind boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off set work_mem = '64MB' as $$
declare
  since xid8;
  until xid8;
  levels constant int[] := array(select meter from usage.meter where aggregation in ('latest', 'time_weighted_sum'));
  counted_values constant int[] := array(select meter from usage.meter where aggregation = 'unique_count');
  inexact usage.window[];
begin
  contributions := 0;
  is_behind := false;
  select before into since from usage.folded for update skip locked;
  if not found then
    return;
  end if;
  until := usage.fold_end(since, facts_max);
  is_behind := until < pg_snapshot_xmin(pg_current_snapshot());
  if until <= since then
    return;
  end if;

  perform set_config('usage.keeps_windows', 'on', true);
  -- What is taken back may have been the largest, or the only one with its value: such windows are made anew.
  with said as (
    -- As usage.contribution says it. Lists are taken apart here, side by side, which is much quicker than as tables.
    select customer_number, unnest(meters) as meter, date_bin('1 minute', time, 'epoch') as start, unnest(dimensions) as dimensions,
      unnest(quantities) as quantity, 1::smallint as weight
    from usage.event where recorded_xid >= since and recorded_xid < until
    union all
    select customer_number, meter, date_bin('1 minute', time, 'epoch'), dimensions, quantity, weight
    from usage.later_contribution where recorded_xid >= since and recorded_xid < until
  ), minute as materialized (
    select customer_number, meter, start, dimensions, count(*) as facts, sum(weight) as count,
      sum(case weight when 1 then quantity else - quantity end) as sum, min(quantity) as min, max(quantity) as max, min(weight) > 0 as is_exact
    from said group by 1, 2, 3, 4
  ), zone as materialized (
    select number as customer_number, time_zone as zone from billing.customer where number = any (array(select distinct customer_number from minute))
  ), zoned as materialized (
    select * from minute join zone using (customer_number)
  ), clock as materialized (
    select zone, start, usage.window_start('hour', start, zone) as hour, usage.window_start('day', start, zone) as day
    from (select distinct zone, start from zoned) as minutes
  ), hour as materialized (
    select z.customer_number, z.meter, k.hour as start, k.day, z.dimensions,
      sum(z.count) as count, sum(z.sum) as sum, min(z.min) as min, max(z.max) as max, bool_and(z.is_exact) as is_exact
    from zoned z join clock k using (zone, start)
    group by 1, 2, 3, 4, 5
  ), folding as materialized (
    select customer_number, meter, 'minute' as size, start, dimensions, count, sum, min, max, is_exact from minute
    union all
    select customer_number, meter, 'hour', start, dimensions, count, sum, min, max, is_exact from hour
    union all
    select customer_number, meter, 'day', day, dimensions, sum(count), sum(sum), min(min), max(max), bool_and(is_exact) from hour group by 1, 2, 4, 5
  ), added as (
    insert into usage.window as w
    select customer_number, meter, size, start, dimensions, count, sum, min, max from folding where is_exact order by 1, 2, 3, 4, 5
    on conflict (customer_number, meter, size, start, dimensions) do update
      set count = w.count + excluded.count, sum = w.sum + excluded.sum,
        min = least(w.min, excluded.min), max = greatest(w.max, excluded.max)
  )
  select (select coalesce(sum(facts), 0) from minute),
    array(select row(customer_number, meter, size, start, dimensions, count, sum, min, max)::usage.window from folding where not is_exact)
  into contributions, inexact;

  if counted_values <> '{}' then
    perform usage.fold_values(since, until, counted_values);
  end if;
  if levels <> '{}' then
    inexact := inexact || array(
      select row(l.customer_number, l.meter, l.size, l.start, l.dimensions, 0, 0, 0, 0)::usage.window
      from usage.fold_levels(since, until, levels) as l);
  end if;
  perform usage.rebuild_window(w.customer_number, w.meter, w.size, w.start, w.dimensions, until)
  from (select distinct customer_number, meter, size, start, dimensions from unnest(inexact)) as w;
  perform usage.count_arrivals(since, until);
  update usage.folded set before = until;
  perform set_config('usage.keeps_windows', 'off', true);
end
$$;

-- ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────
-- What a customer's windows and the contributions beside them say of a period, a row for each combination of dimensions: those of whole
-- windows, of the pieces at the period's ends, and of what is not folded yet. With `by_size` it is divided into windows of that size.
-- All in one statement, and so of one moment. `is_exact` is false when something was taken back that is not folded yet: count and sum
-- are right, min and max may be those of what was taken back.
create function usage.read_windows(of_customer bigint, of_meter int, since timestamptz, until timestamptz, by_size text)
returns table (window_start timestamptz, dimensions bigint, count bigint, sum numeric, min numeric, max numeric, is_exact boolean)
language sql stable set search_path = pg_catalog, pg_temp as $$
  with zone as materialized (
    select time_zone as name from billing.customer where number = of_customer
  ), part as materialized (
    select part.* from zone cross join lateral usage.cover(since, until, zone.name) as part
  ), finer as materialized (
    -- A window that is larger than asked for is taken apart.
    select case when size <> 'piece' and by_size = 'minute' or size = 'day' and by_size = 'hour' then by_size else size end as size,
      starts, ends
    from part
  ), said as (
    select w.start as at, w.dimensions, w.count, w.sum, w.min, w.max, true as is_exact
    from finer cross join lateral (
      select * from usage.window w
      where w.customer_number = of_customer and w.meter = of_meter and w.size = finer.size and w.start >= starts and w.start < ends
    ) as w
    union all
    select c.time, c.dimensions, c.weight, c.quantity * c.weight, c.quantity, c.quantity, c.weight > 0
    from part cross join lateral (
      select * from usage.contribution c where c.customer_number = of_customer and c.meter = of_meter and c.time >= starts and c.time < ends
    ) as c
    where case when part.size = 'piece' then usage.events_are_here(starts, ends) end
    union all
    select c.time, c.dimensions, c.weight, c.quantity * c.weight, c.quantity, c.quantity, c.weight > 0
    from usage.contribution c
    where c.customer_number = of_customer and c.meter = of_meter and c.recorded_xid >= (select before from usage.folded)
      and c.time >= since and c.time < until
      and not exists (select from part where size = 'piece' and c.time >= starts and c.time < ends)
  )
  select case when by_size is not null then usage.window_start(by_size, at, (select name from zone)) end, dimensions,
    sum(count)::bigint, sum(sum), min(min), max(max), bool_and(is_exact)
  from said group by 1, 2
$$;

-- The same of many periods at once, each of a customer and a meter, undivided; `place` counts them from 1. Periods on one clock have the
-- same windows, and what is not folded yet is looked for once, of all the customers. The plan never depends on what is asked, and making it
-- takes longer than reading a customer's month.
create function usage.read_totals(of_customers bigint[], of_meters int[], since timestamptz[], until timestamptz[])
returns table (place bigint, dimensions bigint, count bigint, sum numeric, min numeric, max numeric, is_exact boolean)
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
  with asked as materialized (
    select a.*, c.time_zone as zone
    from unnest(of_customers, of_meters, since, until) with ordinality as a (customer_number, meter, since, until, place)
    join billing.customer c on c.number = a.customer_number
  ), part as materialized (
    select p.since, p.until, p.zone, cover.*
    from (select distinct since, until, zone from asked) as p cross join lateral usage.cover(p.since, p.until, p.zone) as cover
  ), piece as materialized (
    select * from part where case when size = 'piece' then usage.events_are_here(starts, ends) end
  ), fresh as materialized (
    select c.customer_number, c.meter, c.time, c.dimensions, c.weight, c.quantity
    from usage.contribution c
    where c.recorded_xid >= (select before from usage.folded) and c.customer_number = any (of_customers) and c.meter = any (of_meters)
  ), said as (
    select a.place, w.dimensions, w.count, w.sum, w.min, w.max, true as is_exact
    from asked a join part p using (since, until, zone) cross join lateral (
      select * from usage.window w
      where w.customer_number = a.customer_number and w.meter = a.meter and w.size = p.size and w.start >= p.starts and w.start < p.ends
      offset 0
    ) as w
    union all
    select a.place, c.dimensions, c.weight, c.quantity * c.weight, c.quantity, c.quantity, c.weight > 0
    from asked a join piece p using (since, until, zone) cross join lateral (
      select * from usage.contribution c
      where c.customer_number = a.customer_number and c.meter = a.meter and c.time >= p.starts and c.time < p.ends
      offset 0
    ) as c
    union all
    select a.place, c.dimensions, c.weight, c.quantity * c.weight, c.quantity, c.quantity, c.weight > 0
    from fresh c join asked a using (customer_number, meter)
    where c.time >= a.since and c.time < a.until and not exists (
      select from piece p
      where p.since = a.since and p.until = a.until and p.zone = a.zone and c.time >= p.starts and c.time < p.ends)
  )
  select place, dimensions, sum(count)::bigint, sum(sum), min(min), max(max), bool_and(is_exact) from said group by 1, 2
$$;

-- Whether anything of a customer and meter is not folded yet, of events before a time.
create function usage.has_unfolded(of_customer bigint, of_meter int, until timestamptz) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from usage.contribution c
    where c.customer_number = of_customer and c.meter = of_meter and c.recorded_xid >= (select before from usage.folded) and c.time < until)
$$;

-- The values of a period, each once in a combination of dimensions, or once in a window of that size.
create function usage.read_values(of_customer bigint, of_meter int, since timestamptz, until timestamptz, by_size text)
returns table (window_start timestamptz, dimensions bigint, value text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  zone constant text := (select time_zone from billing.customer where number = of_customer);
  archived_before constant timestamptz := usage.archived_before();
begin
  if usage.has_unfolded(of_customer, of_meter, until) then
    if since < archived_before then -- where everything is folded
      return query
      select * from usage.read_values(of_customer, of_meter, since, archived_before, by_size)
      union
      select * from usage.read_values(of_customer, of_meter, archived_before, until, by_size);
      return;
    end if;
    return query
    select distinct case when by_size is not null then usage.window_start(by_size, s.at, zone) end, s.dimensions, s.value
    from usage.standing(of_customer, of_meter, since, until, null) as s;
    return;
  end if;
  return query
  select distinct case when by_size is not null then usage.window_start(by_size, said.at, zone) end, said.dimensions, said.value
  from usage.cover(since, until, zone) as part cross join lateral (
    select w.start as at, w.dimensions, w.value from usage.window_value w
    where part.size <> 'piece' and w.customer_number = of_customer and w.meter = of_meter and w.start >= part.starts and w.start < part.ends
      and w.size = case when by_size = 'minute' or by_size = 'hour' and part.size = 'day' then by_size else part.size end
    union all
    select s.at, s.dimensions, s.value from usage.standing(of_customer, of_meter, part.starts, part.ends, null) as s where part.size = 'piece'
  ) as said;
end
$$;

-- The levels of a period as spans that do not interleave. What is not folded yet may lie between the levels of a window: then it is
-- read level by level.
create function usage.read_levels(of_customer bigint, of_meter int, since timestamptz, until timestamptz, by_size text)
returns table (window_start timestamptz, dimensions bigint, first usage.level, last usage.level, area numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  zone constant text := (select time_zone from billing.customer where number = of_customer);
  archived_before constant timestamptz := usage.archived_before();
begin
  if usage.has_unfolded(of_customer, of_meter, until) then
    if since < archived_before then -- where everything is folded
      return query
      select * from usage.read_levels(of_customer, of_meter, since, archived_before, by_size)
      union all
      select * from usage.read_levels(of_customer, of_meter, archived_before, until, by_size);
      return;
    end if;
    return query
    select case when by_size is not null then usage.window_start(by_size, s.at, zone) end, s.dimensions,
      row(s.at, s.event_seq, s.quantity)::usage.level, row(s.at, s.event_seq, s.quantity)::usage.level, 0::numeric
    from usage.standing(of_customer, of_meter, since, until, null) as s;
    return;
  end if;
  return query
  select case when by_size is not null then usage.window_start(by_size, (said.first).time, zone) end, said.dimensions,
    said.first, said.last, said.area
  from usage.cover(since, until, zone) as part cross join lateral (
    select w.dimensions, w.first, w.last, w.area from usage.window_level w
    where part.size <> 'piece' and w.customer_number = of_customer and w.meter = of_meter and w.start >= part.starts and w.start < part.ends
      and w.size = case when by_size = 'minute' or by_size = 'hour' and part.size = 'day' then by_size else part.size end
    union all
    select s.dimensions, row(s.at, s.event_seq, s.quantity)::usage.level, row(s.at, s.event_seq, s.quantity)::usage.level, 0
    from usage.standing(of_customer, of_meter, part.starts, part.ends, null) as s where part.size = 'piece'
  ) as said;
end
$$;

-- What each combination of dimensions stood at when a period began: the last level before it.
create function usage.levels_before(of_customer bigint, of_meter int, at timestamptz)
returns table (dimensions bigint, quantity numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  minute constant timestamptz := date_trunc('minute', at, 'UTC');
  archived_before constant timestamptz := usage.archived_before();
begin
  if usage.has_unfolded(of_customer, of_meter, at) then
    return query
    select distinct on (s.dimensions) s.dimensions, s.quantity
    from (
      select here.dimensions, here.quantity, here.at, here.event_seq
      from usage.standing(of_customer, of_meter, archived_before, levels_before.at, null) as here
      union all
      select archived.dimensions, archived.quantity, '-infinity', 0
      from usage.levels_before(of_customer, of_meter, archived_before) as archived where archived_before > '-infinity'
    ) as s
    order by s.dimensions, s.at desc, s.event_seq desc;
    return;
  end if;
  return query
  select distinct on (known.dimensions) known.dimensions, (known.level).quantity
  from (
    select series.dimensions, newest.last as level
    from (
      select distinct w.dimensions from usage.window_level w
      where w.customer_number = of_customer and w.meter = of_meter and w.size = 'day' and w.start < at
    ) as series
    cross join lateral (
      select w.last from usage.window_level w
      where w.customer_number = of_customer and w.meter = of_meter and w.size = 'minute' and w.start < minute
        and w.dimensions = series.dimensions
      order by w.start desc limit 1
    ) as newest
    union all
    select s.dimensions, row(s.at, s.event_seq, s.quantity)::usage.level
    from usage.standing(of_customer, of_meter, minute, at, null) as s
  ) as known
  order by known.dimensions, known.level desc;
end
$$;

revoke execute on all functions in schema usage from public;
grant execute on function usage.fold, usage.read_windows, usage.read_totals, usage.read_values, usage.read_levels, usage.levels_before, usage.has_unfolded, usage.cover, usage.window_start, usage.window_end, usage.day_begins,
  usage.hour_begins, usage.clock_change, usage.utc_offset, usage.standing, usage.events_are_here, usage.in_windows, usage.expected_windows,
  usage.expected_levels, usage.expected_values to reckoner_app;
grant select on usage.window, usage.window_level, usage.window_value, usage.folded, usage.meter to reckoner_app;
