-- Why: an issued invoice can be derived again from what was known then, shown to whoever pays it under a number without gaps, and put right: credited, or voided and billed anew.

-- ── who sells, and how invoices are numbered: versions are facts, an invoice names the one in force ─────────────
create table billing.seller (
  version int primary key check (version > 0),
  details jsonb not null,
  set_by text not null check (set_by <> ''),
  set_at timestamptz not null
);
call public.make_append_only('billing.seller');
grant select, insert on billing.seller to reckoner_app;
alter table billing.invoice add foreign key (seller_version) references billing.seller (version);

-- The last number that a series gave out, under this row's lock: who rolls back gives the number back.
create table billing.number_series (
  series text primary key check (series <> ''),
  last_number int not null check (last_number > 0)
);
call public.make_fixed_but('billing.number_series', 'last_number');
create function billing.guard_series() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' and new.last_number = 1 or tg_op = 'UPDATE' and new.last_number = old.last_number + 1 then
    return new;
  end if;
  raise exception 'series % goes up by one, from one', new.series using errcode = 'RK001';
end
$$;
create trigger numbers_go_up_by_one before insert or update on billing.number_series
  for each row execute function billing.guard_series();
--> statement-breakpoint

-- ── invoices that were withdrawn: by whom and why ─────────────────────────────────────────────────────────────
-- Written before a run is told of it, which is told the request's id alone; it may be refused.
create table billing.invoice_void_request (
  invoice_id text not null references billing.invoice (id),
  request_id text not null,
  reason_code text not null check (reason_code in ('goodwill', 'service_outage', 'billing_error', 'promotion', 'contract',
    'retention', 'duplicate', 'fraud', 'other')),
  reason text check (reason <> ''),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (invoice_id, request_id),
  check (reason_code <> 'other' or reason is not null)
);
call public.make_append_only('billing.invoice_void_request');
grant select, insert on billing.invoice_void_request to reckoner_app;

create index invoice_being_voided on billing.invoice (id) where voiding_since is not null;

-- While an invoice is being withdrawn, it is too late to build on it: who would waits, and tries again. Otherwise it would be void
-- at Stripe, and open here for good.
create function billing.hold_back_ratings() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (
    select from billing.invoice as withdrawn join billing.rating_run as run on run.invoice_id = withdrawn.id
    join added on added.subscription_id = run.subscription_id
      and (added.period_start = run.period_start and added.revision > run.revision
        or run.kind = 'closing' and added.kind = 'closing' and added.period_start > run.period_start)
    where withdrawn.voiding_since is not null
  ) then
    raise exception 'an invoice that this builds on is being voided: try again' using errcode = '40001';
  end if;
  return null;
end
$$;
create trigger voiding_comes_first after insert on billing.rating_run
  referencing new table as added for each statement execute function billing.hold_back_ratings();

create function billing.hold_back_grant_ends() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (
    select from billing.invoice as withdrawn join billing.credit_draw as draw on draw.invoice_id = withdrawn.id
    join added on added.grant_id = draw.grant_id
    where withdrawn.voiding_since is not null
  ) then
    raise exception 'an invoice that this grant paid for is being voided: try again' using errcode = '40001';
  end if;
  return null;
end
$$;
create trigger voiding_comes_first after insert on billing.credit_grant_end
  referencing new table as added for each statement execute function billing.hold_back_grant_ends();

create table billing.invoice_void (
  invoice_id text primary key references billing.invoice (id),
  reason_code text not null check (reason_code in ('goodwill', 'service_outage', 'billing_error', 'promotion', 'contract',
    'retention', 'duplicate', 'fraud', 'other')),
  reason text check (reason <> ''),
  voided_by text not null check (voided_by <> ''),
  voided_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (reason_code <> 'other' or reason is not null)
);
call public.make_append_only('billing.invoice_void');
grant select, insert on billing.invoice_void to reckoner_app;
--> statement-breakpoint

