-- Why: who corrected what for a customer, why, and who agreed. What is large needs two people, and the database sees to it that nothing is booked before.

create table billing.adjustment (
  id text primary key,
  kind text not null check (kind in ('grant_credit', 'void_grant', 'adjust_grant', 'credit_balance', 'debit_balance')),
  customer_id text not null references billing.customer (id),
  -- The grant that it makes, voids or changes; null when it is about the customer's balance.
  grant_id text,
  grant_kind text check (grant_kind in ('paid', 'promotional', 'goodwill')),
  -- Of a grant that it makes; the other terms are the columns that every adjustment has.
  priority int check (priority between 0 and 100),
  expires_at timestamptz,
  -- Null: everything, and at once.
  scope jsonb check (jsonb_typeof(scope) = 'array'),
  starts_at timestamptz,
  currency text not null,
  -- What the customer gets, in 10⁻⁸ of the minor unit as in the ledger; negative: what is taken back. Of a void: what was left
  -- of the grant when it was asked for, and at most that is taken.
  change numeric(38, 0) not null check (change <> 0 and change <> 'NaN'),
  reason_code text not null check (reason_code in ('goodwill', 'service_outage', 'billing_error', 'promotion', 'contract',
    'retention', 'duplicate', 'fraud', 'other')),
  reason text check (reason <> ''),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null,
  -- Above this somebody else must agree; null: in this currency always.
  approval_limit_minor bigint check (approval_limit_minor >= 0),
  -- What the same actor gave or took from this customer in the 24 hours before, of any kind, without anybody else: parts of a
  -- sum add up.
  unapproved_before numeric(38, 0) not null,
  needs_approval boolean not null generated always as (
    approval_limit_minor is null or abs(change) + unapproved_before > approval_limit_minor * 100000000::numeric) stored,
  check ((grant_id is null) = (kind in ('credit_balance', 'debit_balance')) and (grant_id is null) = (grant_kind is null)),
  check ((kind = 'grant_credit') = (priority is not null) and (kind = 'grant_credit' or (expires_at is null and scope is null and starts_at is null))),
  check (case when kind in ('grant_credit', 'credit_balance') then change > 0 when kind in ('void_grant', 'debit_balance') then change < 0 else true end),
  check (kind = 'void_grant' or change % 100000000 = 0),
  -- What was paid for is sold, and never given.
  check (grant_kind is distinct from 'paid' or change < 0),
  check (reason_code <> 'other' or reason is not null)
);
create index adjustment_newest_first on billing.adjustment (requested_at desc, id desc);
create index adjustment_of_customer on billing.adjustment (customer_id, requested_by, requested_at);
create index adjustment_of_grant on billing.adjustment (grant_id) where grant_id is not null;
create unique index adjustment_that_gives on billing.adjustment (grant_id) where kind = 'grant_credit';
call public.make_append_only('billing.adjustment');

-- Decided once, by whoever comes first.
create table billing.adjustment_decision (
  adjustment_id text primary key references billing.adjustment (id),
  outcome text not null check (outcome in ('approved', 'rejected', 'withdrawn')),
  decided_by text not null check (decided_by <> ''),
  note text check (note <> ''),
  decided_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (outcome <> 'rejected' or note is not null)
);
call public.make_append_only('billing.adjustment_decision');
grant select, insert on billing.adjustment, billing.adjustment_decision to reckoner_app;
--> statement-breakpoint

-- ── what must be so before it is written ─────────────────────────────────────────────────────────────────────
create function billing.admit_adjustment() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- Of requests that come at once each one sees those before it: what moves a customer's money waits for this row.
  perform from billing.customer where id = new.customer_id and currency = new.currency for update;
  if not found then
    raise exception 'adjustment % is not in the currency of customer %', new.id, new.customer_id using errcode = 'RK010';
  end if;
  new.unapproved_before := billing.unapproved_before(new.customer_id, new.requested_by, new.requested_at);
  new.recorded_at := clock_timestamp();
  return new;
end
$$;
create trigger admit_adjustment before insert on billing.adjustment for each row execute function billing.admit_adjustment();

