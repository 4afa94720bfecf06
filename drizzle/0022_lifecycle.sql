-- Why: a subscription has a trial, may wait for its first payment, and has changes agreed for later; no state follows one that is final.
alter table billing.subscription
  drop constraint subscription_status_check,
  drop constraint subscription_check,
  add constraint subscription_status_check
    check (status in ('incomplete', 'trialing', 'active', 'past_due', 'paused', 'canceled', 'incomplete_expired')),
  add constraint subscription_end_check
    check ((status in ('canceled', 'incomplete_expired')) = (canceled_at is not null)),
  -- When the trial ends by itself, as it was agreed.
  add column trial_ends_at timestamptz,
  -- Until when the first invoice has to be paid, where the subscription begins with that.
  add column expires_at timestamptz,
  -- The canceled subscription that this one goes on from.
  add column reactivates text references billing.subscription (id),
  add check (trial_ends_at > started_at),
  add check (status <> 'trialing' or trial_ends_at is not null),
  add check (status not in ('incomplete', 'incomplete_expired') or expires_at is not null);

create function billing.guard_subscription_status() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    if new.status not in ('incomplete', 'trialing', 'active') then
      raise exception 'subscription % cannot begin as %', new.id, new.status using errcode = 'RK001';
    end if;
  elsif (old.status, new.status) not in (
    ('incomplete', 'active'), ('incomplete', 'incomplete_expired'),
    ('trialing', 'active'), ('trialing', 'paused'), ('trialing', 'canceled'),
    ('active', 'past_due'), ('active', 'paused'), ('active', 'canceled'),
    ('past_due', 'active'), ('past_due', 'paused'), ('past_due', 'canceled'),
    ('paused', 'active'), ('paused', 'canceled')
  ) then
    raise exception 'subscription % is %: % does not follow', old.id, old.status, new.status using errcode = 'RK001';
  end if;
  return new;
end
$$;
create trigger begins_in_a_first_state before insert on billing.subscription
  for each row execute function billing.guard_subscription_status();
create trigger state_follows before update on billing.subscription
  for each row when (old.status is distinct from new.status) execute function billing.guard_subscription_status();

alter table billing.subscription_terms
  -- Billed as agreed; free, as in a trial; refused: there is no access, and what comes all the same is not charged.
  add column usage text not null default 'billed' check (usage in ('billed', 'free', 'refused'));
--> statement-breakpoint

-- ── changes that are agreed for later ────────────────────────────────────────────────────────────────────────
create table billing.scheduled_change (
  subscription_id text not null references billing.subscription (id),
  change_id text not null,
  -- Of those of one instant the first that was agreed comes first.
  number bigint generated always as identity unique,
  kind text not null check (kind in ('change_plan', 'change_quantity', 'add_add_on', 'remove_add_on', 'pause', 'resume', 'cancel', 'end_trial')),
  effective_at timestamptz not null,
  request jsonb not null,
  -- Asked for, or agreed with something else: a trial has an end, and a pause may have one.
  cause text not null check (cause in ('requested', 'trial', 'pause')),
  requested_at timestamptz not null,
  primary key (subscription_id, change_id),
  check ((kind = 'end_trial') = (cause = 'trial')),
  check (cause <> 'pause' or kind = 'resume')
);
create index scheduled_change_in_order on billing.scheduled_change (subscription_id, effective_at, number);
call public.make_append_only('billing.scheduled_change');

create table billing.scheduled_change_resolution (
  subscription_id text not null,
  change_id text not null,
  -- applied; withdrawn on request; superseded by a change that came first; refused by the rules when its time had come.
  outcome text not null check (outcome in ('applied', 'withdrawn', 'superseded', 'refused')),
  resolved_at timestamptz not null,
  code text,
  message text,
  primary key (subscription_id, change_id),
  foreign key (subscription_id, change_id) references billing.scheduled_change,
  check ((outcome = 'refused') = (code is not null)),
  check ((code is null) = (message is null))
);
call public.make_append_only('billing.scheduled_change_resolution');
grant select, insert on billing.scheduled_change, billing.scheduled_change_resolution to reckoner_app;