-- ── credit notes: asked for, agreed to where that takes two, issued under a number ─────────────────────────────
create table billing.credit_note_request (
  id text primary key,
  invoice_id text not null references billing.invoice (id),
  customer_id text not null references billing.customer (id),
  currency text not null,
  total_minor bigint not null check (total_minor > 0),
  reason_code text not null check (reason_code in ('goodwill', 'service_outage', 'billing_error', 'promotion', 'contract',
    'retention', 'duplicate', 'fraud', 'other')),
  reason text check (reason <> ''),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null,
  -- Above this somebody else must agree; null: in this currency always.
  approval_limit_minor bigint check (approval_limit_minor >= 0),
  -- What the same actor gave or took from this customer in the 24 hours before, of any kind, without anybody else: parts of a
  -- sum add up. In 10⁻⁸ of the minor unit.
  unapproved_before numeric(38, 0) not null,
  needs_approval boolean not null generated always as (change_id is null and (approval_limit_minor is null
    or total_minor * 100000000::numeric + unapproved_before > approval_limit_minor * 100000000::numeric)) stored,
  -- Where what is paid already goes: to the customer's balance, or back to where it came from.
  destination text not null default 'balance' check (destination in ('balance', 'refund')),
  -- The end of a subscription that gives unused time back. What that comes to is at nobody's discretion: nobody has to agree.
  subscription_id text,
  change_id text,
  foreign key (subscription_id, change_id) references billing.subscription_change (subscription_id, change_id),
  check ((subscription_id is null) = (change_id is null)),
  check (reason_code <> 'other' or reason is not null)
);
create index credit_note_request_newest_first on billing.credit_note_request (requested_at desc, id desc);
create index credit_note_request_of_invoice on billing.credit_note_request (invoice_id);
create index credit_note_request_of_change on billing.credit_note_request (subscription_id, change_id) where change_id is not null;
create index credit_note_request_of_customer on billing.credit_note_request (customer_id, requested_by, requested_at);
call public.make_append_only('billing.credit_note_request');

create table billing.credit_note_line (
  credit_note_id text not null references billing.credit_note_request (id),
  invoice_id text not null,
  line int not null,
  amount_minor bigint not null check (amount_minor > 0),
  primary key (credit_note_id, line),
  foreign key (invoice_id, line) references billing.invoice_line (invoice_id, line)
);
create index credit_note_line_of_invoice on billing.credit_note_line (invoice_id, line);
call public.make_append_only('billing.credit_note_line');

create table billing.credit_note_decision (
  credit_note_id text primary key references billing.credit_note_request (id),
  outcome text not null check (outcome in ('approved', 'rejected', 'withdrawn')),
  decided_by text not null check (decided_by <> ''),
  note text check (note <> ''),
  decided_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (outcome <> 'rejected' or note is not null)
);
call public.make_append_only('billing.credit_note_decision');

create table billing.credit_note (
  id text primary key references billing.credit_note_request (id),
  number text not null unique,
  -- What was still due on the invoice and is not any more; and what was paid, and is in the customer's balance now.
  lowers_due_minor bigint not null check (lowers_due_minor >= 0),
  to_balance_minor bigint not null check (to_balance_minor >= 0),
  seller_version int references billing.seller (version),
  issued_by text not null check (issued_by <> ''),
  issued_at timestamptz not null,
  -- What was paid, and goes back.
  to_refund_minor bigint not null default 0 check (to_refund_minor >= 0),
  check (lowers_due_minor + to_balance_minor + to_refund_minor > 0)
);
call public.make_append_only('billing.credit_note');
grant select, insert on billing.credit_note_request, billing.credit_note_line, billing.credit_note_decision, billing.credit_note
  to reckoner_app;
--> statement-breakpoint

-- ── what one person may do alone ─────────────────────────────────────────────────────────────────────────────
create view billing.money_request with (security_invoker = true) as
select 'adjustment' as kind, id, customer_id, requested_by, requested_at, recorded_at, needs_approval, unapproved_before,
  abs(change) as amount
from billing.adjustment
union all
select 'recurring_grant', id, customer_id, requested_by, requested_at, recorded_at, needs_approval, unapproved_before,
  total_minor * 100000000::numeric
from billing.recurring_grant
union all
select 'credit_note', id, customer_id, requested_by, requested_at, recorded_at, needs_approval, unapproved_before,
  total_minor * 100000000::numeric
from billing.credit_note_request;
comment on view billing.money_request is
  'All that somebody asked to give to a customer or to take from him, in 10⁻⁸ of the minor unit; null: without an end.';
grant select on billing.money_request to reckoner_app;

-- What an actor gave to a customer or took from him in the 24 hours before, by whatever kind of request, without anybody else:
-- a sum that takes two people is not smaller for being asked for in parts. The caller has locked the customer's row.
create function billing.unapproved_before(customer text, actor text, at timestamptz) returns numeric language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum(amount), 0) from billing.money_request
  where customer_id = customer and requested_by = actor and not needs_approval and requested_at > at - interval '24 hours'
