import type { InvariantQuery } from "./invariant-query.ts";

/** The meters that subscriptions price, each from when to when. */
const priced = `
  select distinct stretch.subscription_id, subscription.customer_id, price ->> 'meter' as meter_key, stretch.since, stretch.until
  from (
    select subscription_id, items, effective_at as since,
      lead(effective_at, 1, 'infinity') over (partition by subscription_id order by effective_at) as until
    from billing.subscription_terms
  ) as stretch
  join billing.subscription as subscription on subscription.id = stretch.subscription_id
  cross join jsonb_to_recordset(stretch.items) as item ("planKey" text, "planVersion" int)
  join catalog.plan as plan on plan.key = item."planKey" and plan.version = item."planVersion"
  cross join jsonb_array_elements(plan.definition -> 'prices') as price
  where price ->> 'type' = 'usage'`;

/** Each period that was rated with the snapshot of its newest run, and whether it is closed or only passed a threshold. */
const ratedPeriods = `
  select distinct on (subscription_id, period_start) subscription_id, period_start, period_end, snapshot::text,
    kind <> 'threshold' as is_closed
  from billing.rating_run where period_start >= (select usage.archived_before())
  order by subscription_id, period_start, revision desc`;

/**
 * The usage events of each rated period that a meter of the subscription counts. Those that no version counts which measured
 * the period are none of it. Meters that were priced only after the period's end are in doubt: a later run may or may not have counted their events, but has billed none of them. For a run at a
 * threshold so are those that were not priced from the period's start.
 */
const eventsOfPeriods = `
  select period.subscription_id, period.period_start, period.snapshot, event.fact_seq as seq, event.recorded_xid,
    bool_or(measured.number is not null and meter.since < period.period_end) as is_certain,
    bool_or(measured.number is not null and meter.since <= period.period_start) as is_certain_early,
    bool_and(period.is_closed) as is_closed
  from (${ratedPeriods}) as period
  join (
    select subscription_id, meter.number, customer.number as customer_number, min(since) as since
    from (${priced}) as priced join catalog.meter on meter.key = priced.meter_key
    join billing.customer on customer.id = priced.customer_id group by 1, 2, 3
  ) as meter using (subscription_id)
  join usage.contribution as event on event.customer_number = meter.customer_number and event.meter = meter.number
    and event.time >= period.period_start and event.time < period.period_end
  left join (select distinct subscription_id, period_start, meter as number from billing.rated_usage) as measured
    on measured.subscription_id = period.subscription_id and measured.period_start = period.period_start
    and measured.number = meter.number
  group by 1, 2, 3, 4, 5`;

/** Events of closed periods that no run has seen, with whether a later closing of the subscription will. */
export const unbilledEvents = `
  select of_period.seq, of_period.subscription_id, of_period.period_start, of_period.recorded_xid, subscription.next_close_at
  from (${eventsOfPeriods}) as of_period
  join billing.subscription as subscription on subscription.id = of_period.subscription_id
  where of_period.is_closed and of_period.is_certain and not pg_visible_in_snapshot(of_period.recorded_xid, of_period.snapshot::pg_snapshot)`;

/** Where a run read levels to: at a threshold no further than its own time. */
const readTo = `
  case run.kind when 'threshold' then greatest(rated.terms_start, least(rated.terms_end, run.rated_at)) else rated.terms_end end`;

/** Quantity × seconds of all levels that held in a stretch, those from before it included. */
const areaOfStretch = `
  select coalesce(sum(quantity * extract(epoch from least(until, ${readTo}) - greatest(time, rated.terms_start))), 0)
  from (
    select quantity, time, coalesce(lead(time) over (partition by dimensions order by time, event_seq), ${readTo}) as until
    from (
      select event.dimensions, event.time, event.event_seq, event.quantity
      from usage.contribution as event
      join billing.customer on customer.id = subscription.customer_id and customer.number = event.customer_number
      join usage.dimensions as named on named.number = event.dimensions
      where event.meter = rated.meter and event.time < ${readTo}
        and named.key::jsonb @> (price -> 'where') and pg_visible_in_snapshot(event.recorded_xid, run.snapshot)
      group by 1, 2, 3, 4 having sum(event.weight) > 0
      union all
      select archived.dimensions, usage.archived_before(), 0, archived.quantity
      from billing.customer
      cross join lateral usage.levels_before(customer.number, rated.meter, usage.archived_before()) as archived
      join usage.dimensions as named on named.number = archived.dimensions
      where customer.id = subscription.customer_id and named.key::jsonb @> (price -> 'where')
        and usage.archived_before() > '-infinity'
    ) as held
  ) as level where until > rated.terms_start`;

/** Of a price for the highest of each hour or day: what they come to together. */
const sumOfMaxima = `
  select sum(highest) from (
    select max(one.quantity) as highest
    from unnest(array_agg(standing.quantity), array_agg(standing.time), array_agg(standing.time_zone)) as one (quantity, time, zone)
    group by usage.window_start(price #>> '{buckets,per}', one.time, one.zone)
  ) as maxima`;

/**
 * Every usage event is rated once, and every rated quantity is the sum of the events that its run saw. Periods that began in a
 * month whose events are archived are left out.
 */
