-- Why: credit that pays for usage: what it may pay, when it is given again, what each line drew, what went back, and how it ended.

-- What a grant may pay, as [{"type": "product", "product": "…"}, {"type": "price", "planKey": "…", "priceKey": "…"},
-- {"type": "feature", "feature": "…"}]; never empty.
create function billing.is_credit_scope(scope jsonb) returns boolean language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return jsonb_typeof(scope) = 'array' and jsonb_array_length(scope) between 1 and 100 and not exists (
  select from jsonb_array_elements(scope) as item
  where case item ->> 'type'
    when 'product' then jsonb_typeof(item -> 'product') is distinct from 'string'
    when 'feature' then jsonb_typeof(item -> 'feature') is distinct from 'string'
    when 'price' then jsonb_typeof(item -> 'planKey') is distinct from 'string' or jsonb_typeof(item -> 'priceKey') is distinct from 'string'
    else true
  end
);

-- ── credit that is given again and again: agreed to once, above a limit by two people ─────────────────────────
create table billing.recurring_grant (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  customer_id text not null references billing.customer (id),
  currency text not null,
  -- Each time.
  amount_minor bigint not null check (amount_minor > 0),
  priority int not null check (priority between 0 and 100),
  scope jsonb check (billing.is_credit_scope(scope)),
  -- Times are counted from here, on the calendar of the time zone.
  anchor_at timestamptz not null,
  interval_unit text not null check (interval_unit in ('day', 'week', 'month', 'year')),
  interval_count int not null check (interval_count > 0),
  time_zone text not null,
  effective_at timestamptz not null,
  expires_at timestamptz check (expires_at > effective_at),
  first text not null check (first in ('at_once', 'at_instant')),
  -- Of what is left when the next time begins, at least and at most this goes over; null: nothing does.
  rollover_min_minor bigint check (rollover_min_minor >= 0),
  rollover_max_minor bigint check (rollover_max_minor >= rollover_min_minor),
  rollover_cap_minor bigint check (rollover_cap_minor >= 0),
  rollover_months int check (rollover_months > 0),
  -- All that it can come to; null: without an end, without a limit.
  total_minor numeric(38, 0) check (total_minor >= 0),
  reason_code text not null check (reason_code in ('goodwill', 'service_outage', 'billing_error', 'promotion', 'contract',
    'retention', 'duplicate', 'fraud', 'other')),
  reason text check (reason <> ''),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null,
  approval_limit_minor bigint check (approval_limit_minor >= 0),
  -- What the same actor gave or took from the customer in the 24 hours before, of any kind, without anybody else.
  unapproved_before numeric(38, 0) not null,
  needs_approval boolean not null check (needs_approval = (approval_limit_minor is null or total_minor is null
    or total_minor * 100000000::numeric + unapproved_before > approval_limit_minor * 100000000::numeric)),
  -- The time that is to be given next, and when; null when none is left.
  next_occurrence int not null default 0 check (next_occurrence >= 0),
  next_at timestamptz,
  check ((rollover_min_minor is null) = (rollover_max_minor is null)),
  check (rollover_min_minor is not null or (rollover_cap_minor is null and rollover_months is null)),
  check (total_minor is not null or expires_at is null),
  check (reason_code <> 'other' or reason is not null)
);
create index recurring_grant_of_customer on billing.recurring_grant (customer_id, requested_at desc, id desc);
create index recurring_grant_due on billing.recurring_grant (next_at) where next_at is not null;
call public.make_fixed_but('billing.recurring_grant', 'next_occurrence', 'next_at');

create table billing.recurring_grant_decision (
  recurring_grant_id text primary key references billing.recurring_grant (id),
  outcome text not null check (outcome in ('approved', 'rejected', 'withdrawn')),
  decided_by text not null check (decided_by <> ''),
  note text check (note <> ''),
  decided_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (outcome <> 'rejected' or note is not null)
);
call public.make_append_only('billing.recurring_grant_decision');

