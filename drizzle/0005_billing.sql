-- Why: who is billed, for which versions of which plans, what was rated and invoiced, and what Stripe was asked and told us.

-- ── catalog: versions are facts ──────────────────────────────────────────────────────────────────────────────
create table catalog.meter (
  key text not null,
  version int not null check (version > 0),
  definition jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  number int generated always as identity unique, -- what usage calls this version
  primary key (key, version)
);
create table catalog.plan (
  key text not null,
  version int not null check (version > 0),
  definition jsonb not null,
  fingerprint text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (key, version)
);
call public.make_append_only('catalog.meter');
call public.make_append_only('catalog.plan');
grant select, insert on catalog.meter, catalog.plan to reckoner_app;
--> statement-breakpoint

-- ── customers and their clocks ───────────────────────────────────────────────────────────────────────────────
create table billing.test_clock (
  id text primary key,
  current_at timestamptz not null,
  target_at timestamptz not null check (target_at >= current_at),
  is_settled boolean not null default true,
  created_at timestamptz not null default clock_timestamp()
);
create table billing.customer (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
  name text not null,
  email text not null,
  currency text not null,
  time_zone text not null,
  test_clock_id text references billing.test_clock (id),
  stripe_customer_id text unique,
  -- What may be shown of the card on file; the card itself never comes here.
  payment_method jsonb,
  created_at timestamptz not null,
  number bigint generated always as identity unique -- what usage calls this customer
);
create index customer_newest_first on billing.customer (created_at desc, id desc);
create index customer_of_clock on billing.customer (test_clock_id) where test_clock_id is not null;
call public.make_fixed_but('billing.test_clock', 'current_at', 'target_at', 'is_settled');
-- How a customer is addressed and pays may change; currency, time zone and clock are what everything was billed by.
call public.make_fixed_but('billing.customer', 'name', 'email', 'stripe_customer_id', 'payment_method');
--> statement-breakpoint

-- ── subscriptions ────────────────────────────────────────────────────────────────────────────────────────────
create table billing.subscription (
  id text primary key,
  customer_id text not null references billing.customer (id),
  status text not null check (status in ('active', 'past_due', 'paused', 'canceled')),
  started_at timestamptz not null,
  interval_unit text not null check (interval_unit in ('day', 'week', 'month', 'year')),
  interval_count int not null check (interval_count > 0),
  time_zone text not null,
  currency text not null,
  grace_seconds int not null check (grace_seconds >= 0),
  -- Everything before this instant is closed; periods from here on are still to be billed.
  billed_through timestamptz not null,
  -- When the first period that is not closed may be: its end and the grace for late usage. Null: nothing is left to close.
  next_close_at timestamptz,
  -- Set when a cancellation is agreed; it may still be ahead.
  cancel_at timestamptz,
  canceled_at timestamptz,
  check ((status = 'canceled') = (canceled_at is not null)),
  check (canceled_at is null or cancel_at is not null)
);
create index subscription_of_customer on billing.subscription (customer_id, started_at);
create index subscription_due on billing.subscription (next_close_at) where next_close_at is not null;
call public.make_fixed_but('billing.subscription', 'status', 'billed_through', 'next_close_at', 'cancel_at', 'canceled_at');

-- What was agreed from an instant on, until the next row: the truth that rating and proration read.
create table billing.subscription_terms (
  subscription_id text not null references billing.subscription (id),
  effective_at timestamptz not null,
  change_id text not null,
  -- [{ planKey, planVersion, seats }], the plan first, then add-ons.
  items jsonb not null check (jsonb_typeof(items) = 'array'),
  -- Nothing is charged in advance while paused.
  paused boolean not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (subscription_id, effective_at),
  unique (subscription_id, change_id)
);
call public.make_append_only('billing.subscription_terms');

