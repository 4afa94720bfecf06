import { type Damage, entry } from "./invariant-damages.ts";

/** The same for privileges, terminal states and things that were left undone. */
export const damagesToStates: readonly Damage[] = [
  {
    what: "a table that nobody has said anything about",
    broken: "V10",
    rule: "is known to be",
    sql: "create table billing.raffle (code text primary key)",
  },
  {
    what: "a table that a crash would empty",
    broken: "V10",
    rule: "is known to be",
    sql: "alter table ledger.balance_delta set unlogged",
  },
  {
    what: "a partition that the application may change",
    broken: "V10",
    rule: "may not change",
    sql: "grant update (amount) on ledger.posting_1 to reckoner_app",
  },
  {
    what: "a partition whose statements are not guarded",
    broken: "V10",
    rule: "is there and fires",
    sql: "drop trigger append_only_table on ledger.posting_1",
  },
  {
    what: "a function that would run a caller's temporary type with its owner's rights",
    broken: "V10",
    rule: "act with their owner",
    sql: "alter function ledger.post_entries set search_path = ''",
  },
  {
    what: "a fact that the application may change",
    broken: "V10",
    rule: "may not change",
    sql: "grant update (amount) on ledger.posting to reckoner_app",
  },
  {
    what: "a fact that the application may write past its function",
    broken: "V10",
    rule: "may not change",
    sql: "grant insert on usage.event to reckoner_app",
  },
  {
    what: "an agreed amount that the application may change",
    broken: "V10",
    rule: "that state alone",
    sql: "grant update (total_minor) on billing.invoice to reckoner_app",
  },
  {
    what: "a record that the application may remove",
    broken: "V10",
    rule: "that state alone",
    sql: "grant delete on billing.subscription_change to reckoner_app",
  },
  {
    what: "a guard that lets an agreed amount through",
    broken: "V10",
    rule: "that state alone",
    sql: `drop trigger all_else_is_fixed on billing.subscription_change;
      create trigger all_else_is_fixed before update on billing.subscription_change
        for each row execute function public.refuse_other_changes('invoice_id', 'lines')`,
  },
  {
    what: "a table that belongs to the application",
    broken: "V10",
    rule: "owns nothing",
    sql: "alter table access.api_key owner to reckoner_app",
  },
  {
    what: "a schema where the application can make things",
    broken: "V10",
    rule: "owns nothing",
    sql: "grant create on schema billing to reckoner_app",
  },
  {
    what: "a trigger that was switched off",
    broken: "V10",
    rule: "is there and fires",
    sql: "alter table ledger.posting disable trigger append_only_rows",
  },
  {
    what: "a trigger that was removed",
    broken: "V10",
    rule: "is there and fires",
    sql: "drop trigger final_state_is_final on billing.invoice",
  },
  {
    what: "a function that can be led to other tables",
    broken: "V10",
    rule: "their owner's rights",
    sql: "alter function ledger.post_entries reset search_path",
  },
  {
    what: "another function with its owner's rights",
    broken: "V10",
    rule: "their owner's rights",
    sql: `create function billing.anything(text) returns void language sql security definer set search_path = '' as 'select'`,
  },
  {
    what: "terms after the end",
    broken: "V11",
    rule: "beyond its end",
    sql: `insert into billing.subscription_terms values ('sub-cedar', '2026-02-02Z', 'after the end', '[]', false)`,
  },
  {
    what: "a charge in advance after the end",
    broken: "V11",
    rule: "beyond its end",
    sql: `update billing.subscription set status = 'canceled', cancel_at = '2026-03-01Z', canceled_at = '2026-03-01Z'
      where id = 'sub-acme'`,
  },
  {
    what: "a period to close after the end",
    broken: "V11",
    rule: "nothing left to close",
    sql: "update billing.subscription set next_close_at = '2026-04-01Z' where id = 'sub-cedar'",
  },
  {
    what: "a subscription that was never paid for, and was billed",
    broken: "V11",
    rule: "never began",
    sql: `update billing.subscription set status = 'incomplete_expired', expires_at = '2026-01-02Z', cancel_at = '2026-01-02Z',
      canceled_at = '2026-01-02Z' where id = 'sub-acme'`,
  },
  {
    what: "a change for later that was passed over",
    broken: "V12",
    rule: "agreed for later",
    sql: `insert into billing.scheduled_change (subscription_id, change_id, kind, effective_at, request, cause, requested_at)
      select id, 'passed over', 'pause', started_at, '{}', 'requested', started_at from billing.subscription
      where billed_through > started_at limit 1`,
  },
  {
    what: "a charge for what was paid",
    broken: "V11",
    rule: "nothing is charged",
    sql: `insert into billing.payment_attempt (invoice_id, attempt, cause, attempted_at, outcome)
      values ('inv_prepaid', 2, 'schedule', '2026-02-01Z', 'paid')`,
  },
  {
    what: "a dunning that goes on after its end",
    broken: "V11",
    rule: "dunning",
    sql: "update billing.dunning set next_attempt_at = '2026-04-01Z'",
  },
  {
    what: "a recovery without money",
    broken: "V11",
    rule: "dunning",
    sql: "update billing.dunning set state = 'recovered'",
  },
  {
    what: "a call to Stripe without an outcome",
    broken: "V12",
    rule: "call to Stripe",
    sql: `update stripe.operation set state = 'sent', finished_at = null, first_sent_at = now() - interval '21 hours'
      where key = (select min(key) from stripe.operation)`,
  },
  {
    what: "a webhook that waits",
    broken: "V12",
    rule: "webhook",
    sql: `insert into stripe.webhook_inbox (event_id, type, body, received_at)
      values ('evt_1', 'invoice.paid', '{}', now() - interval '61 minutes')`,
  },
  {
    what: "a webhook that was set aside",
    broken: "V12",
    rule: "webhook",
    sql: `insert into stripe.webhook_inbox (event_id, type, body, state) values ('evt_1', 'invoice.paid', '{}', 'parked')`,
  },
  {
    what: "a period that nobody closed",
    broken: "V12",
    rule: "period is closed",
    sql: "update billing.subscription set next_close_at = '2026-03-01T10:59:00Z' where id = 'sub-acme'",
  },
  {
    what: "an invoice that nobody charged",
    broken: "V12",
    rule: "charged soon",
    sql: `insert into billing.invoice (id, source_key, kind, customer_id, number, status, currency, subtotal_minor,
        credits_applied_minor, balance_applied_minor, total_minor, issued_at)
      values ('inv_idle', 'idle', 'credit_purchase', 'acme', 'IDLE-1', 'open', 'usd', 1, 0, 0, 1, '2026-02-20Z');
      insert into billing.invoice_part (invoice_id, part) values ('inv_idle', 1);
      insert into billing.invoice_line (invoice_id, line, kind, earning, description, product, period_start, period_end,
        amount_minor, exact_minor, detail)
      values ('inv_idle', 1, 'credit_purchase', 'prepayment', 'Credits', 'credits', '2026-02-20Z', '2026-02-20Z', 1, 1, '{}');
      ${entry(
        "invoice_issued",
        ["invoice", "inv_idle"],
        ["1100/usd/customer=acme", "2005/usd/customer=acme/purchase=inv_idle"],
        {
          metadata: { invoice_id: "inv_idle" },
        },
      )}`,
    triggersRun: true,
  },
  {
    what: "a purchase of credits that nobody invoiced",
    broken: "V12",
    rule: "purchase of credits",
    sql: `insert into billing.credit_grant (id, customer_id, kind, currency, amount_minor, priority, effective_at, reason, created_at, invoice_id)
      values ('forgotten', 'acme', 'paid', 'usd', 1, 50, '2026-01-01Z', 'none', '2026-01-01Z', 'inv_forgotten')`,
  },
  {
    what: "a retry that was not made",
    broken: "V12",
    rule: "retry",
    sql: "update billing.dunning set state = 'retrying', ended_at = null, next_attempt_at = '2026-03-01T10:59:00Z'",
  },
  {
    what: "an event that stays in quarantine",
    broken: "V12",
    rule: "quarantine",
    sql: `insert into usage.quarantined_event (seq, recorded_at, time, source, id, customer_id, type, data, reason)
        values (-1, now() - interval '8 days', now(), 'story', 'lost', 'nobody', 'request', '{}', 'unknown_customer');
      insert into usage.event_key values (gen_random_uuid(), gen_random_uuid(), -1, now())`,
  },
];
