-- Why: dunning goes by policies that are data, networks limit how often a card is charged over all invoices, and what operators decide is kept.
create table catalog.dunning_policy (
  key text not null,
  version int not null check (version > 0),
  definition jsonb not null,
  primary key (key, version)
);
call public.make_append_only('catalog.dunning_policy');

-- Which policy counts for a customer instead of what its plans say; the last row does.
create table billing.dunning_policy_choice (
  customer_id text not null references billing.customer (id),
  request_id text not null,
  number bigint generated always as identity unique,
  -- Null: what its plans say, again.
  policy_key text,
  reason text check (reason <> ''),
  chosen_by text not null check (chosen_by <> ''),
  chosen_at timestamptz not null,
  primary key (customer_id, request_id)
);
create index dunning_policy_choice_newest on billing.dunning_policy_choice (customer_id, number desc);
call public.make_append_only('billing.dunning_policy_choice');
grant select, insert on catalog.dunning_policy, billing.dunning_policy_choice to reckoner_app;
--> statement-breakpoint

-- ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────
alter table billing.payment_attempt
  drop constraint payment_attempt_cause_check,
  drop constraint payment_attempt_outcome_check,
  add constraint payment_attempt_cause_check check (cause in ('first', 'schedule', 'new_payment_method', 'operator')),
  -- withheld: never sent, because of what networks allow of the card.
  add constraint payment_attempt_outcome_check check (outcome in ('paid', 'declined', 'requires_action', 'withheld'));

-- Every charge of a card, written down under the customer's lock before it is sent.
create table billing.card_attempt (
  invoice_id text not null references billing.invoice (id),
  attempt int not null check (attempt > 0),
  customer_id text not null references billing.customer (id),
  -- Stripe's fingerprint of the card, or the payment method's id where there is none.
  card text not null check (card <> ''),
  -- What is asked for: the same however often the attempt is repeated, whatever is credited meanwhile.
  amount_minor bigint not null check (amount_minor > 0),
  attempted_at timestamptz not null,
  -- By the wall clock: after a day Stripe has forgotten the call, and nobody waits for its end any more.
  claimed_at timestamptz not null default clock_timestamp(),
  -- Null while it is under way.
  outcome text check (outcome in ('paid', 'declined', 'requires_action', 'refused')),
  -- The network forbids any further attempt with the card.
  ends_card boolean not null default false,
  primary key (invoice_id, attempt),
  check (not ends_card or outcome = 'declined')
);
create index card_attempt_of_card on billing.card_attempt (customer_id, card, attempted_at) where outcome is distinct from 'paid';
call public.make_fixed_but('billing.card_attempt', 'outcome', 'ends_card');

create function billing.guard_card_attempt() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'attempt % of invoice % has ended as %', old.attempt, old.invoice_id, old.outcome using errcode = 'RK001';
end
$$;
create trigger outcome_is_final before update on billing.card_attempt
  for each row when (old.outcome is not null and (old.outcome, old.ends_card) is distinct from (new.outcome, new.ends_card))
  execute function billing.guard_card_attempt();
--> statement-breakpoint

-- ── dunning ──────────────────────────────────────────────────────────────────────────────────────────────────
alter table billing.dunning
  drop constraint dunning_state_check,
  drop constraint dunning_check,
  add constraint dunning_state_check check (state in ('retrying', 'awaiting_payment_method', 'awaiting_action', 'disputed',
    'recovered', 'exhausted', 'closed', 'stopped')),
  add constraint dunning_end_check check ((state in ('recovered', 'exhausted', 'closed', 'stopped')) = (ended_at is not null)),
  -- The policy with everything that its terms leave open, as it was when the first charge failed. It holds to the end.
  add column policy jsonb,
  add column policy_key text,
  add column time_zone text not null default 'UTC',
  -- The hour of the day at which the customer's payments used to succeed, where the policy wants it.
  add column learnt_hour int check (learnt_hour between 0 and 23),
  -- When something happens next by itself, and why then.
  add column next_at timestamptz,
  add column why text;

drop trigger all_else_is_fixed on billing.dunning;
drop trigger rows_are_kept on billing.dunning;
drop trigger table_is_kept on billing.dunning;
call public.make_fixed_but('billing.dunning', 'state', 'attempts', 'next_attempt_at', 'ended_at', 'next_at', 'why');

-- What operators told a dunning to do, and why.
create table billing.dunning_command (
  invoice_id text not null references billing.dunning (invoice_id),
  request_id text not null,
  number bigint generated always as identity unique,
  command text not null check (command in ('retry', 'postpone', 'stop')),
  -- Of a postponement: no attempt and no end before.
  until timestamptz,
  reason text not null check (reason <> ''),
  commanded_by text not null check (commanded_by <> ''),
  commanded_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (invoice_id, request_id),
  check ((command = 'postpone') = (until is not null))
);
call public.make_append_only('billing.dunning_command');

-- What was to be said to a customer, by the names of the policy.
create table billing.dunning_notice (
  invoice_id text not null references billing.dunning (invoice_id),
  -- What it is said of: begun, attempt/2, access/limited.
  fact text not null,
  number bigint generated always as identity unique,
  moment text not null check (moment in ('attempt_failed', 'payment_method_needed', 'action_required', 'action_reminder',
    'access_limited', 'access_ended', 'given_up', 'recovered')),
  notice text not null,
  said_at timestamptz not null,
  primary key (invoice_id, fact, moment)
);
call public.make_append_only('billing.dunning_notice');
grant select, insert on billing.dunning_command, billing.dunning_notice to reckoner_app;
