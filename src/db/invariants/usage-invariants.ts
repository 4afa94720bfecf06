import type { InvariantQuery } from "./invariant-query.ts";

/** What holds of the contributions before the fold, each with its customer's time zone. */
const foldedContributions = `
  select c.customer_number, c.meter, c.dimensions, c.time, c.event_seq, c.quantity, c.value, customer.time_zone as zone
  from usage.contribution c join billing.customer on customer.number = c.customer_number
  where c.recorded_xid < (select before from usage.folded)
  group by 1, 2, 3, 4, 5, 6, 7, 8 having sum(c.weight) > 0`;

/** What was accepted, what was counted and what was kept are the same. */
export const usageInvariants: readonly InvariantQuery[] = [
  {
    name: "V9: the windows are the sums of the contributions that were folded, per customer, meter, dimensions and window",
    sql: `
      select customer_number, meter, size, start, dimensions, w.sum, e.sum as expected_sum,
        w.max, e.max as expected_max, w.min, e.min as expected_min, w.count, e.count as expected_count
      from usage.window w
      full join (
        select customer_number, meter, size, usage.window_start(size, time, zone) as start, dimensions,
          count(*) as count, sum(quantity) as sum, min(quantity) as min, max(quantity) as max
        from (${foldedContributions}) as folded cross join (values ('minute'), ('hour'), ('day')) as sizes (size)
        group by 1, 2, 3, 4, 5
      ) e using (customer_number, meter, size, start, dimensions)
      where (w.sum, w.max, w.min, w.count) is distinct from (e.sum, e.max, e.min, e.count)
        and coalesce(w.count, e.count) <> 0`,
  },
  {
    name: "V9: the windows of values hold the values that were folded",
    sql: `
      select customer_number, meter, size, start, dimensions, value, w.is_there, e.is_expected
      from (select *, true as is_there from usage.window_value) w
      full join (
        select distinct customer_number, folded.meter, size, usage.window_start(size, time, zone) as start, dimensions, value, true as is_expected
        from (${foldedContributions}) as folded join usage.meter m on m.meter = folded.meter and m.aggregation = 'unique_count'
        cross join (values ('minute'), ('hour'), ('day')) as sizes (size)
      ) e using (customer_number, meter, size, start, dimensions, value)
      where is_there is null or is_expected is null`,
  },
  {
    name: "V9: the windows of levels hold the first and the last level that were folded, and the area between them",
    sql: `
      select customer_number, meter, size, start, dimensions, w.first, w.last, w.area,
        e.first as expected_first, e.last as expected_last, e.area as expected_area
      from usage.window_level w
      full join (
        select customer_number, meter, size, start, dimensions, (array_agg(level order by place))[1] as first,
          (array_agg(level order by place desc))[1] as last, coalesce(sum(area), 0) as area
        from (
          select *, row(time, event_seq, quantity)::usage.level as level, row_number() over in_order as place,
            quantity * extract(epoch from lead(time) over in_order - time) * 1000 as area
          from (
            select customer_number, folded.meter, size, usage.window_start(size, time, zone) as start, dimensions, time, event_seq, quantity
            from (${foldedContributions}) as folded
            join usage.meter m on m.meter = folded.meter and m.aggregation in ('latest', 'time_weighted_sum')
            cross join (values ('minute'), ('hour'), ('day')) as sizes (size)
          ) as in_window
          window in_order as (partition by customer_number, meter, size, start, dimensions order by time, event_seq)
        ) as levels group by 1, 2, 3, 4, 5
      ) e using (customer_number, meter, size, start, dimensions)
      where (w.first, w.last, w.area) is distinct from (e.first, e.last, e.area)`,
  },
  {
    name: "V9: every key belongs to one event that was kept, accepted or quarantined",
    sql: `
      select k.key, k.event_seq, count(*) over (partition by k.event_seq) as keys
      from usage.event_key k
      left join usage.event e on e.seq = k.event_seq
      left join usage.quarantined_event q on q.seq = k.event_seq
      where e.seq is null and q.seq is null
      union all
      select min(key::text)::uuid, event_seq, count(*) from usage.event_key group by event_seq having count(*) > 1`,
  },
  {
    name: "V9: every event that was kept has its key",
    sql: `
      select seq, source, id from (
        select seq, source, id from usage.event union select seq, source, id from usage.quarantined_event
      ) kept
      where not exists (select from usage.event_key k where k.event_seq = kept.seq)`,
  },
  {
    name: "V9: an event released from quarantine says what it said when it came",
    sql: `
      select seq, q.customer_id, e.id from usage.event e join usage.quarantined_event q using (seq)
      left join billing.customer on customer.number = e.customer_number
      where (e.time, e.source, e.id, customer.id, e.type, e.data::text)
        is distinct from (q.time, q.source, q.id, q.customer_id, q.type, q.data::text)`,
  },
];
