-- Why: a usage event is accepted once, kept for ever and counted in the same commit, so that "accepted" can be proved.

create sequence usage.event_seq;

-- Every event ever taken in, accepted or quarantined. Kept for ever: a key that expires is a double count waiting for
-- a late retry. Key and hash are 16 bytes of SHA-256, held as uuid because that is the fixed-width type of this size.
create table usage.event_key (
  key uuid primary key, -- of (source, id)
  payload_hash uuid not null, -- of what the event says
  event_seq bigint not null
);
call public.make_append_only('usage.event_key');

-- What a customer did, and what each meter made of it when it was accepted: [{ meter_key, dimensions_key, quantity }],
-- empty when the filters of all meters for its type leave it out.
-- Windows, edge hours and proofs all sum these contributions, so that "measure" has one definition, the domain's.
create table usage.event (
  seq bigint primary key,
  recorded_xid xid8 not null default pg_current_xact_id(), -- did a run see it? pg_visible_in_snapshot(this, its snapshot)
  recorded_at timestamptz not null default now(),
  time timestamptz not null,
  source text not null,
  id text not null,
  customer_id text not null,
  type text not null,
  data jsonb not null,
  contributions jsonb not null
);
create index event_of_customer on usage.event (customer_id, time);
call public.make_append_only('usage.event');

-- Sent with the key of an earlier event but saying something else. The first stands, in usage.event or in quarantine;
-- this is the other, kept once however often it is sent.
create table usage.event_conflict (
  event_seq bigint not null, -- of the first
  payload_hash uuid not null,
  customer_id text not null,
  type text not null,
  time timestamptz not null,
  data jsonb not null,
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
  data jsonb not null,
  reason text not null check (reason in ('unknown_customer', 'no_meter'))
);
create index quarantined_event_of_customer on usage.quarantined_event (customer_id);
call public.make_append_only('usage.quarantined_event');

create view usage.pending_event with (security_invoker) as
select q.* from usage.quarantined_event q where not exists (select from usage.event e where e.seq = q.seq);

-- The sum of the contributions of one UTC hour; can be rebuilt from usage.event at any time.
create table usage.hourly_window (
  customer_id text not null,
  meter_key text not null,
  hour timestamptz not null,
  dimensions_key text not null, -- canonical JSON of the dimensions
  sum numeric not null,
  max numeric not null,
  count bigint not null,
  primary key (customer_id, meter_key, hour, dimensions_key)
) with (fillfactor = 80); -- leaves room to update a window in place

create view usage.contribution with (security_invoker) as
select e.seq, e.recorded_xid, e.time, e.customer_id, c.meter_key, c.dimensions_key, c.quantity
from usage.event e,
  jsonb_to_recordset(e.contributions) as c (meter_key text, dimensions_key text, quantity numeric);
--> statement-breakpoint
-- Windows follow events whoever inserts them. Each batch updates them in key order, so that no two batches can wait for
-- each other in a ring.
create function usage.count_events() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into usage.hourly_window as w (customer_id, meter_key, hour, dimensions_key, sum, max, count)
  select e.customer_id, c.meter_key, date_bin('1 hour', e.time, 'epoch'), c.dimensions_key,
    sum(c.quantity), max(c.quantity), count(*)
  from accepted e,
    jsonb_to_recordset(e.contributions) as c (meter_key text, dimensions_key text, quantity numeric)
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4
  on conflict (customer_id, meter_key, hour, dimensions_key) do update
    set sum = w.sum + excluded.sum, max = greatest(w.max, excluded.max), count = w.count + excluded.count;
  return null;
end
$$;
create trigger count_events after insert on usage.event
  referencing new table as accepted for each statement execute function usage.count_events();

-- Only that trigger writes windows: by hand they would disagree with the events.
create function usage.guard_derived() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on %.% is refused: it follows from the events', tg_op, tg_table_schema, tg_table_name using errcode = 'RK001';
end
$$;
create trigger guard_derived before insert or update or delete or truncate on usage.hourly_window for each statement
  when (pg_trigger_depth() = 0) execute function usage.guard_derived();
--> statement-breakpoint
create type usage.sent_event as (
  ordinal integer,
  key uuid,
  payload_hash uuid,
  source text,
  id text,
  customer_id text,
  type text,
  time timestamptz,
  data jsonb,
  contributions jsonb
);

-- Batches and replays of one customer meet at a lock. There are 256, so that a batch cannot fill the lock table.
create function usage.customer_lock(customer_id text) returns integer
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select hashtext(customer_id) & 255;
$$;

