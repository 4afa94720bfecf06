import type { InvariantQuery } from "./invariant-query.ts";

/** What is left of months whose single events are archived says what those said. */
export const archiveInvariants: readonly InvariantQuery[] = [
  {
    name: "V9: the windows of archived months are the sums that were archived, with what became of the events later",
    sql: `
      select month, meter, stored.count, stored.sum, expected.count as expected_count, expected.sum as expected_sum
      from (
        select m.month, w.meter, sum(w.count) as count, sum(w.sum) as sum
        from usage.archived_month m
        join usage.window w on w.size = 'minute' and w.start >= m.month::timestamp at time zone 'UTC'
          and w.start < (m.month + interval '1 month') at time zone 'UTC'
        group by 1, 2
      ) as stored
      full join (
        select month, meter, sum(count) as count, sum(sum) as sum
        from (
          select month, meter, count, sum from usage.archived_contribution
          union all
          select date_trunc('month', time at time zone 'UTC')::date, meter, weight, quantity * weight
          from usage.later_contribution where time < usage.archived_before()
        ) as contribution group by 1, 2
      ) as expected using (month, meter)
      where (coalesce(stored.count, 0), coalesce(stored.sum, 0))
        is distinct from (coalesce(expected.count, 0), coalesce(expected.sum, 0))`,
  },
  {
    name: "V9: larger windows of archived months are the sums of their minutes",
    sql: `
      with larger as (
        select w.*, usage.window_end(w.size, w.start, customer.time_zone) as until
        from usage.window w join billing.customer on customer.number = w.customer_number
        where w.size <> 'minute' and w.start < (select usage.archived_before())
          and usage.archived_before() > '-infinity'
      )
      select larger.customer_number, larger.meter, larger.size, larger.start, larger.dimensions,
        larger.count, larger.sum, minutes.count as expected_count, minutes.sum as expected_sum
      from larger
      cross join lateral (
        select coalesce(sum(m.count), 0) as count, coalesce(sum(m.sum), 0) as sum, min(m.min) as min, max(m.max) as max
        from usage.window m
        where (m.customer_number, m.meter, m.size, m.dimensions) = (larger.customer_number, larger.meter, 'minute', larger.dimensions)
          and m.start >= larger.start and m.start < larger.until
      ) as minutes
      where (larger.count, larger.sum, larger.min, larger.max) is distinct from (minutes.count, minutes.sum, minutes.min, minutes.max)
        and larger.count <> 0`,
  },
  {
    name: "V9: archived months have as many keys as events",
    sql: `
      select month, archived.events, keys.events as keys from usage.archived_month archived
      cross join lateral (
        select count(*) as events from usage.event_key k
        where k.event_time >= archived.month::timestamp at time zone 'UTC'
          and k.event_time < (archived.month + interval '1 month') at time zone 'UTC'
      ) as keys
      where keys.events < archived.events`,
  },
];
