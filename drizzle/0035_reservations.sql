-- Why: a check reserves nothing, so two who ask at once are both allowed. What a request may cost is set aside first, in money, at every level that has a cap; then it is settled with what it did cost.

-- ── who spends ───────────────────────────────────────────────────────────────────────────────────────────────
-- A customer as an organisation, its teams and cost centres, its users. Those that were never named have no row.
create table billing.spender (
  number bigint generated always as identity primary key,
  customer_id text not null references billing.customer (id),
  kind text not null check (kind in ('organisation', 'team', 'user')),
  -- Of an organisation its customer's id.
  key text not null check (key <> '' and length(key) <= 200),
  recorded_at timestamptz not null default clock_timestamp(),
  unique (customer_id, kind, key),
  check (kind <> 'organisation' or key = customer_id)
);
call public.make_append_only('billing.spender');

-- Below whom a spender is from an instant on, until the next row; null: below nobody but its own organisation. A user or team is below
-- a team of its customer, an organisation below the one that pays for it.
create table billing.spender_placement (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  spender bigint not null references billing.spender,
  parent bigint references billing.spender check (parent <> spender),
  effective_at timestamptz not null,
  placed_by text not null check (placed_by <> ''),
  recorded_at timestamptz not null default clock_timestamp()
);
create index spender_placement_of on billing.spender_placement (spender, effective_at desc, recorded_at desc);
create index spender_placement_below on billing.spender_placement (parent) where parent is not null;
call public.make_append_only('billing.spender_placement');

-- The most that may be spent by a spender, or by each user below it, in a window. Of several in force with the same window the newest
-- counts; a raise comes on top of it for its time.
create table billing.spending_cap (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  spender bigint not null references billing.spender,
  kind text not null check (kind in ('cap', 'raise')),
  each_user boolean not null,
  amount_minor numeric not null check (amount_minor >= 0 and amount_minor = trunc(amount_minor) and amount_minor < 1e30),
  limit_window jsonb not null check (limit_window ->> 'type' in ('calendar', 'billing_cycle', 'first_use', 'never')),
  effective_at timestamptz not null,
  expires_at timestamptz check (expires_at > effective_at),
  reason text check (reason <> ''),
  set_by text not null check (set_by <> ''),
  set_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (kind = 'cap' or expires_at is not null)
);
create index spending_cap_of on billing.spending_cap (spender);
call public.make_append_only('billing.spending_cap');

