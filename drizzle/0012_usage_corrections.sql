-- Why: usage that was reported wrongly is set right by facts of its own, which refer to the events, say who, why and who agreed, and take
-- back exactly what stood. What was said first stays as it was said.

-- ── backfills ────────────────────────────────────────────────────────────────────────────────────────────────
-- Usage that is reported afterwards under one name, so that it can be closed, and taken back as a whole.
create table usage.backfill (
  id text primary key,
  name text not null check (name <> ''),
  reason text not null check (reason <> ''),
  opened_by text not null check (opened_by <> ''),
  opened_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index backfill_newest_first on usage.backfill (opened_at desc, id desc);
call public.make_append_only('usage.backfill');

-- From then on no event can be added.
create table usage.backfill_closing (
  backfill_id text primary key references usage.backfill (id),
  closed_by text not null check (closed_by <> ''),
  closed_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('usage.backfill_closing');

-- Written in the commit that accepted the event.
create table usage.backfill_event (
  event_seq bigint primary key,
  event_time timestamptz not null, -- leads to the event's partition
  backfill_id text not null references usage.backfill (id),
  customer_number bigint not null
);
create index backfill_event_of_backfill on usage.backfill_event (backfill_id);
call public.make_append_only('usage.backfill_event');
--> statement-breakpoint
-- ── corrections ──────────────────────────────────────────────────────────────────────────────────────────────
-- What somebody asked for. Needs a second key above a number of events, where parts add up, and where it changes what was billed.
create table usage.correction (
  id text primary key,
  kind text not null check (kind in ('void', 'amend')),
  -- Where it takes back a whole backfill.
  backfill_id text references usage.backfill (id),
  reason_code text not null check (reason_code in ('duplicate', 'wrong_quantity', 'wrong_customer', 'test_traffic', 'service_fault',
    'goodwill', 'other')),
  note text check (note <> ''),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  event_count bigint not null,
  -- As it was when this was asked for.
  unapproved_max bigint not null check (unapproved_max >= 0),
  -- Events that the same actor corrected in the 24 hours before, without anybody else.
  unapproved_before bigint not null,
  -- Whether the period of one of the events has been rated.
  changes_billed boolean not null,
  needs_approval boolean not null
    check (needs_approval = (event_count > 0 and (changes_billed or event_count + unapproved_before > unapproved_max))),
  check (backfill_id is null or kind = 'void'),
  check (event_count > 0 or backfill_id is not null and event_count = 0),
  check (reason_code <> 'other' or note is not null)
);
create index correction_newest_first on usage.correction (requested_at desc, id desc);
create index correction_of_requester on usage.correction (requested_by, requested_at);
create index correction_of_backfill on usage.correction (backfill_id) where backfill_id is not null;
call public.make_append_only('usage.correction');

-- What it is about.
create table usage.correction_event (
  correction_id text not null references usage.correction (id),
  event_seq bigint not null,
  event_time timestamptz not null,
  customer_number bigint not null,
  -- The event's newest correction when this one was asked for: it is about the event as that left it.
  after_seq bigint,
  -- What an amended event says from then on.
  data json,
  primary key (correction_id, event_seq)
);
create index correction_event_of_event on usage.correction_event (event_seq);
create index correction_event_of_customer on usage.correction_event (customer_number);
call public.make_append_only('usage.correction_event');

-- Decided once, by whoever comes first.
create table usage.correction_decision (
  correction_id text primary key references usage.correction (id),
  outcome text not null check (outcome in ('approved', 'rejected', 'withdrawn')),
  decided_by text not null check (decided_by <> ''),
  note text check (note <> ''),
  decided_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (outcome <> 'rejected' or note is not null)
);
call public.make_append_only('usage.correction_decision');

-- From then on it counts: the number is that of the fact in usage.later_contribution.
create table usage.correction_booking (
  seq bigint primary key default nextval('usage.event_seq'),
  correction_id text not null unique references usage.correction (id),
  booked_at timestamptz not null,
  recorded_xid xid8 not null default pg_current_xact_id(),
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('usage.correction_booking');

create view usage.correction_standing with (security_invoker) as
select correction.*, decision.outcome, decision.decided_by, decision.note as decision_note, decision.decided_at,
  case
    when not needs_approval or decision.outcome = 'approved' then 'executed'
    else coalesce(decision.outcome, 'pending_approval')
  end as status,
  booking.seq, booking.booked_at
from usage.correction as correction
left join usage.correction_decision as decision on decision.correction_id = correction.id
left join usage.correction_booking as booking on booking.correction_id = correction.id;
comment on view usage.correction_standing is 'Every correction with its decision; what is executed is booked in the same commit.';

-- Each event with the newest correction that was booked of it: void, or amend with what it says now.
create view usage.corrected_event with (security_invoker) as
select distinct on (e.event_seq) e.event_seq, e.event_time, e.customer_number, b.seq, c.kind, e.data
from usage.correction_event e
join usage.correction_booking b using (correction_id) join usage.correction c on c.id = e.correction_id
order by e.event_seq, b.seq desc;

create view usage.backfill_standing with (security_invoker) as
select backfill.*, closing.closed_by, closing.closed_at, revert.id as revert_id,
  case
    when revert.status = 'executed' then 'reverted'
    when closing.backfill_id is not null then 'closed'
    else 'open'
  end as state
from usage.backfill as backfill
left join usage.backfill_closing as closing on closing.backfill_id = backfill.id
left join usage.correction_standing as revert on revert.backfill_id = backfill.id and revert.status in ('pending_approval', 'executed');
comment on view usage.backfill_standing is 'Every backfill with its state; revert_id is the correction that takes it back, or waits to.';
--> statement-breakpoint
-- ── asking and deciding ──────────────────────────────────────────────────────────────────────────────────────
-- Corrections come one after the other: each sees what those before it left.
create function usage.await_corrections() returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(hashtextextended('usage.correction', 0));
$$;

-- Opened twice under one id, it is the first one that stands.
create function usage.open_backfill(new_id text, called text, why text, actor text, at timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into usage.backfill (id, name, reason, opened_by, opened_at) values (new_id, called, why, actor, at) on conflict (id) do nothing
$$;

create function usage.close_backfill(of_backfill text, actor text, at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Events that are being added to it have been, or will find it closed.
  perform from usage.backfill where id = of_backfill for update;
  insert into usage.backfill_closing (backfill_id, closed_by, closed_at) values (of_backfill, actor, at) on conflict do nothing;
end
$$;

-- Links events, by their keys, that this very transaction has accepted; of a closed backfill nothing is accepted.
create function usage.add_to_backfill(of_backfill text, keys uuid[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  added bigint;
begin
  perform from usage.backfill where id = of_backfill for share;
  if not found or exists (select from usage.backfill_closing where backfill_id = of_backfill) then
    raise exception 'backfill % takes no events', of_backfill using errcode = 'RK020';
  end if;
  insert into usage.backfill_event (event_seq, event_time, backfill_id, customer_number)
  select e.seq, e.time, of_backfill, e.customer_number
  from unnest(keys) as s (key) join usage.event_key k on k.key = s.key
  join usage.event e on e.seq = k.event_seq and e.time = k.event_time
  where e.recorded_xid = pg_current_xact_id();
  get diagnostics added = row_count;
  return added;
end
$$;

-- Writes down what is asked for: of these events, or of all of a backfill that are not voided yet, which is closed with that. For an
-- amendment `said` is what each event says from now on. The same id again changes nothing.
create function usage.request_correction(
  new_id text, of_kind text, of_backfill text, why text, explained text, actor text, at timestamptz, alone_max bigint,
  seqs bigint[], times timestamptz[], said json[]
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  asked usage.correction_event[];
begin
  perform usage.await_corrections();
  if exists (select from usage.correction where id = new_id) then
    return;
  end if;
  if of_backfill is not null then
    if exists (select from usage.backfill_standing where id = of_backfill and revert_id is not null) then
      raise exception 'backfill % is being taken back already', of_backfill using errcode = 'RK021';
    end if;
    perform usage.close_backfill(of_backfill, actor, at);
    if exists (
      select from usage.backfill_event b where b.backfill_id = of_backfill
        and not exists (select from usage.event e where e.seq = b.event_seq and e.time = b.event_time)
    ) then
      raise exception 'events of backfill % are archived', of_backfill using errcode = 'RK023';
    end if;
  end if;

  asked := array(
    select row(new_id, e.seq, e.time, e.customer_number, before.seq, target.said)::usage.correction_event
    from (
      select event_seq, event_time, null::json as said from usage.backfill_event where backfill_id = of_backfill
      union all
      select * from unnest(seqs, times, said) where of_backfill is null
    ) as target (event_seq, event_time, said)
    join usage.event e on e.seq = target.event_seq and e.time = target.event_time
    left join lateral (
      select b.seq, c.kind from usage.correction_event earlier join usage.correction_booking b using (correction_id)
      join usage.correction c on c.id = earlier.correction_id
      where earlier.event_seq = target.event_seq order by b.seq desc limit 1
    ) as before on true
    where before.kind is distinct from 'void'
  );
  if of_backfill is null and (cardinality(asked) <> cardinality(seqs) or exists (
    select from unnest(said) as new_data where (new_data is null) = (of_kind = 'amend'))) then
    raise exception 'not every event of correction % can be corrected', new_id using errcode = 'RK021';
  end if;
  insert into usage.correction (id, kind, backfill_id, reason_code, note, requested_by, requested_at, event_count,
    unapproved_max, unapproved_before, changes_billed, needs_approval)
  select new_id, of_kind, of_backfill, why, explained, actor, at, events, alone_max, alone_before, is_billed,
    events > 0 and (is_billed or events + alone_before > alone_max)
  from (
    select cardinality(asked)::bigint as events,
      (select coalesce(sum(event_count), 0)::bigint from usage.correction
        where requested_by = actor and not needs_approval and requested_at > at - interval '24 hours') as alone_before,
      exists (
        select from unnest(asked) as e
        join billing.customer customer on customer.number = e.customer_number
        join billing.subscription subscription on subscription.customer_id = customer.id
        join billing.rating_run run on run.subscription_id = subscription.id
        where e.event_time >= run.period_start and e.event_time < run.period_end) as is_billed
  ) as judged;
  insert into usage.correction_event select * from unnest(asked) order by event_seq;
end
$$;

-- Agreed to or refused by another key than the one that asked; withdrawn by that one alone.
create function usage.decide_correction(of_correction text, decided text, actor text, explained text, at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform usage.await_corrections();
  if not exists (
    select from usage.correction where id = of_correction and needs_approval and (requested_by = actor) = (decided = 'withdrawn')
  ) then
    raise exception 'correction % cannot be % by %: it waits for somebody else, and only its requester may withdraw it',
      of_correction, decided, actor using errcode = 'RK021';
  end if;
  insert into usage.correction_decision (correction_id, outcome, decided_by, note, decided_at)
  values (of_correction, decided, actor, explained, at);
end
$$;
--> statement-breakpoint
-- ── booking ──────────────────────────────────────────────────────────────────────────────────────────────────
-- Makes a correction count, once: takes back what stands of each of its events, and gives an amended one what its new data
-- contributes: lists of equal length, as for usage.ingest. False when it was booked before. Refused unless it is agreed to, and when
-- one of the events was corrected since it was asked for.
create function usage.book_correction(
  of_correction text, at timestamptz,
  event_seqs bigint[], meters text[], dimensions text[], quantities text[], distinct_values text[]
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  asked usage.correction_standing;
  fact bigint;
begin
  perform usage.await_corrections();
  select * into asked from usage.correction_standing where id = of_correction;
  if asked.status is distinct from 'executed' then
    raise exception 'correction % is not agreed to', of_correction using errcode = 'RK021';
  end if;
  if asked.seq is not null then
    return false;
  end if;
  if exists (
    select from usage.correction_event e where e.correction_id = of_correction and e.after_seq is distinct from (
      select max(b.seq) from usage.correction_event other join usage.correction_booking b using (correction_id)
      where other.event_seq = e.event_seq)
  ) then
    raise exception 'an event of correction % was corrected meanwhile', of_correction using errcode = 'RK022';
  end if;
  if array(select unnest(event_seqs) order by 1)
    <> array(select event_seq from usage.correction_event where correction_id = of_correction and asked.kind = 'amend' order by 1) then
    raise exception 'correction % has other events', of_correction using errcode = 'RK021';
  end if;

  insert into usage.correction_booking (correction_id, booked_at) values (of_correction, at) returning seq into fact;
  insert into usage.later_contribution (fact_seq, event_seq, time, customer_number, meter, dimensions, quantity, value, weight)
  select fact, event_seq, time, customer_number, meter, dimensions, quantity, value, -1
  from (
    select e.seq as event_seq, e.time, e.customer_number, said.meter, said.dimensions, said.quantity, said.value, 1 as weight
    from usage.correction_event target join usage.event e on e.seq = target.event_seq and e.time = target.event_time
    cross join lateral unnest(e.meters, e.dimensions, e.quantities, e.distinct_values) as said (meter, dimensions, quantity, value)
    where target.correction_id = of_correction
    union all
    select l.event_seq, l.time, l.customer_number, l.meter, l.dimensions, l.quantity, l.value, l.weight
    from usage.correction_event target join usage.later_contribution l on l.event_seq = target.event_seq
    where target.correction_id = of_correction
  ) as made
  group by event_seq, time, customer_number, meter, dimensions, quantity, value having sum(weight) > 0
  order by event_seq, meter;

  insert into usage.later_contribution (fact_seq, event_seq, time, customer_number, meter, dimensions, quantity, value, weight)
  select fact, target.event_seq, target.event_time, target.customer_number, said.meter, said.dimensions, said.quantity, said.value, 1
  from unnest(event_seqs, meters, dimensions, quantities, distinct_values) as new (event_seq, meters, dimensions, quantities, distinct_values)
  join usage.correction_event target on target.correction_id = of_correction and target.event_seq = new.event_seq
  cross join lateral unnest(new.meters::int[], new.dimensions::bigint[], new.quantities::numeric[], new.distinct_values::text[])
    as said (meter, dimensions, quantity, value)
  order by target.event_seq, said.meter;
  return true;
end
$$;

revoke execute on function usage.await_corrections, usage.open_backfill, usage.close_backfill, usage.add_to_backfill, usage.request_correction,
  usage.decide_correction, usage.book_correction from public;
grant execute on function usage.await_corrections, usage.open_backfill, usage.close_backfill, usage.add_to_backfill, usage.request_correction,
  usage.decide_correction, usage.book_correction to reckoner_app;
grant select on usage.backfill, usage.backfill_closing, usage.backfill_event, usage.correction, usage.correction_event,
  usage.correction_decision, usage.correction_booking, usage.correction_standing, usage.corrected_event, usage.backfill_standing
  to reckoner_app;