export const ratingInvariants: readonly InvariantQuery[] = [
  {
    name: "V8: a rating run counts the events of its period that it saw and no run before it",
    sql: `
      select run.subscription_id, run.period_start, run.revision, run.event_count,
        count(distinct event.seq) filter (where case run.kind when 'threshold' then event.is_certain_early else event.is_certain end)
          as expected
      from (
        select *, lag(snapshot) over (partition by subscription_id, period_start order by revision) as snapshot_before
        from billing.rating_run where period_start >= (select usage.archived_before())
      ) as run
      left join (${eventsOfPeriods}) as event on event.subscription_id = run.subscription_id
        and event.period_start = run.period_start and pg_visible_in_snapshot(event.recorded_xid, run.snapshot)
        and (run.snapshot_before is null or not pg_visible_in_snapshot(event.recorded_xid, run.snapshot_before))
      group by 1, 2, 3, 4
      having run.event_count not between
        count(distinct event.seq) filter (where case run.kind when 'threshold' then event.is_certain_early else event.is_certain end)
        and count(distinct event.seq)`,
  },
  {
    name: "V8: no usage event of a closed period is on no invoice, unless its subscription has a later period to close",
    sql: `
      select seq, subscription_id, period_start from (${unbilledEvents}) as unbilled cross join billing.late_usage_watch
      -- Where it has ended, what comes late is noticed soon, and then it is to be closed once more.
      where next_close_at is null and (pg_visible_in_snapshot(recorded_xid, seen) or looked_at < now() - interval '1 hour')`,
  },
  {
    name: "V8: no usage event is billed by two subscriptions",
    sql: `
      select event.event_seq, meter.key, array_agg(distinct priced.subscription_id) as subscriptions
      from usage.contribution as event
      join billing.customer on customer.number = event.customer_number
      join catalog.meter on meter.number = event.meter
      join (${priced}) as priced on priced.customer_id = customer.id and priced.meter_key = meter.key
        and event.time >= priced.since and event.time < priced.until
      join (${ratedPeriods}) as period on period.subscription_id = priced.subscription_id
        and event.time >= period.period_start and event.time < period.period_end
      group by 1, 2 having count(distinct priced.subscription_id) > 1`,
  },
  {
    name: "V9: a rated quantity is what its meter read in the events that the run saw",
    sql: `
      select rated.subscription_id, rated.period_start, rated.revision, rated.plan_key, rated.price_key, rated.terms_start,
        rated.quantity, read.quantity as expected
      from billing.rated_usage as rated
      join billing.rating_run as run using (subscription_id, period_start, revision)
      join billing.subscription as subscription on subscription.id = rated.subscription_id
      left join catalog.plan as plan on plan.key = rated.plan_key and plan.version = rated.plan_version
      left join lateral (
        select price from jsonb_array_elements(plan.definition -> 'prices') as price where price ->> 'key' = rated.price_key
      ) as of_plan on true
      join catalog.meter on meter.number = rated.meter and meter.key = price ->> 'meter'
      cross join lateral (
        select case meter.definition ->> 'aggregation'
            when 'max' then coalesce(case when price -> 'buckets' is null then max(quantity) else (${sumOfMaxima}) end, 0)
            when 'min' then coalesce(min(quantity), 0)
            when 'latest' then coalesce((array_agg(quantity order by time desc, event_seq desc))[1], 0)
            when 'unique_count' then count(distinct value)
            when 'average' then coalesce(round(avg(quantity), 12), 0)
            when 'time_weighted_sum' then (${areaOfStretch})
            else coalesce(sum(quantity), 0)
          end as quantity
        from (
          select event.dimensions, event.time, event.event_seq, event.quantity, event.value, customer.time_zone
          from usage.contribution as event
          join billing.customer on customer.id = subscription.customer_id and customer.number = event.customer_number
          join usage.dimensions as named on named.number = event.dimensions
          where event.meter = rated.meter and event.time >= rated.terms_start and event.time < rated.terms_end
            and named.key::jsonb @> (price -> 'where') and pg_visible_in_snapshot(event.recorded_xid, run.snapshot)
          group by 1, 2, 3, 4, 5, 6 having sum(event.weight) > 0
        ) as standing
      ) as read
      cross join lateral (
        select split_part(said.factor, '/', 1)::numeric as factor,
          coalesce(nullif(split_part(said.factor, '/', 2), ''), '1')::numeric as divisor,
          10::numeric ^ said.decimals as steps
        from (
          select coalesce(meter.definition #>> '{unit,factor}', '1') as factor,
            coalesce((meter.definition #>> '{unit,decimals}')::int,
              case when meter.definition #> '{unit,factor}' is null then 23 else 12 end) as decimals
        ) as said
      ) as unit
      -- Converted exactly and rounded once: off by less than one step, whichever way the unit rounds.
      where rated.terms_start >= (select usage.archived_before()) and (rated.quantity is null
        or abs(rated.quantity * unit.divisor - read.quantity * unit.factor) * unit.steps >= unit.divisor)`,
  },
];

/** What is late and will be billed with the next period: to be seen, and no breach. */
export const pendingEvents: InvariantQuery = {
  name: "V8: usage events that came after their period was closed wait for the subscription's next closing",
  sql: `select seq, subscription_id, period_start, next_close_at from (${unbilledEvents}) as unbilled where next_close_at is not null`,
};
