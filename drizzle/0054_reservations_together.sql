-- Why: who placed and who settled waited for each other's counters, commit after commit; and plans made while tables were empty read all of them ever after.

-- Whose it is: a counter that is opened finds what is under way without reading everybody's.
alter table billing.open_reservation add column customer_id text;
select billing.keep_spending(true);
update billing.open_reservation set customer_id = reservation.customer_id from billing.reservation where reservation.id = reservation_id;
select billing.keep_spending(false);
alter table billing.open_reservation alter column customer_id set not null;
create index open_reservation_of_customer on billing.open_reservation (customer_id);

-- By indexes, however small a table was when a session planned.
alter function billing.expire_reservations set enable_seqscan = off;
alter function billing.spending_path set enable_seqscan = off;
--> statement-breakpoint

-- What is under way is looked for by its customers, and locked in the order in which those who settle lock it.
create or replace function billing.open_counters(spenders bigint[], users text[], keys text[], starts timestamptz[], ends timestamptz[]) returns bigint[]
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  found bigint[];
  opened record;
  own record;
  below text[];
  running text[];
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
    below := array(select customer_id from billing.spenders_below(opened.spender));
    -- In one order, as who settles locks them.
    running := array(
      select reservation_id from billing.open_reservation join billing.reservation on reservation.id = reservation_id
      where open_reservation.customer_id = any (below)
        and (opened.spender = any (path)
          or reservation.customer_id = own.customer_id and (own.kind = 'organisation' or own.kind = 'user' and reservation.user_key = own.key))
        and (opened.user_key is null or opened.user_key = reservation.user_key)
        and reservation.placed_at >= opened.window_start and (opened.window_end is null or reservation.placed_at < opened.window_end)
      order by reservation_id for update of open_reservation);
    update billing.open_reservation set counters = counters || opened.number where reservation_id = any (running);
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
      held_minor = coalesce((select sum(placed.held_minor) from billing.open_reservation as placed where reservation_id = any (running)), 0),
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
--> statement-breakpoint