-- Which of these customers do not exist. Waits for a transaction that is about to add one (see await_ingest), so that
-- no event can slip into quarantine behind the back of the replay.
create function usage.unknown_customers(customer_ids text[]) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  unknown text[];
begin
  unknown := array(
    select s.id from unnest(customer_ids) as s (id)
    where not exists (select from billing.customer c where c.id = s.id) order by s.id
  );
  if unknown = '{}' then
    return unknown;
  end if;
  perform pg_advisory_xact_lock_shared(hashtext('usage.customer'), lock.number)
  from (select distinct usage.customer_lock(u.id) as number from unnest(unknown) as u (id) order by 1) lock;
  return array(
    select u.id from unnest(unknown) as u (id) where not exists (select from billing.customer c where c.id = u.id)
  );
end
$$;

-- The replay's side of the lock: batches that found the customer missing have committed, later ones will find it.
create function usage.await_ingest(customer_id text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(hashtext('usage.customer'), usage.customer_lock(customer_id));
$$;

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
--> statement-breakpoint
-- Takes in a batch: an array of objects with the fields of usage.sent_event but its ordinal; contributions are null when
-- there is no meter for the event's type. One call, one commit.
-- Answers for each event, in the order sent: accepted, duplicate, conflict, or why it was quarantined. Of events with
-- the same key the first in the batch wins. Keys are claimed in key order, before any window is touched.
create function usage.ingest(batch jsonb) returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
  sent usage.sent_event[];
  unknown text[];
  fresh_ordinals integer[];
  fresh_outcomes text[];
  repeats usage.sent_event[];
  repeat_ordinals integer[];
  repeat_outcomes text[];
begin
  select array_agg(
    (s.ordinality, key, payload_hash, source, id, customer_id, type, time, data, contributions)::usage.sent_event
  ) into sent
  from rows from (jsonb_to_recordset(batch) as (key uuid, payload_hash uuid, source text, id text, customer_id text,
    type text, time timestamptz, data jsonb, contributions jsonb)) with ordinality as s;
  unknown := usage.unknown_customers(array(select distinct customer_id from unnest(sent)));

  with first_sent as materialized (
    select distinct on (key) * from unnest(sent) order by key, ordinal
  ), claimed as (
    insert into usage.event_key (key, payload_hash, event_seq)
    select key, payload_hash, nextval('usage.event_seq') from first_sent order by key
    on conflict (key) do nothing
    returning key, event_seq
  ), fresh as materialized (
    select c.event_seq as seq, f.*,
      case when f.customer_id = any (unknown) then 'unknown_customer'
        when f.contributions is null then 'no_meter' else 'accepted' end as outcome
    from claimed c join first_sent f using (key)
  ), accepted as (
    insert into usage.event (seq, time, source, id, customer_id, type, data, contributions)
    select seq, time, source, id, customer_id, type, data, contributions from fresh where outcome = 'accepted' order by seq
  ), quarantined as (
    insert into usage.quarantined_event (seq, time, source, id, customer_id, type, data, reason)
    select seq, time, source, id, customer_id, type, data, outcome from fresh where outcome <> 'accepted' order by seq
  )
  select array_agg(ordinal order by ordinal), array_agg(outcome order by ordinal)
  into fresh_ordinals, fresh_outcomes from fresh;

  if cardinality(fresh_ordinals) = cardinality(sent) then
    return fresh_outcomes;
  end if;
  repeats := array(select s from unnest(sent) s where s.ordinal <> all (coalesce(fresh_ordinals, '{}')));
  select j.ordinals, j.outcomes into repeat_ordinals, repeat_outcomes from usage.judge_repeats(repeats) j;
  return array(
    select outcome from unnest(fresh_ordinals || repeat_ordinals, fresh_outcomes || repeat_outcomes) as o (ordinal, outcome)
    order by ordinal
  );
end
$$;

-- Lets quarantined events in, with the contributions measured now: [{ seq, contributions }]. Gives the seqs that were let in.
create function usage.release(batch jsonb) returns setof bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
  insert into usage.event (seq, time, source, id, customer_id, type, data, contributions)
  select q.seq, q.time, q.source, q.id, q.customer_id, q.type, q.data, r.contributions
  from jsonb_to_recordset(batch) as r (seq bigint, contributions jsonb) join usage.quarantined_event q using (seq)
  where exists (select from billing.customer c where c.id = q.customer_id)
  order by q.seq
  on conflict (seq) do nothing
  returning event.seq;
end
$$;

revoke execute on all functions in schema usage from public;
grant execute on function usage.ingest, usage.release, usage.await_ingest, usage.customer_lock to reckoner_app;
grant select on all tables in schema usage to reckoner_app;
