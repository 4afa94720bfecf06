import { cycles, type InvariantQuery, inLedgerUnits, inWholeLedgerUnits, sides } from "./invariant-query.ts";

/** What a cycle's lines say was used: usage and fees in arrears of its period, with the adjustments on both. */
const linesOfCycle = `
  select cycle.id, case
      when line.earning = 'earned' then ${inLedgerUnits("line.amount_minor")}
      else ${inWholeLedgerUnits("line.exact_minor")}
    end - coalesce(${inLedgerUnits("(line.detail ->> 'returnedToGrantsMinor')::numeric")}, 0) as used,
    coalesce(${inLedgerUnits("(line.detail ->> 'creditedToBalanceMinor')::numeric")}, 0) as credited
  from (${cycles}) as cycle
  join billing.invoice_part as part on (part.invoice_id, part.subscription_id) = (cycle.invoice_id, cycle.subscription_id)
  join billing.invoice_line as line on (line.invoice_id, line.part) = (part.invoice_id, part.part)
    and line.earning in ('unbilled', 'earned') and line.kind not in ('carried_forward', 'carried_over')
    and line.period_start >= cycle.period_start and line.period_end <= cycle.period_end`;

/** Rating runs and the entries that book what they came to. */
export const ratingEntryInvariants: readonly InvariantQuery[] = [
  {
    name: "V4: what a closing or a correction rated is in the ledger: owed by the customer, paid by grants, or owed to the customer",
    sql: `
      select id, line.used as expected, booked.used, line.credited as expected_credit, booked.credited
      from (select id, sum(used) as used, sum(credited) as credited from (${linesOfCycle}) as each group by id) as line
      full join (
        select cause_id as id, coalesce(sum(amount) filter (where code in ('1110', '2000', '2010')), 0) as used,
          -coalesce(sum(amount) filter (where code = '2200'), 0) as credited
        from (${sides}) as side where kind in ('usage_rated', 'credits_burned', 'late_usage_adjusted') group by cause_id
      ) as booked using (id)
      where coalesce(line.used, 0) <> coalesce(booked.used, 0) or coalesce(line.credited, 0) <> coalesce(booked.credited, 0)`,
  },
  {
    name: "V4: what an invoice drew from a grant, less what it gave back, is what the grant's account paid",
    sql: `
      select invoice_id, grant_id, draw.amount as drawn, paid.amount as paid
      from (
        select invoice_id, grant_id, sum(amount) as amount
        from (
          select invoice_id, grant_id, amount from billing.credit_draw
          union all
          -- What a correction gave back is booked with the closing that made it.
          select cycle.invoice_id, draw.grant_id, -returned.amount
          from billing.credit_return as returned join billing.credit_draw as draw using (invoice_id, position)
          join (${cycles}) as cycle on cycle.id = returned.cause_id
          where returned.cause_type = 'usage_correction' and returned.returned_to = 'grant'
        ) as each group by 1, 2 having sum(amount) <> 0
      ) as draw
      full join (
        select cycle.invoice_id, side.dimensions ->> 'grant' as grant_id, sum(side.amount) as amount
        from (${sides}) as side join (${cycles}) as cycle on cycle.id = side.cause_id
        where side.kind in ('credits_burned', 'late_usage_adjusted') and side.code in ('2000', '2010')
        group by 1, 2 having sum(side.amount) <> 0
      ) as paid using (invoice_id, grant_id)
      where draw.amount is distinct from paid.amount`,
  },
  {
    name: "V4: what was charged in advance for a closed period is recognised when it has passed, by product",
    sql: `
      select id, product, charged.amount as charged, recognised.amount as recognised
      from (
        select cycle.id, line.product, ${inLedgerUnits("sum(line.amount_minor)")} as amount
        from (${cycles}) as cycle
        join billing.invoice_part as part on part.subscription_id = cycle.subscription_id
        join billing.invoice as invoice on invoice.id = part.invoice_id and invoice.status <> 'void'
        join billing.invoice_line as line on (line.invoice_id, line.part) = (part.invoice_id, part.part) and line.earning = 'deferred'
          -- What a change made is for the period that it fell into, though it is dated from the change on.
          and coalesce((line.detail ->> 'periodStart')::timestamptz, line.period_start) >= cycle.period_start
          and coalesce((line.detail ->> 'periodStart')::timestamptz, line.period_start) < cycle.period_end
        where cycle.is_first_closing
        group by 1, 2 having sum(line.amount_minor) <> 0
      ) as charged
      full join (
        select cause_id as id, dimensions ->> 'product' as product, -sum(amount) as amount
        from (${sides}) as side where kind = 'revenue_recognised' and code = '4010' group by 1, 2
      ) as recognised using (id, product)
      where charged.amount is distinct from recognised.amount`,
  },
];
