-- Why: people sign in and have sessions, customers get tokens for their own pages, and every change by anybody leaves who, what, why, before and after.

-- Somebody who signs in. What they may do is what their provider said of them when they last did.
create table access.person (
  id text primary key,
  -- The provider's address, and its name for the person; the issuer `local` is this deployment itself.
  issuer text not null check (issuer <> ''),
  subject text not null check (subject <> ''),
  name text not null check (name <> ''),
  email text check (email <> ''),
  roles text[] not null check (roles <@ array['viewer', 'support', 'finance', 'product', 'operator', 'admin']),
  created_at timestamptz not null,
  signed_in_at timestamptz not null,
  unique (issuer, subject)
);
create index person_newest_first on access.person (created_at desc, id desc);
call public.make_fixed_but('access.person', 'name', 'email', 'roles', 'signed_in_at');

create table access.session (
  id text primary key,
  person_id text not null references access.person (id),
  -- SHA-256 of what the cookie holds, which is kept nowhere.
  secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
  created_at timestamptz not null,
  -- About when it was last used, to a minute: a session that rests for too long has ended.
  used_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at),
  ended_at timestamptz
);
create index session_of_person on access.session (person_id, created_at desc);

-- For a customer's own pages: it opens what is theirs, and nothing else.
create table access.portal_token (
  id text primary key,
  customer_id text not null references billing.customer (id),
  secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
  created_by text not null check (created_by <> ''),
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at),
  revoked_at timestamptz
);
create index portal_token_of_customer on access.portal_token (customer_id, created_at desc);

-- What has ended stays so.
create function access.guard_end() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  ended constant timestamptz := (to_jsonb(old) ->> tg_argv[0])::timestamptz;
begin
  if ended is not null and (to_jsonb(new) ->> tg_argv[0])::timestamptz is distinct from ended then
    raise exception '%.% % has ended', tg_table_schema, tg_table_name, old.id using errcode = 'RK001';
  end if;
  return new;
end
$$;
create trigger end_is_final before update on access.session for each row execute function access.guard_end('ended_at');
create trigger end_is_final before update on access.portal_token for each row execute function access.guard_end('revoked_at');
call public.make_fixed_but('access.session', 'used_at', 'ended_at');
call public.make_fixed_but('access.portal_token', 'revoked_at');
--> statement-breakpoint

-- One row for each request that changed something.
create table access.audit_event (
  id text primary key,
  at timestamptz not null,
  -- `api-key/{id}`, `person/{id}` or `portal/{id}`.
  actor text not null check (actor <> ''),
  -- By which roles or scopes it was let in.
  rights text[] not null,
  -- Method and route, the resource and verb of the matrix, and the path that was asked for.
  operation text not null check (operation <> ''),
  resource text not null check (resource <> ''),
  verb text not null check (verb <> ''),
  path text not null check (path <> ''),
  -- Whom it is about, where it is about one customer.
  customer_id text,
  reason text check (reason <> ''),
  -- What was asked for, without secrets.
  input jsonb,
  -- What was answered, where a workflow made the change and the rows are its own.
  answer jsonb,
  request_id text not null check (request_id <> ''),
  recorded_at timestamptz not null default clock_timestamp()
);
create index audit_event_newest_first on access.audit_event (at desc, id desc);
create index audit_event_of_actor on access.audit_event (actor, at desc, id desc);
create index audit_event_of_customer on access.audit_event (customer_id, at desc, id desc) where customer_id is not null;
create index audit_event_of_resource on access.audit_event (resource, at desc, id desc);
call public.make_append_only('access.audit_event');

-- What it changed: each row that a transaction of the request wrote, in that transaction's commit.
create table access.audit_change (
  audit_event_id text not null references access.audit_event (id),
  position bigint generated always as identity,
  relation text not null check (relation <> ''),
  before jsonb,
  after jsonb,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (audit_event_id, position),
  check (before is distinct from after)
);
call public.make_append_only('access.audit_change');
grant select on access.audit_event, access.audit_change to reckoner_app;
--> statement-breakpoint

-- Writes the row of a request, the first time; `said` is what the API knows of it.
create function access.record_audit(said jsonb, customer text default null, answered jsonb default null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into access.audit_event (id, at, actor, rights, operation, resource, verb, path, customer_id, reason, input, answer, request_id)
  select said ->> 'id', (said ->> 'at')::timestamptz, said ->> 'actor',
    array(select jsonb_array_elements_text(said -> 'rights')), said ->> 'operation', said ->> 'resource', said ->> 'verb',
    said ->> 'path', coalesce(said ->> 'customer', customer), said ->> 'reason', said -> 'input', answered, said ->> 'request'
  on conflict (id) do nothing
$$;
--> statement-breakpoint

-- In transactions that say for which request they are. What is secret, sealed or not, stays out of the trail.
create function access.audit_row() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  said constant jsonb := current_setting('reckoner.audit')::jsonb;
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  secret text;
begin
  foreach secret in array array['secret_hash', 'secret', 'sealed', 'sealed_secret'] loop
    was := was - secret;
    is_now := is_now - secret;
  end loop;
  if was is not distinct from is_now then
    return null;
  end if;
  perform access.record_audit(said, coalesce(is_now, was) ->> 'customer_id');
  insert into access.audit_change (audit_event_id, relation, before, after)
  values (said ->> 'id', tg_table_schema || '.' || tg_table_name, was, is_now);
  return null;
end
$$;
revoke execute on function access.record_audit, access.audit_row from public;
grant execute on function access.record_audit to reckoner_app;
--> statement-breakpoint

create procedure public.audit_changes(target regclass) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format($trigger$create trigger audited after insert or update or delete on %s for each row
    when (current_setting('reckoner.audit', true) <> '') execute function access.audit_row()$trigger$, target);
end
$$;
--> statement-breakpoint

-- All that people and programs settle. Not what follows from it in numbers: lines, ratings, draws, reservations, counters.
do $$
declare
  target regclass;
begin
  for target in
    select relation.oid::regclass from pg_class as relation join pg_namespace as schema on schema.oid = relnamespace
    where relkind in ('r', 'p') and not relispartition
      and (nspname in ('catalog', 'billing', 'access', 'notice')
        or (nspname, relname) in (('usage', 'correction'), ('usage', 'correction_decision'), ('usage', 'backfill'),
          ('usage', 'backfill_closing'), ('usage', 'meter_backfill'), ('usage', 'meter_backfill_end'),
          ('ledger', 'accounting_period'), ('stripe', 'webhook_inbox')))
      and (nspname, relname) not in (
        ('access', 'audit_event'), ('access', 'audit_change'), ('access', 'idempotency_key'), ('access', 'session'),
        ('access', 'operation_target'), ('access', 'operation_outcome'), ('notice', 'delivery'), ('notice', 'delivery_attempt'),
        ('billing', 'invoice_line'), ('billing', 'invoice_part'), ('billing', 'rating_run'), ('billing', 'rated_usage'),
        ('billing', 'rated_adjustment'), ('billing', 'credit_draw'), ('billing', 'credit_return'), ('billing', 'reservation'),
        ('billing', 'reservation_extension'), ('billing', 'reservation_expiry'), ('billing', 'open_reservation'),
        ('billing', 'receipt'), ('billing', 'opened_window'), ('billing', 'spending_counter'),
        ('billing', 'entitlement_revision'), ('billing', 'number_series'), ('billing', 'late_usage_watch'))
    order by 1
  loop
    call public.audit_changes(target);
  end loop;
end
$$;