-- A command that changed a subscription, kept for ever: the same id is answered with the same outcome.
create table billing.subscription_change (
  subscription_id text not null references billing.subscription (id),
  change_id text not null,
  kind text not null,
  effective_at timestamptz not null,
  request jsonb not null,
  -- Lines of the proration; null invoice: they go on the invoice of the period that is about to close.
  lines jsonb not null,
  -- What credit notes gave back instead, of an end: no invoice has these lines.
  returned jsonb not null default '[]',
  invoice_id text,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (subscription_id, change_id)
);
create index subscription_change_pending on billing.subscription_change (subscription_id) where invoice_id is null;
-- Lines that wait go on one invoice, once.
call public.make_fixed_but('billing.subscription_change', 'invoice_id');
create trigger invoice_is_named_once before update on billing.subscription_change
  for each row when (old.invoice_id is not null) execute function public.refuse_change();
grant select, insert on billing.subscription_terms to reckoner_app;
--> statement-breakpoint

-- ── invoices ─────────────────────────────────────────────────────────────────────────────────────────────────
create table billing.invoice (
  id text primary key,
  -- The business fact that made it; one fact, one invoice.
  source_key text not null unique,
  kind text not null check (kind in ('activation', 'cycle', 'threshold', 'proration', 'credit_purchase')),
  customer_id text not null references billing.customer (id),
  -- Of its only part; null where it has several, and of credits that are bought.
  subscription_id text references billing.subscription (id),
  number text not null unique,
  status text not null check (status in ('open', 'paid', 'void', 'uncollectible')),
  currency text not null,
  -- From the first part's start on; parts end together.
  period_start timestamptz,
  period_end timestamptz,
  -- The sum of its lines, and that of tax by itself.
  subtotal_minor bigint not null,
  tax_minor bigint not null default 0,
  credits_applied_minor bigint not null check (credits_applied_minor >= 0),
  balance_applied_minor bigint not null,
  total_minor bigint not null check (total_minor >= 0),
  amount_paid_minor bigint not null default 0 check (amount_paid_minor >= 0),
  -- What credit notes took off before it was paid: it is not due any more.
  credited_minor bigint not null default 0 check (credited_minor between 0 and total_minor),
  issued_at timestamptz not null,
  -- How complete the period's usage was when it was rated: up to when, how that was known, and which source held it back.
  usage_complete_until timestamptz,
  usage_known_by text check (usage_known_by in ('none', 'reported', 'estimated')),
  usage_held_back_by text,
  paid_at timestamptz,
  stripe_invoice_id text unique,
  -- Of an invoice that Stripe has no copy of: what is due on it is asked for by this.
  stripe_payment_intent_id text unique,
  hosted_invoice_url text,
  -- It is being withdrawn, at Stripe first: until that has ended nothing may come that it could not be voided with.
  voiding_since timestamptz,
  -- The workflow that collects it and is told when its state at Stripe changes.
  collected_by text,
  -- The void invoice that this one bills anew.
  replaces text unique references billing.invoice (id),
  -- Who it says that sells: the seller's details in force when it was issued; null: none were given.
  seller_version int,
  check (subtotal_minor - credits_applied_minor + tax_minor - balance_applied_minor = total_minor),
  check (kind = 'cycle' or usage_complete_until is null),
  check ((usage_complete_until is null) = (usage_known_by is null)),
  check (usage_complete_until <= period_end and (usage_held_back_by is not null) = (usage_complete_until < period_end)),
  check (stripe_invoice_id is null or stripe_payment_intent_id is null),
  check ((status = 'paid') = (paid_at is not null))
);
create index invoice_uncollected on billing.invoice (issued_at, id) where status = 'open' and collected_by is null;
create index invoice_newest_first on billing.invoice (issued_at desc, id desc);
create index invoice_of_customer on billing.invoice (customer_id, issued_at desc, id desc);

