-- Why: what a request may cost is set aside where it will be paid from too: allowances of one seat or team, and prepaid credit, so that the same credit is
-- spent neither by two requests nor by a request and the invoice.

-- ── allowances: credit that only one user, or one team and those below it, may spend ────────────────────────────
create table billing.credit_grant_holder (
  -- Of a credit grant, or of a recurring grant: then of each of its times.
  grant_id text primary key,
  spender bigint not null references billing.spender,
  given_by text not null check (given_by <> ''),
  given_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.credit_grant_holder');
grant select, insert on billing.credit_grant_holder to reckoner_app;

create function billing.admit_holder() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
    select from billing.spender where number = new.spender and kind in ('user', 'team') and customer_id in (
      select customer_id from billing.credit_grant where id = new.grant_id
      union all select customer_id from billing.recurring_grant where id = new.grant_id))
  then
    raise exception 'a grant is held by a user or a team of its customer' using errcode = 'RK048';
  end if;
  return new;
end
$$;
create trigger admit_holder before insert on billing.credit_grant_holder for each row execute function billing.admit_holder();
create trigger entitlements_are_revised after insert on billing.credit_grant_holder for each row execute function billing.revise_after();

-- Who holds a grant; null: all of the customer, and what is not reserved.
create function billing.holder_of(grant_id text, recurring_grant_id text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
  select spender from billing.credit_grant_holder as held where held.grant_id in (holder_of.grant_id, holder_of.recurring_grant_id)
  order by held.grant_id = holder_of.grant_id desc limit 1
$$;
revoke execute on function billing.admit_holder, billing.holder_of from public;
grant execute on function billing.holder_of to reckoner_app;
--> statement-breakpoint

-- ── what requests hold and have used of each grant ──────────────────────────────────────────────────────────────
-- held: by those that run. unbilled: paid for by receipts, and drawn when their period is billed. The ledger holds the sum of both, by its
-- open hold of that number.
create table billing.credit_counter (
  grant_id text primary key,
  account text not null,
  held_minor numeric not null check (held_minor >= 0),
  unbilled_minor numeric not null check (unbilled_minor >= 0),
  hold_number int not null check (hold_number >= 0)
) with (fillfactor = 50);
create trigger guard_derived before insert or update or delete or truncate on billing.credit_counter for each statement execute function billing.guard_spending();
grant select on billing.credit_counter to reckoner_app;

-- What a billing of a period drew for receipts, price by price; of a period that is billed several times what is new each time.
create table billing.reserved_draw (
  subscription_id text not null,
  period_start timestamptz not null,
  revision int not null check (revision >= 0),
  plan_key text not null,
  plan_version int not null,
  price_key text not null,
  grant_id text not null,
  -- In 10⁻⁸ of the minor unit, and how much of it the ledger held until then: what is billed anew it held before.
  amount numeric(38, 0) not null check (amount > 0),
  released numeric(38, 0) not null check (released between 0 and amount),
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (subscription_id, period_start, grant_id, plan_key, plan_version, price_key, revision)
);
call public.make_append_only('billing.reserved_draw');
grant select on billing.reserved_draw to reckoner_app;
--> statement-breakpoint

-- Locks what grants have, in one order, and gives what can be spent of each, in minor units; those without an account have nothing.
create function billing.lock_credit(grants text[], accounts text[]) returns numeric[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform billing.keep_spending(true);
  insert into billing.credit_counter (grant_id, account, held_minor, unbilled_minor, hold_number)
  select grant_id, account, 0, 0, 0 from unnest(grants, accounts) as asked (grant_id, account)
  where not exists (select from billing.credit_counter as known where known.grant_id = asked.grant_id) order by grant_id
  on conflict do nothing;
  perform from billing.credit_counter where grant_id = any (grants) order by grant_id for update;
  perform ledger.lock_accounts(accounts);
  return array(
    select coalesce((balance.normal * (debit - credit) - held - balance.floor) / 100000000, 0)
    from unnest(accounts) with ordinality as asked (key, place)
    left join ledger.account on account.key = asked.key left join ledger.account_balance as balance on account_id = account.id
    order by place);
end
$$;

-- Changes what requests hold and have used, and has the ledger hold the sum: a hold never changes, so another takes its place.
create function billing.change_credit(changes billing.credit_change[], at timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  changed text[] := array(select distinct grant_id from unnest(changes) where held <> 0 or unbilled <> 0 order by 1);
  refused text;
begin
  if cardinality(changed) = 0 then
    return;
  end if;
  perform billing.lock_credit(changed, array(select account from billing.credit_counter where grant_id = any (changed) order by grant_id));
  perform ledger.release_holds(array(
    select 'reserved/' || grant_id || '/' || hold_number from billing.credit_counter
    where grant_id = any (changed) and held_minor + unbilled_minor > 0), 'reckoner', at);
  perform billing.keep_spending(true);
  update billing.credit_counter as counter set held_minor = held_minor + change.held, unbilled_minor = unbilled_minor + change.unbilled, hold_number = hold_number + 1
  from (select grant_id, sum(held) as held, sum(unbilled) as unbilled from unnest(changes) group by 1) as change
  where counter.grant_id = change.grant_id and counter.grant_id = any (changed);
  perform billing.keep_spending(false);
  select string_agg(status, ', ') into refused from ledger.place_holds((
    select coalesce(jsonb_agg(jsonb_build_object('source_key', 'reserved/' || grant_id || '/' || hold_number, 'customer_id', granted.customer_id,
        'currency', granted.currency, 'cause_type', 'credit_grant', 'cause_id', grant_id, 'actor', 'reckoner', 'placed_at', at,
        'expires_at', timestamptz '9999-12-31T00:00:00Z',
        'lines', jsonb_build_array(jsonb_build_object('account', account, 'amount', ((held_minor + unbilled_minor) * 100000000)::numeric(38, 0))))), '[]')
    from billing.credit_counter join billing.credit_grant as granted on granted.id = grant_id
    where grant_id = any (changed) and held_minor + unbilled_minor > 0)) where status <> 'created';
  if refused is not null then
    raise exception 'credit that was there cannot be held: %', refused using errcode = 'RK049';
  end if;
end
$$;

-- What pays for the charges of a request: from what was set aside for it, in that order, each charge after the one before. The rest is on demand.
create function billing.payments_of(charges json, grants text[], buckets text[], amounts numeric[]) returns json
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  charge record;
  parts jsonb[] := '{}';
  left_of numeric[] := amounts;
  part numeric;
  due numeric;
  place int := 1;
begin
  for charge in select * from json_to_recordset(charges) as charge (subscription text, plan text, "planVersion" int, price text, "exactMinor" numeric) loop
    -- The ledger counts in 10⁻⁸ of the minor unit: what is less than that is no credit's.
    due := trunc(charge."exactMinor", 8);
    while due > 0 and place <= cardinality(grants) loop
      part := least(due, left_of[place]);
      if part > 0 then
        parts := parts || jsonb_build_object('bucket', buckets[place], 'grant', grants[place], 'amountMinor', trim_scale(part)::text,
          'subscription', charge.subscription, 'plan', charge.plan, 'planVersion', charge."planVersion", 'price', charge.price);
        due := due - part;
        left_of[place] := left_of[place] - part;
      end if;
      if left_of[place] = 0 then
        place := place + 1;
      end if;
    end loop;
  end loop;
  return case when cardinality(parts) > 0 then to_json(parts) end;
end
$$;
revoke execute on function billing.lock_credit, billing.change_credit, billing.payments_of from public;
--> statement-breakpoint

-- ── billing it ───────────────────────────────────────────────────────────────────────────────────────────────
-- What receipts of a period, seen by a snapshot, were paid with that no invoice has drawn, in 10⁻⁸ of the minor unit; and how much of that the ledger
-- still holds: what a void invoice drew is with its grant again.
create function billing.reserved_draws(of_subscription text, of_customer text, starting timestamptz, ending timestamptz, seen pg_snapshot)
returns table (plan_key text, plan_version int, price_key text, grant_id text, amount numeric, released numeric)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select plan, version, price, part.grant_id, sum(part.amount), sum(part.released) from (
    select payment.plan, payment."planVersion" as version, payment.price, payment."grant" as grant_id,
      payment."amountMinor" * 100000000 as amount, payment."amountMinor" * 100000000 as released
    from billing.receipt cross join json_to_recordset(payments)
      as payment ("grant" text, "amountMinor" numeric, subscription text, plan text, "planVersion" int, price text)
    where customer_id = of_customer and payments is not null and used_at >= starting and used_at < ending
      and subscription = of_subscription and pg_visible_in_snapshot(recorded_xid, seen)
    union all
    select drawn.plan_key, drawn.plan_version, drawn.price_key, drawn.grant_id,
      case when void.invoice_id is null then -drawn.amount else 0 end, -drawn.released
    from billing.reserved_draw as drawn left join billing.rating_run as run using (subscription_id, period_start, revision)
    left join billing.invoice_void as void on void.invoice_id = run.invoice_id
    where subscription_id = of_subscription and period_start = starting
  ) as part group by 1, 2, 3, 4 having sum(part.amount) > 0 order by 4, 1, 2, 3
$$;

-- Gives back to grants what their receipts had set aside, for the billing of a period that draws it in the same transaction.
create function billing.bill_reserved_draws(
  of_subscription text, starting timestamptz[], revisions int[], plans text[], versions int[], prices text[], grants text[], amounts numeric[],
  released numeric[], at timestamptz
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into billing.reserved_draw (subscription_id, period_start, revision, plan_key, plan_version, price_key, grant_id, amount, released)
  select of_subscription, * from unnest(starting, revisions, plans, versions, prices, grants, amounts, released);
  perform billing.change_credit(array(
    select row(grant_id, 0, -amount / 100000000)::billing.credit_change from unnest(grants, released) as drawn (grant_id, amount)), at);
end
$$;
revoke execute on function billing.reserved_draws, billing.bill_reserved_draws from public;
grant execute on function billing.reserved_draws, billing.bill_reserved_draws to reckoner_app;
--> statement-breakpoint

-- ── caps from first use ──────────────────────────────────────────────────────────────────────────────────────
-- Where the window of such a cap lies at an instant: it is opened by the first who asks after the one before was over, one at a time, and stays.
create function billing.first_use_window(of_spender bigint, of_user text, key text, at timestamptz, length interval) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  opened timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('first_use/' || of_spender || '/' || coalesce(of_user, '') || '/' || key, 0));
  select window_start into opened from billing.spending_counter
  where spender = of_spender and user_key is not distinct from of_user and window_key = key and window_start <= at and at < window_end;
  if opened is null then
    perform billing.open_counters(array[of_spender], array[of_user], array[key], array[at], array[at + length]);
    opened := at;
  end if;
  return opened;
end
$$;
revoke execute on function billing.first_use_window from public;
grant execute on function billing.first_use_window to reckoner_app;
