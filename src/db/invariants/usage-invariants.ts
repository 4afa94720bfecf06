import type { InvariantQuery } from "./invariant-query.ts";

/** Everybody who has windows, also by damage. */
const customersWithWindows = `
  select number from billing.customer union select customer_number from usage.window
  union select customer_number from usage.window_level union select customer_number from usage.window_value`;

/** The windows that are not what the contributions before the fold say: the definition that they are rebuilt by. */
const windowDifferences = (kind: "sums" | "values" | "levels") => `
  select customer.number as customer_number, meter, size, start, dimensions, value, stored, expected
  from (${customersWithWindows}) as customer
  cross join lateral usage.window_differences(
    customer.number, usage.first_day_here(customer.number), 'infinity', '{${kind}}')`;

/** What was accepted, what was counted and what was kept are the same. */
export const usageInvariants: readonly InvariantQuery[] = [
  {
    name: "V9: the windows are the sums of the contributions that were folded, per customer, meter, dimensions and window",
    sql: windowDifferences("sums"),
  },
  {
    name: "V9: the windows of values hold the values that were folded",
    sql: windowDifferences("values"),
  },
  {
    name: "V9: the windows of levels hold the first and the last level that were folded, and the area between them",
    sql: windowDifferences("levels"),
  },
  {
    name: "V9: every key belongs to one event that was kept, accepted or quarantined",
    sql: `
      select k.key, k.event_seq, count(*) over (partition by k.event_seq) as keys
      from usage.event_key k
      left join usage.event e on e.seq = k.event_seq
      left join usage.quarantined_event q on q.seq = k.event_seq
      where e.seq is null and q.seq is null and k.event_time >= (select usage.archived_before())
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
