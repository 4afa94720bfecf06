-- Why: what customers and their systems are told, written in the transaction of the fact it tells of, and delivered at least once.
create schema notice;
grant usage on schema notice to reckoner_app;
--> statement-breakpoint

-- ── what there is to tell ────────────────────────────────────────────────────────────────────────────────────
create table notice.notice (
  -- Made from the key: it goes with every delivery of it, so that whoever gets it twice can tell.
  id text primary key,
  -- In the order in which facts of one customer were written; gaps mean nothing.
  sequence bigint generated always as identity unique,
  -- The business fact; one fact, one notice.
  key text not null unique,
  kind text not null,
  -- Null: it is about this deployment, for those who operate it.
  customer_id text references billing.customer (id),
  -- Which rows it is about, and what is written nowhere else.
  subject jsonb not null check (jsonb_typeof(subject) = 'object'),
  -- By the customer's clock.
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  -- What is sent, composed once: every attempt sends the same bytes.
  body text,
  composed_at timestamptz,
  check ((body is null) = (composed_at is null))
);
create index notice_to_compose on notice.notice (sequence) where composed_at is null;
create index notice_newest_first on notice.notice (occurred_at desc, id desc);
create index notice_of_customer on notice.notice (customer_id, occurred_at desc, id desc);
call public.make_fixed_but('notice.notice', 'body', 'composed_at');
create trigger body_is_written_once before update on notice.notice
  for each row when (old.composed_at is not null) execute function public.refuse_change();
--> statement-breakpoint

-- ── to whom ──────────────────────────────────────────────────────────────────────────────────────────────────
create table notice.endpoint (
  id text primary key,
  url text not null,
  description text,
  -- Null: of every kind.
  kinds text[] check (cardinality(kinds) > 0),
  state text not null check (state in ('enabled', 'disabled', 'deleted')),
  -- Why it is not enabled: somebody asked for it, all failed for days, or it answered that it is gone.
  reason text check (reason in ('requested', 'failing', 'gone')),
  -- Since when no attempt has succeeded though some were made.
  failing_since timestamptz,
  created_at timestamptz not null,
  check ((state = 'enabled') = (reason is null))
);
create index endpoint_newest_first on notice.endpoint (created_at desc, id desc);
call public.make_fixed_but('notice.endpoint', 'url', 'description', 'kinds', 'state', 'reason', 'failing_since');
create trigger deletion_is_final before update on notice.endpoint
  for each row when (old.state = 'deleted') execute function public.refuse_change();

create table notice.endpoint_secret (
  endpoint_id text not null references notice.endpoint (id),
  number int not null check (number > 0),
  -- Encrypted with a key that is not in the database.
  sealed bytea not null check (octet_length(sealed) > 36),
  created_at timestamptz not null,
  -- Set when the next one comes: until then both sign.
  expires_at timestamptz,
  primary key (endpoint_id, number)
);
call public.make_fixed_but('notice.endpoint_secret', 'expires_at');

create table notice.mail_preference (
  customer_id text primary key references billing.customer (id),
  -- Of these kinds no e-mail is sent.
  suppressed_kinds text[] not null,
  changed_at timestamptz not null
);
call public.make_fixed_but('notice.mail_preference', 'suppressed_kinds', 'changed_at');
--> statement-breakpoint

-- ── what became of it ────────────────────────────────────────────────────────────────────────────────────────
create table notice.delivery (
  id text primary key,
  notice_id text not null references notice.notice (id),
  -- Null: by e-mail to the customer, or to the operator when it is about nobody.
  endpoint_id text references notice.endpoint (id),
  -- The endpoint, or `email`.
  receiver text not null check (receiver = coalesce(endpoint_id, 'email')),
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
  -- All that were begun; the log has those that came to an end.
  attempts int not null default 0 check (attempts >= 0),
  -- How many of them there were when it was last asked for: retries are counted from there.
  attempts_before int not null default 0 check (attempts_before between 0 and attempts),
  next_attempt_at timestamptz not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (notice_id, receiver),
  check ((state = 'waiting') = (finished_at is null))
);
create index delivery_due on notice.delivery (receiver, next_attempt_at) where state = 'waiting';
create index delivery_of_endpoint on notice.delivery (endpoint_id, created_at desc, id desc);
call public.make_fixed_but('notice.delivery', 'state', 'attempts', 'attempts_before', 'next_attempt_at', 'finished_at');

create table notice.delivery_attempt (
  delivery_id text not null references notice.delivery (id),
  attempt int not null check (attempt > 0),
  outcome text not null check (outcome in ('delivered', 'failed')),
  attempted_at timestamptz not null,
  latency_ms int not null check (latency_ms >= 0),
  -- Of HTTP, or of SMTP; null when there was no answer.
  status int,
  -- How the answer began.
  answer text,
  error text,
  primary key (delivery_id, attempt),
  check ((outcome = 'failed') = (error is not null))
);
call public.make_append_only('notice.delivery_attempt');
grant select, insert on notice.delivery_attempt to reckoner_app;
--> statement-breakpoint

-- The month after which a card can no longer be charged, counted from the year 0: found by those who look ahead.
create index customer_card_expiry on billing.customer
  (((payment_method ->> 'expYear')::int * 12 + (payment_method ->> 'expMonth')::int)) where payment_method is not null;
create index subscription_trial on billing.subscription (trial_ends_at) where status = 'trialing';
