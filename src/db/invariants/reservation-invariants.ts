import { type InvariantLimits, type InvariantQuery, seconds } from "./invariant-query.ts";

/** What receipts cost, in each counter that they count in. */
const spentByCounter = `
  select counter.number, sum(receipt.cost_minor) as spent
  from billing.receipt as receipt
  join billing.spending_counter as counter
    on counter.spender = any (billing.spenders_of(receipt.path, receipt.customer_id, receipt.user_key))
    and (counter.user_key is null or counter.user_key = receipt.user_key)
    and receipt.used_at >= counter.window_start and (counter.window_end is null or receipt.used_at < counter.window_end)
  group by 1`;

/** What open reservations set aside in each grant, and what receipts were paid with that no billing gave back. */
const heldByGrant = `
  select grant_id, sum(held) as held, sum(unbilled) as unbilled from (
    select grant_id, amount as held, 0 as unbilled
    from billing.open_reservation cross join unnest(grants, amounts) as part (grant_id, amount)
    union all
    select payment."grant", 0, payment."amountMinor"
    from billing.receipt cross join json_to_recordset(payments) as payment ("grant" text, "amountMinor" numeric) where payments is not null
    union all
    select grant_id, 0, -released / 100000000 from billing.reserved_draw
  ) as part group by 1`;

/** What invoices drew of grants that somebody holds, and what receipts say that they have paid; void ones drew nothing. */
const drawnAndPaid = `
  select grant_id, sum(drawn) as drawn, sum(paid) as paid from (
    select draw.grant_id, draw.amount as drawn, 0 as paid
    from billing.credit_draw as draw join billing.invoice on invoice.id = draw.invoice_id and invoice.status <> 'void'
    join billing.credit_grant as granted on granted.id = draw.grant_id
    where billing.holder_of(granted.id, granted.recurring_grant_id) is not null
    union all
    select grant_id, 0, amount from billing.reserved_draw
  ) as each group by 1`;

const heldByCounter = `
  select number, sum(held_minor) as held from billing.open_reservation cross join unnest(counters) as number group by 1`;

/** What receipts charged by each price, in each period that was rated, beside what its newest run came to. */
const chargedAndRated = `
  select run.subscription_id, run.period_start, charge.plan, charge.price, sum(charge.quantity) as quantity, sum(charge."exactMinor") as charged
  from (
    select distinct on (subscription_id, period_start) subscription_id, period_start, period_end, revision
    from billing.rating_run where kind <> 'threshold' order by subscription_id, period_start, revision desc
  ) as run
  join billing.subscription on subscription.id = run.subscription_id
  join billing.receipt as receipt on receipt.customer_id = subscription.customer_id
    and receipt.used_at >= run.period_start and receipt.used_at < run.period_end
  cross join json_to_recordset(receipt.charges)
    as charge (subscription text, plan text, price text, quantity numeric, "exactMinor" numeric)
  where charge.subscription = run.subscription_id
  group by 1, 2, 3, 4`;

const newestRated = `
  select subscription_id, period_start, plan_key as plan, price_key as price, sum(quantity) as quantity, sum(exact_minor) as rated
  from billing.rated_usage
  where (subscription_id, period_start, revision) in (
    select subscription_id, period_start, max(revision) from billing.rating_run where kind <> 'threshold' group by 1, 2)
  group by 1, 2, 3, 4`;

/** What is set aside for requests, and what they did cost. */
export function reservationInvariants(limits: InvariantLimits): InvariantQuery[] {
  return [
    {
      name: "V2: what is spent and held of a cap is what receipts cost and open reservations hold",
      sql: `
        select counter.number, spender, user_key, window_start, held_minor, held, spent_minor, spent
        from billing.spending_counter as counter
        left join (${heldByCounter}) as holding using (number) left join (${spentByCounter}) as spending using (number)
        where held_minor <> coalesce(held, 0) or spent_minor <> coalesce(spent, 0)`,
    },
    {
      name: "V2: the ledger holds of each grant what running requests set aside in it and what receipts not billed yet were paid with",
      sql: `
        select grant_id, held_minor, held, unbilled_minor, unbilled, hold.amount as ledger
        from billing.credit_counter as counter full join (${heldByGrant}) as holding using (grant_id)
        left join lateral (
          select sum(line.amount) as amount from ledger.hold join ledger.open_hold on open_hold.hold_id = hold.id
          join ledger.hold_line as line on line.hold_id = hold.id
          where source_key = 'reserved/' || grant_id || '/' || hold_number
        ) as hold on true
        where coalesce(held_minor, -1) <> coalesce(held, 0) or coalesce(unbilled_minor, -1) <> coalesce(unbilled, 0)
          or coalesce(hold.amount, 0) <> (held_minor + unbilled_minor) * 100000000`,
    },
    {
      name: "V8: what grants paid by receipts is part of their cost, and what a user or team holds is drawn by their receipts alone",
      sql: `
        select reservation_id as what, cost_minor, paid from billing.receipt
        cross join lateral (select sum("amountMinor") as paid from json_to_recordset(payments) as payment ("amountMinor" numeric)) as payments
        where receipt.payments is not null and (paid > cost_minor or is_late)
        union all
        select grant_id, drawn, paid from (${drawnAndPaid}) as each where drawn > paid`,
    },
    {
      name: "V4: every request that costs something is metered once, and a receipt's charges come to its cost",
      sql: `
        select reservation_id, 'was not metered' as what from billing.receipt
        where outcome in ('completed', 'canceled') and not exists (
          select from usage.event_key
          where key = encode(substr(sha256(convert_to('["reckoner.reservations","' || reservation_id || '"]', 'UTF8')), 1, 16), 'hex')::uuid)
        union all
        select reservation_id, 'does not add up' from billing.receipt
        where cost_minor <> (
          select coalesce(sum("exactMinor"), 0) from json_to_recordset(charges) as charge ("exactMinor" numeric))
        union all
        select reservation_id, 'was never reserved' from billing.receipt
        where not exists (select from billing.reservation where id = reservation_id)`,
    },
    {
      name: "V9: where all usage of a price was reserved, its receipts come to what was rated",
      sql: `
        select * from (${chargedAndRated}) as charged
        join (${newestRated}) as booked using (subscription_id, period_start, plan, price, quantity) where charged <> rated`,
    },
    {
      name: "V12: every reservation is settled or expires in time",
      sql: `
        select placed.reservation_id, placed.customer_id, placed.expires_at
        from billing.open_reservation as placed join billing.reservation as reservation on reservation.id = placed.reservation_id
        where not placed.is_on_test_clock and placed.expires_at < now() - ${seconds(limits.hold)}`,
    },
  ];
}
