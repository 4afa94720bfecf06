-- Why: a close asks for all that it needs in few statements, as each one costs more than the rows that it reads.

-- ── usage ────────────────────────────────────────────────────────────────────────────────────────────────────
-- What usage adds up to, of each of many requests: [{ place, customer_id, meter, since, until, group_by, wanted }]. Without group_by all
-- combinations of dimensions are told apart; wanted are values that dimensions must have.
create function usage.totals_asked(requests json)
returns table (place int, dimensions jsonb, count int8, sum numeric, min numeric, max numeric, is_exact boolean)
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_hashjoin = off set enable_mergejoin = off as $$
  with asked as materialized (
    select asked.*, customer.number as customer_number
    from json_to_recordset(requests)
      as asked (place int, customer_id text, meter int, since timestamptz, until timestamptz, group_by json, wanted jsonb)
    join billing.customer on customer.id = asked.customer_id
  ), listed as (
    select array_agg(place order by place) as places, array_agg(customer_number order by place) as customers,
      array_agg(meter order by place) as meters, array_agg(since order by place) as since, array_agg(until order by place) as until
    from asked
  )
  select asked.place, case when asked.group_by is null then named.key::jsonb else (
      select coalesce(jsonb_object_agg(name, named.key::jsonb -> name), '{}')
      from json_array_elements_text(asked.group_by) as name
    ) end as dimensions,
    sum(said.count)::int8, sum(said.sum), min(said.min), max(said.max), bool_and(said.is_exact)
  from listed
  cross join lateral usage.read_totals(listed.customers, listed.meters, listed.since, listed.until) as said
  join asked on asked.place = listed.places[said.place]
  join usage.dimensions as named on named.number = said.dimensions and named.key::jsonb @> asked.wanted
  group by 1, 2 having sum(said.count) <> 0 order by 1, 2
$$;

-- All that most periods need of usage, as of one moment: that of the statement which calls this. periods: [{ place, subscription_id,
-- since, until, meters, measuring, seen }], by their places. meters are keys; measuring are the numbers of their versions that measure the
-- period: what only another version counts is no event of it. newEvents are those that are not in the snapshot seen; null: all.
-- hasLate: another period of the subscription, a closed one, has had usage since it was rated. requests: as usage.totals_asked takes them.
create function billing.usage_of_periods(periods json, requests json) returns json
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_hashjoin = off set enable_mergejoin = off as $$
  select json_build_object(
    'snapshot', pg_current_snapshot()::text,
    'periods', (
      select json_agg(json_build_object(
        'newEvents', (
          select count(distinct fact_seq)::text from usage.contribution as said
          where said.customer_number = customer.number and said.time >= period.since and said.time < period.until
            and said.meter = any (period.measuring) and (period.seen is null
              or said.recorded_xid >= pg_snapshot_xmin(period.seen) and not pg_visible_in_snapshot(said.recorded_xid, period.seen))),
        'hasLate', exists (
          select from (
            select distinct on (run.period_start) run.kind, run.period_start, run.period_end, run.snapshot
            from billing.rating_run as run left join billing.invoice on invoice.id = run.invoice_id
            where run.subscription_id = period.subscription_id and run.period_start <> period.since and invoice.status is distinct from 'void'
            order by run.period_start, run.revision desc
          ) as newest
          where kind <> 'threshold' and exists (
            select from usage.contribution as said
            where said.customer_number = customer.number and said.time >= newest.period_start and said.time < newest.period_end
              and said.meter = any (period.meters) and said.recorded_xid >= pg_snapshot_xmin(newest.snapshot)
              and not pg_visible_in_snapshot(said.recorded_xid, newest.snapshot)))
      ) order by place)
      from (
        select place, subscription_id, since, until, seen::pg_snapshot as seen,
          array(select number from catalog.meter where key in (select json_array_elements_text(named.meters))) as meters,
          array(select json_array_elements_text(named.measuring)::int) as measuring
        from json_to_recordset(periods) as named
          (place int, subscription_id text, since timestamptz, until timestamptz, meters json, measuring json, seen text)
        offset 0
      ) as period
      join billing.subscription on subscription.id = period.subscription_id
      join billing.customer on customer.id = subscription.customer_id),
    'totals', (
      select coalesce(json_agg(json_build_object('place', place, 'dimensions', dimensions, 'count', count::text,
        'sum', sum::text, 'min', min::text, 'max', max::text, 'is_exact', is_exact)), '[]')
      from usage.totals_asked(requests)))