-- What is asked of each row is asked by its key, one after the other: no plan can make that a look at all rows.
create or replace function billing.change_counters(changes billing.spending_change[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
  numbers bigint[];
  held numeric[];
  spent numeric[];
begin
  select array_agg(change.counter), array_agg(change.held), array_agg(change.spent) into numbers, held, spent from (
    select counter, sum(each.held) as held, sum(each.spent) as spent from unnest(changes) as each group by 1 order by 1
  ) as change where change.held <> 0 or change.spent <> 0;
  if numbers is null then
    return;
  end if;
  perform billing.keep_spending(true);
  perform from billing.spending_counter where number = any (numbers) order by number for update;
  update billing.spending_counter as counter
  set held_minor = held_minor + held[array_position(numbers, counter.number)], spent_minor = spent_minor + spent[array_position(numbers, counter.number)]
  where counter.number = any (numbers);
  perform billing.keep_spending(false);
end
$$;

create or replace function billing.settle_reservations(
  known_customers text[], known_revisions bigint[], ids text[], hashes uuid[], outcomes text[], uses text[], charged text[], costs numeric[], settled timestamptz[]
) returns table (status text, paid json) language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
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
      when receipt_hash is not null then case receipt_hash when asked.hash then 'exists' else 'exists_different' end
      when is_open then 'settled'
      when (select true from billing.reservation where reservation.id = asked.id) then 'late'
      else 'missing' end
    from unnest(ids, hashes) with ordinality as asked (id, hash, place)
    cross join lateral (select
      (select request_hash from billing.receipt where reservation_id = asked.id) as receipt_hash,
      (select true from billing.open_reservation where reservation_id = asked.id) as is_open) as known
    order by place);
  changes := array(
    select row(counter, -placed.held_minor, cost)::billing.spending_change
    from unnest(ids, statuses, costs) as asked (id, status, cost)
    cross join lateral (select * from billing.open_reservation where reservation_id = asked.id offset 0) as placed
    cross join unnest(placed.counters) as counter
    where asked.status = 'settled');
  if 'late' = any (statuses) then
    changes := changes || array(
      select row(counter.number, 0, cost)::billing.spending_change
      from unnest(ids, statuses, costs) as asked (id, status, cost)
      cross join lateral (select * from billing.reservation where reservation.id = asked.id offset 0) as placed
      join billing.spending_counter as counter on counter.spender = any (billing.spenders_of(placed.path, placed.customer_id, placed.user_key))
        and (counter.user_key is null or counter.user_key = placed.user_key)
        and placed.placed_at >= counter.window_start and (counter.window_end is null or placed.placed_at < counter.window_end)
      where asked.status = 'late' and cost > 0);
  end if;
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
  cross join lateral (select * from billing.reservation where reservation.id = asked.id offset 0) as reservation
  where asked.status in ('settled', 'late');
  return query select unnest(statuses), unnest(payments);
end
$$;
--> statement-breakpoint

-- As before, but that an open reservation names its customer, and that each row is found by its key.
create or replace function billing.place_reservations(
  known_customers text[], known_revisions bigint[], counters bigint[],
  ids text[], hashes uuid[], customers text[], users text[], purposes text[], types text[], worst_cases text[], charged text[],
  currencies text[], amounts numeric[], paths text[], on_test_clock boolean[], placed timestamptz[], expiring timestamptz[],
  slots_until int[], slots int[], limits numeric[],
  grants text[], accounts text[], pays_until int[], pays int[], buckets text[]
) returns table (status text, denied_slots int[], denied_held text[], denied_spent text[], paid_pays int[], paid_amounts text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
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
    select (select request_hash from billing.reservation where reservation.id = asked.id) from unnest(ids) with ordinality as asked (id, place) order by place);
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
  update billing.spending_counter as counter set held_minor = counter.held_minor + added[array_position(counters, counter.number)]
  where counter.number = any (counters) and added[array_position(counters, counter.number)] > 0;
  with placed_now as (
    select * from unnest(ids, hashes, customers, users, purposes, types, worst_cases, charged, currencies, amounts, paths, on_test_clock, placed, expiring, is_placed, own_counters, own_pays)
      as asked (id, hash, customer, user_key, purpose, type, worst_case, charges, currency, amount, path, is_on_test_clock, placed_at, expires_at, is_placed, counters, pays)
    where asked.is_placed
  ), opened as (
    insert into billing.open_reservation (reservation_id, customer_id, expires_at, is_on_test_clock, held_minor, counters, grants, buckets, amounts)
    select id, customer, expires_at, is_on_test_clock, amount, placed_now.counters::bigint[], paying.grants, paying.buckets, paying.amounts
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

-- ── settled and placed together ──────────────────────────────────────────────────────────────────────────────
create type billing.reservation_settling as (
  ids text[], hashes uuid[], outcomes text[], uses text[], charged text[], costs numeric[], settled timestamptz[],
  -- The place of its usage event; 0: there is none; -1: it cannot be metered.
  metered int[]
);
create type billing.reservation_metering as (
  published bigint, keys uuid[], payload_hashes uuid[], ids text[], times bigint[], customers bigint[], customer_ids text[], said text,
  quantities text[], distinct_values text[], kinds int[], kind_types text[], kind_sources text[], kind_meters text[], kind_dimensions text[]
);
create type billing.reservation_placing as (
  counters bigint[], ids text[], hashes uuid[], customers text[], users text[], purposes text[], types text[], worst_cases text[], charged text[],
  currencies text[], amounts numeric[], paths text[], on_test_clock boolean[], placed timestamptz[], expiring timestamptz[],
  slots_until int[], slots int[], limits numeric[], grants text[], accounts text[], pays_until int[], pays int[], buckets text[]
);

-- Locks all that a batch will change, in one order: reservations, counters, credit. So no two batches wait for each other in a ring.
create function billing.lock_spending(settling billing.reservation_settling, asking billing.reservation_placing) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  ids constant text[] := settling.ids;
  counters bigint[] := asking.counters;
  grants text[] := asking.grants;
  running int;
begin
  perform from billing.open_reservation where reservation_id = any (ids) order by reservation_id for update;
  get diagnostics running = row_count;
  if running > 0 then
    counters := counters || array(
      select counter from billing.open_reservation as placed cross join unnest(placed.counters) as counter where reservation_id = any (ids));
    grants := grants || array(
      select grant_id from billing.open_reservation as placed cross join unnest(placed.grants) as grant_id
      where reservation_id = any (ids) and placed.grants is not null);
  end if;
  if running < cardinality(ids) then
    counters := counters || array(
      select counter.number from billing.reservation
      join billing.spending_counter as counter on counter.spender = any (billing.spenders_of(path, customer_id, reservation.user_key))
        and (counter.user_key is null or counter.user_key = reservation.user_key)
        and reservation.placed_at >= counter.window_start and (counter.window_end is null or reservation.placed_at < counter.window_end)
      where reservation.id = any (ids) and not exists (select from billing.receipt where reservation_id = reservation.id)
        and not exists (select from billing.open_reservation where reservation_id = reservation.id));
  end if;
  perform from billing.spending_counter where number = any (counters) order by number for update;
  if cardinality(grants) > 0 then
    grants := array(select distinct grant_id from unnest(grants) as grant_id order by 1);
    perform billing.lock_credit(grants, array(
      select coalesce(asked.account, known.account) from unnest(grants) with ordinality as each (grant_id, place)
      left join unnest(asking.grants, asking.accounts) as asked (grant_id, account) on asked.grant_id = each.grant_id
      left join billing.credit_counter as known on known.grant_id = each.grant_id order by place));
    perform billing.keep_spending(false);
  end if;
end
$$;

-- Books the usage of those that were settled just now, in the same commit.
create function billing.meter_settled(settling billing.reservation_settling, metering billing.reservation_metering, statuses text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  metered constant int[] := settling.metered;
  chosen constant int[] := array(
    select metered[place] from generate_subscripts(metered, 1) as place where metered[place] <> 0 and statuses[place] in ('settled', 'late') order by place);
  said text[];
  outcomes text[];
begin
  if cardinality(chosen) = 0 then
    return;
  elsif -1 = any (chosen) then
    raise exception 'the usage of % cannot be metered', (settling.ids)[array_position(metered, -1)] using errcode = 'RK054';
  elsif cardinality(chosen) = cardinality(metering.keys) then
    outcomes := usage.ingest(metering.published, true, metering.keys, metering.payload_hashes, metering.ids, metering.times, metering.customers,
      metering.customer_ids, metering.said, metering.quantities, metering.distinct_values, metering.kinds, metering.kind_types, metering.kind_sources,
      metering.kind_meters, metering.kind_dimensions);
  else
    said := string_to_array(metering.said, E'\n');
    outcomes := usage.ingest(metering.published, true,
      array(select (metering.keys)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.payload_hashes)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.ids)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.times)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.customers)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.customer_ids)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      (select string_agg(said[place], E'\n' order by nth) from unnest(chosen) with ordinality as each (place, nth)),
      array(select (metering.quantities)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.distinct_values)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      array(select (metering.kinds)[place] from unnest(chosen) with ordinality as each (place, nth) order by nth),
      metering.kind_types, metering.kind_sources, metering.kind_meters, metering.kind_dimensions);
  end if;
  if exists (select from unnest(outcomes) as outcome where outcome <> 'accepted') then
    raise exception 'the usage of a request was reported by somebody else, or cannot be metered: %', outcomes using errcode = 'RK054';
  end if;
