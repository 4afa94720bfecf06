import { customerTime, type InvariantLimits, type InvariantQuery, seconds } from "./invariant-query.ts";

/** Everything that is begun is finished in time: what Reckoner does, by its customer's clock, what goes over the network, by the wall's. */
export function pendingInvariants(limits: InvariantLimits): InvariantQuery[] {
  return [
    {
      name: "V12: every call to Stripe has an outcome in time",
      sql: `
        select key, operation, first_sent_at from stripe.operation
        where state = 'sent' and first_sent_at < now() - ${seconds(limits.stripeOperation)}`,
    },
    {
      name: "V12: every webhook is applied in time, and none is set aside",
      sql: `
        select event_id, type, state, received_at, attempts, last_error from stripe.webhook_inbox
        where state = 'parked' or state = 'waiting' and received_at < now() - ${seconds(limits.webhook)}`,
    },
    {
      name: "V12: every refund is sent in time, and every movement of Stripe's balance is booked in time",
      sql: `
        select id, state, changed_at as since, null as problem from billing.refund
        where state = 'requested' and recorded_at < now() - ${seconds(limits.billing)}
        union all
        select id, state, imported_at, problem from stripe.balance_transaction
        where state = 'waiting' and imported_at < now() - ${seconds(limits.clearing)}`,
    },
    {
      name: "V12: Stripe's copy of an invoice is told in time of every credit note, and takes it",
      sql: `
        select credit_note_id, invoice_id, state, problem, recorded_at from stripe.copy_change
        where state = 'refused' or state = 'waiting' and recorded_at < now() - ${seconds(limits.clearing)}`,
    },
    {
      name: "V12: every period is closed when its grace is over",
      sql: `
        select subscription.id, next_close_at, time.now from billing.subscription as subscription
        join (${customerTime}) as time using (customer_id)
        where next_close_at < time.now - ${seconds(limits.billing)}`,
    },
    {
      name: "V12: every invoice is charged soon after it is issued",
      sql: `
        select invoice.id, customer_id, issued_at, collected_by from billing.invoice as invoice
        join (${customerTime}) as time using (customer_id)
        where status = 'open' and issued_at < time.now - ${seconds(limits.billing)}
          and not exists (select from billing.payment_attempt where invoice_id = invoice.id)`,
    },
    {
      name: "V12: every purchase of credits is invoiced soon",
      sql: `
        select credit.id, credit.customer_id, credit.created_at from billing.credit_grant as credit
        join (${customerTime}) as time using (customer_id)
        where credit.kind = 'paid' and credit.created_at < time.now - ${seconds(limits.billing)}
          and not exists (select from billing.invoice where id = credit.invoice_id)`,
    },
    {
      name: "V12: no retry of dunning is overdue",
      sql: `
        select dunning.invoice_id, next_attempt_at from billing.dunning as dunning
        join billing.invoice as invoice on invoice.id = dunning.invoice_id
        join (${customerTime}) as time using (customer_id)
        where ended_at is null and next_attempt_at < time.now - ${seconds(limits.billing)}`,
    },
    {
      name: "V12: every hold is settled, released or expired in time",
      sql: `
        select source_key, customer_id, open_hold.expires_at from ledger.open_hold
        join ledger.hold on hold.id = open_hold.hold_id
        where open_hold.expires_at < now() - ${seconds(limits.hold)}`,
    },
    {
      name: "V12: no adjustment waits for ever to be decided",
      sql: `
        select id, kind, customer_id, change, requested_by, recorded_at from billing.adjustment_standing
        where status = 'pending_approval' and recorded_at < now() - ${seconds(limits.approval)}`,
    },
    {
      name: "V12: no correction of usage waits for ever to be decided",
      sql: `
        select id, kind, event_count, requested_by, recorded_at from usage.correction_standing
        where status = 'pending_approval' and recorded_at < now() - ${seconds(limits.approval)}`,
    },
    {
      name: "V12: no usage event stays in quarantine",
      sql: `
        select seq, customer_id, type, reason, recorded_at from usage.pending_event
        where recorded_at < now() - ${seconds(limits.quarantine)}`,
    },
  ];
}
