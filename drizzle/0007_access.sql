-- Why: who may call the API and with which rights, and what was already answered to a repeated request.
create table access.api_key (
  id text primary key,
  -- The first characters of the secret: enough to recognise a key in a list, and to find its row.
  prefix text not null,
  -- SHA-256 of the secret, which is kept nowhere: at 256 random bits a slow hash would buy nothing.
  secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
  name text not null,
  -- A verb for everything, or RESOURCE:VERB for one resource.
  scopes text[] not null check (cardinality(scopes) > 0
    and array_to_string(scopes, ' ', '?') ~ '^(([a-z]+(-[a-z]+)*:)?(read|write|operate|approve|admin)( |$))+$'),
  created_at timestamptz not null,
  expires_at timestamptz check (expires_at > created_at),
  revoked_at timestamptz,
  -- Who made it; null for the key of the configuration.
  created_by text check (created_by <> ''),
  -- The key that this one takes the place of.
  replaces text references access.api_key (id),
  -- About when it was last let in, to a minute.
  last_used_at timestamptz
);
create index api_key_of_prefix on access.api_key (prefix);
create index api_key_newest_first on access.api_key (created_at desc, id desc);

-- A key can be taken away, never given back: its end only comes nearer.
create function access.guard_api_key() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at then
    raise exception 'API key % is revoked: make a new one', old.id using errcode = 'RK001';
  end if;
  if new.expires_at is null and old.expires_at is not null or new.expires_at > old.expires_at then
    raise exception 'API key % expires when it was said to, or sooner', old.id using errcode = 'RK001';
  end if;
  return new;
end
$$;
create trigger revocation_is_final before update on access.api_key for each row execute function access.guard_api_key();
call public.make_fixed_but('access.api_key', 'revoked_at', 'expires_at', 'last_used_at');
--> statement-breakpoint

-- One row per key a caller chose, kept for ever: a key that is forgotten is a payment made twice.
create table access.idempotency_key (
  -- Whose key it is: `api-key/{id}`, `person/{id}` or `portal/{id}`. Keys of different callers never meet.
  actor text not null check (actor <> ''),
  key text not null,
  -- Method and route, for people; the hash below covers them.
  operation text not null,
  -- SHA-256 over method, path and body: the same key may only ever mean the same request.
  request_hash bytea not null check (octet_length(request_hash) = 32),
  -- Until then one process is working on it; after that it is taken for dead and a repetition may work on it again.
  claimed_until timestamptz not null,
  -- Which claim may write the answer: a process that was taken for dead may not.
  claim int not null default 1,
  -- Null until it is answered.
  status int,
  -- Not jsonb: a repetition gets the answer byte for byte.
  response json,
  created_at timestamptz not null default clock_timestamp(),
  primary key (actor, key),
  check ((status is null) = (response is null))
);

-- What was answered is a fact; a claim that came to nothing may go.
create trigger answer_is_kept before update or delete on access.idempotency_key
  for each row when (old.status is not null) execute function public.refuse_change();
create trigger answers_are_kept before truncate on access.idempotency_key
  for each statement execute function public.refuse_change();
grant select, insert, delete, update (claimed_until, claim, status, response) on access.idempotency_key to reckoner_app;