$$;
revoke execute on function usage.totals_asked, billing.usage_of_periods from public;
grant execute on function usage.totals_asked, billing.usage_of_periods to reckoner_app;
--> statement-breakpoint

-- ── watermarks ───────────────────────────────────────────────────────────────────────────────────────────────
-- Sources to be waited for: those that have lately sent events of these types for the customer, and those whose heartbeats speak of
-- them: by name of customer or type, or, when they speak of all, because they do send such events. Of those that say nothing
-- themselves, how late they used to be. { said: [{ type, source, instance, completeUntilMs, heardAtMs }], arrivals: [{ type, source,
-- bucket, events }] }. Times are milliseconds since 1970; an instance is null where the source was seen and says nothing.
create function usage.expected_sources(of_customer text, types text[], as_of timestamptz, on_test_clock boolean, days int) returns json
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
  with said as materialized (
    select asked.type, h.source, h.instance, extract(epoch from max(h.complete_until)) * 1000 as complete_until_ms,
      extract(epoch from max(h.heard_at)) * 1000 as heard_at_ms
    from unnest(types) as asked (type) join usage.source_heartbeat as h on h.type is null or h.type = asked.type
    where (h.customer_id = of_customer or h.customer_id is null and not on_test_clock)
      and h.heard_at > now() - days * interval '1 day'
      and (h.customer_id is not null or h.type is not null or exists (
        select from usage.arrival_lag as l where l.source = h.source and l.type = asked.type and l.day > current_date - days))
    group by asked.type, h.source, h.instance
    union all
    select a.type, a.source, null, null, null
    from billing.customer join usage.active_source as a on a.customer_number = customer.number
    where customer.id = of_customer and a.type = any (types) and not on_test_clock and a.last_day > as_of::date - days
  )
  select json_build_object(
    'said', (select coalesce(json_agg(json_build_object('type', type, 'source', source, 'instance', instance,
      'completeUntilMs', complete_until_ms::int8, 'heardAtMs', heard_at_ms::int8) order by type, source, instance), '[]') from said),
    'arrivals', (
      select coalesce(json_agg(json_build_object('type', type, 'source', source, 'bucket', bucket, 'events', events::text)), '[]')
      from (
        select l.type, l.source, l.bucket, sum(l.events) as events
        from (select type, source from said group by type, source having count(instance) = 0) as silent
        join usage.arrival_lag as l on l.source = silent.source and l.type = silent.type and l.day > current_date - days
        group by l.type, l.source, l.bucket
      ) as arrived))
$$;
revoke execute on function usage.expected_sources from public;
grant execute on function usage.expected_sources to reckoner_app;
--> statement-breakpoint

