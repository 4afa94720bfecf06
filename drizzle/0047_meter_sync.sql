-- Why: a team may let Stripe price usage: what we counted is pushed to Stripe's meters, each step written down before it is sent.

-- ── what was said of an hour: revisions whose values add up to what Stripe should have counted ────────────────────
create table stripe.meter_push (
  meter int not null references catalog.meter (number),
  customer_id text not null references billing.customer (id),
  window_start timestamptz not null,
  revision int not null check (revision > 0),
  -- Stripe's name of the meter's events.
  event_name text not null check (event_name <> ''),
  kind text not null check (kind in ('usage', 'cancel')),
  -- What it adds: usage, or what is taken back with the revision that it cancels.
  value numeric not null check (value <> 0),
  cancels int check (cancels < revision),
  -- From the four above, for ever: sent twice, it counts once.
  identifier text not null unique check (length(identifier) between 1 and 100),
  -- Of the stream: what is sent with others is sent again with the same others.
  batch text check (batch <> ''),
  planned_at timestamptz not null default clock_timestamp(),
  state text not null default 'planned' check (state in ('planned', 'sent', 'refused', 'unknown')),
  error_code text check (error_code <> ''),
  sent_at timestamptz,
  next_attempt_at timestamptz not null default clock_timestamp(),
  primary key (meter, customer_id, window_start, revision),
  foreign key (meter, customer_id, window_start, cancels) references stripe.meter_push (meter, customer_id, window_start, revision),
  check ((kind = 'cancel') = (cancels is not null)),
  check ((state = 'planned') = (sent_at is null)),
  check ((state = 'refused') = (error_code is not null))
);
create index meter_push_waiting on stripe.meter_push (next_attempt_at) where state = 'planned';
create index meter_push_of_batch on stripe.meter_push (batch) where state = 'planned';
create index meter_push_of_customer on stripe.meter_push (customer_id, window_start);
call public.make_fixed_but('stripe.meter_push', 'batch', 'state', 'error_code', 'sent_at', 'next_attempt_at');
grant select, insert, update (batch, state, error_code, sent_at, next_attempt_at) on stripe.meter_push to reckoner_app;

-- ── what Stripe took and then did not count, as it has told ─────────────────────────────────────────────────
create table stripe.meter_error (
  event_id text not null,
  code text not null check (code <> ''),
  -- Null: Stripe has no such meter.
  stripe_meter_id text check (stripe_meter_id <> ''),
  errors int not null check (errors > 0),
  -- Some of the events, by their identifiers.
  identifiers text[] not null,
  noticed_from timestamptz not null,
  noticed_until timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (event_id, code)
);
create index meter_error_newest_first on stripe.meter_error (recorded_at desc);
call public.make_append_only('stripe.meter_error');
grant select, insert on stripe.meter_error to reckoner_app;
