-- Why: the ledger. Money moves only by postings, each from one account to another, and every rule about money is a CHECK, a unique index or a trigger here.
--
-- Amounts are numeric(38,0) in 10^-8 of the currency's minor unit. "Derived" tables (balances, deltas, history) follow
-- from the postings and are written by triggers only; all the others are facts and append-only.

create function ledger.normal_side(class text) returns smallint language sql immutable as $$
  select case
    when class in ('asset', 'expense', 'contra_liability', 'contra_revenue', 'suspense') then 1
    when class in ('liability', 'revenue', 'contra_asset') then -1
  end::smallint
$$;
comment on function ledger.normal_side is '1 when debits increase the account, -1 when credits do';

create table ledger.chart_account (
  code text primary key check (code ~ '^[0-9]{4}$'),
  name text not null unique,
  class text not null,
  normal smallint not null check (normal is not distinct from ledger.normal_side(class)),
  bounded boolean not null,
  hot boolean not null,
  keep_history boolean not null,
  dimensions text[] not null,
  check (not (hot and (bounded or keep_history)))
);
comment on table ledger.chart_account is 'The only accounts that can be opened. bounded: floor zero. hot: many customers post to it at once, so it takes appended deltas instead of a row lock. dimensions: the names, sorted, that an account of this code must have.';

insert into ledger.chart_account (code, name, class, normal, bounded, hot, keep_history, dimensions) values
  ('1000', 'Stripe balance',                    'asset',            1, false, true,  false, '{}'),
  ('1010', 'Payments clearing',                 'asset',            1, false, true,  false, '{}'),
  ('1020', 'Bank cash',                         'asset',            1, false, false, false, '{}'),
  ('1030', 'Payouts in transit',                'asset',            1, false, false, false, '{}'),
  ('1100', 'Accounts receivable',               'asset',            1, false, false, true,  '{customer}'),
  ('1110', 'Unbilled receivable',               'asset',            1, false, false, false, '{customer}'),
  ('1120', 'Disputed receivable',               'asset',            1, false, false, false, '{customer,dispute}'),
  ('1190', 'Allowance for doubtful accounts',   'contra_asset',    -1, false, false, false, '{}'),
  ('1300', 'Promotional offset',                'contra_liability', 1, false, true,  false, '{}'),
  ('2000', 'Prepaid credits',                   'liability',       -1, true,  false, true,  '{customer,grant}'),
  ('2005', 'Prepaid credits billed, unpaid',    'liability',       -1, false, false, false, '{customer,purchase}'),
  ('2010', 'Promotional credits',               'liability',       -1, true,  false, true,  '{customer,grant}'),
  ('2100', 'Deferred revenue',                  'liability',       -1, true,  false, false, '{customer,subscription}'),
  ('2200', 'Customer balance',                  'liability',       -1, true,  false, true,  '{customer}'),
  ('2300', 'Tax payable',                       'liability',       -1, false, true,  false, '{jurisdiction}'),
  ('2400', 'Refunds payable',                   'liability',       -1, true,  false, false, '{customer,refund}'),
  ('2500', 'Unclaimed property payable',        'liability',       -1, false, false, false, '{}'),
  ('4000', 'Usage revenue',                     'revenue',         -1, false, true,  false, '{product}'),
  ('4010', 'Subscription revenue',              'revenue',         -1, false, true,  false, '{product}'),
  ('4020', 'Breakage revenue',                  'revenue',         -1, false, true,  false, '{}'),
  ('4900', 'Promotional discount',              'contra_revenue',   1, false, true,  false, '{}'),
  ('4910', 'Credit-note allowance',             'contra_revenue',   1, false, true,  false, '{}'),
  ('5000', 'Processor fees',                    'expense',          1, false, true,  false, '{}'),
  ('5010', 'Dispute fees',                      'expense',          1, false, true,  false, '{}'),
  ('5100', 'Bad debt',                          'expense',          1, false, true,  false, '{}'),
  ('5200', 'Goodwill',                          'expense',          1, false, true,  false, '{}'),
  ('5300', 'Exchange difference',               'expense',          1, false, true,  false, '{}'),
  ('5900', 'Rounding',                          'expense',          1, false, true,  false, '{}'),
  ('9000', 'Exchange bridge',                   'suspense',         1, false, true,  false, '{}'),
  ('9100', 'Suspense',                          'suspense',         1, false, true,  false, '{}');