-- ── what is read of a period under the customer's lock ────────────────────────────────────────────────────────
-- What decides the invoices of periods, beside usage and grants: [{ place, id, begun, as_of }], of which subscription and from when on each
-- is; numbers that may be large are texts. Of what was charged in advance all from then on; sources of all types of events, as
-- usage.expected_sources gives them. No row where there is no such subscription.
create function billing.period_standings(periods json, days int) returns table (place int, id text, found json)
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_hashjoin = off set enable_mergejoin = off as $$
  select period.place, period.id, json_build_object(
    'subscription', row_to_json(subscription),
    'isOnTestClock', customer.test_clock_id is not null,
    'metersPublished', (select count(*) from catalog.meter),
    'terms', (
      select coalesce(json_agg(row_to_json(terms) order by effective_at), '[]')
      from billing.subscription_terms as terms where terms.subscription_id = subscription.id),
    'sources', usage.expected_sources(customer.id, array(select distinct definition ->> 'eventType' from catalog.meter), period.as_of,
      customer.test_clock_id is not null, days),
    'seller', (select row_to_json(seller) from billing.seller order by version desc limit 1),
    'runs', (
      select coalesce(json_agg(json_build_object('run', row_to_json(run), 'status', invoice.status, 'charged', case when run.kind = 'threshold' then (
          select sum(exact_minor)::text from (
            select exact_minor from billing.rated_usage as part
            where (part.subscription_id, part.period_start, part.revision) = (run.subscription_id, run.period_start, run.revision)
            union all
            select exact_minor from billing.rated_adjustment as part
            where (part.subscription_id, part.period_start, part.revision) = (run.subscription_id, run.period_start, run.revision)
          ) as charged) end) order by run.revision desc), '[]')
      from billing.rating_run as run left join billing.invoice on invoice.id = run.invoice_id
      where run.subscription_id = subscription.id and run.period_start = period.begun),
    'changes', (
      select coalesce(json_agg(json_build_object('changeId', change_id, 'lines', lines) order by effective_at), '[]')
      from billing.subscription_change where subscription_id = subscription.id and invoice_id is null),
    'returned', (
      select coalesce(json_agg(line order by effective_at, place), '[]')
      from billing.subscription_change, jsonb_array_elements(returned) with ordinality as given (line, place)
      where subscription_id = subscription.id and subscription.status = 'canceled'),
    'advance', (
      select coalesce(json_agg(json_build_object('kind', line.kind, 'product', line.product, 'planKey', line.plan_key,
        'planVersion', line.plan_version, 'priceKey', line.price_key, 'quantity', line.quantity::text, 'periodStart', line.period_start,
        'periodEnd', line.period_end, 'amountMinor', line.amount_minor::text, 'currency', invoice.currency, 'detail', line.detail)
        order by invoice.issued_at, invoice.id, line.line), '[]')
      from billing.invoice_part as part join billing.invoice on invoice.id = part.invoice_id
      join billing.invoice_line as line on (line.invoice_id, line.part) = (part.invoice_id, part.part)
      where part.subscription_id = subscription.id and invoice.status <> 'void' and line.earning = 'deferred'
        and coalesce((line.detail ->> 'periodStart')::timestamptz, line.period_start) >= period.begun),
    'balance', (
      select balance::text from ledger.balance
      where key = ledger.account_key('2200', subscription.currency, jsonb_build_object('customer', customer.id))),
    'carriedMinor', (
      select coalesce(-sum(line.amount_minor), 0)::text
      from billing.invoice join billing.invoice_line as line on line.invoice_id = invoice.id
      where invoice.customer_id = customer.id and invoice.currency = subscription.currency and invoice.status <> 'void'
        and line.kind in ('carried_forward', 'carried_over')),
    'nextScheduledAt', (
      select min(change.effective_at) from billing.scheduled_change as change
      where change.subscription_id = subscription.id and change.kind <> 'cancel' and not exists (
        select from billing.scheduled_change_resolution as resolution
        where (resolution.subscription_id, resolution.change_id) = (change.subscription_id, change.change_id))),
    'hasGrants', exists (
      select from billing.credit_grant as credit where credit.customer_id = customer.id
        and not exists (select from billing.credit_grant_end as ended where ended.grant_id = credit.id)),
    'isGrantDue', exists (
        select from billing.recurring_grant as recurring where recurring.customer_id = customer.id and recurring.next_at <= period.as_of
      ) or exists (
        select from billing.credit_grant as credit where credit.customer_id = customer.id and credit.expires_at <= period.as_of
          and not exists (select from billing.credit_grant_end as ended where ended.grant_id = credit.id)))
  from json_to_recordset(periods) as period (place int, id text, begun timestamptz, as_of timestamptz)
  join billing.subscription on subscription.id = period.id join billing.customer on customer.id = subscription.customer_id
$$;
revoke execute on function billing.period_standings from public;
grant execute on function billing.period_standings, ledger.account_key to reckoner_app;
--> statement-breakpoint

-- The next count of a series, as its numbers write it: without gaps, as who rolls back gives it back. Until that is known, whoever
-- wants the next one waits.
create function billing.next_count(of_series text, digits_min int) returns text
language sql volatile set search_path = pg_catalog, pg_temp as $$
  insert into billing.number_series as counting (series, last_number) values (of_series, 1)
  on conflict (series) do update set last_number = counting.last_number + 1
  returning lpad(last_number::text, greatest(digits_min, length(last_number::text)), '0')
$$;
revoke execute on function billing.next_count from public;
grant execute on function billing.next_count to reckoner_app;
