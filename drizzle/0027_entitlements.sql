-- Why: whether a customer may use a feature now is asked before each use of it: what was given beside plans, which windows are open, and all that decides, in one statement.

-- ── what is given to one customer ────────────────────────────────────────────────────────────────────────────
-- contract: stands in place of what plans and add-ons give of the feature. grant: comes on top.
create table billing.feature_grant (
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_:-]{0,49}$'),
  customer_id text not null references billing.customer (id),
  feature text not null,
  kind text not null check (kind in ('contract', 'grant')),
  -- In the shape in which a plan says it.
  entitlement jsonb not null check (jsonb_typeof(entitlement) = 'object' and entitlement ->> 'feature' = feature),
  effective_at timestamptz not null,
  expires_at timestamptz check (expires_at > effective_at),
  reason_code text not null check (reason_code in ('goodwill', 'service_outage', 'billing_error', 'promotion', 'contract',
    'retention', 'duplicate', 'fraud', 'other')),
  reason text check (reason <> ''),
  granted_by text not null check (granted_by <> ''),
  granted_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check (reason_code <> 'other' or reason is not null)
);
create index feature_grant_of_customer on billing.feature_grant (customer_id, granted_at desc, id desc);
call public.make_append_only('billing.feature_grant');

-- Ended by somebody before its time: it gives nothing from then on.
create table billing.feature_grant_end (
  grant_id text primary key references billing.feature_grant (id),
  ended_by text not null check (ended_by <> ''),
  ended_at timestamptz not null,
  reason text check (reason <> ''),
  recorded_at timestamptz not null default clock_timestamp()
);
call public.make_append_only('billing.feature_grant_end');
grant select, insert on billing.feature_grant, billing.feature_grant_end to reckoner_app;
--> statement-breakpoint

-- ── windows of first use ─────────────────────────────────────────────────────────────────────────────────────
-- One that was told to somebody stays where it is, also when usage from before it is reported later.
create table billing.opened_window (
  customer_id text not null references billing.customer (id),
  meter text not null,
  -- Whose usage opened it: values of dimensions.
  subject jsonb not null check (jsonb_typeof(subject) = 'object'),
  length_ms bigint not null check (length_ms > 0),
  opened_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (customer_id, meter, subject, length_ms, opened_at)
);
call public.make_append_only('billing.opened_window');
grant select on billing.opened_window to reckoner_app;

-- The first use of a meter in a time by a subject; what was taken back is none.
create function billing.first_use(of_customer bigint, of_meters int[], of_subject jsonb, since timestamptz, until timestamptz)
returns timestamptz language sql stable set search_path = pg_catalog, pg_temp as $$
  select said.time
  from usage.contribution as said
  join usage.dimensions as named on named.number = said.dimensions and named.key::jsonb @> of_subject
  where said.customer_number = of_customer and said.time >= since and said.time <= until
    and said.meter = any (of_meters) and said.weight > 0
    and not exists (
      select from usage.later_contribution as back
      where back.event_seq = said.event_seq and back.meter = said.meter and back.dimensions = said.dimensions
        and back.time = said.time and back.weight < 0)
  order by said.time limit 1
$$;

-- When the window was opened that is open at `as_of`; null when none is. The first use after a window is over opens the next: they are
-- found one after the other from the last that is known, or from when there may have been the first. `until` is how far ahead of `as_of`
-- the times of usage may be.
create function billing.open_window(
  of_customer text, of_meter text, of_subject jsonb, of_length_ms bigint, since timestamptz, as_of timestamptz, until timestamptz
) returns timestamptz language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  length constant interval := of_length_ms * interval '1 millisecond';
  customer constant bigint := (select number from billing.customer where id = of_customer);
  meters constant int[] := array(select number from catalog.meter where key = of_meter);
  known timestamptz;
  opened timestamptz;
  begun timestamptz;