-- What an invoice is for, subscription by subscription: one part, unless a customer's subscriptions are invoiced together.
create table billing.invoice_part (
  invoice_id text not null references billing.invoice (id),
  part int not null check (part > 0),
  -- Null of credits that are bought.
  subscription_id text references billing.subscription (id),
  period_start timestamptz,
  period_end timestamptz,
  -- As the invoice says it of all its parts.
  usage_complete_until timestamptz,
  usage_known_by text check (usage_known_by in ('none', 'reported', 'estimated')),
  usage_held_back_by text,
  -- What decided it and is kept nowhere else, because it moves on: the customer's money, the terms known.
  facts jsonb,
  primary key (invoice_id, part),
  check ((usage_complete_until is null) = (usage_known_by is null)),
  check (usage_complete_until <= period_end and (usage_held_back_by is not null) = (usage_complete_until < period_end))
);
create unique index invoice_part_of_subscription on billing.invoice_part (subscription_id, invoice_id);
call public.make_append_only('billing.invoice_part');
grant select, insert on billing.invoice_part to reckoner_app;

create table billing.invoice_line (
  invoice_id text not null,
  line int not null check (line > 0),
  kind text not null,
  -- Where the ledger books it: a claim it was already, service still to be given, earned, a prepayment, or somebody else's tax.
  earning text not null check (earning in ('unbilled', 'deferred', 'earned', 'prepayment', 'tax') and (earning = 'tax') = (kind = 'tax')),
  description text not null,
  product text not null,
  plan_key text,
  plan_version int,
  price_key text,
  period_start timestamptz not null,
  period_end timestamptz not null,
  quantity numeric,
  amount_minor bigint not null,
  -- Before rounding to the minor unit.
  exact_minor numeric not null,
  detail jsonb not null,
  part int not null default 1,
  primary key (invoice_id, line)
);
call public.make_append_only('billing.invoice_line');
call public.refer_to_kept('billing.invoice_line', '{invoice_id,part}', 'billing.invoice_part', '{invoice_id,part}');

-- What may change of an issued invoice: its state, where it is at Stripe and who collects it, never what it says.
call public.make_fixed_but('billing.invoice', 'status', 'amount_paid_minor', 'credited_minor', 'paid_at', 'stripe_invoice_id', 'stripe_payment_intent_id',
  'hosted_invoice_url', 'collected_by', 'voiding_since');

create function billing.guard_invoice() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'invoice % is %: that state is final', old.id, old.status using errcode = 'RK001';
end
$$;
create trigger final_state_is_final before update on billing.invoice
  for each row when (old.status in ('paid', 'void') and new.status <> old.status) execute function billing.guard_invoice();
grant select, insert on billing.invoice_line to reckoner_app;
--> statement-breakpoint

-- ── rating: runs before the end bill thresholds, one closes the period, later ones bill what came late ───────
create table billing.rating_run (
  subscription_id text not null references billing.subscription (id),
  period_start timestamptz not null,
  period_end timestamptz not null check (period_end > period_start),
  revision int not null check (revision >= 0),
  -- threshold: while the period goes on. closing: of the run that closed it, and of the run that billed it anew after that
  -- invoice was voided. late: what was reported since.
  kind text not null check (kind in ('threshold', 'closing', 'late')),
  -- The revision that its lines are the difference to; null where they bill the period from nothing.
  after_revision int check (after_revision < revision),
  -- Null when there was nothing to invoice.
  invoice_id text references billing.invoice (id),
  -- Exactly the usage events this run has seen: those whose transaction is visible in it.
  snapshot pg_snapshot not null,
  -- Events of the period that no run before has seen: over all runs, each event once.
  event_count bigint not null check (event_count >= 0),
  rated_at timestamptz not null,
  primary key (subscription_id, period_start, revision),
  check (invoice_id is not null or event_count = 0),
  check (kind <> 'threshold' or invoice_id is not null),
  check (kind <> 'late' or after_revision is not null)
);
call public.make_append_only('billing.rating_run');

