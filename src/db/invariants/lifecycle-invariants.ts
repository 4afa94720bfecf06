import type { InvariantQuery } from "./invariant-query.ts";
import { unbilledEvents } from "./rating-invariants.ts";

/** What has ended stays ended. */
export const lifecycleInvariants: readonly InvariantQuery[] = [
  {
    name: "V11: a canceled subscription has no terms, no closed period and no charge in advance beyond its end",
    sql: `
      select subscription.id, canceled_at, beyond.what, beyond.at
      from billing.subscription as subscription
      cross join lateral (
        select 'terms' as what, effective_at as at from billing.subscription_terms
        where subscription_id = subscription.id and effective_at > canceled_at
        union all
        select 'closed period', period_end from billing.rating_run
        where subscription_id = subscription.id and period_end > canceled_at and kind <> 'threshold'
        union all
        select 'charge', line.period_start
        from billing.invoice_part as part join billing.invoice as invoice on invoice.id = part.invoice_id
        join billing.invoice_line as line on (line.invoice_id, line.part) = (part.invoice_id, part.part)
        where part.subscription_id = subscription.id and invoice.status <> 'void'
          and line.earning = 'deferred' and line.amount_minor > 0 and line.period_start >= canceled_at
          -- Who ends it at once in the first instant of a period does so after that was charged.
          and not (line.period_start = canceled_at and exists (
            select from billing.subscription_change as change
            where change.subscription_id = subscription.id and change.kind = 'cancel' and change.effective_at = canceled_at
              and not exists (
                select from billing.scheduled_change as ahead
                where ahead.subscription_id = change.subscription_id and ahead.change_id = change.change_id)))
      ) as beyond
      where status = 'canceled'`,
  },
  {
    name: "V11: a canceled subscription that is billed to its end has nothing left to close but usage that came late",
    sql: `
      select id, canceled_at, billed_through, next_close_at from billing.subscription
      where status = 'canceled' and case when billed_through < canceled_at then next_close_at is null
        else next_close_at is not null
          and not exists (select from (${unbilledEvents}) as unbilled where unbilled.subscription_id = subscription.id)
          and not exists (
            select from billing.invoice
            where invoice.subscription_id = subscription.id and invoice.kind = 'late_usage' and invoice.status = 'void') end`,
  },
  {
    name: "V11: a subscription that was not paid for in time never began: nothing was closed, and its first invoice is void",
    sql: `
      select id, billed_through, next_close_at, invoice.status
      from billing.subscription left join lateral (
        select invoice.status from billing.invoice_part as part join billing.invoice as invoice on invoice.id = part.invoice_id
        where part.subscription_id = subscription.id and kind = 'activation'
      ) as invoice on true
      where subscription.status = 'incomplete_expired'
        and (next_close_at is not null or billed_through > started_at or invoice.status is distinct from 'void')`,
  },
  {
    name: "V12: what was agreed for later is made before the period it falls into is closed, and ends with the subscription",
    sql: `
      select change.subscription_id, change.change_id, change.kind, change.effective_at, billed_through, subscription.status
      from billing.scheduled_change as change
      join billing.subscription as subscription on subscription.id = change.subscription_id
      where (effective_at < billed_through and kind <> 'cancel' or subscription.status = 'canceled')
        and not exists (
          select from billing.scheduled_change_resolution as resolution
          where resolution.subscription_id = change.subscription_id and resolution.change_id = change.change_id)`,
  },
  {
    name: "V11: nothing is charged for an invoice that is void, or paid already",
    sql: `
      select invoice.id, status, paid_at, attempt, attempted_at
      from billing.invoice as invoice join billing.payment_attempt as attempt on attempt.invoice_id = invoice.id
      where outcome = 'paid' and (status = 'void' or status = 'paid' and attempted_at > paid_at)`,
  },
  {
    name: "V11: a dunning that has ended goes on with nothing, and recovered means paid",
    sql: `
      select dunning.invoice_id, state, ended_at, next_attempt_at, invoice.status,
        (select max(attempted_at) from billing.payment_attempt where invoice_id = dunning.invoice_id) as last_attempt_at
      from billing.dunning as dunning join billing.invoice as invoice on invoice.id = dunning.invoice_id
      where ended_at is not null and (next_attempt_at is not null or state = 'recovered' and invoice.status <> 'paid'
        or exists (select from billing.payment_attempt where invoice_id = dunning.invoice_id and attempted_at > ended_at))`,
  },
];