--> statement-breakpoint
-- An account's key says everything about it, in one canonical spelling: code/currency/name=value/…, names sorted,
-- "%", "/" and "=" in values written %25, %2F and %3D.
create function ledger.account_key(code text, currency text, dimensions jsonb) returns text language sql immutable as $$
  select concat_ws('/', code, currency, (
    select string_agg(name || '=' || replace(replace(replace(value, '%', '%25'), '/', '%2F'), '=', '%3D'), '/' order by name collate "C")
    from jsonb_each_text(dimensions) as dimension (name, value)))
$$;

create table ledger.account (
  id bigint generated always as identity primary key,
  key text not null unique check (key = ledger.account_key(code, currency, dimensions)),
  code text not null references ledger.chart_account,
  class text not null,
  normal smallint not null check (normal is not distinct from ledger.normal_side(class)),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  floor numeric(38, 0),
  hot boolean not null,
  keep_history boolean not null,
  customer_id text,
  dimensions jsonb not null,
  opened_at timestamptz not null default clock_timestamp(),
  check (not (hot and (floor is not null or keep_history))),
  check (customer_id is not distinct from dimensions ->> 'customer')
);
comment on column ledger.account.floor is 'the least the balance may be, on its normal side; null: no limit';
create index account_customer on ledger.account (customer_id) where customer_id is not null;

create table ledger.account_balance (
  account_id bigint primary key references ledger.account,
  normal smallint not null,
  floor numeric(38, 0),
  debit numeric(38, 0) not null default 0 check (debit >= 0),
  credit numeric(38, 0) not null default 0 check (credit >= 0),
  version bigint not null default 0 check (version >= 0),
  constraint account_balance_floor check (normal * (debit - credit) >= floor)
) with (fillfactor = 50);
comment on table ledger.account_balance is 'Derived. One row per account, updated in place: no further index, so that updates stay heap-only. version counts the postings that touched the account.';

create table ledger.balance_delta (
  account_id bigint not null,
  debit numeric(38, 0) not null,
  credit numeric(38, 0) not null,
  postings bigint not null
);
comment on table ledger.balance_delta is 'Derived. What was posted to hot accounts and is not folded into account_balance yet.';

create table ledger.journal_entry (
  id bigint generated always as identity primary key,
  kind text not null check (kind ~ '^[a-z][a-z_]*$'),
  source_key text not null unique check (source_key <> ''),
  request_hash bytea not null,
  occurred_at timestamptz not null,
  effective_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_xid xid8 not null default pg_current_xact_id(),
  actor text not null check (actor <> ''),
  cause_type text not null check (cause_type <> ''),
  cause_id text not null check (cause_id <> ''),
  customer_id text,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  reverses bigint references ledger.journal_entry,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  unique (cause_type, cause_id, kind)
);
comment on column ledger.journal_entry.source_key is 'the business fact behind the entry; unique for ever';
comment on column ledger.journal_entry.occurred_at is 'when it happened';
comment on column ledger.journal_entry.effective_at is 'which accounting period it belongs to';
create unique index journal_entry_reverses on ledger.journal_entry (reverses) where reverses is not null;
create index journal_entry_customer on ledger.journal_entry (customer_id, id) where customer_id is not null;
create index journal_entry_invoice on ledger.journal_entry ((metadata ->> 'invoice_id')) where metadata ? 'invoice_id';
create index journal_entry_recorded_at on ledger.journal_entry using brin (recorded_at);

-- No foreign key to account: each check would lock the parent row, and a revenue account would become a hot spot.
-- The trigger apply_postings checks instead, which is safe because accounts are append-only.
create table ledger.posting (
  entry_id bigint not null references ledger.journal_entry,
  line int not null check (line > 0),
  currency text not null,
  debit_account bigint not null,
  credit_account bigint not null,
  -- NaN is a numeric, and greater than every other one.
  amount numeric(38, 0) not null check (amount > 0 and amount <> 'NaN'),
  primary key (entry_id, line),
  check (debit_account <> credit_account)
);
create index posting_debit on ledger.posting (debit_account, entry_id);
create index posting_credit on ledger.posting (credit_account, entry_id);

create table ledger.account_history (
  account_id bigint not null,
  version bigint not null check (version > 0),
  entry_id bigint not null,
  line int not null,
  delta numeric(38, 0) not null,
  balance_after numeric(38, 0) not null,
  primary key (account_id, version)
);
comment on table ledger.account_history is 'Derived. Each line of the account''s statement, for accounts that keep one; versions have no gaps.';

