import type { InvariantQuery } from "./invariant-query.ts";

/** What was accepted, what was counted and what was kept are the same. */
export const usageInvariants: readonly InvariantQuery[] = [
  {
    name: "V9: the windows are the sums of the accepted events, per customer, meter, dimensions and hour",
    sql: `
      select customer_id, meter_key, hour, dimensions_key, w.sum, e.sum as expected_sum,
        w.max, e.max as expected_max, w.count, e.count as expected_count
      from usage.hourly_window w
      full join (
        select customer_id, meter_key, date_bin('1 hour', time, 'epoch') as hour, dimensions_key,
          sum(quantity) as sum, max(quantity) as max, count(*) as count
        from usage.contribution group by 1, 2, 3, 4
      ) e using (customer_id, meter_key, hour, dimensions_key)
      where (w.sum, w.max, w.count) is distinct from (e.sum, e.max, e.count)`,
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
      select seq, e.customer_id, e.id from usage.event e join usage.quarantined_event q using (seq)
      where (e.time, e.source, e.id, e.customer_id, e.type, e.data)
        is distinct from (q.time, q.source, q.id, q.customer_id, q.type, q.data)`,
  },
];