-- For each table of decisions: the table of what is decided about, and the column that names one, such as adjustment_id.
create function billing.admit_decision() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  request_table regclass := tg_argv[0];
  request_column text := tg_argv[1];
  may_decide boolean;
begin
  execute format(
    'select (requested_by = ($1).decided_by) = (($1).outcome = %L) from %s where id = ($1).%I and needs_approval',
    'withdrawn', request_table, request_column) into may_decide using new;
  if may_decide is not true then
    raise exception '% % cannot be % by %: it waits for somebody else, and only its requester may withdraw it',
      replace(left(request_column, -3), '_', ' '), to_jsonb(new) ->> request_column, new.outcome, new.decided_by
      using errcode = 'RK010';
  end if;
  return new;
end
$$;
create trigger admit_decision before insert on billing.adjustment_decision
  for each row execute function billing.admit_decision('billing.adjustment', 'adjustment_id');
--> statement-breakpoint

-- ── where an adjustment stands, and the one entry that it is booked by ───────────────────────────────────────
create view billing.adjustment_standing with (security_invoker = true) as
select adjustment.*, decision.outcome, decision.decided_by, decision.note, decision.decided_at,
  case
    when not needs_approval or decision.outcome = 'approved' then 'executed'
    else coalesce(decision.outcome, 'pending_approval')
  end as status,
  -- Who made it happen: the second of two people, where two were needed.
  case when needs_approval then decision.decided_by else requested_by end as actor,
  case when needs_approval then case decision.outcome when 'approved' then decision.decided_at end else requested_at end as effective_at,
  case
    when kind = 'void_grant' then 'grant_voided'
    when kind = 'adjust_grant' then 'grant_adjusted'
    when kind = 'debit_balance' then 'goodwill_withdrawn'
    when grant_kind = 'promotional' then 'promotional_credits_granted'
    else 'goodwill_granted'
  end as entry_kind,
  booking.cause_type,
  case booking.cause_type when 'adjustment' then adjustment.id else grant_id end as cause_id
from billing.adjustment as adjustment
left join billing.adjustment_decision as decision on decision.adjustment_id = adjustment.id
cross join lateral (
  select case when kind = 'void_grant' or kind = 'grant_credit' and grant_kind = 'promotional' then 'credit_grant' else 'adjustment' end
) as booking (cause_type);
comment on view billing.adjustment_standing is 'Every adjustment with its decision; entry_kind, cause_type and cause_id name its journal entry, which is there when the status is executed.';
grant select on billing.adjustment_standing to reckoner_app;

create function billing.require_admission() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.cause_type = 'adjustment' then
    perform from billing.adjustment_standing where id = new.cause_id and cause_type = new.cause_type
      and (status, entry_kind, customer_id, currency, actor) = ('executed', new.kind, new.customer_id, new.currency, new.actor);
  elsif new.kind = 'promotional_credits_granted' and exists (
    -- Given again and again: that was agreed to once.
    select from billing.credit_grant as credit
    join billing.recurring_grant_standing as recurring on recurring.id = credit.recurring_grant_id
    where credit.id = new.cause_id and recurring.status in ('active', 'ended')
      and (credit.customer_id, credit.currency) = (new.customer_id, new.currency)
  ) then
    return null;
  else
    perform from billing.adjustment_standing where grant_id = new.cause_id and cause_type = new.cause_type
      and (status, entry_kind, customer_id, currency, actor) = ('executed', new.kind, new.customer_id, new.currency, new.actor);
  end if;
  if not found then
    raise exception 'entry % of % % is refused: there is no adjustment that % asked for or, where it needs that, approved',
      new.kind, new.cause_type, new.cause_id, new.actor using errcode = 'RK010';
  end if;
  return null;
end
$$;
create trigger adjustment_is_admitted after insert on ledger.journal_entry for each row
  when (new.kind in ('goodwill_granted', 'goodwill_withdrawn', 'grant_adjusted', 'grant_voided', 'promotional_credits_granted'))
  execute function billing.require_admission();