create table ledger.accounting_period (
  month date primary key check (extract(day from month) = 1),
  closed_at timestamptz not null default clock_timestamp(),
  closed_by text not null check (closed_by <> '')
);
comment on table ledger.accounting_period is 'The closed months (UTC). Nothing can become effective in them any more.';

call public.make_append_only('ledger.chart_account');
call public.make_append_only('ledger.account');
call public.make_append_only('ledger.journal_entry');
call public.make_append_only('ledger.posting');
call public.make_append_only('ledger.account_history');
call public.make_append_only('ledger.accounting_period');
--> statement-breakpoint
-- Derived tables: only the functions that switch this setting on, for as long as they write, may write them, so a hand
-- cannot make a balance disagree with its postings. They do not carry it in a SET clause: that takes a superuser.
create function ledger.guard_derived() returns trigger language plpgsql set search_path = '' as $$
begin
  if current_setting('ledger.keeps_balances', true) is distinct from 'on' then
    raise exception '% on %.% is refused: it follows from the postings', tg_op, tg_table_schema, tg_table_name using errcode = 'RK001';
  end if;
  return null;
end
$$;
create trigger guard_derived before insert or update or delete or truncate on ledger.account_balance for each statement execute function ledger.guard_derived();
create trigger guard_derived before insert or update or delete or truncate on ledger.balance_delta for each statement execute function ledger.guard_derived();
create trigger guard_derived before insert on ledger.account_history for each statement execute function ledger.guard_derived();

create function ledger.open_balances() returns trigger language plpgsql set search_path = '' as $$
begin
  perform set_config('ledger.keeps_balances', 'on', true);
  insert into ledger.account_balance (account_id, normal, floor) select id, normal, floor from opened;
  perform set_config('ledger.keeps_balances', 'off', true);
  return null;
end
$$;
create trigger open_balances after insert on ledger.account referencing new table as opened for each statement execute function ledger.open_balances();
--> statement-breakpoint
create function ledger.month_of(at timestamptz) returns date language sql immutable as $$
  select date_trunc('month', at at time zone 'UTC')::date
$$;

-- Posting shares these months, closing takes one alone: a month cannot close between the check of an entry and its commit.
create function ledger.share_months(months date[]) returns void language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('ledger.accounting_period'), month - '2000-01-01'::date)
    from (select distinct month from unnest(months) as month order by month) as wanted;
end
$$;

create function ledger.close_period(month date, actor text) returns boolean language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtext('ledger.accounting_period'), month - '2000-01-01'::date);
  insert into ledger.accounting_period (month, closed_by) values (month, actor) on conflict do nothing;
  return found;
end
$$;
comment on function ledger.close_period is 'Closes the month that starts on this date, after waiting for entries under way in it; false when it was closed already.';

create function ledger.check_entries() returns trigger language plpgsql set search_path = '' as $$
begin
  -- An older snapshot would not see a period that was closed meanwhile.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the ledger is written in read committed, not in %', current_setting('transaction_isolation') using errcode = 'RK003';
  end if;
  if exists (select from entered where recorded_xid <> pg_current_xact_id()) then
    raise exception 'recorded_xid is the database''s to set' using errcode = 'RK003';
  end if;
  perform ledger.share_months(array(select ledger.month_of(effective_at) from entered));
  if exists (select from entered join ledger.accounting_period as period on period.month = ledger.month_of(entered.effective_at)) then
    raise exception 'the accounting period of an entry is closed' using errcode = 'RK004';
  end if;
  return null;
