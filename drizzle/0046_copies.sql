-- Why: what is decided here of an invoice that Stripe has a copy of is said there too.

-- ── what Stripe's copy of an invoice has still to be told ─────────────────────────────────────────────────────
create table stripe.copy_change (
  credit_note_id text primary key references billing.credit_note (id),
  invoice_id text not null references billing.invoice (id),
  -- What was due before the note and after it; and what it gives back of what was paid. Whole minor units of ours.
  due_before_minor bigint not null,
  due_after_minor bigint not null check (due_after_minor between 0 and due_before_minor),
  given_back_minor bigint not null check (given_back_minor >= 0),
  recorded_at timestamptz not null default clock_timestamp(),
  -- refused: Stripe will never take it, and a person has to look.
  state text not null default 'waiting' check (state in ('waiting', 'done', 'refused')),
  -- Null also where nothing had to be told: Stripe counts in larger units than we do.
  stripe_credit_note_id text unique,
  problem text check (problem <> ''),
  changed_at timestamptz not null default clock_timestamp(),
  check (due_before_minor > due_after_minor or given_back_minor > 0),
  check ((state = 'refused') = (problem is not null)),
  check (state = 'done' or stripe_credit_note_id is null)
);
create index copy_change_waiting on stripe.copy_change (recorded_at) where state = 'waiting';
create index copy_change_of_invoice on stripe.copy_change (invoice_id, recorded_at);
call public.make_fixed_but('stripe.copy_change', 'state', 'stripe_credit_note_id', 'problem', 'changed_at');

create function stripe.guard_copy_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the copy of invoice % was told of credit note % already', old.invoice_id, old.credit_note_id using errcode = 'RK001';
end
$$;
create trigger telling_is_final before update on stripe.copy_change
  for each row when (old.state = 'done') execute function stripe.guard_copy_change();