end
$$;

-- Settles, and then places, all in one commit: what is given back is there for who asks. A row for each that is settled, and after those one for each
-- that is placed, as the functions for either have them. When something has changed for some of the customers since it was read: one row, outdated,
-- with those customers, and nothing was written. Meters that were published meanwhile: refused (RK016). Usage that cannot be booked: refused (RK054).
create function billing.write_reservations(
  known_customers text[], known_revisions bigint[],
  settling billing.reservation_settling, metering billing.reservation_metering, asking billing.reservation_placing
) returns table (status text, paid json, denied_slots int[], denied_held text[], denied_spent text[], paid_pays int[], paid_amounts text[], outdated text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  statuses text[];
  payments json[];
begin
  if cardinality(settling.ids) > 0 then
    -- Publications of meters wait, and find what was metered without them.
    perform pg_advisory_xact_lock_shared(hashtextextended('catalog', 0));
  end if;
  -- Whoever sets a cap waits for what is being placed without it.
  perform pg_advisory_xact_lock_shared(hashtextextended('spending_cap', 0));
  statuses := array(
    select known.customer from unnest(known_customers, known_revisions) as known (customer, revision)
    left join billing.entitlement_revision as now on now.customer_id = known.customer
    where coalesce(now.revision, 0) <> known.revision);
  if cardinality(statuses) > 0 then
    return query select 'outdated'::text, null::json, null::int[], null::text[], null::text[], null::int[], null::text[], statuses;
    return;
  end if;
  perform billing.lock_spending(settling, asking);
  if cardinality(settling.ids) > 0 then
    select array_agg(each.status order by place), array_agg(each.paid order by place) into statuses, payments
    from billing.settle_reservations('{}', '{}', settling.ids, settling.hashes, settling.outcomes, settling.uses, settling.charged, settling.costs,
      settling.settled) with ordinality as each (status, paid, place);
    perform billing.meter_settled(settling, metering, statuses);
    return query select each.status, each.paid, null::int[], null::text[], null::text[], null::int[], null::text[], null::text[]
    from unnest(statuses, payments) as each (status, paid);
  end if;
  if cardinality(asking.ids) > 0 then
    return query select each.status, null::json, each.denied_slots, each.denied_held, each.denied_spent, each.paid_pays, each.paid_amounts, null::text[]
    from billing.place_reservations('{}', '{}', asking.counters, asking.ids, asking.hashes, asking.customers, asking.users, asking.purposes,
      asking.types, asking.worst_cases, asking.charged, asking.currencies, asking.amounts, asking.paths, asking.on_test_clock, asking.placed,
      asking.expiring, asking.slots_until, asking.slots, asking.limits, asking.grants, asking.accounts, asking.pays_until, asking.pays,
      asking.buckets) as each;
  end if;
end
$$;
revoke execute on function billing.lock_spending, billing.meter_settled, billing.write_reservations from public;
grant execute on function billing.write_reservations to reckoner_app;
