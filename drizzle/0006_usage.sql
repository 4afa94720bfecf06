-- Why: a usage event is accepted once, kept for ever and counted in the same commit, so that "accepted" can be proved.
--
-- An event carries what each meter made of it when it was accepted (its contributions), and the transaction that wrote it. Windows hold
-- the contributions of all transactions before one; what came since is read from the events. Nobody who takes in usage waits for a
-- window, and what is read is exact in any snapshot.

create sequence usage.event_seq;

-- ── what was said ────────────────────────────────────────────────────────────────────────────────────────────
-- Every event ever taken in, accepted or quarantined. Kept for ever: a key that expires is a double count waiting for
-- a late retry. Key and hash are 16 bytes of SHA-256, held as uuid because that is the fixed-width type of this size.
create table usage.event_key (
  key uuid primary key, -- of (source, id)
  payload_hash uuid not null, -- of what the event says
  event_seq bigint not null,
  event_time timestamptz not null -- leads to the event's partition
);
call public.make_append_only('usage.event_key');

-- Numbers of combinations of dimension values, so that no row has to carry their text.
create table usage.dimensions (
  number bigint generated always as identity primary key,
  key text not null unique -- canonical JSON
);
call public.make_append_only('usage.dimensions');

-- What a customer did, and what each meter made of it when it was accepted: lists of equal length, empty when the filters of all meters
-- for its type leave it out. A meter is a version of one (catalog.meter.number).
create table usage.event (
  seq bigint not null,
  time timestamptz not null,
  recorded_xid xid8 not null default pg_current_xact_id(), -- did a run see it? pg_visible_in_snapshot(this, its snapshot)
  recorded_at timestamptz not null default now(),
  customer_number bigint not null,
  type text not null,
  source text not null,
  id text not null,
  data json not null, -- as it was sent
  meters int[] not null,
  dimensions bigint[] not null,
  quantities numeric[] not null,
  distinct_values text[], -- of meters that count values
  primary key (seq, time)
) partition by range (time);
create index event_of_customer on usage.event (customer_number, time);
-- Of what is not folded yet: a few seconds' entries at its end, looked through for one customer. One that began with the customer would
-- cost every event a page of its own.
create index event_recorded on usage.event (recorded_xid, customer_number);
call public.make_append_only('usage.event');

-- What became of an event later: a correction takes its contributions back (weight -1) and makes others; a meter that was published
-- after it came makes one more. Each is a fact of its own, with the number of what it is due to.
create table usage.later_contribution (
  fact_seq bigint not null,
  event_seq bigint not null,
  time timestamptz not null, -- of the event
  recorded_xid xid8 not null default pg_current_xact_id(),
  recorded_at timestamptz not null default now(),
  customer_number bigint not null,
  meter int not null,
  dimensions bigint not null,
  quantity numeric not null,
  value text,
  weight smallint not null check (weight in (1, -1)),
  primary key (fact_seq, event_seq, meter, weight)
);
create index later_contribution_recorded on usage.later_contribution (recorded_xid, customer_number);
create index later_contribution_of_customer on usage.later_contribution (customer_number, time);
create index later_contribution_of_event on usage.later_contribution (event_seq);
call public.make_append_only('usage.later_contribution');

-- Sent with the key of an earlier event but saying something else. The first stands, in usage.event or in quarantine;
-- this is the other, kept once however often it is sent.
create table usage.event_conflict (
  event_seq bigint not null, -- of the first
  payload_hash uuid not null,
  customer_id text not null,
  type text not null,
  time timestamptz not null,
  data json not null,
  recorded_at timestamptz not null default now(),
  primary key (event_seq, payload_hash)
);
call public.make_append_only('usage.event_conflict');

-- Taken in but not countable yet. Released by entering usage.event under the same seq, so its state is never stored twice.
create table usage.quarantined_event (
  seq bigint primary key,
  recorded_at timestamptz not null default now(),
  time timestamptz not null,
  source text not null,
  id text not null,
  customer_id text not null,
  type text not null,
  data json not null,
  reason text not null check (reason in ('unknown_customer', 'no_meter'))
);
create index quarantined_event_of_customer on usage.quarantined_event (customer_id);
call public.make_append_only('usage.quarantined_event');

