import type { InvariantQuery } from "./invariant-query.ts";

/** Events that something became of later, and that are not archived. */
const correctedHere =
  "select event_seq from usage.later_contribution where time >= (select usage.archived_before())";

/** Corrections of usage: each takes back what stood, once, and what is large was agreed to by somebody else. */
export const correctionInvariants: readonly InvariantQuery[] = [
  {
    name: "V9: what was taken back had been counted, once",
    sql: `
      select event_seq, meter, dimensions, quantity, value, sum(weight) as net
      from usage.contribution
      where event_seq in (${correctedHere})
      group by 1, 2, 3, 4, 5 having sum(weight) not in (0, 1)
      union all
      select event_seq, meter, null, null, null, sum(weight)
      from usage.contribution
      where event_seq in (${correctedHere})
      group by 1, 2 having sum(weight) not in (0, 1)`,
  },
  {
    name: "V9: what is taken back is of a correction that was booked, of that event",
    sql: `
      select fact_seq, event_seq from usage.later_contribution where weight = -1
      except
      select b.seq, e.event_seq from usage.correction_event e join usage.correction_booking b using (correction_id)`,
  },
  {
    name: "V9: of an event that was voided nothing counts",
    sql: `
      select event_seq, meter, sum(weight) as net from usage.contribution
      where event_seq in (
        select e.event_seq from usage.correction_event e join usage.correction_booking using (correction_id)
        join usage.correction c on c.id = e.correction_id and c.kind = 'void'
        where e.event_time >= (select usage.archived_before()))
      group by 1, 2 having sum(weight) <> 0`,
  },
  {
    name: "V9: a correction is booked when it is agreed to, and only then",
    sql: `
      select id, status, seq from usage.correction_standing where (status = 'executed') <> (seq is not null)`,
  },
  {
    name: "V9: a correction is about the events that it counts, each as the one before it left it",
    sql: `
      select c.id, c.event_count, count(e.event_seq) as events from usage.correction c
      left join usage.correction_event e on e.correction_id = c.id
      group by 1, 2 having c.event_count <> count(e.event_seq)
      union all
      select correction_id, after_seq, before from (
        select e.correction_id, e.after_seq, lag(b.seq) over (partition by e.event_seq order by b.seq) as before
        from usage.correction_event e join usage.correction_booking b using (correction_id)
      ) as booked where after_seq is distinct from before`,
  },
  {
    name: "V10: nobody agrees to their own correction of usage",
    sql: `
      select id, requested_by, outcome, decided_by from usage.correction_standing
      where outcome is not null and (not needs_approval or (requested_by = decided_by) <> (outcome = 'withdrawn'))`,
  },
  {
    name: "V10: nobody corrects in parts, alone and within a day, more events than they may at once",
    sql: `
      select c.id, c.requested_by from usage.correction c
      where not c.needs_approval and c.event_count > 0 and c.unapproved_max < (
        select sum(event_count) from usage.correction before
        where before.requested_by = c.requested_by and not before.needs_approval
          and before.recorded_at <= c.recorded_at and before.requested_at > c.requested_at - interval '24 hours')`,
  },
];
