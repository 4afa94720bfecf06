-- Why: money that came in goes back, is taken back, and is paid out: refunds, disputes, payouts, and Stripe's own account of every movement.

-- ── refunds: of a payment, by a credit note; asked for here before Stripe is ────────────────────────────────────
create table billing.refund (
  id text primary key,
  credit_note_id text not null references billing.credit_note (id),
  invoice_id text not null references billing.invoice (id),
  customer_id text not null references billing.customer (id),
  stripe_payment_intent_id text not null references billing.payment (stripe_payment_intent_id),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  requested_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  state text not null default 'requested'
    check (state in ('requested', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
  stripe_refund_id text unique,
  -- Why it failed, in Stripe's words.
  failure_code text check (failure_code <> ''),
  -- By the wall clock: how long it is silent has nothing to do with a customer's test clock.
  changed_at timestamptz not null default clock_timestamp(),
  unique (credit_note_id, stripe_payment_intent_id),
  check (state in ('requested', 'failed') or stripe_refund_id is not null),
  check ((state = 'failed') = (failure_code is not null))
);
create index refund_newest_first on billing.refund (requested_at desc, id desc);
create index refund_of_invoice on billing.refund (invoice_id);
create index refund_of_payment on billing.refund (stripe_payment_intent_id);
create index refund_under_way on billing.refund (changed_at) where state in ('requested', 'pending', 'requires_action');
call public.make_fixed_but('billing.refund', 'state', 'stripe_refund_id', 'failure_code', 'changed_at');
create index payment_of_charge on billing.payment (stripe_charge_id);
--> statement-breakpoint

-- ── disputes and inquiries: as Stripe last said ──────────────────────────────────────────────────────────────
create table billing.invoice_dispute (
  stripe_dispute_id text primary key,
  invoice_id text not null references billing.invoice (id),
  customer_id text not null references billing.customer (id),
  stripe_payment_intent_id text not null references billing.payment (stripe_payment_intent_id),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  reason text not null check (reason <> ''),
  opened_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  -- In Stripe's words. One that we have never heard of counts as open: nobody is charged, or paid back, on a guess.
  status text not null check (status <> ''),
  is_open boolean not null check (is_open = (status not in ('won', 'lost', 'prevented', 'warning_closed'))),
  -- What the bank has taken of the payment, and has not given back.
  withdrawn_minor bigint not null check (withdrawn_minor between 0 and amount_minor),
  answer_by timestamptz,
  changed_at timestamptz not null
);
create index invoice_dispute_open on billing.invoice_dispute (invoice_id) where is_open;
create index invoice_dispute_under_way on billing.invoice_dispute (changed_at) where is_open;
create index invoice_dispute_of_payment on billing.invoice_dispute (stripe_payment_intent_id);
create index invoice_dispute_newest_first on billing.invoice_dispute (opened_at desc, stripe_dispute_id desc);
call public.make_fixed_but('billing.invoice_dispute', 'status', 'is_open', 'withdrawn_minor', 'answer_by', 'changed_at');

create function billing.guard_dispute() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- A lost one may be appealed; nothing else begins again.
  if old.status = 'lost' and (new.status like 'appeal\_%' or new.status = 'won') then
    return new;
  end if;
  raise exception 'dispute % is closed', old.stripe_dispute_id using errcode = 'RK001';
end
$$;
create trigger closed_is_final before update on billing.invoice_dispute
  for each row when (not old.is_open and new.status <> old.status) execute function billing.guard_dispute();
--> statement-breakpoint

-- ── what may be given back of a payment ────────────────────────────────────────────────────────────────────────
create function billing.given_back_minor(payment text) returns numeric language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce((select sum(amount_minor) from billing.refund
      where stripe_payment_intent_id = payment and state not in ('failed', 'canceled')), 0)
    + coalesce((select sum(withdrawn_minor) from billing.invoice_dispute where stripe_payment_intent_id = payment), 0)
$$;

-- Never more than was paid, whoever writes it, and however many ask at once.
create function billing.admit_refund() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  paid billing.payment;
begin
  perform from billing.customer where id = new.customer_id for update;
  select * into paid from billing.payment where stripe_payment_intent_id = new.stripe_payment_intent_id;
  if new.state <> 'requested'
    or not exists (
      select from billing.credit_note_standing as note
      where note.id = new.credit_note_id and note.invoice_id = new.invoice_id
        and (note.customer_id, note.currency) = (new.customer_id, new.currency)
        and new.amount_minor + (select coalesce(sum(amount_minor), 0) from billing.refund where credit_note_id = note.id)
          <= note.to_refund_minor)
    or paid.invoice_id is distinct from new.invoice_id
    or billing.given_back_minor(new.stripe_payment_intent_id) + new.amount_minor > paid.amount_minor then
    raise exception 'refund % is refused: its credit note does not say so, or it is more than is left of payment %',
      new.id, new.stripe_payment_intent_id using errcode = 'RK010';
  end if;
  return new;
end
$$;
create trigger admit_refund before insert on billing.refund for each row execute function billing.admit_refund();

-- What has succeeded can still fail; what has failed, or was canceled, is over.
create function billing.guard_refund() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if old.state in ('failed', 'canceled') or old.state = 'succeeded' and new.state <> 'failed' or new.state = 'requested'
    or old.stripe_refund_id <> new.stripe_refund_id then
    raise exception 'refund % is % and does not become %', old.id, old.state, new.state using errcode = 'RK001';
  end if;
  return new;
end
$$;
create trigger refund_goes_forward before update on billing.refund
  for each row when ((new.state, new.stripe_refund_id) is distinct from (old.state, old.stripe_refund_id))
  execute function billing.guard_refund();
--> statement-breakpoint

-- ── Stripe's own account: every movement of its balance, in its own minor units ───────────────────────────────────
create table stripe.balance_transaction (
  id text primary key,
  type text not null,
  reporting_category text not null,
  currency text not null,
  amount bigint not null,
  fee bigint not null,
  net bigint not null check (net = amount - fee),
  source text,
  description text,
  created_at timestamptz not null,
  available_on timestamptz not null,
  imported_at timestamptz not null default clock_timestamp(),
  -- Booked under what it is; or into suspense, because nobody could say in time; or not yet.
  state text not null default 'waiting' check (state in ('waiting', 'suspense', 'booked')),
  problem text check (problem <> '')
);
create index balance_transaction_unexplained on stripe.balance_transaction (created_at, id) where state <> 'booked';
create index balance_transaction_of_source on stripe.balance_transaction (source);
call public.make_fixed_but('stripe.balance_transaction', 'state', 'problem');

create function stripe.guard_balance_transaction() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'balance transaction % is % and does not become %', old.id, old.state, new.state using errcode = 'RK001';
end
$$;
create trigger booking_goes_forward before update on stripe.balance_transaction
  for each row when (old.state = 'booked' and new.state <> 'booked' or old.state = 'suspense' and new.state = 'waiting')
  execute function stripe.guard_balance_transaction();

-- How far a list of Stripe's has been read: up to an instant, and how far on the way back to it.
create table stripe.import_position (
  list text primary key check (list <> ''),
  covered_until timestamptz,
  pass_newest timestamptz,
  pass_after text,
  moved_at timestamptz not null default clock_timestamp()
);
call public.make_fixed_but('stripe.import_position', 'covered_until', 'pass_newest', 'pass_after', 'moved_at');

create table stripe.payout (
  id text primary key,
  currency text not null,
  amount bigint not null check (amount > 0),
  is_automatic boolean not null,
  created_at timestamptz not null,
  arrives_at timestamptz not null,
  status text not null check (status <> ''),
  failure_code text check (failure_code <> ''),
  changed_at timestamptz not null
);
create index payout_newest_first on stripe.payout (created_at desc, id desc);
create index payout_under_way on stripe.payout (changed_at) where status not in ('paid', 'failed', 'canceled');
call public.make_fixed_but('stripe.payout', 'status', 'failure_code', 'arrives_at', 'changed_at');

-- A bank may send back what it has said to have.
create function stripe.guard_payout() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'payout % is % and does not become %', old.id, old.status, new.status using errcode = 'RK001';
end
$$;
create trigger payout_goes_forward before update on stripe.payout
  for each row when (new.status <> old.status and (old.status in ('failed', 'canceled') or old.status = 'paid' and new.status <> 'failed'))
  execute function stripe.guard_payout();