create view usage.pending_event with (security_invoker) as
select q.* from usage.quarantined_event q where not exists (select from usage.event e where e.seq = q.seq and e.time = q.time);

-- Everything that was ever made of an event. Windows, pieces of windows and proofs all sum these, so that "measure" has one
-- definition, the domain's.
create view usage.contribution with (security_invoker) as
select e.seq as fact_seq, e.seq as event_seq, e.recorded_xid, e.time, e.customer_number, c.meter, c.dimensions, c.quantity, c.value,
  1::smallint as weight
from usage.event e
cross join lateral unnest(e.meters, e.dimensions, e.quantities, e.distinct_values) as c (meter, dimensions, quantity, value)
union all
select fact_seq, event_seq, recorded_xid, time, customer_number, meter, dimensions, quantity, value, weight from usage.later_contribution;
--> statement-breakpoint
-- ── months ───────────────────────────────────────────────────────────────────────────────────────────────────
-- Events are partitioned by the month (UTC) of their time. A month is opened when the first event of it comes. Gives the months that were
-- not there before this transaction.
create function usage.open_months(times timestamptz[]) returns setof timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  month timestamp;
  name text;
  rule text;
begin
  -- One at a time: who waits here finds the month there.
  perform pg_advisory_xact_lock(hashtext('usage.open_months'));
  for month in select distinct date_trunc('month', at at time zone 'UTC') from unnest(times) as at order by 1 loop
    if month not between '2000-01-01' and '2199-12-01' then
      raise exception 'there is no usage of %', month using errcode = 'RK002';
    end if;
    if month at time zone 'UTC' < usage.archived_before() then
      raise exception 'usage of % is archived', month using errcode = 'RK014';
    end if;
    name := to_char(month, '"event_"YYYY_MM');
    if to_regclass('usage.' || name) is null then
      execute format('create table usage.%I (like usage.event including defaults including constraints)', name);
      -- Rules for single rows come with the parent; those for whole statements must be put on a partition too. Attaching lets others go on.
      for rule in
        select pg_get_triggerdef(oid) from pg_trigger where tgrelid = 'usage.event'::regclass and not tgisinternal and tgtype & 1 = 0
      loop
        execute regexp_replace(rule, ' ON usage\.\w+ ', format(' ON usage.%I ', name));
      end loop;
      execute format('grant select on usage.%I to reckoner_app', name);
      execute format('alter table usage.event attach partition usage.%I for values from (%L) to (%L)',
        name, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
    end if;
    if exists (select from pg_class where oid = to_regclass('usage.' || name) and xmin::text = pg_current_xact_id()::xid::text) then
      return next month at time zone 'UTC';
    end if;
  end loop;
end
$$;
comment on function usage.open_months is 'Makes room for events of the months of these times.';
--> statement-breakpoint
-- ── taking in ────────────────────────────────────────────────────────────────────────────────────────────────
-- The numbers of combinations of dimension values, new ones included, in the order of the keys. A number may be remembered for longer
-- than this transaction when it was there before.
create function usage.dimension_numbers(keys text[]) returns table (number bigint, was_there boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  insert into usage.dimensions (key)
  select distinct s.key from unnest(keys) as s (key) where not exists (select from usage.dimensions d where d.key = s.key) order by 1
  on conflict (key) do nothing;
  return query
  select d.number, d.xmin::text <> pg_current_xact_id()::xid::text
  from unnest(keys) with ordinality as s (key, place) join usage.dimensions d using (key) order by s.place;
end
$$;

-- Batches and replays of one customer meet at a lock. There are 256, so that a batch cannot fill the lock table.
create function usage.customer_lock(customer_id text) returns integer
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select hashtext(customer_id) & 255;
$$;

-- Has the customers' events wait in quarantine: a transaction that is about to add one of them (see await_ingest) comes wholly before
-- or wholly after. When one was added meanwhile the batch must start again.
create function usage.share_unknown_customers(customer_ids text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('usage.customer'), lock.number)
  from (select distinct usage.customer_lock(s.id) as number from unnest(customer_ids) as s (id) order by 1) lock;
  if exists (select from billing.customer c where c.id = any (customer_ids)) then
    raise exception 'a customer was added meanwhile: take in the batch again' using errcode = 'serialization_failure';
  end if;
end
$$;

-- The replay's side of the lock: batches that found the customer missing have committed, later ones will find it.
create function usage.await_ingest(customer_id text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(hashtext('usage.customer'), usage.customer_lock(customer_id));
$$;

create type usage.sent_event as (
  ordinal integer,
  key uuid,
  payload_hash uuid,
  customer_id text,
  type text,
  time timestamptz,
  data json
);

-- Events whose key was known before: the same again, or a contradiction that is kept and reported.
create function usage.judge_repeats(repeats usage.sent_event[], out ordinals integer[], out outcomes text[])
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into usage.event_conflict (event_seq, payload_hash, customer_id, type, time, data)
  select distinct on (k.event_seq, r.payload_hash) k.event_seq, r.payload_hash, r.customer_id, r.type, r.time, r.data
  from unnest(repeats) r join usage.event_key k using (key)
  where k.payload_hash <> r.payload_hash
  order by k.event_seq, r.payload_hash, r.ordinal
  on conflict do nothing;

  select array_agg(r.ordinal), array_agg(case when k.payload_hash = r.payload_hash then 'duplicate' else 'conflict' end)
  into ordinals, outcomes
  from unnest(repeats) r join usage.event_key k using (key);
end
$$;

-- Takes in a batch of so many events: lists of equal length, and `said`, what each says as JSON, in lines. Times are milliseconds since 1970.
-- A customer is given by number or, when none is known, by id. The quantities and values that an event contributes are the text of a
-- list, such as {1,2}. Events of one kind share their type, source, and the meters and dimensions that those quantities are for; a kind
-- without meters waits for one. Lists with no item at all stand for nothing but nulls. One call, one commit.
-- Measured with so many published versions of meters: refused (RK016) when there are others, which is not asked when it is null.
-- Where no event may repeat another, keys are added without looking for them first: then one that is there refuses the batch (23505).
-- Answers for each event, in the order sent: accepted, duplicate, conflict, or why it was quarantined; null when all are accepted. Of
-- events with the same key the first in the batch wins. Keys are claimed in their order, so that no two batches wait for each other in a ring.
create function usage.ingest(
  published bigint, may_repeat boolean, keys uuid[], payload_hashes uuid[], ids text[], times bigint[], customers bigint[], customer_ids text[], said text,
  quantities text[], distinct_values text[],
  kinds int[], kind_types text[], kind_sources text[], kind_meters text[], kind_dimensions text[]
) returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  total constant int := cardinality(keys);
  data constant text[] := string_to_array(said, E'\n');
  seqs bigint[];
  fresh bigint[];
  added int;
  unknown text[];
  repeats usage.sent_event[];
  judged record;
begin
  if published is not null then
    -- Whoever publishes waits for this, and finds the events that were measured before. The count sees what was published before the lock.
    perform pg_advisory_xact_lock_shared(hashtextextended('catalog', 0));
    if (select count(*) from catalog.meter) <> published then
      raise exception 'meters were published: measure the batch again' using errcode = 'RK016';
    end if;
  end if;

  -- In the order sent: of two levels at one instant the later one holds.
  seqs := array(select nextval('usage.event_seq') from generate_series(1, total));
  fresh := seqs;
  if may_repeat then
    insert into usage.event_key (key, payload_hash, event_seq, event_time)
    select keys[i], payload_hashes[i], seqs[i], timestamptz 'epoch' + times[i] * interval '1 millisecond'
    from generate_series(1, total) as i order by keys[i], i
    on conflict (key) do nothing;
  else
    insert into usage.event_key (key, payload_hash, event_seq, event_time)
    select keys[i], payload_hashes[i], seqs[i], timestamptz 'epoch' + times[i] * interval '1 millisecond'
    from generate_series(1, total) as i order by keys[i];
  end if;
  get diagnostics added = row_count;
  if added < total then
    fresh := array(select event_seq from usage.event_key where key = any (keys) and event_seq = any (seqs));
  end if;

  with kind as materialized (
    select place, type, source, meters::int[], dimensions::bigint[]
    from unnest(kind_types, kind_sources, kind_meters, kind_dimensions) with ordinality as k (type, source, meters, dimensions, place)
  )
  insert into usage.event (seq, time, customer_number, type, source, id, data, meters, dimensions, quantities, distinct_values)
  select seqs[i], timestamptz 'epoch' + times[i] * interval '1 millisecond', customers[i], kind.type, kind.source, ids[i], data[i]::json,
    kind.meters, kind.dimensions, quantities[i]::numeric[], distinct_values[i]::text[]
  from generate_series(1, total) as i join kind on kind.place = kinds[i]
  where customers[i] is not null and kind.meters is not null and (added = total or seqs[i] = any (fresh));
  get diagnostics added = row_count;
  if added = total then
    return null;
  end if;

  insert into usage.quarantined_event (seq, time, source, id, customer_id, type, data, reason)
  select seqs[i], timestamptz 'epoch' + times[i] * interval '1 millisecond', kind_sources[kinds[i]], ids[i],
    coalesce(customer_ids[i], (select c.id from billing.customer c where c.number = customers[i])), kind_types[kinds[i]], data[i]::json,
    case when customers[i] is null then 'unknown_customer' else 'no_meter' end
  from generate_series(1, total) as i
  where (customers[i] is null or kind_meters[kinds[i]] is null) and seqs[i] = any (fresh);
  unknown := array(select distinct customer_ids[i] from generate_series(1, total) as i where customers[i] is null and seqs[i] = any (fresh));
  if unknown <> '{}' then
    perform usage.share_unknown_customers(unknown);
  end if;

  repeats := array(
    select row(i, keys[i], payload_hashes[i], coalesce(customer_ids[i], (select c.id from billing.customer c where c.number = customers[i])),
      kind_types[kinds[i]], timestamptz 'epoch' + times[i] * interval '1 millisecond', data[i]::json)::usage.sent_event
    from generate_series(1, total) as i where seqs[i] <> all (fresh));
  judged := usage.judge_repeats(repeats);
  return array(
    select coalesce(outcome, case
      when customers[i] is null then 'unknown_customer'
      when kind_meters[kinds[i]] is null then 'no_meter'
      else 'accepted'
    end)
    from generate_series(1, total) as i left join unnest(judged.ordinals, judged.outcomes) as o (ordinal, outcome) on ordinal = i
    order by i);
end
$$;

-- Lets quarantined events in, with the contributions measured now. Gives the seqs that were let in.
create function usage.release(seqs bigint[], meters text[], dimensions text[], quantities text[], distinct_values text[]) returns setof bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query
  insert into usage.event (seq, time, customer_number, type, source, id, data, meters, dimensions, quantities, distinct_values)
  select q.seq, q.time, customer.number, q.type, q.source, q.id, q.data,
    r.meters::int[], r.dimensions::bigint[], r.quantities::numeric[], r.distinct_values::text[]
  from unnest(seqs, meters, dimensions, quantities, distinct_values) as r (seq, meters, dimensions, quantities, distinct_values)
  join usage.quarantined_event q using (seq) join billing.customer on customer.id = q.customer_id
  order by q.seq
  on conflict (seq, time) do nothing
  returning event.seq;
end
$$;

revoke execute on all functions in schema usage from public;
grant execute on function usage.open_months, usage.dimension_numbers, usage.ingest, usage.release, usage.await_ingest, usage.customer_lock
  to reckoner_app;
grant select on all tables in schema usage to reckoner_app;