create table billing.spending_cap_end (
  cap_id text primary key references billing.spending_cap,
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  reason text check (reason <> ''),
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.spending_cap_end');
grant select, insert on billing.spender, billing.spender_placement, billing.spending_cap, billing.spending_cap_end to reckoner_app;
--> statement-breakpoint

-- ── what is set aside, and what it did cost ──────────────────────────────────────────────────────────────────
-- Customers are named, not referenced: each check would lock the row of one who asks a thousand times a second.
create table billing.reservation (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
  request_hash uuid not null,
  customer_id text not null,
  user_key text,
  purpose text check (purpose <> ''),
  -- Of the usage event that settling writes; its time is when it was placed, so its prices are those of then.
  event_type text not null,
  -- The most that it may use, as the data of such an event, and what that costs price by price.
  worst_case json not null,
  charges json not null,
  currency text not null,
  held_minor numeric not null check (held_minor >= 0 and held_minor < 1e30),
  -- From the narrowest to the widest, where it was placed.
  path bigint[] not null,
  is_on_test_clock boolean not null,
  placed_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > placed_at),
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.reservation');

-- Until then it may be settled instead of what was said before.
create table billing.reservation_extension (
  reservation_id text not null references billing.reservation,
  expires_at timestamptz not null,
  extended_at timestamptz not null,
  primary key (reservation_id, expires_at)
);
call public.make_append_only('billing.reservation_extension');

-- Nobody said in time what became of it: what it held went back. What is settled later is booked all the same.
create table billing.reservation_expiry (
  reservation_id text primary key references billing.reservation,
  expired_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.reservation_expiry');

-- What became of a request, once for each. completed, canceled: it costs what it used. failed: it used that, and costs nothing.
-- released: it never ran.
create table billing.receipt (
  reservation_id text primary key,
  request_hash uuid not null,
  customer_id text not null,
  user_key text,
  purpose text,
  outcome text not null check (outcome in ('completed', 'canceled', 'failed', 'released')),
  -- It had expired before: it was booked without anything being held for it.
  is_late boolean not null,
  used json not null,
  charges json not null,
  currency text not null,
  cost_minor numeric not null check (cost_minor >= 0 and cost_minor < 1e30),
  held_minor numeric not null,
  path bigint[] not null,
  used_at timestamptz not null,
  settled_at timestamptz not null,
  -- What was paid from what was set aside in grants, price by price; the rest of the cost is on demand.
  payments json,
  number bigint generated always as identity,
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_xid xid8 not null default pg_current_xact_id(),
  check (outcome in ('completed', 'canceled') or cost_minor = 0)
);
create index receipt_of_customer on billing.receipt (customer_id, used_at desc, reservation_id desc);
create index receipt_paid on billing.receipt (customer_id, used_at) where payments is not null;
create index receipt_of_user on billing.receipt (customer_id, user_key, used_at desc, reservation_id desc) where user_key is not null;
call public.make_append_only('billing.receipt');
grant select on billing.reservation, billing.reservation_extension, billing.reservation_expiry, billing.receipt to reckoner_app;
--> statement-breakpoint

-- ── derived: what decides at request time ────────────────────────────────────────────────────────────────────
create function billing.guard_spending() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('billing.keeps_spending', true) is distinct from 'on' then
    raise exception '% on %.% is refused: it follows from reservations and receipts', tg_op, tg_table_schema, tg_table_name using errcode = 'RK001';
  end if;
  return null;
end
$$;

-- Those that are neither settled nor expired. counters: whose `held` has what it holds.
create table billing.open_reservation (
  reservation_id text primary key,
  expires_at timestamptz not null,
  is_on_test_clock boolean not null,
  held_minor numeric not null,
  counters bigint[] not null,
  -- What is set aside for it, in the order in which it pays; null: nothing.
  grants text[],
  buckets text[],
  amounts numeric[]
) with (fillfactor = 70);
create index open_reservation_expires_at on billing.open_reservation (expires_at);

-- What was spent and is held of a cap in one window: of a spender, or of one user below it.
create table billing.spending_counter (
  number bigint generated always as identity primary key,
  spender bigint not null,
  user_key text,
  window_key text not null,
  window_start timestamptz not null,
  window_end timestamptz,
  held_minor numeric not null check (held_minor >= 0),
  spent_minor numeric not null check (spent_minor >= 0),
  unique nulls not distinct (spender, window_key, window_start, user_key)
) with (fillfactor = 50);

-- Goes up when anything changes that decides what a customer may use, beside usage: whoever remembers it knows when it is outdated.
create table billing.entitlement_revision (
  -- '*' for what is of all customers.
  customer_id text primary key,
  revision bigint not null,
  revised_xid xid8 not null
) with (fillfactor = 50);
create index entitlement_revision_xid on billing.entitlement_revision (revised_xid);
create trigger guard_derived before insert or update or delete or truncate on billing.open_reservation for each statement execute function billing.guard_spending();
create trigger guard_derived before insert or update or delete or truncate on billing.spending_counter for each statement execute function billing.guard_spending();
create trigger guard_derived before insert or update or delete or truncate on billing.entitlement_revision for each statement execute function billing.guard_spending();
grant select on billing.open_reservation, billing.spending_counter, billing.entitlement_revision to reckoner_app;

-- Told to whoever keeps what follows from reservations; switched off again at the end of each function.
create function billing.keep_spending(is_on boolean) returns void language sql volatile set search_path = pg_catalog, pg_temp as $$
  select set_config('billing.keeps_spending', case when is_on then 'on' else 'off' end, true)
$$;

create function billing.revise_entitlements(of_customers text[]) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  perform billing.keep_spending(true);
  insert into billing.entitlement_revision as known (customer_id, revision, revised_xid)
  select distinct id, 1, pg_current_xact_id() from unnest(of_customers) as id where id is not null order by id
  on conflict (customer_id) do update set revision = known.revision + 1, revised_xid = pg_current_xact_id();
  perform billing.keep_spending(false);
end
$$;

create function billing.revise_after() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  of_customers text[];
begin
  if tg_table_schema = 'catalog' then
    of_customers := array['*'];
  elsif tg_table_name in ('subscription', 'feature_grant', 'credit_grant') then
    of_customers := array[new.customer_id];
  elsif tg_table_name = 'credit_grant_end' then
    of_customers := array(select customer_id from billing.credit_grant where id = new.grant_id);
  elsif tg_table_name = 'credit_grant_holder' then
    of_customers := array(select customer_id from billing.spender where number = new.spender);
  elsif tg_table_name = 'subscription_terms' then
    of_customers := array(select customer_id from billing.subscription where id = new.subscription_id);
  elsif tg_table_name = 'feature_grant_end' then
    of_customers := array(select customer_id from billing.feature_grant where id = new.grant_id);
  elsif tg_table_name = 'dunning' then
    of_customers := array(select customer_id from billing.invoice where id = new.invoice_id);
  elsif tg_table_name = 'spending_cap_end' then
    of_customers := array(
      select customer_id from billing.spending_cap as cap join billing.spender on number = cap.spender where cap.id = new.cap_id);
  else
    -- Caps are set while nothing is being placed: whoever opens a counter finds all that was placed before there was a cap.
    if tg_table_name = 'spending_cap' then
      perform pg_advisory_xact_lock(hashtextextended('spending_cap', 0));
    end if;
    of_customers := array(select customer_id from billing.spender where number = new.spender);
  end if;
  perform billing.revise_entitlements(of_customers);
  return null;
end
$$;
revoke execute on function billing.guard_spending, billing.keep_spending, billing.revise_entitlements, billing.revise_after from public;
create trigger entitlements_are_revised after insert on billing.subscription_terms for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.feature_grant for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.feature_grant_end for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.spender_placement for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.spending_cap for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.spending_cap_end for each row execute function billing.revise_after();
create trigger entitlements_are_revised after update of status, cancel_at, anchors on billing.subscription
  for each row when ((old.status, old.cancel_at, old.anchors) is distinct from (new.status, new.cancel_at, new.anchors)) execute function billing.revise_after();
create trigger entitlements_are_revised after insert or update on billing.dunning for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.credit_grant for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on billing.credit_grant_end for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on catalog.meter for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on catalog.feature for each row execute function billing.revise_after();
create trigger entitlements_are_revised after insert on catalog.cost_table for each row execute function billing.revise_after();

-- The customers about whom something was committed since a snapshot that decides what they may use now, usage included; '*' when it was
-- of all of them. With the snapshot to ask after next.
create function billing.entitlement_changes(since pg_snapshot) returns json
language sql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
  select json_build_object('snapshot', pg_current_snapshot()::text, 'customers', (
    select coalesce(json_agg(id), '[]') from (
      select customer_id as id from billing.entitlement_revision
      where revised_xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(revised_xid, since)
      union
      select customer.id from usage.event join billing.customer on number = customer_number
      where recorded_xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(recorded_xid, since)
      union
      select customer.id from usage.later_contribution join billing.customer on number = customer_number
      where recorded_xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(recorded_xid, since)
    ) as changed))
$$;
revoke execute on function billing.entitlement_changes from public;
grant execute on function billing.entitlement_changes to reckoner_app;
--> statement-breakpoint

-- ── where a request is placed ────────────────────────────────────────────────────────────────────────────────
create function billing.placed_below(of_spender bigint, as_of timestamptz) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
  select parent from billing.spender_placement
  where spender = of_spender and effective_at <= as_of order by effective_at desc, recorded_at desc, id desc limit 1
$$;

-- Nothing is below itself, and nobody pays in another currency.
create function billing.admit_placement() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  placed constant billing.spender := (select spender from billing.spender where number = new.spender);
  above billing.spender := (select spender from billing.spender where number = new.parent);
  steps int := 0;
begin
  if new.parent is null then
    return new;
  end if;
  -- One at a time, so that two do not close a circle together.
  perform pg_advisory_xact_lock(hashtextextended('spender_placement', 0));
  if placed.kind = 'organisation' and (above.kind <> 'organisation'
      or (select currency from billing.customer where id = placed.customer_id) <> (select currency from billing.customer where id = above.customer_id))
    or placed.kind <> 'organisation' and (above.kind <> 'team' or above.customer_id <> placed.customer_id)
  then
    raise exception 'a user or team is placed below a team of its customer, an organisation below one that pays in its currency' using errcode = 'RK031';
  end if;
  while above.number is not null loop
    steps := steps + 1;
    if above.number = placed.number or steps > 8 then
      raise exception 'a spender is not below itself, nor more than eight levels down' using errcode = 'RK031';
    end if;
    above := (select spender from billing.spender where number = billing.placed_below(above.number, new.effective_at));
  end loop;
  return new;
end
$$;
create trigger admit_placement before insert on billing.spender_placement for each row execute function billing.admit_placement();

-- Who spends when a user of a customer asks something, from the narrowest up, each with all caps that were ever set there, and
-- the revisions of the customers whose changes would change that. Those who were never named have no number and no caps.
create function billing.spending_path(of_customer text, of_user text, as_of timestamptz) returns json
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  own constant bigint := (select spender.number from billing.spender where customer_id = of_customer and kind = 'user' and key = of_user);
  number bigint := own;
  path bigint[] := array[]::bigint[];
  customers text[] := array[of_customer];
  organisation bigint;
begin
  while number is not null loop
    path := path || number;
    number := billing.placed_below(number, as_of);
  end loop;
  organisation := (select spender.number from billing.spender where customer_id = of_customer and kind = 'organisation');
  while organisation is not null loop
    path := path || organisation;
    organisation := billing.placed_below(organisation, as_of);
    customers := customers || (select customer_id from billing.spender where spender.number = organisation);
  end loop;
  return json_build_object(
    'path', to_json(path),
    'user', own,
    'revisions', (select json_object_agg(id, coalesce(revision, 0)) from unnest(customers) as id
      left join billing.entitlement_revision on customer_id = id where id is not null),
    'changesAt', (select min(effective_at) from billing.spender_placement where spender = any (path) and effective_at > as_of),
    'caps', (select coalesce(json_agg(json_build_object('id', cap.id, 'spender', spender.number, 'kind', spender.kind, 'key', spender.key,
        'customer', spender.customer_id, 'isRaise', cap.kind = 'raise', 'eachUser', each_user, 'amountMinor', amount_minor::text,
        'window', limit_window, 'effectiveAt', effective_at, 'expiresAt', least(expires_at, ended_at))
        order by array_position(path, spender.number), not each_user, cap.effective_at, cap.recorded_at, cap.id), '[]')
      from billing.spending_cap as cap join billing.spender on spender.number = cap.spender
      left join billing.spending_cap_end on cap_id = cap.id
      where cap.spender = any (path) and (not each_user or of_user is not null)));
end
$$;
revoke execute on function billing.placed_below, billing.admit_placement, billing.spending_path from public;
grant execute on function billing.placed_below, billing.spending_path to reckoner_app;
--> statement-breakpoint

-- ── counters ─────────────────────────────────────────────────────────────────────────────────────────────────
-- The numbers of counters, in the order in which they are asked for; what was not counted before starts with what was spent and is held in
-- its window.
create function billing.open_counters(spenders bigint[], users text[], keys text[], starts timestamptz[], ends timestamptz[]) returns bigint[]
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found bigint[];
  opened record;
  own record;
  below text[];
  spent numeric;
begin
  found := array(
    select counter.number from unnest(spenders, users, keys, starts) with ordinality as asked (spender, user_key, window_key, window_start, place)
    left join billing.spending_counter as counter on counter.spender = asked.spender and counter.user_key is not distinct from asked.user_key
      and counter.window_key = asked.window_key and counter.window_start = asked.window_start
    order by place);
  if array_position(found, null) is null then
    return found;
  end if;
  perform billing.keep_spending(true);
  for opened in
    insert into billing.spending_counter (spender, user_key, window_key, window_start, window_end, held_minor, spent_minor)
    select asked.spender, asked.user_key, asked.window_key, asked.window_start, asked.window_end, 0, 0
    from unnest(spenders, users, keys, starts, ends) as asked (spender, user_key, window_key, window_start, window_end)
    on conflict do nothing returning *
  loop
    -- As billing.spenders_of has it.
    select kind, customer_id, key into own from billing.spender where number = opened.spender;
    update billing.open_reservation as placed set counters = counters || opened.number
    from billing.reservation
    where reservation.id = reservation_id and (opened.spender = any (path)
        or customer_id = own.customer_id and (own.kind = 'organisation' or own.kind = 'user' and reservation.user_key = own.key))
      and (opened.user_key is null or opened.user_key = reservation.user_key)
      and reservation.placed_at >= opened.window_start and (opened.window_end is null or reservation.placed_at < opened.window_end);
    below := array(select customer_id from billing.spenders_below(opened.spender));
    if opened.user_key is null then
      select sum(cost_minor) into spent from billing.receipt
      where customer_id = any (below) and used_at >= opened.window_start and used_at < coalesce(opened.window_end, 'infinity')
        and (opened.spender = any (path)
          or customer_id = own.customer_id and (own.kind = 'organisation' or own.kind = 'user' and user_key = own.key));
    else
      select sum(cost_minor) into spent from billing.receipt
      where customer_id = any (below) and user_key = opened.user_key and used_at >= opened.window_start
        and used_at < coalesce(opened.window_end, 'infinity')
        and (opened.spender = any (path) or customer_id = own.customer_id and own.kind = 'organisation');
    end if;
    update billing.spending_counter set
      held_minor = coalesce((select sum(placed.held_minor) from billing.open_reservation as placed where opened.number = any (counters)), 0),
      spent_minor = coalesce(spent, 0)
    where number = opened.number;
  end loop;
  perform billing.keep_spending(false);
  return array(
    select counter.number from unnest(spenders, users, keys, starts) with ordinality as asked (spender, user_key, window_key, window_start, place)
    join billing.spending_counter as counter on counter.spender = asked.spender and counter.user_key is not distinct from asked.user_key
      and counter.window_key = asked.window_key and counter.window_start = asked.window_start
    order by place);
end
$$;

-- All whose caps a request counts in: those on its path, and its customer and user, who may have been named only later.
create function billing.spenders_of(path bigint[], of_customer text, of_user text) returns bigint[]
language sql stable set search_path = pg_catalog, pg_temp as $$
  select array(
    select unnest(path) union
    select number from billing.spender where customer_id = of_customer and (kind = 'organisation' or kind = 'user' and key = of_user))
$$;

-- The customers whose requests a spender may ever have paid for: its own, and those that were ever placed below it.
create function billing.spenders_below(of_spender bigint) returns table (customer_id text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive below as (
    select number, spender.customer_id from billing.spender where number = of_spender
    union
    select placed.number, placed.customer_id from below
    join billing.spender_placement as placement on placement.parent = below.number
    join billing.spender as placed on placed.number = placement.spender
  )
  select distinct below.customer_id from below
$$;

create type billing.spending_change as (counter bigint, held numeric, spent numeric);
create type billing.credit_change as (grant_id text, held numeric, unbilled numeric);

-- In the order of their numbers, so that no two wait for each other.
create function billing.change_counters(changes billing.spending_change[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  perform billing.keep_spending(true);
  perform from billing.spending_counter where number = any (array(select counter from unnest(changes))) order by number for update;
  update billing.spending_counter as counter
  set held_minor = held_minor + change.held, spent_minor = spent_minor + change.spent
  from (select counter as number, sum(held) as held, sum(spent) as spent from unnest(changes) group by 1) as change
  where counter.number = change.number and (change.held <> 0 or change.spent <> 0);
  perform billing.keep_spending(false);
end
$$;
revoke execute on function billing.open_counters, billing.spenders_of, billing.spenders_below, billing.change_counters from public;
grant execute on function billing.open_counters, billing.spenders_of to reckoner_app;
--> statement-breakpoint

-- Whether anything has changed, since somebody read these revisions, that decides what requests of these customers cost and where they count.
create function billing.are_outdated(customers text[], revisions bigint[]) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from unnest(customers, revisions) as known (customer, revision)
    left join billing.entitlement_revision as current on current.customer_id = known.customer
    where coalesce(current.revision, 0) <> known.revision)
$$;
revoke execute on function billing.are_outdated from public;

-- ── reserving ────────────────────────────────────────────────────────────────────────────────────────────────
-- Places requests in their order, each whole or not at all, all in one commit. Each names the counters that it counts in as places in
-- `counters`, with its limit there; those of one request end at its `slots_until`; and the grants that may pay for it, in their order, as places in
-- `grants`, with their buckets, up to its `pays_until`. Statuses: placed; denied, with the slots that do not
-- have room and what they hold and have spent; exists, exists_different by its id; outdated: what is known of a customer is not true any more, and
-- nothing was placed.
create function billing.place_reservations(
  known_customers text[], known_revisions bigint[], counters bigint[],
  ids text[], hashes uuid[], customers text[], users text[], purposes text[], types text[], worst_cases text[], charged text[],
  currencies text[], amounts numeric[], paths text[], on_test_clock boolean[], placed timestamptz[], expiring timestamptz[],
  slots_until int[], slots int[], limits numeric[],
  grants text[], accounts text[], pays_until int[], pays int[], buckets text[]
) returns table (status text, denied_slots int[], denied_held text[], denied_spent text[], paid_pays int[], paid_amounts text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  known uuid[];
  held numeric[];
  spent numeric[];
  added numeric[] := array_fill(0::numeric, array[cardinality(counters)]);
  is_placed boolean[] := array_fill(false, array[cardinality(ids)]);
  own_counters text[] := array_fill(''::text, array[cardinality(ids)]);
  first int := 1;
  available numeric[];
  first_pay int := 1;
  due numeric;
  part numeric;
  own_pays jsonb[] := array_fill(null::jsonb, array[cardinality(ids)]);
begin
  -- Whoever sets a cap waits for what is being placed without it.
  perform pg_advisory_xact_lock_shared(hashtextextended('spending_cap', 0));
  if billing.are_outdated(known_customers, known_revisions) then
    return query select 'outdated'::text, null::int[], null::text[], null::text[], null::int[], null::text[] from unnest(ids);
    return;
  end if;
  perform billing.keep_spending(true);
  known := array(
    select request_hash from unnest(ids) with ordinality as asked (id, place) left join billing.reservation using (id) order by place);
  select array_agg(held_minor), array_agg(spent_minor) into held, spent from (
    select held_minor, spent_minor from billing.spending_counter where number = any (counters) order by number for update
  ) as locked;
  if cardinality(grants) > 0 then
    available := billing.lock_credit(grants, accounts);
    perform billing.keep_spending(true);
  end if;
  for place in 1 .. cardinality(ids) loop
    status := 'placed';
    denied_slots := null;
    denied_held := null;
    denied_spent := null;
    paid_pays := null;
    paid_amounts := null;
    if known[place] is not null then
      status := case known[place] when hashes[place] then 'exists' else 'exists_different' end;
    else
      for slot in first .. slots_until[place] loop
        if amounts[place] > 0 and held[slots[slot]] + spent[slots[slot]] + amounts[place] > limits[slot] then
          status := 'denied';
          denied_slots := denied_slots || (slot - first);
          denied_held := denied_held || held[slots[slot]]::text;
          denied_spent := denied_spent || spent[slots[slot]]::text;
        end if;
      end loop;
    end if;
    if status = 'placed' then
      is_placed[place] := true;
      own_counters[place] := '{' || array_to_string(array(select counters[slots[slot]] from generate_series(first, slots_until[place]) as slot), ',') || '}';
      for slot in first .. slots_until[place] loop
        held[slots[slot]] := held[slots[slot]] + amounts[place];
        added[slots[slot]] := added[slots[slot]] + amounts[place];
      end loop;
      due := trunc(amounts[place], 8);
      for pay in first_pay .. pays_until[place] loop
        part := trunc(least(due, available[pays[pay]]), 8);
        if part > 0 then
          available[pays[pay]] := available[pays[pay]] - part;
          due := due - part;
          paid_pays := paid_pays || (pay - first_pay);
          paid_amounts := paid_amounts || trim_scale(part)::text;
          own_pays[place] := coalesce(own_pays[place], '[]') || jsonb_build_object('grant', grants[pays[pay]], 'bucket', buckets[pay], 'amount', part);
        end if;
      end loop;
    end if;
    first_pay := pays_until[place] + 1;
    first := slots_until[place] + 1;
    return next;
  end loop;
  update billing.spending_counter as counter set held_minor = counter.held_minor + change.amount
  from unnest(counters, added) as change (number, amount) where counter.number = change.number and change.amount > 0;
  with placed_now as (
    select * from unnest(ids, hashes, customers, users, purposes, types, worst_cases, charged, currencies, amounts, paths, on_test_clock, placed, expiring, is_placed, own_counters, own_pays)
      as asked (id, hash, customer, user_key, purpose, type, worst_case, charges, currency, amount, path, is_on_test_clock, placed_at, expires_at, is_placed, counters, pays)
    where asked.is_placed
  ), opened as (
    insert into billing.open_reservation (reservation_id, expires_at, is_on_test_clock, held_minor, counters, grants, buckets, amounts)
    select id, expires_at, is_on_test_clock, amount, placed_now.counters::bigint[], paying.grants, paying.buckets, paying.amounts
    from placed_now left join lateral (
      select array_agg("grant" order by ordinality) as grants, array_agg(bucket order by ordinality) as buckets, array_agg(part.amount order by ordinality) as amounts
      from rows from (jsonb_to_recordset(placed_now.pays) as ("grant" text, bucket text, amount numeric)) with ordinality as part ("grant", bucket, amount, ordinality)
    ) as paying on placed_now.pays is not null
  )
  insert into billing.reservation (id, request_hash, customer_id, user_key, purpose, event_type, worst_case, charges, currency, held_minor, path, is_on_test_clock, placed_at, expires_at)
  select id, hash, customer, user_key, purpose, type, worst_case::json, charges::json, currency, amount, path::bigint[], is_on_test_clock, placed_at, expires_at
  from placed_now;
  perform billing.keep_spending(false);
  if cardinality(grants) > 0 then
    perform billing.change_credit(array(
      select row("grant", amount, 0)::billing.credit_change from unnest(own_pays) as own (parts)
      cross join jsonb_to_recordset(own.parts) as part ("grant" text, amount numeric)), placed[1]);
  end if;
end
$$;
--> statement-breakpoint

-- ── settling, releasing, extending, expiring ─────────────────────────────────────────────────────────────────
-- Says what became of requests, each once, all in one commit. Statuses: settled; late: it had expired before, and what it cost is booked
-- all the same; exists, exists_different: somebody said so, or something else, before; missing; outdated, as in placing.
create function billing.settle_reservations(
  known_customers text[], known_revisions bigint[], ids text[], hashes uuid[], outcomes text[], uses text[], charged text[], costs numeric[], settled timestamptz[]
) returns table (status text, paid json) language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  statuses text[];
  changes billing.spending_change[];
  credit billing.credit_change[];
  payments json[] := array_fill(null::json, array[cardinality(ids)]);
  own billing.open_reservation;
begin
  if billing.are_outdated(known_customers, known_revisions) then
    return query select 'outdated'::text, null::json from unnest(ids);
    return;
  end if;
  perform from billing.open_reservation where reservation_id = any (ids) order by reservation_id for update;
  statuses := array(
    select case
      when reservation.id is null then 'missing'
      when receipt.reservation_id is not null then case receipt.request_hash when asked.hash then 'exists' else 'exists_different' end
      when placed.reservation_id is not null then 'settled'
      else 'late' end
    from unnest(ids, hashes) with ordinality as asked (id, hash, place)
    left join billing.reservation on reservation.id = asked.id
    left join billing.receipt on receipt.reservation_id = asked.id
    left join billing.open_reservation as placed on placed.reservation_id = asked.id
    order by place);
  changes := array(
    select row(counter, -placed.held_minor, cost)::billing.spending_change
    from unnest(ids, statuses, costs) as asked (id, status, cost)
    join billing.open_reservation as placed on placed.reservation_id = asked.id cross join unnest(placed.counters) as counter
    where asked.status = 'settled'
    union all
    select row(counter.number, 0, cost)::billing.spending_change
    from unnest(ids, statuses, costs) as asked (id, status, cost)
    join billing.reservation on reservation.id = asked.id
    join billing.spending_counter as counter on counter.spender = any (billing.spenders_of(path, customer_id, reservation.user_key))
      and (counter.user_key is null or counter.user_key = reservation.user_key)
      and reservation.placed_at >= counter.window_start and (counter.window_end is null or reservation.placed_at < counter.window_end)
    where asked.status = 'late' and cost > 0);
  perform billing.change_counters(changes);
  for own in select * from billing.open_reservation where reservation_id = any (ids) and grants is not null loop
    payments[array_position(ids, own.reservation_id)] := billing.payments_of(charged[array_position(ids, own.reservation_id)]::json, own.grants, own.buckets, own.amounts);
    credit := credit || array(select row(grant_id, -amount, 0)::billing.credit_change from unnest(own.grants, own.amounts) as held (grant_id, amount));
  end loop;
  if credit is not null then
    perform billing.change_credit(credit || array(
      select row("grant", 0, "amountMinor")::billing.credit_change from unnest(payments) as paying (parts)
      cross join json_to_recordset(paying.parts) as part ("grant" text, "amountMinor" numeric)), settled[1]);
  end if;
  perform billing.keep_spending(true);
  delete from billing.open_reservation where reservation_id = any (ids);
  perform billing.keep_spending(false);
  insert into billing.receipt (reservation_id, request_hash, customer_id, user_key, purpose, outcome, is_late, used, charges, currency, cost_minor, held_minor, path, used_at, settled_at, payments)
  select reservation.id, hash, customer_id, user_key, purpose, outcome, asked.status = 'late', used::json, asked.charges::json, currency, cost, held_minor, path, placed_at, settled_at, asked.payments
  from unnest(ids, hashes, outcomes, uses, charged, costs, settled, statuses, payments) as asked (id, hash, outcome, used, charges, cost, settled_at, status, payments)
  join billing.reservation on reservation.id = asked.id
  where asked.status in ('settled', 'late');
  return query select unnest(statuses), unnest(payments);
end
$$;

-- Moves the end of those that are open further away; true where one is open.
create function billing.extend_reservation(of_id text, until timestamptz, at timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before timestamptz;
begin
  select expires_at into before from billing.open_reservation where reservation_id = of_id for update;
  if until > before then
    insert into billing.reservation_extension (reservation_id, expires_at, extended_at) values (of_id, until, at);
    perform billing.keep_spending(true);
    update billing.open_reservation set expires_at = until where reservation_id = of_id;
    perform billing.keep_spending(false);
  end if;
  return before is not null;
end
$$;

-- Ends what nobody has settled by then, on the wall's clock or the customer's: what it held goes back. Gives how many.
create function billing.expire_reservations(wall timestamptz, rows_max int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  due text[];
begin
  due := array(
    select placed.reservation_id from billing.open_reservation as placed
    where not placed.is_on_test_clock and placed.expires_at <= wall
      or placed.is_on_test_clock and exists (
        select from billing.reservation join billing.customer on customer.id = customer_id join billing.test_clock on test_clock.id = test_clock_id
        where reservation.id = placed.reservation_id and placed.expires_at <= test_clock.current_at)
    order by placed.expires_at limit rows_max for update of placed skip locked);
  perform billing.change_counters(array(
    select row(counter, -placed.held_minor, 0)::billing.spending_change
    from billing.open_reservation as placed cross join unnest(placed.counters) as counter where placed.reservation_id = any (due)));
  perform billing.change_credit(array(
    select row(grant_id, -amount, 0)::billing.credit_change from billing.open_reservation as placed
    cross join unnest(placed.grants, placed.amounts) as held (grant_id, amount) where placed.reservation_id = any (due)), wall);
  insert into billing.reservation_expiry (reservation_id, expired_at)
  select reservation_id, expires_at from billing.open_reservation where reservation_id = any (due);
  perform billing.keep_spending(true);
  delete from billing.open_reservation where reservation_id = any (due);
  perform billing.keep_spending(false);
  return cardinality(due);
end
$$;
revoke execute on function billing.place_reservations, billing.settle_reservations, billing.extend_reservation, billing.expire_reservations from public;
grant execute on function billing.place_reservations, billing.settle_reservations, billing.extend_reservation, billing.expire_reservations to reckoner_app;