-- Ended by somebody before its time: nothing is given from then on, and what was given stays.
create table billing.recurring_grant_end (
  recurring_grant_id text primary key references billing.recurring_grant (id),
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  reason text check (reason <> ''),
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.recurring_grant_end');
grant select, insert on billing.recurring_grant_decision, billing.recurring_grant_end to reckoner_app;

create function billing.admit_recurring_grant() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform from billing.customer where id = new.customer_id and currency = new.currency for update;
  if not found then
    raise exception 'recurring grant % is not in the currency of customer %', new.id, new.customer_id using errcode = 'RK010';
  end if;
  new.unapproved_before := billing.unapproved_before(new.customer_id, new.requested_by, new.requested_at);
  new.needs_approval := new.approval_limit_minor is null or new.total_minor is null
    or new.total_minor * 100000000::numeric + new.unapproved_before > new.approval_limit_minor * 100000000::numeric;
  new.recorded_at := clock_timestamp();
  return new;
end
$$;
create trigger admit_recurring_grant before insert on billing.recurring_grant
  for each row execute function billing.admit_recurring_grant();

create trigger admit_recurring_decision before insert on billing.recurring_grant_decision
  for each row execute function billing.admit_decision('billing.recurring_grant', 'recurring_grant_id');

create view billing.recurring_grant_standing with (security_invoker = true) as
select recurring.*, decision.outcome, decision.decided_by, decision.note, decision.decided_at,
  ended.ended_by, ended.ended_at, ended.reason as end_reason,
  case
    when needs_approval and decision.outcome is distinct from 'approved' then coalesce(decision.outcome, 'pending_approval')
    when ended.ended_at is not null then 'ended'
    else 'active'
  end as status,
  -- From when on it is agreed: what was to be given and was over before is not given later.
  case when not needs_approval then requested_at when decision.outcome = 'approved' then decision.decided_at end as active_since
from billing.recurring_grant as recurring
left join billing.recurring_grant_decision as decision on decision.recurring_grant_id = recurring.id
left join billing.recurring_grant_end as ended on ended.recurring_grant_id = recurring.id;
grant select on billing.recurring_grant_standing to reckoner_app;
--> statement-breakpoint

-- ── grants ───────────────────────────────────────────────────────────────────────────────────────────────────
create table billing.credit_grant (
  id text primary key,
  customer_id text not null references billing.customer (id),
  kind text not null check (kind in ('paid', 'promotional', 'goodwill')),
  currency text not null,
  amount_minor bigint not null check (amount_minor >= 0),
  -- 10⁻⁸ of the minor unit, on top: only of what was left of another grant.
  amount_fraction bigint not null default 0 check (amount_fraction between 0 and 99999999),
  priority int not null check (priority between 0 and 100),
  scope jsonb check (billing.is_credit_scope(scope)),
  effective_at timestamptz not null,
  expires_at timestamptz check (expires_at > effective_at),
  -- The invoice it is bought with, which is issued after this is written down; it can be spent once that is paid.
  invoice_id text,
  -- In words; of a grant that was given also as a code, in the adjustment that gave it.
  reason text check (reason <> ''),
  created_at timestamptz not null,
  -- Of what is given again and again: which time it was given, or went over to.
  recurring_grant_id text references billing.recurring_grant (id),
  occurrence int check (occurrence >= 0),
  -- The grant that it was left over from.
  rolled_over_from text references billing.credit_grant (id),
  check ((recurring_grant_id is null) = (occurrence is null)),
  check (recurring_grant_id is null or kind = 'promotional' and invoice_id is null),
  check (rolled_over_from is null or recurring_grant_id is not null),
  check (case when rolled_over_from is null then amount_minor > 0 and amount_fraction = 0 else amount_minor + amount_fraction > 0 end)
);
create index credit_grant_of_customer on billing.credit_grant (customer_id);
create index credit_grant_expiring on billing.credit_grant (expires_at) where expires_at is not null;
create unique index credit_grant_of_invoice on billing.credit_grant (invoice_id) where invoice_id is not null;
create unique index credit_grant_of_occurrence on billing.credit_grant (recurring_grant_id, occurrence) where rolled_over_from is null;
create unique index credit_grant_rolled_over_once on billing.credit_grant (rolled_over_from) where rolled_over_from is not null;
call public.make_append_only('billing.credit_grant');

-- A grant that was not used up in time: what it held then, and how much of that went over to the next.
create table billing.credit_grant_end (
  grant_id text primary key references billing.credit_grant (id),
  cause text not null check (cause in ('expired', 'capped')),
  held numeric(38, 0) not null check (held >= 0),
  rolled_over numeric(38, 0) not null default 0 check (rolled_over >= 0),
  ended_at timestamptz not null,
  -- When it was found that nothing more would be drawn.
  settled_at timestamptz not null check (settled_at >= ended_at)
);
call public.make_append_only('billing.credit_grant_end');
--> statement-breakpoint

-- ── draws: per line, so that what is taken back goes to the grants that paid for it ───────────────────────────
create table billing.credit_draw (
  invoice_id text not null,
  -- In the order in which they were drawn: what goes back begins with the last.
  position int not null check (position > 0),
  line int not null,
  grant_id text not null,
  -- In 10⁻⁸ of the minor unit, as in the ledger.
  amount numeric(38, 0) not null check (amount > 0),
  drawn_at timestamptz not null,
  primary key (invoice_id, position),
  unique (invoice_id, line, grant_id)
);
create index credit_draw_of_grant on billing.credit_draw (grant_id);
call public.make_append_only('billing.credit_draw');
call public.refer_to_kept('billing.credit_draw', '{invoice_id,line}', 'billing.invoice_line', '{invoice_id,line}');
call public.refer_to_kept('billing.credit_draw', '{grant_id}', 'billing.credit_grant', '{id}');

-- A draw, or a part of it, that was undone, and where it went: to its grant; where that had ended, to the customer's balance, or
-- it lapsed with it.
create table billing.credit_return (
  cause_type text not null check (cause_type in ('usage_correction', 'credit_note', 'invoice_void')),
  cause_id text not null,
  invoice_id text not null,
  position int not null,
  amount numeric(38, 0) not null check (amount > 0),
  returned_to text not null check (returned_to in ('grant', 'balance', 'lapsed')),
  returned_at timestamptz not null,
  primary key (cause_type, cause_id, invoice_id, position),
  foreign key (invoice_id, position) references billing.credit_draw (invoice_id, position)
);
create index credit_return_of_draw on billing.credit_return (invoice_id, position);
call public.make_append_only('billing.credit_return');

create function billing.admit_return() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- Of returns that come at once each one sees those before it.
  perform from billing.customer where id = (select customer_id from billing.invoice where id = new.invoice_id) for update;
  if new.amount + (
    select coalesce(sum(amount), 0) from billing.credit_return where invoice_id = new.invoice_id and position = new.position
  ) > (select amount from billing.credit_draw where invoice_id = new.invoice_id and position = new.position) then
    raise exception 'more goes back of draw % of invoice % than was drawn', new.position, new.invoice_id using errcode = 'RK010';
  end if;
  return new;
end
$$;
create trigger admit_return before insert on billing.credit_return for each row execute function billing.admit_return();
grant select, insert on billing.credit_grant, billing.credit_grant_end, billing.credit_draw, billing.credit_return to reckoner_app;