$$;
--> statement-breakpoint

-- ── what must be so before it is written ─────────────────────────────────────────────────────────────────────
create function billing.admit_credit_note() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- Of requests that come at once each one sees those before it: what moves a customer's money waits for this row.
  perform from billing.customer where id = new.customer_id for update;
  if not exists (
    select from billing.invoice where id = new.invoice_id and (customer_id, currency) = (new.customer_id, new.currency)
      and status in ('open', 'paid') and voiding_since is null
  ) then
    raise exception 'credit note % is not of an open or paid invoice of customer %', new.id, new.customer_id using errcode = 'RK010';
  end if;
  if new.change_id is not null and not exists (
    select from billing.subscription_change as change join billing.subscription on subscription.id = change.subscription_id
    where (change.subscription_id, change.change_id) = (new.subscription_id, new.change_id)
      and change.kind = 'cancel' and subscription.customer_id = new.customer_id
  ) then
    raise exception 'credit note % is not of an end of a subscription of customer %', new.id, new.customer_id using errcode = 'RK010';
  end if;
  new.unapproved_before := billing.unapproved_before(new.customer_id, new.requested_by, new.requested_at);
  new.recorded_at := clock_timestamp();
  return new;
end
$$;
create trigger admit_credit_note before insert on billing.credit_note_request
  for each row execute function billing.admit_credit_note();

create trigger admit_credit_note_decision before insert on billing.credit_note_decision
  for each row execute function billing.admit_decision('billing.credit_note_request', 'credit_note_id');

create view billing.credit_note_standing with (security_invoker = true) as
select request.*, decision.outcome, decision.decided_by, decision.note, decision.decided_at,
  note.number, note.lowers_due_minor, note.to_balance_minor, note.to_refund_minor, note.seller_version, note.issued_by, note.issued_at,
  case
    when note.id is not null then 'issued'
    when decision.outcome is not null then decision.outcome
    else 'pending_approval'
  end as status,
  not needs_approval or decision.outcome is not distinct from 'approved' as may_be_issued
from billing.credit_note_request as request
left join billing.credit_note_decision as decision on decision.credit_note_id = request.id
left join billing.credit_note as note on note.id = request.id;
comment on view billing.credit_note_standing is 'Every credit note that was asked for, with its decision and, when it is issued, its number and where the money went.';
grant select on billing.credit_note_standing to reckoner_app;

-- Never more than what is left of a line, whoever writes it: issued notes and those that wait take their part.
create function billing.guard_credit_note_line() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  line_amount bigint;
  taken bigint;
begin
  perform from billing.customer as customer join billing.credit_note_request as request on request.customer_id = customer.id
  where request.id = new.credit_note_id for update of customer;
  select amount_minor into line_amount from billing.invoice_line where invoice_id = new.invoice_id and line = new.line;
  select coalesce(sum(line.amount_minor), 0) into taken
  from billing.credit_note_line as line join billing.credit_note_standing as note on note.id = line.credit_note_id
  where line.invoice_id = new.invoice_id and line.line = new.line and note.status in ('issued', 'approved', 'pending_approval');
  if not exists (select from billing.credit_note_request where id = new.credit_note_id and invoice_id = new.invoice_id)
    or taken + new.amount_minor > line_amount then
    raise exception 'credit note % takes more of line % of invoice % than is left', new.credit_note_id, new.line, new.invoice_id
      using errcode = 'RK010';
  end if;
  return new;
end
$$;
create trigger line_has_room before insert on billing.credit_note_line
  for each row execute function billing.guard_credit_note_line();

create function billing.guard_credit_note() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
    select from billing.credit_note_standing as note
    where note.id = new.id and note.may_be_issued
      and new.issued_by = case when note.needs_approval then note.decided_by else note.requested_by end
      and note.total_minor = new.lowers_due_minor + new.to_balance_minor + new.to_refund_minor
      and (note.destination = 'refund' or new.to_refund_minor = 0)
      and note.total_minor = (select sum(amount_minor) from billing.credit_note_line where credit_note_id = new.id)
  ) then
    raise exception 'credit note % is refused: nobody asked for it so or, where it needs that, approved it', new.id using errcode = 'RK010';
  end if;
  return new;
end
$$;
create trigger credit_note_is_admitted before insert on billing.credit_note
  for each row execute function billing.guard_credit_note();