end
$$;
create trigger check_entries after insert on ledger.journal_entry referencing new table as entered for each statement execute function ledger.check_entries();
--> statement-breakpoint
-- Balances, deltas and history follow the postings, whoever inserts them. One call per statement, however many rows.
create function ledger.apply_postings() returns trigger language plpgsql set search_path = '' as $$
begin
  if exists (
    select from posted
    left join ledger.journal_entry as entry on entry.id = posted.entry_id
    left join ledger.account as debited on debited.id = posted.debit_account
    left join ledger.account as credited on credited.id = posted.credit_account
    where (debited.currency = posted.currency and credited.currency = posted.currency and entry.currency = posted.currency) is not true
      -- Lines are written with their entry: what has been committed is complete.
      or entry.recorded_xid <> pg_current_xact_id()
  ) then
    raise exception 'a posting names an unknown account, another currency, or an entry that is complete' using errcode = 'RK002';
  end if;

  -- Everyone locks in id order, so two writers can never wait for each other in a circle.
  perform from ledger.account_balance as balance join ledger.account as account on account.id = balance.account_id
  where not account.hot and account.id in (select debit_account from posted union all select credit_account from posted)
  order by balance.account_id for update of balance;

  perform set_config('ledger.keeps_balances', 'on', true);
  with side as (
    select entry_id, line, debit_account as account_id, amount as debit, 0 as credit from posted
    union all select entry_id, line, credit_account, 0, amount from posted
  ), change as (
    select account_id, sum(debit) as debit, sum(credit) as credit, count(*) as postings from side group by account_id
  ), updated as (
    update ledger.account_balance as balance
    set debit = balance.debit + change.debit, credit = balance.credit + change.credit, version = version + change.postings
    from change join ledger.account as account on account.id = change.account_id
    where balance.account_id = change.account_id and not account.hot
    returning balance.account_id, balance.normal, account.keep_history, version - change.postings as version_before,
      balance.normal * (balance.debit - change.debit - balance.credit + change.credit) as balance_before
  )
  insert into ledger.account_history (account_id, version, entry_id, line, delta, balance_after)
  select updated.account_id, version_before + row_number() over in_order, entry_id, line,
    normal * (debit - credit), balance_before + sum(normal * (debit - credit)) over in_order
  from updated join side on side.account_id = updated.account_id
  where keep_history
  window in_order as (partition by updated.account_id order by entry_id, line);

  insert into ledger.balance_delta (account_id, debit, credit, postings)
  select account.id, sum(side.debit), sum(side.credit), count(*)
  from (
    select debit_account as account_id, amount as debit, 0 as credit from posted
    union all select credit_account, 0, amount from posted
  ) as side join ledger.account as account on account.id = side.account_id
  where account.hot
  group by account.id;
  perform set_config('ledger.keeps_balances', 'off', true);
  return null;
end
$$;
create trigger apply_postings after insert on ledger.posting referencing new table as posted for each statement execute function ledger.apply_postings();

create function ledger.fold_hot_balances() returns bigint language plpgsql security definer set search_path = '' as $$
declare
  folded_count bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('ledger.fold_hot_balances')) then
    return 0;
  end if;
  perform set_config('ledger.keeps_balances', 'on', true);
  with folded as (
    delete from ledger.balance_delta returning account_id, debit, credit, postings
  ), change as (
    select account_id, sum(debit) as debit, sum(credit) as credit, sum(postings)::bigint as postings, count(*) as deltas from folded group by account_id
  ), updated as (
    update ledger.account_balance as balance
    set debit = balance.debit + change.debit, credit = balance.credit + change.credit, version = version + change.postings
    from change where balance.account_id = change.account_id
  )
  select coalesce(sum(deltas), 0) into folded_count from change;
  perform set_config('ledger.keeps_balances', 'off', true);
  return folded_count;
end
$$;
comment on function ledger.fold_hot_balances is 'Moves the committed deltas of hot accounts into their balance; gives the number moved, 0 while another session folds.';

create view ledger.balance with (security_invoker = true) as
select account.id as account_id, account.key, account.code, chart.name, account.class, account.normal, account.currency,
  account.floor, account.customer_id, account.dimensions,
  stored.debit + unfolded.debit as debit,
  stored.credit + unfolded.credit as credit,
  account.normal * (stored.debit + unfolded.debit - stored.credit - unfolded.credit) as balance,
  stored.version + unfolded.postings as version
from ledger.account as account
join ledger.chart_account as chart on chart.code = account.code
join ledger.account_balance as stored on stored.account_id = account.id
cross join lateral (
  select coalesce(sum(debit), 0) as debit, coalesce(sum(credit), 0) as credit, coalesce(sum(postings), 0)::bigint as postings
  from ledger.balance_delta where account.hot and account_id = account.id
) as unfolded;
comment on view ledger.balance is 'Every account''s balance, exact in the snapshot of the query that reads it: stored plus not yet folded.';
--> statement-breakpoint
revoke execute on all functions in schema ledger from public;
grant select on all tables in schema ledger to reckoner_app;
grant execute on function ledger.fold_hot_balances, ledger.close_period to reckoner_app;
