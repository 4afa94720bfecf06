-- Why: a customer with several subscriptions may want one invoice for all of them.

-- How a customer's subscriptions are invoiced: each by itself, which is what holds where nothing was chosen, or together. A choice is for
-- periods that end after it.
create table billing.customer_invoicing (
  customer_id text not null references billing.customer (id),
  choice int not null check (choice > 0),
  effective_at timestamptz not null,
  invoicing text not null check (invoicing in ('separate', 'consolidated')),
  chosen_by text not null,
  primary key (customer_id, choice)
);
call public.make_append_only('billing.customer_invoicing');
grant select, insert on billing.customer_invoicing to reckoner_app;
--> statement-breakpoint

-- What was chosen for the customer of a subscription, and the others of his that have something to close in its currency. Null where
-- nothing was chosen.
create function billing.invoiced_with(of_subscription text) returns json
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
  select json_build_object(
    'choices', (
      select json_agg(json_build_object('effectiveAt', effective_at, 'invoicing', invoicing) order by choice)
      from billing.customer_invoicing where customer_id = own.customer_id),
    'others', (
      select coalesce(json_agg(json_build_object('subscriptionId', id, 'billedThrough', billed_through) order by id), '[]')
      from billing.subscription
      where customer_id = own.customer_id and currency = own.currency and id <> own.id and next_close_at is not null))
  from billing.subscription as own
  where own.id = of_subscription and exists (select from billing.customer_invoicing where customer_id = own.customer_id)
$$;
revoke execute on function billing.invoiced_with from public;
grant execute on function billing.invoiced_with to reckoner_app;
