-- Why: what minimums, caps, commitments and discounts came to is kept with each rating, so that later ones bill the difference only; and what a contract says instead of a plan's prices is written down before anybody is told to use it.

-- The cumulative result of a run, per adjustment and the charge it is on; what is owed is this less the run before.
create table billing.rated_adjustment (
  subscription_id text not null,
  period_start timestamptz not null,
  revision int not null,
  plan_key text not null,
  plan_version int not null,
  adjustment_key text not null,
  -- A price in a stretch of terms, or the adjustment that made the charge.
  charge text not null,
  kind text not null check (kind in ('discount', 'cap', 'overage', 'true_up')),
  price_key text,
  product text not null,
  earning text not null check (earning in ('unbilled', 'earned')),
  terms_start timestamptz not null,
  terms_end timestamptz not null,
  exact_minor numeric not null,
  -- As the lines say it: shares are rounded together.
  amount_minor bigint not null,
  primary key (subscription_id, period_start, revision, plan_key, plan_version, adjustment_key, charge),
  check (kind not in ('discount', 'cap') or exact_minor <= 0 and amount_minor <= 0),
  check (kind <> 'true_up' or exact_minor >= 0 and amount_minor >= 0 and price_key is null)
);
call public.make_append_only('billing.rated_adjustment');
call public.refer_to_kept('billing.rated_adjustment', '{subscription_id,period_start,revision}', 'billing.rating_run',
  '{subscription_id,period_start,revision}');
call public.refer_to_kept('billing.rated_adjustment', '{plan_key,plan_version}', 'catalog.plan', '{key,version}');

-- Overrides of a plan's prices, by the fingerprint of what they say: messages carry the fingerprint, never a price.
create table billing.price_agreement (
  fingerprint text primary key check (fingerprint ~ '^[0-9a-f]{64}$'),
  overrides jsonb not null check (jsonb_typeof(overrides) = 'array'),
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.price_agreement');
grant select, insert on billing.rated_adjustment, billing.price_agreement to reckoner_app;
