-- Why: the ledger. Money moves only by postings, each from one account to another, and every rule about money is a CHECK, a unique index or a trigger here.
--
-- Amounts are numeric(38,0) in 10^-8 of the currency's minor unit. "Derived" tables (balances, deltas, history) follow
-- from the postings and are written by triggers only; all the others are facts and append-only. Sums have no limit: a fact
-- that is sound by itself is never refused because of those before it.

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
  key text not null check (key = ledger.account_key(code, currency, dimensions)),
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
  recorded_xid xid8 not null default pg_current_xact_id(),
  -- With all that a batch asks about its accounts, so that the accounts themselves need not be read.
  unique (key) include (id, normal, currency, floor),
  check (not (hot and (floor is not null or keep_history))),
  check (customer_id is not distinct from dimensions ->> 'customer')
);
comment on column ledger.account.floor is 'the least the balance may be, on its normal side; null: no limit';
create index account_customer on ledger.account (customer_id) where customer_id is not null;

create table ledger.account_balance (
  account_id bigint primary key,
  normal smallint not null,
  currency text not null,
  floor numeric(38, 0),
  hot boolean not null,
  keep_history boolean not null,
  debit numeric not null default 0 check (debit >= 0),
  credit numeric not null default 0 check (credit >= 0),
  held numeric not null default 0 check (held >= 0),
  version bigint not null default 0 check (version >= 0),
  constraint account_balance_floor check (normal * (debit - credit) - held >= floor)
) with (fillfactor = 50);
comment on table ledger.account_balance is 'Derived. One row per account, updated in place: no further index, so that updates stay heap-only. What posting asks about the account stands here too. held: what open holds have set aside. version counts the postings that touched the account.';

create table ledger.balance_delta (
  account_id bigint not null,
  debit numeric not null,
  credit numeric not null,
  postings bigint not null
);
comment on table ledger.balance_delta is 'Derived. What was posted to hot accounts and is not folded into account_balance yet.';