begin
  -- One at a time, so that no two overlap.
  perform pg_advisory_xact_lock(hashtextextended(concat_ws('/', 'opened_window', of_customer, of_meter, of_subject, of_length_ms), 0));
  select max(opened_at) into known from billing.opened_window
  where customer_id = of_customer and meter = of_meter and subject = of_subject and length_ms = of_length_ms;
  opened := known;
  while opened is null or opened + length <= as_of loop
    begun := billing.first_use(customer, meters, of_subject, greatest(coalesce(opened + length, since), usage.archived_before()), until);
    exit when begun is null;
    opened := begun;
  end loop;
  if opened is null or opened + length <= as_of then
    return null;
  end if;
  if opened is distinct from known then
    insert into billing.opened_window (customer_id, meter, subject, length_ms, opened_at)
    values (of_customer, of_meter, of_subject, of_length_ms, opened);
  end if;
  return opened;
end
$$;
revoke execute on function billing.first_use, billing.open_window from public;
grant execute on function billing.open_window to reckoner_app;
--> statement-breakpoint

-- ── what decides ─────────────────────────────────────────────────────────────────────────────────────────────
-- All of a customer that decides what may be used, beside usage: null when there is no such customer. wall: the time for whom has no
-- test clock. What was agreed counts from its instant on, whatever was agreed for later.
create function billing.entitlement_facts(of_customer text, wall timestamptz) returns json
language sql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
  select json_build_object(
    'now', moment.now,
    'isOnTestClock', customer.test_clock_id is not null,
    'timeZone', customer.time_zone,
    'currency', customer.currency,
    'metersPublished', (select count(*) from catalog.meter),
    'featuresPublished', (select count(*) from catalog.feature),
    'subscriptions', (
      select coalesce(json_agg(json_build_object('row', row_to_json(subscription), 'terms', (
        select json_agg(row_to_json(terms) order by effective_at) from billing.subscription_terms as terms
        where terms.subscription_id = subscription.id)) order by started_at, id), '[]')
      from billing.subscription where customer_id = of_customer and started_at <= moment.now),
    'grants', (
      select coalesce(json_agg(json_build_object('id', given.id, 'kind', given.kind, 'entitlement', given.entitlement,
        'effectiveAt', given.effective_at, 'expiresAt', given.expires_at) order by given.effective_at, given.id), '[]')
      from billing.feature_grant as given
      where given.customer_id = of_customer and given.effective_at <= moment.now
        and (given.expires_at is null or given.expires_at > moment.now)
        and not exists (select from billing.feature_grant_end as ended where ended.grant_id = given.id and ended.ended_at <= moment.now)),
    'windows', (
      select coalesce(json_agg(json_build_object('meter', meter, 'subject', subject, 'lengthMs', length_ms, 'openedAt', opened_at)), '[]')
      from billing.opened_window
      where customer_id = of_customer and opened_at + length_ms * interval '1 millisecond' > moment.now),
    -- When something is given that is agreed for later, or ends before it expires.
    'changesAt', (
      select min(at) from (
        select given.effective_at as at from billing.feature_grant as given where given.customer_id = of_customer
        union all
        select ended_at from billing.feature_grant_end join billing.feature_grant as given on given.id = grant_id
        where given.customer_id = of_customer
        union all
        select started_at from billing.subscription where customer_id = of_customer
      ) as change where at > moment.now),
    'hasDunning', exists (
      select from billing.invoice join billing.dunning on invoice_id = invoice.id
      where invoice.customer_id = of_customer and invoice.status in ('open', 'uncollectible')),
    'hasCredit', exists (
      select from billing.credit_grant as credit where credit.customer_id = of_customer
        and not exists (select from billing.credit_grant_end as ended where ended.grant_id = credit.id)))
  from billing.customer
  left join billing.test_clock on test_clock.id = customer.test_clock_id
  cross join lateral (select coalesce(test_clock.current_at, wall) as now) as moment
  where customer.id = of_customer
$$;
revoke execute on function billing.entitlement_facts from public;
grant execute on function billing.entitlement_facts to reckoner_app;
