-- Why: credit is bought by itself when it runs low, customers are told at shares of what they may use, and promotions are redeemed within their limits: each once, whoever asks at the same time.

-- ── credit that is bought by itself ──────────────────────────────────────────────────────────────────────────
-- At most one is in force for a customer: setting another ends it.
create table billing.top_up_rule (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  customer_id text not null references billing.customer (id),
  currency text not null,
  -- At this or less that can still be spent, it buys.
  threshold_minor bigint not null check (threshold_minor >= 0),
  amount_minor bigint not null check (amount_minor > 0),
  -- Of all rules of the customer, in a month of his calendar; null: no limit.
  monthly_limit_minor bigint check (monthly_limit_minor >= amount_minor),
  cool_down_seconds int not null check (cool_down_seconds between 0 and 2678400),
  -- Of what is bought; null: for ever.
  expires_after_days int check (expires_after_days > 0),
  priority int not null check (priority between 0 and 100),
  set_by text not null check (set_by <> ''),
  set_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index top_up_rule_of_customer on billing.top_up_rule (customer_id, set_at desc, id desc);
call public.make_append_only('billing.top_up_rule');

create table billing.top_up_rule_end (
  rule_id text primary key references billing.top_up_rule (id),
  -- declined: a charge for what it bought. refused: what it wanted to buy could not be invoiced.
  cause text not null check (cause in ('requested', 'replaced', 'declined', 'refused')),
  -- The code of a decline or refusal.
  detail text check (detail <> ''),
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check ((detail is null) = (cause in ('requested', 'replaced')))
);
call public.make_append_only('billing.top_up_rule_end');

-- What it bought, in the order in which it did.
create table billing.top_up (
  rule_id text not null references billing.top_up_rule (id),
  number int not null check (number > 0),
  grant_id text not null unique references billing.credit_grant (id),
  -- What could still be spent then, in 10⁻⁸ of the minor unit.
  credit_left numeric(38, 0) not null,
  -- The customer's month that it counts in.
  month_start timestamptz not null,
  begun_at timestamptz not null check (begun_at >= month_start),
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (rule_id, number)
);
call public.make_append_only('billing.top_up');
grant select, insert on billing.top_up_rule, billing.top_up_rule_end, billing.top_up to reckoner_app;

-- Each purchase with what became of it. outstanding: begun, and not paid. withdrawn: it will not be paid, and nothing was got.
create view billing.top_up_standing with (security_invoker = true) as
select bought.*, rule.customer_id, rule.currency, rule.amount_minor, credit.invoice_id, invoice.id is not null as is_invoiced,
  case when invoice.status = 'paid' then 'paid' when invoice.status = 'void' then 'withdrawn' else 'outstanding' end as state
from billing.top_up as bought
join billing.top_up_rule as rule on rule.id = bought.rule_id
join billing.credit_grant as credit on credit.id = bought.grant_id
left join billing.invoice as invoice on invoice.id = credit.invoice_id;
grant select on billing.top_up_standing to reckoner_app;
--> statement-breakpoint

create function billing.admit_top_up() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  rule constant billing.top_up_rule := (select top_up_rule from billing.top_up_rule where id = new.rule_id);
begin
  -- Of purchases that are begun at once each one sees those before it.
  perform from billing.customer where id = rule.customer_id for update;
  if exists (select from billing.top_up_rule_end where rule_id = rule.id)
    or exists (select from billing.top_up_standing where rule_id = rule.id and state = 'outstanding')
    or new.begun_at < (select max(begun_at) from billing.top_up where rule_id = rule.id) + make_interval(secs => rule.cool_down_seconds)
    or rule.amount_minor + (
      select coalesce(sum(amount_minor), 0) from billing.top_up_standing
      where customer_id = rule.customer_id and month_start = new.month_start and state <> 'withdrawn') > rule.monthly_limit_minor
    or not exists (
      select from billing.credit_grant as credit where credit.id = new.grant_id and credit.kind = 'paid' and credit.invoice_id is not null
        and (credit.customer_id, credit.currency, credit.amount_minor) = (rule.customer_id, rule.currency, rule.amount_minor))
  then
    raise exception 'top-up % of rule % is refused: the rule has ended, one is outstanding, or it is too soon or too much',
      new.number, new.rule_id using errcode = 'RK049';
  end if;
  return new;
end
$$;
create trigger admit_top_up before insert on billing.top_up for each row execute function billing.admit_top_up();

create function billing.admit_top_up_rule() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform from billing.customer where id = new.customer_id and currency = new.currency for update;
  if not found or exists (
    select from billing.top_up_rule as other where other.customer_id = new.customer_id
      and not exists (select from billing.top_up_rule_end where rule_id = other.id))
  then
    raise exception 'rule % is refused: customer % has one in force, or pays in another currency', new.id, new.customer_id
      using errcode = 'RK049';
  end if;
  return new;
end
$$;
create trigger admit_top_up_rule before insert on billing.top_up_rule for each row execute function billing.admit_top_up_rule();
--> statement-breakpoint

-- ── alerts ───────────────────────────────────────────────────────────────────────────────────────────────────
-- subject: {"type": "feature", "feature": "…", "subject": {…}}, {"type": "spending_cap", "cap": "…"}, {"type": "credit"} or
-- {"type": "spending", "amountMinor": "…", "window": {…}}. condition: {"type": "share", "percent": 80} or {"type": "forecast"}.
create table billing.alert (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  customer_id text not null references billing.customer (id),
  subject jsonb not null check (subject ->> 'type' in ('feature', 'spending_cap', 'credit', 'spending')),
  condition jsonb not null check (condition ->> 'type' in ('share', 'forecast')),
  set_by text not null check (set_by <> ''),
  set_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index alert_of_customer on billing.alert (customer_id, set_at desc, id desc);
call public.make_append_only('billing.alert');

create table billing.alert_end (
  alert_id text primary key references billing.alert (id),
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.alert_end');

create table billing.alert_crossing (
  alert_id text not null references billing.alert (id),
  number int not null check (number > 0),
  -- Which of the limits that its subject has, by the window.
  reading text not null,
  -- Null: of a window without a fixed beginning.
  window_start timestamptz,
  used numeric not null,
  allowed numeric not null check (allowed >= 0),
  -- What it comes to at the end of the window, if it goes on so.
  forecast numeric,
  crossed_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (alert_id, number)
);
call public.make_append_only('billing.alert_crossing');

-- From then on it is told again when it is crossed again. reset: because its window has begun anew.
create table billing.alert_recovery (
  alert_id text not null,
  number int not null,
  cause text not null check (cause in ('recovered', 'reset')),
  recovered_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (alert_id, number),
  foreign key (alert_id, number) references billing.alert_crossing (alert_id, number)
);
call public.make_append_only('billing.alert_recovery');
grant select, insert on billing.alert, billing.alert_end, billing.alert_crossing, billing.alert_recovery to reckoner_app;

create function billing.admit_crossing() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform from billing.customer where id = (select customer_id from billing.alert where id = new.alert_id) for update;
  if exists (
    select from billing.alert_crossing as before where (before.alert_id, before.reading) = (new.alert_id, new.reading)
      and not exists (select from billing.alert_recovery as back where (back.alert_id, back.number) = (before.alert_id, before.number)))
  then
    raise exception 'alert % has told of % and is not armed again', new.alert_id, new.reading using errcode = 'RK049';
  end if;
  return new;
end
$$;
create trigger admit_crossing before insert on billing.alert_crossing for each row execute function billing.admit_crossing();
--> statement-breakpoint

-- ── who is to be looked at ───────────────────────────────────────────────────────────────────────────────────
-- When a customer is to be looked at though nothing has changed: time alone may have changed it by then.
create table billing.budget_look (
  customer_id text primary key references billing.customer (id),
  look_at timestamptz
);
create index budget_look_due on billing.budget_look (look_at) where look_at is not null;
call public.make_fixed_but('billing.budget_look', 'look_at');

-- The customers with a rule or an alert in force about whom something was committed since a snapshot, or whom time may have changed;
-- without a snapshot all of them. With the snapshot to ask after next.
create function billing.budget_changes(since pg_snapshot, wall timestamptz) returns json
language sql stable set search_path = pg_catalog, pg_temp as $$
  with changed as materialized (
    select id from json_array_elements_text(billing.entitlement_changes(since) -> 'customers') as id
  ), due as materialized (
    select look.customer_id as id from billing.budget_look as look
    join billing.customer on customer.id = look.customer_id
    left join billing.test_clock as clock on clock.id = customer.test_clock_id
    where look.look_at <= coalesce(clock.current_at, wall)
  ), watched as (
    select customer_id as id from billing.top_up_rule as rule
    where not exists (select from billing.top_up_rule_end where rule_id = rule.id)
    union
    select customer_id from billing.alert where not exists (select from billing.alert_end where alert_id = alert.id)
  )
  select json_build_object('snapshot', pg_current_snapshot()::text, 'customers', (
    select coalesce(json_agg(id order by id), '[]') from watched
    where since is null or exists (select from changed where id = '*')
      or id in (select id from changed) or id in (select id from due)))
$$;
revoke execute on function billing.budget_changes from public;
grant execute on function billing.budget_changes to reckoner_app;

create function billing.revise_for_credit() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform billing.revise_entitlements(array[new.customer_id]);
  return null;
end
$$;
revoke execute on function billing.revise_for_credit from public;
create trigger entitlements_are_revised after insert on billing.top_up_rule for each row execute function billing.revise_for_credit();
create trigger entitlements_are_revised after insert on billing.alert for each row execute function billing.revise_for_credit();
create trigger entitlements_are_revised after insert on billing.adjustment for each row execute function billing.revise_for_credit();
-- What was bought can be spent, or never will be.
create trigger credit_is_paid after update of status on billing.invoice
  for each row when (new.kind = 'credit_purchase' and new.status <> old.status) execute function billing.revise_for_credit();
--> statement-breakpoint

-- ── promotions ───────────────────────────────────────────────────────────────────────────────────────────────
-- What may be given away together. It stops by itself: what does not fit into its budget is not redeemed.
create table billing.campaign (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  name text not null check (name <> ''),
  currency text not null,
  budget_minor bigint not null check (budget_minor > 0),
  created_by text not null check (created_by <> ''),
  created_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index campaign_newest_first on billing.campaign (created_at desc, id desc);
call public.make_append_only('billing.campaign');

create table billing.campaign_end (
  campaign_id text primary key references billing.campaign (id),
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.campaign_end');

-- Credit, promotional, for whoever redeems it.
create table billing.coupon (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  -- What is typed in, in capitals; null of one that is given on sign-up or for a referral.
  code text unique check (code ~ '^[A-Z0-9][A-Z0-9-]{2,39}$'),
  given_on text not null check (given_on in ('code', 'sign_up', 'referral')),
  name text not null check (name <> ''),
  campaign_id text references billing.campaign (id),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  priority int not null check (priority between 0 and 100),
  -- Of the credit; null: for ever.
  expires_after_days int check (expires_after_days > 0),
  scope jsonb check (billing.is_credit_scope(scope)),
  starts_at timestamptz not null,
  ends_at timestamptz check (ends_at > starts_at),
  -- Of customers with a subscription on one of these; null: of all.
  plans text[] check (cardinality(plans) > 0),
  redemptions_max int check (redemptions_max > 0),
  per_customer_max int not null check (per_customer_max > 0),
  -- exclusive: not with another coupon of its campaign or, where it has none, of none.
  stacking text not null check (stacking in ('stackable', 'exclusive')),
  created_by text not null check (created_by <> ''),
  created_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check ((code is not null) = (given_on = 'code'))
);
create index coupon_newest_first on billing.coupon (created_at desc, id desc);
create index coupon_given_on on billing.coupon (given_on) where given_on <> 'code';
call public.make_append_only('billing.coupon');

create table billing.coupon_end (
  coupon_id text primary key references billing.coupon (id),
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.coupon_end');

-- Who brought whom, once for each who was brought.
create table billing.referral (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  referrer_id text not null references billing.customer (id),
  referred_id text not null unique references billing.customer (id) check (referred_id <> referrer_id),
  written_by text not null check (written_by <> ''),
  referred_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index referral_of_referrer on billing.referral (referrer_id);
call public.make_append_only('billing.referral');

create table billing.redemption (
  -- Made from the fact: a request, a sign-up, a side of a referral.
  id text primary key,
  coupon_id text not null references billing.coupon (id),
  customer_id text not null references billing.customer (id),
  -- The adjustment that gives the credit, in the same transaction or once somebody else agrees.
  adjustment_id text not null unique references billing.adjustment (id),
  referral_id text references billing.referral (id),
  redeemed_by text not null check (redeemed_by <> ''),
  redeemed_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index redemption_of_coupon on billing.redemption (coupon_id, redeemed_at desc, id desc);
create index redemption_of_customer on billing.redemption (customer_id, coupon_id);
call public.make_append_only('billing.redemption');
grant select, insert on billing.campaign, billing.campaign_end, billing.coupon, billing.coupon_end, billing.referral, billing.redemption
  to reckoner_app;

-- How often each coupon was redeemed, and what each campaign has given away: its row is what redemptions at once wait for.
create table billing.promotion_standing (
  kind text not null check (kind in ('coupon', 'campaign')),
  id text not null,
  redemptions int not null check (redemptions >= 0),
  given_minor bigint not null check (given_minor >= 0),
  primary key (kind, id)
) with (fillfactor = 50);
create function billing.guard_promotions() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('billing.redeems', true) is distinct from 'on' then
    raise exception '% on %.% is refused: it follows from redemptions', tg_op, tg_table_schema, tg_table_name using errcode = 'RK001';
  end if;
  return null;
end
$$;
revoke execute on function billing.guard_promotions from public;
create trigger guard_derived before insert or update or delete or truncate on billing.promotion_standing
  for each statement execute function billing.guard_promotions();
grant select on billing.promotion_standing to reckoner_app;

create function billing.admit_redemption() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  redeemed constant billing.coupon := (select coupon from billing.coupon where id = new.coupon_id);
  campaign constant billing.campaign := (select campaign from billing.campaign where id = redeemed.campaign_id);
  standing billing.promotion_standing;
  given bigint;
begin
  perform from billing.customer where id = new.customer_id for update;
  if not exists (
    select from billing.adjustment as given where given.id = new.adjustment_id and given.kind = 'grant_credit' and given.grant_kind = 'promotional'
      and (given.customer_id, given.currency, given.change) = (new.customer_id, redeemed.currency, redeemed.amount_minor * 100000000::numeric))
  then
    raise exception 'redemption % gives something else than coupon %', new.id, redeemed.id using errcode = 'RK010';
  end if;
  if new.redeemed_at < redeemed.starts_at or new.redeemed_at >= redeemed.ends_at
    or exists (select from billing.coupon_end where coupon_id = redeemed.id)
    or exists (select from billing.campaign_end where campaign_id = redeemed.campaign_id)
  then
    raise exception using errcode = 'RK049', message = 'coupon_not_in_force';
  end if;
  if (select count(*) from billing.redemption where (customer_id, coupon_id) = (new.customer_id, redeemed.id)) >= redeemed.per_customer_max then
    raise exception using errcode = 'RK049', message = 'coupon_redeemed_already';
  end if;
  if exists (
    select from billing.redemption as before join billing.coupon as other on other.id = before.coupon_id
    where before.customer_id = new.customer_id and other.id <> redeemed.id and other.campaign_id is not distinct from redeemed.campaign_id
      and 'exclusive' in (other.stacking, redeemed.stacking))
  then
    raise exception using errcode = 'RK049', message = 'coupon_not_stackable';
  end if;
  if redeemed.plans is not null and not exists (
    select from billing.subscription
    join lateral (
      select items from billing.subscription_terms as terms where terms.subscription_id = subscription.id and terms.effective_at <= new.redeemed_at
      order by effective_at desc limit 1) as agreed on true
    cross join jsonb_to_recordset(agreed.items) as item ("planKey" text)
    where subscription.customer_id = new.customer_id and status not in ('canceled', 'incomplete', 'incomplete_expired')
      and item."planKey" = any (redeemed.plans))
  then
    raise exception using errcode = 'RK049', message = 'coupon_plan_missing';
  end if;
  perform set_config('billing.redeems', 'on', true);
  insert into billing.promotion_standing as known (kind, id, redemptions, given_minor) values ('coupon', redeemed.id, 1, redeemed.amount_minor)
  on conflict (kind, id) do update set redemptions = known.redemptions + 1, given_minor = known.given_minor + excluded.given_minor
  returning known.* into standing;
  if standing.redemptions > redeemed.redemptions_max then
    raise exception using errcode = 'RK049', message = 'coupon_used_up';
  end if;
  if campaign.id is not null then
    insert into billing.promotion_standing as known (kind, id, redemptions, given_minor)
    values ('campaign', campaign.id, 1, redeemed.amount_minor)
    on conflict (kind, id) do update set redemptions = known.redemptions + 1, given_minor = known.given_minor + excluded.given_minor
    returning known.given_minor into given;
    if given > campaign.budget_minor then
      raise exception using errcode = 'RK049', message = 'campaign_budget_spent';
    end if;
  end if;
  perform set_config('billing.redeems', 'off', true);
  return new;
end
$$;
revoke execute on function billing.admit_redemption from public;
create trigger admit_redemption before insert on billing.redemption for each row execute function billing.admit_redemption();
--> statement-breakpoint

-- ── trials ───────────────────────────────────────────────────────────────────────────────────────────────────
-- Who was let have a trial, as what: asked before each, so that nobody has one again under another name.
create table billing.trial_claim (
  subscription_id text primary key,
  customer_id text not null references billing.customer (id),
  -- Of the card, or what else tells people apart; null where nothing does.
  fingerprint text check (fingerprint <> ''),
  claimed_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create unique index trial_claim_of_customer on billing.trial_claim (customer_id);
create unique index trial_claim_of_fingerprint on billing.trial_claim (fingerprint) where fingerprint is not null;
call public.make_append_only('billing.trial_claim');
grant select, insert on billing.trial_claim to reckoner_app;