-- Entries and postings are partitioned by range of entry ids, so that old ranges can be kept, moved and vacuumed by
-- themselves. A unique index cannot span partitions: what is unique for ever has a row in entry_key.
create sequence ledger.entry_id;
create table ledger.journal_entry (
  id bigint primary key default nextval('ledger.entry_id'),
  kind text not null check (kind ~ '^[a-z][a-z_]*$'),
  source_key text not null check (source_key <> ''),
  request_hash bytea not null,
  -- Dates that every reader can tell; "infinity" is none, and could not be sealed.
  occurred_at timestamptz not null check (occurred_at between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  effective_at timestamptz not null check (effective_at between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_xid xid8 not null default pg_current_xact_id(),
  actor text not null check (actor <> ''),
  cause_type text not null check (cause_type <> ''),
  cause_id text not null check (cause_id <> ''),
  customer_id text,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  reverses bigint,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object')
) partition by range (id);
comment on column ledger.journal_entry.source_key is 'the business fact behind the entry; unique for ever';
comment on column ledger.journal_entry.occurred_at is 'when it happened';
comment on column ledger.journal_entry.effective_at is 'which accounting period it belongs to';
create index journal_entry_customer on ledger.journal_entry (customer_id, id) where customer_id is not null;
create index journal_entry_invoice on ledger.journal_entry ((metadata ->> 'invoice_id')) where metadata ? 'invoice_id';
create index journal_entry_instants on ledger.journal_entry using brin (recorded_at, effective_at);

create table ledger.entry_key (
  hash uuid primary key,
  entry_id bigint not null
);
comment on table ledger.entry_key is 'Derived. What an entry has claimed for ever: its source key, its cause and kind, and the entry it reverses. Half a SHA-256 each.';

-- No foreign keys to account and entry: each check would lock the parent row, and a revenue account would become a hot spot.
-- The trigger apply_postings checks instead, which is safe because both are append-only.
create table ledger.posting (
  entry_id bigint not null,
  line int not null check (line > 0),
  currency text not null,
  debit_account bigint not null,
  credit_account bigint not null,
  -- NaN is a numeric, and greater than every other one.
  amount numeric(38, 0) not null check (amount > 0 and amount <> 'NaN'),
  primary key (entry_id, line),
  check (debit_account <> credit_account)
) partition by range (entry_id);
create index posting_debit on ledger.posting (debit_account, entry_id);
create index posting_credit on ledger.posting (credit_account, entry_id);

create table ledger.account_history (
  account_id bigint not null,
  version bigint not null check (version > 0),
  entry_id bigint not null,
  line int not null,
  delta numeric(38, 0) not null,
  balance_after numeric not null,
  primary key (account_id, version)
);
comment on table ledger.account_history is 'Derived. Each line of the account''s statement, for accounts that keep one; versions have no gaps.';

create table ledger.accounting_period (
  month date primary key check (extract(day from month) = 1 and month between '0001-01-01' and '9998-12-01'),
  closed_at timestamptz not null default clock_timestamp(),
  closed_by text not null check (closed_by <> ''),
  recorded_xid xid8 not null default pg_current_xact_id()
);
comment on table ledger.accounting_period is 'The closed months (UTC). A month closes all before it: nothing can become effective in them any more.';

create table ledger.period_balance (
  account_id bigint not null,
  month date not null,
  debit numeric not null,
  credit numeric not null,
  primary key (account_id, month)
);
comment on table ledger.period_balance is 'Derived. All that was ever posted to the account with effect up to the end of a closed month; a row for each month in which something was.';

create table ledger.carried_month (
  month date primary key references ledger.accounting_period
);
comment on table ledger.carried_month is 'Derived. The closed months whose period_balance is complete.';

call public.make_append_only('ledger.chart_account');
call public.make_append_only('ledger.account');
call public.make_append_only('ledger.journal_entry');
call public.make_append_only('ledger.posting');
call public.make_append_only('ledger.account_history');
call public.make_append_only('ledger.entry_key');
call public.make_append_only('ledger.accounting_period');
call public.make_append_only('ledger.period_balance');
call public.make_append_only('ledger.carried_month');
--> statement-breakpoint
-- Derived tables: only the functions that switch this setting on, for as long as they write, may write them, so a hand
-- cannot make a balance disagree with its postings. They do not carry it in a SET clause: that takes a superuser.
create function ledger.guard_derived() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
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
create trigger guard_derived before insert on ledger.entry_key for each statement execute function ledger.guard_derived();
create trigger guard_derived before insert on ledger.period_balance for each statement execute function ledger.guard_derived();
create trigger guard_derived before insert on ledger.carried_month for each statement execute function ledger.guard_derived();

create function ledger.open_balances() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('ledger.keeps_balances', 'on', true);
  insert into ledger.account_balance (account_id, normal, currency, floor, hot, keep_history)
  select id, normal, currency, floor, hot, keep_history from opened;
  perform set_config('ledger.keeps_balances', 'off', true);
  return null;
end
$$;
create trigger open_balances after insert on ledger.account referencing new table as opened for each statement execute function ledger.open_balances();
--> statement-breakpoint
-- ── accounting periods ───────────────────────────────────────────────────────────────────────────────────────
create function ledger.month_after(month date) returns timestamptz language sql immutable as $$
  select (month + interval '1 month') at time zone 'UTC'
$$;

-- Posting shares the periods, closing takes them alone: no month can close between the check of an entry and its commit.
create function ledger.share_periods() returns void language sql volatile as $$
  select pg_catalog.pg_advisory_xact_lock_shared(pg_catalog.hashtext('ledger.accounting_period'))
$$;

create function ledger.open_since() returns timestamptz language sql stable as $$
  select ledger.month_after(max(month)) from ledger.accounting_period
$$;
comment on function ledger.open_since is 'The first instant that is in no closed month; null while none is closed.';

create function ledger.close_period(month date, actor text) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('ledger.accounting_period'));
  if exists (select from ledger.accounting_period as closed where closed.month >= close_period.month) then
    return false;
  end if;
  insert into ledger.accounting_period (month, closed_by) values (close_period.month, actor);
  return true;
end
$$;
comment on function ledger.close_period is 'Closes the month that starts on this date and all before it, after waiting for entries under way; false when it was closed already.';

-- In steps of a month, the oldest first: each is the one before it and what became effective in between.
create function ledger.carry_closed_month() returns date language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  since timestamptz;
  carried date;
begin
  if not pg_try_advisory_xact_lock(hashtext('ledger.carry_closed_month')) then
    return null;
  end if;
  select ledger.month_after(max(month)) into since from ledger.carried_month;
  select min(month) into carried from ledger.accounting_period where since is null or month >= since at time zone 'UTC';
  if carried is null then
    return null;
  end if;
  perform set_config('ledger.keeps_balances', 'on', true);
  insert into ledger.period_balance (account_id, month, debit, credit)
  select turned.account_id, carried, turned.debit + coalesce(before.debit, 0), turned.credit + coalesce(before.credit, 0)
  from (
    select account_id, sum(debit) as debit, sum(credit) as credit
    from ledger.journal_entry as entry
    join ledger.posting as posting on posting.entry_id = entry.id
    cross join lateral (values (debit_account, amount, 0), (credit_account, 0, amount)) as side (account_id, debit, credit)
    where effective_at < ledger.month_after(carried) and (since is null or effective_at >= since)
    group by account_id
  ) as turned
  left join lateral (
    select debit, credit from ledger.period_balance where account_id = turned.account_id order by month desc limit 1
  ) as before on true;
  insert into ledger.carried_month (month) values (carried);
  perform set_config('ledger.keeps_balances', 'off', true);
  return carried;
end
$$;
comment on function ledger.carry_closed_month is 'Writes the balances of the oldest closed month that has none yet; null when there is nothing to do, or another session does it.';

-- ── what comes with every entry ──────────────────────────────────────────────────────────────────────────────
-- Stable, not immutable, so that they are inlined.
create function ledger.claim(claimed text) returns uuid language sql stable as $$
  select encode(substr(sha256(convert_to(claimed, 'UTF8')), 1, 16), 'hex')::uuid
$$;

create function ledger.claims_of(source_key text, kind text, cause_type text, cause_id text, reverses bigint) returns uuid[] language sql stable as $$
  select array[
    ledger.claim('source/' || source_key),
    ledger.claim('cause/' || kind || '/' || octet_length(cause_type) || '/' || cause_type || '/' || cause_id)
  ] || case when reverses is null then '{}' else array[ledger.claim('reverses/' || reverses)] end
$$;
comment on function ledger.claims_of is 'What an entry claims for ever, the strongest claim first.';

create function ledger.check_entries() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  is_of_another_transaction boolean;
  earliest timestamptz;
begin
  -- An older snapshot would not see a period that was closed meanwhile.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the ledger is written in read committed, not in %', current_setting('transaction_isolation') using errcode = 'RK003';
  end if;
  perform ledger.share_periods();
  select bool_or(recorded_xid <> pg_current_xact_id()), min(effective_at) into is_of_another_transaction, earliest from entered;
  if is_of_another_transaction then
    raise exception 'recorded_xid is the database''s to set' using errcode = 'RK003';
  end if;
  if earliest < ledger.open_since() then
    raise exception 'the accounting period of an entry is closed' using errcode = 'RK004';
  end if;
  -- In the order of the hashes, so that two batches with common keys wait for each other in one direction only.
  perform set_config('ledger.keeps_balances', 'on', true);
  insert into ledger.entry_key (hash, entry_id)
  select unnest(ledger.claims_of(source_key, kind, cause_type, cause_id, reverses)) as hash, id from entered order by hash;
  perform set_config('ledger.keeps_balances', 'off', true);
  return null;
end
$$;
create trigger check_entries after insert on ledger.journal_entry referencing new table as entered for each statement execute function ledger.check_entries();
--> statement-breakpoint
-- Balances, deltas and history follow the postings, whoever inserts them. One call per statement, however many rows.
--
-- Only nested loops: the rows at hand look their balances up by id, whatever the planner believes of their number, and
-- balances are updated, and so locked, in the order of their ids: two writers never wait for each other in a circle. An
-- account is looked up once; only those that were not updated, because they are hot, are looked up again.
create function ledger.apply_postings() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_memoize = off as $$
declare
  is_sound boolean;
  reversals bigint[];
begin
  perform set_config('ledger.keeps_balances', 'on', true);
  with side as (
    select account_id, entry_id, line, currency, debit, credit,
      sum(debit - credit) over (partition by account_id order by entry_id, line rows unbounded preceding) as moved_so_far
    from (
      select entry_id, line, currency, debit_account as account_id, amount as debit, 0::numeric as credit from posted
      union all select entry_id, line, currency, credit_account, 0, amount from posted
    ) as both_sides
  ), change as (
    select account_id, sum(debit) as debit, sum(credit) as credit, count(*) as postings, min(currency) as currency, max(currency) as other_currency,
      array_agg(entry_id order by entry_id, line) as entries, array_agg(line order by entry_id, line) as lines,
      array_agg(debit - credit order by entry_id, line) as moves, array_agg(moved_so_far order by entry_id, line) as sums
    from side group by account_id order by account_id
  ), updated as (
    update ledger.account_balance as balance
    set debit = balance.debit + change.debit, credit = balance.credit + change.credit, version = version + postings
    from change where balance.account_id = change.account_id and not hot
    returning with (old as before) balance.account_id, normal, before.version as version_before, before.debit - before.credit as moved_before,
      keep_history, balance.currency = change.currency and balance.currency = other_currency as is_known, entries, lines, moves, sums
  ), written as (
    insert into ledger.account_history (account_id, version, entry_id, line, delta, balance_after)
    select account_id, version_before + position, entry_id, line, normal * moved, normal * (moved_before + moved_so_far)
    from (
      select account_id, normal, version_before, moved_before, generate_subscripts(entries, 1) as position,
        unnest(entries) as entry_id, unnest(lines) as line, unnest(moves) as moved, unnest(sums) as moved_so_far
      from updated where keep_history
    ) as own
  ), appended as (
    insert into ledger.balance_delta (account_id, debit, credit, postings)
    select change.account_id, change.debit, change.credit, postings
    from change join ledger.account_balance as balance on balance.account_id = change.account_id
    where hot and balance.currency = change.currency and balance.currency = other_currency
      and change.account_id not in (select account_id from updated)
    returning account_id
  )
  -- Every account is known and was served. Lines are written with their entry: what has been committed is complete.
  select (select count(*) from change) = (select count(*) from updated where is_known) + (select count(*) from appended)
      and bool_and((entry.recorded_xid = pg_current_xact_id() and entry.currency = posted.currency) is true),
    array_agg(entry.id) filter (where entry.reverses is not null)
  into is_sound, reversals
  from posted left join ledger.journal_entry as entry on entry.id = posted.entry_id;
  perform set_config('ledger.keeps_balances', 'off', true);
  if is_sound is false then
    raise exception 'a posting names an unknown account, another currency, or an entry that is complete' using errcode = 'RK002';
  end if;
  if reversals is not null then
    perform ledger.require_mirrored(reversals);
  end if;
  return null;
end
$$;
create function ledger.require_mirrored(reversals bigint[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  if exists (
    select from unnest(reversals) as own (id) join ledger.journal_entry as entry on entry.id = own.id
    where (
      exists (select from ledger.journal_entry as undone where undone.id = entry.reverses and undone.reverses is not null)
      or array(select (debit_account, credit_account, amount)::text from ledger.posting where entry_id = entry.id order by 1)
        is distinct from
        array(select (credit_account, debit_account, amount)::text from ledger.posting where entry_id = entry.reverses order by 1))
  ) then
    raise exception 'a reversal swaps the sides of every posting of an entry that is no reversal itself' using errcode = 'RK002';
  end if;
end
$$;
create trigger apply_postings after insert on ledger.posting referencing new table as posted for each statement execute function ledger.apply_postings();

create function ledger.fold_hot_balances() returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
  account.floor, account.customer_id, account.dimensions, stored.held,
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
-- ── partitions ───────────────────────────────────────────────────────────────────────────────────────────────
create table ledger.entry_range (
  number int primary key check (number > 0),
  first_id bigint not null,
  end_id bigint not null check (end_id > first_id)
);
comment on table ledger.entry_range is 'The ranges of entry ids, end_id not included, that have a partition of journal_entry and one of posting each.';
call public.make_append_only('ledger.entry_range');

-- Rules for single rows come with the parent; those for whole statements must be put on a partition too, or a statement that
-- names the partition would pass by them. Attaching lets others go on reading and writing.
create procedure ledger.attach_partition(parent regclass, name text, bounds text) language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  rule text;
begin
  for rule in
    select pg_get_triggerdef(oid) from pg_trigger where tgrelid = parent and not tgisinternal and tgtype & 1 = 0
  loop
    execute regexp_replace(rule, ' ON ledger\.\w+ ', format(' ON ledger.%I ', name));
  end loop;
  execute format('alter table %s attach partition ledger.%I %s', parent, name, bounds);
end
$$;

create procedure ledger.add_partition(parent regclass, name text, bounds text) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create table ledger.%I (like %s including defaults including constraints)', name, parent);
  call ledger.attach_partition(parent, name, bounds);
end
$$;

-- Moving a partition where it is would keep everybody waiting: whatever is planned for all partitions locks each of them. So a
-- copy is made, which nobody waits for since nobody writes there any more, and put in its place in one moment.
create procedure ledger.move_partition(parent regclass, name text, tablespace_name text) language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  old regclass := 'ledger.' || quote_ident(name);
  moved text := name || '_moved';
  bounds text := (select pg_get_expr(relpartbound, oid) from pg_class where oid = old);
  kept bigint;
  copied bigint;
begin
  if parent not in ('ledger.journal_entry'::regclass, 'ledger.posting'::regclass)
    or (select last_value from ledger.entry_id) < (select end_id from ledger.entry_range where number = substring(name from '\d+$')::int)
  then
    raise exception '% is written to: only what is full can be moved', old using errcode = 'RK002';
  end if;
  -- Nobody who posts waits longer for the moment in which the copy takes its place.
  perform set_config('lock_timeout', '3s', true), set_config('default_tablespace', tablespace_name, true);
  execute format('lock table %s in share mode', old);
  execute format('create table ledger.%I (like %s including all)', moved, old);
  execute format('insert into ledger.%I select * from %s', moved, old);
  get diagnostics copied = row_count;
  execute format('select count(*) from %s', old) into kept;
  if copied <> kept then
    raise exception '% has % rows, and its copy %', old, kept, copied;
  end if;
  -- What is known to lie within the bounds is not looked through again.
  execute format('alter table ledger.%I add constraint within_bounds check (%s)', moved, pg_get_partition_constraintdef(old));
  execute format('alter table %s detach partition %s', parent, old);
  execute format('drop table %s', old);
  execute format('alter table ledger.%I rename to %I', moved, name);
  call ledger.attach_partition(parent, name, bounds);
  execute format('alter table ledger.%I drop constraint within_bounds', name);
end
$$;
comment on procedure ledger.move_partition is 'Moves a full partition of journal_entry or posting to another tablespace, with its indexes. For the owner; it needs the room for a copy.';

create function ledger.prepare_partitions(entries_each bigint) returns int language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  newest ledger.entry_range;
  added int := 0;
  bounds text;
begin
  if (entries_each between 1000000 and 1000000000) is not true then
    raise exception 'a partition is for a million to a thousand million entries, not for %', entries_each using errcode = 'RK002';
  end if;
  perform pg_advisory_xact_lock(hashtext('ledger.prepare_partitions'));
  loop
    select * into newest from ledger.entry_range order by number desc limit 1;
    exit when newest.end_id > (select last_value from ledger.entry_id) + entries_each;
    newest := row(coalesce(newest.number, 0) + 1, coalesce(newest.end_id, 1), coalesce(newest.end_id, 1) + entries_each);
    bounds := format('for values from (%s) to (%s)', newest.first_id, newest.end_id);
    call ledger.add_partition('ledger.journal_entry', 'journal_entry_' || newest.number, bounds);
    call ledger.add_partition('ledger.posting', 'posting_' || newest.number, bounds);
    insert into ledger.entry_range select newest.*;
    added := added + 1;
  end loop;
  return added;
end
$$;
comment on function ledger.prepare_partitions is 'Adds ranges, each for so many entries, until a whole one is free beyond the newest entry; gives the number added.';

select ledger.prepare_partitions(50000000);
--> statement-breakpoint
revoke execute on all routines in schema ledger from public;
grant select on all tables in schema ledger to reckoner_app;
grant execute on function ledger.fold_hot_balances, ledger.close_period, ledger.carry_closed_month, ledger.prepare_partitions to reckoner_app;