-- The cumulative result of a run, per price and stretch of unchanged terms; what is owed is this less the run before.
create table billing.rated_usage (
  subscription_id text not null,
  period_start timestamptz not null,
  revision int not null,
  terms_start timestamptz not null,
  terms_end timestamptz not null,
  plan_key text not null,
  plan_version int not null,
  price_key text not null,
  product text not null,
  meter int not null, -- the version that measured
  quantity numeric not null,
  included_quantity numeric not null,
  exact_minor numeric not null,
  primary key (subscription_id, period_start, revision, terms_start, plan_key, price_key)
);
call public.make_append_only('billing.rated_usage');
call public.refer_to_kept('billing.rated_usage', '{subscription_id,period_start,revision}', 'billing.rating_run',
  '{subscription_id,period_start,revision}');
call public.refer_to_kept('billing.rated_usage', '{meter}', 'catalog.meter', '{number}');
grant select, insert on billing.rating_run, billing.rated_usage to reckoner_app;
--> statement-breakpoint

-- ── payments and dunning ─────────────────────────────────────────────────────────────────────────────────────
create table billing.payment_attempt (
  invoice_id text not null references billing.invoice (id),
  attempt int not null check (attempt > 0),
  cause text not null check (cause in ('first', 'schedule', 'new_payment_method')),
  attempted_at timestamptz not null,
  outcome text not null check (outcome in ('paid', 'declined', 'requires_action')),
  decline_code text,
  decline_class text,
  primary key (invoice_id, attempt)
);
call public.make_append_only('billing.payment_attempt');

create table billing.payment (
  -- Stripe's payment intent: one succeeds once.
  stripe_payment_intent_id text primary key,
  invoice_id text not null references billing.invoice (id),
  stripe_charge_id text,
  amount_minor bigint not null check (amount_minor > 0),
  received_at timestamptz not null
);
create index payment_of_invoice on billing.payment (invoice_id);
call public.make_append_only('billing.payment');

create table billing.dunning (
  invoice_id text primary key references billing.invoice (id),
  state text not null check (state in ('retrying', 'awaiting_payment_method', 'recovered', 'exhausted', 'closed')),
  attempts int not null check (attempts >= 0),
  started_at timestamptz not null,
  next_attempt_at timestamptz,
  ended_at timestamptz,
  check ((state in ('recovered', 'exhausted', 'closed')) = (ended_at is not null))
);
grant select, insert on billing.payment_attempt, billing.payment to reckoner_app;
call public.make_fixed_but('billing.dunning', 'state', 'attempts', 'next_attempt_at', 'ended_at');
--> statement-breakpoint

-- ── Stripe: every call is written down before it is made, every webhook before it is answered ────────────────
create table stripe.operation (
  key text primary key,
  operation text not null,
  request_hash text not null,
  body jsonb not null,
  state text not null check (state in ('sent', 'succeeded', 'refused')),
  first_sent_at timestamptz not null,
  response jsonb,
  error jsonb,
  finished_at timestamptz,
  check ((state = 'sent') = (finished_at is null))
);
create index operation_unfinished on stripe.operation (first_sent_at) where state = 'sent';

create table stripe.webhook_inbox (
  event_id text primary key,
  type text not null,
  api_version text,
  body text not null,
  received_at timestamptz not null default clock_timestamp(),
  state text not null default 'waiting' check (state in ('waiting', 'done', 'ignored', 'parked')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  last_error text,
  finished_at timestamptz
);
create index webhook_inbox_waiting on stripe.webhook_inbox (next_attempt_at) where state = 'waiting';
create index webhook_inbox_parked on stripe.webhook_inbox (received_at) where state = 'parked';
-- What was sent and what was received stay as they were.
call public.make_fixed_but('stripe.operation', 'state', 'response', 'error', 'finished_at');
call public.make_fixed_but('stripe.webhook_inbox', 'state', 'attempts', 'next_attempt_at', 'last_error', 'finished_at');
