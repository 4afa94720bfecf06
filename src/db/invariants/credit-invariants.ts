import { mayDecide } from "./deciders.ts";
import {
  customerTime,
  type InvariantLimits,
  type InvariantQuery,
  inLedgerUnits,
  seconds,
  sides,
} from "./invariant-query.ts";

const amountOf = (grant: string) => `${inLedgerUnits(`${grant}.amount_minor`)} + ${grant}.amount_fraction`;

/** Credit that is given again and again, what ends, what is drawn and what goes back. */
export function creditInvariants(limits: InvariantLimits): InvariantQuery[] {
  return [
    {
      name: "V4: what is given again and again is what was agreed to, each time once",
      sql: `
        select credit.id, recurring.id as recurring_grant_id, recurring.status
        from billing.credit_grant as credit
        join billing.recurring_grant_standing as recurring on recurring.id = credit.recurring_grant_id
        where (credit.customer_id, credit.currency, credit.priority, credit.scope)
            is distinct from (recurring.customer_id, recurring.currency, recurring.priority, recurring.scope)
          or recurring.status not in ('active', 'ended')
          or credit.rolled_over_from is null and (credit.amount_minor <> recurring.amount_minor
            or credit.occurrence >= recurring.next_occurrence or credit.effective_at < recurring.effective_at
            or credit.effective_at >= recurring.ended_at or credit.expires_at > recurring.expires_at)`,
    },
    {
      name: "V4: what goes over comes from what ended, and is what went over, raised at most to the agreed minimum",
      sql: `
        select credit.id, credit.rolled_over_from, ended.rolled_over, ${amountOf("credit")} as amount
        from billing.credit_grant as credit
        join billing.recurring_grant as recurring on recurring.id = credit.recurring_grant_id
        left join billing.credit_grant_end as ended on ended.grant_id = credit.rolled_over_from
        where credit.rolled_over_from is not null and (ended.grant_id is null
          or ${amountOf("credit")} not between ended.rolled_over
            and greatest(ended.rolled_over, ${inLedgerUnits("recurring.rollover_min_minor")}))
        union all
        select null, ended.grant_id, ended.rolled_over, 0
        from billing.credit_grant_end as ended
        where ended.rolled_over > 0 and not exists (select from billing.credit_grant where rolled_over_from = ended.grant_id)`,
    },
    {
      name: "V4: what a grant held when it ended is booked, once, and no other end is",
      sql: `
        select ended.grant_id, booked.grant_id as booked_for, ended.held, booked.amount
        from (select grant_id, held from billing.credit_grant_end where held > 0) as ended
        full join (
          select cause_id as grant_id, sum(amount) as amount from (${sides}) as side
          where kind = 'grant_expired' and code in ('2000', '2010') group by 1
        ) as booked using (grant_id)
        where ended.held is distinct from booked.amount`,
    },
    {
      name: "V3: no more of a draw goes back than was drawn, and none goes back to a grant that had ended",
      sql: `
        select draw.invoice_id, draw.position, draw.grant_id, draw.amount, sum(returned.amount) as returned
        from billing.credit_draw as draw
        join billing.credit_return as returned using (invoice_id, position)
        left join billing.credit_grant_end as ended on ended.grant_id = draw.grant_id
        group by 1, 2, 3, 4
        having sum(returned.amount) > draw.amount
          or bool_or(returned.returned_to = 'grant' and returned.returned_at > ended.settled_at)`,
    },
    {
      name: "V4: a line draws no more credit than it comes to, from grants of its customer and currency, for what they are for",
      sql: `
        select draw.invoice_id, draw.line, draw.grant_id, draw.amount, line.exact_minor
        from billing.credit_draw as draw
        join billing.invoice_line as line using (invoice_id, line)
        join billing.invoice as invoice on invoice.id = draw.invoice_id
        join billing.credit_grant as credit on credit.id = draw.grant_id
        where (credit.customer_id, credit.currency) <> (invoice.customer_id, invoice.currency)
          or (select sum(amount) from billing.credit_draw as of_line where (of_line.invoice_id, of_line.line) = (draw.invoice_id, draw.line))
            > round(${inLedgerUnits("line.exact_minor")}) + 1
          or credit.scope is not null and not exists (
            select from jsonb_array_elements(credit.scope) as item
            where item ->> 'product' = line.product
              or (item ->> 'planKey', item ->> 'priceKey') = (line.plan_key, line.price_key)
              or item ->> 'feature' = (
                select price ->> 'feature' from catalog.plan cross join jsonb_array_elements(definition -> 'prices') as price
                where (plan.key, plan.version, price ->> 'key') = (line.plan_key, line.plan_version, line.price_key)))`,
    },
    {
      name: "V12: what recurring grants have to give is given in time",
      sql: `
        select recurring.id, recurring.customer_id, next_at, time.now from billing.recurring_grant_standing as recurring
        join (${customerTime}) as time using (customer_id)
        where status in ('active', 'ended') and next_at < time.now - ${seconds(limits.billing)}`,
    },
    {
      name: "V12: a grant that has run out of time ends when no usage from before can be billed any more",
      sql: `
        select credit.id, credit.customer_id, credit.expires_at, time.now from billing.credit_grant as credit
        join (${customerTime}) as time using (customer_id)
        left join billing.invoice as bought on bought.id = credit.invoice_id
        where credit.expires_at < time.now - ${seconds(limits.billing)} and (credit.invoice_id is null or bought.status = 'paid')
          and not exists (select from billing.credit_grant_end where grant_id = credit.id)
          and not exists (select from billing.subscription where subscription.customer_id = credit.customer_id
            and next_close_at is not null and billed_through < credit.expires_at)`,
    },
    {
      name: "V12: no recurring grant waits for ever to be decided",
      sql: `
        select id, customer_id, amount_minor, requested_by, recorded_at from billing.recurring_grant_standing
        where status = 'pending_approval' and recorded_at < now() - ${seconds(limits.approval)}`,
    },
    {
      name: "V10: who asked for a recurring grant has not agreed to it, and who decided was allowed to",
      sql: `
        select id, outcome, requested_by, decided_by from billing.recurring_grant_standing
        where outcome is not null and not (needs_approval and case outcome
          when 'withdrawn' then decided_by = requested_by
          else decided_by <> requested_by
            and ${mayDecide}
        end)`,
    },
  ];
}
