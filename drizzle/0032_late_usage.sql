-- Why: usage of a subscription that has ended can come when its last period is closed, and no later invoice is there to be on: it has one of its own.

alter table billing.invoice drop constraint invoice_kind_check;
alter table billing.invoice add constraint invoice_kind_check
  check (kind in ('activation', 'cycle', 'threshold', 'proration', 'credit_purchase', 'late_usage'));
-- Ended, and something has come since: it is closed once more, for no time.
create index subscription_ended_and_due on billing.subscription (id) where status = 'canceled' and next_close_at is not null;
create index invoice_of_late_usage on billing.invoice (subscription_id) where kind = 'late_usage';
--> statement-breakpoint

-- Until where usage was looked at for such subscriptions: everything that is visible in the snapshot was.
create table billing.late_usage_watch (
  is_row boolean primary key default true check (is_row),
  seen pg_snapshot not null,
  looked_at timestamptz not null
);
insert into billing.late_usage_watch (seen, looked_at) values (pg_current_snapshot(), clock_timestamp());
call public.make_fixed_but('billing.late_usage_watch', 'seen', 'looked_at');
--> statement-breakpoint

-- Whether a closed period of a subscription has had usage since it was rated last, by any meter that it prices.
create function billing.has_late_usage(of_subscription text, of_customer bigint) returns boolean
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
  select exists (
    select from (
      select distinct on (run.period_start) run.kind, run.period_start, run.period_end, run.snapshot
      from billing.rating_run as run left join billing.invoice on invoice.id = run.invoice_id
      where run.subscription_id = of_subscription and invoice.status is distinct from 'void'
      order by run.period_start, run.revision desc
    ) as newest
    where kind <> 'threshold' and exists (
      select from usage.contribution as said
      where said.customer_number = of_customer and said.time >= newest.period_start and said.time < newest.period_end
        and said.recorded_xid >= pg_snapshot_xmin(newest.snapshot) and not pg_visible_in_snapshot(said.recorded_xid, newest.snapshot)
        and said.meter in (
          select meter.number from billing.subscription_terms as terms
          cross join jsonb_to_recordset(terms.items) as item ("planKey" text, "planVersion" int)
          join catalog.plan as plan on plan.key = item."planKey" and plan.version = item."planVersion"
          cross join jsonb_array_elements(plan.definition -> 'prices') as price
          join catalog.meter as meter on meter.key = price ->> 'meter'
          where terms.subscription_id = of_subscription)))
$$;
revoke execute on function billing.has_late_usage from public;
grant execute on function billing.has_late_usage to reckoner_app;
