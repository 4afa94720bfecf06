-- Why: people find a customer by whatever they have in hand, and read how everybody stands, while there are millions of them.

-- Any part of a name or an address is found through its groups of three letters.
create extension if not exists pg_trgm with schema public;
create index customer_text on billing.customer
  using gin (id public.gin_trgm_ops, name public.gin_trgm_ops, email public.gin_trgm_ops);
-- The beginning of a number, whatever the database sorts texts by.
create index invoice_number_begins on billing.invoice (number text_pattern_ops);
create index invoice_open on billing.invoice (issued_at, id) where status = 'open';
create index refund_of_customer on billing.refund (customer_id, requested_at desc, id desc);
create index invoice_dispute_of_customer on billing.invoice_dispute (customer_id, opened_at desc, stripe_dispute_id desc);
--> statement-breakpoint

-- ── cases: what is unlike everything before, until somebody has looked at it ─────────────────────────────────
-- What is looked for, and by what measure.
create table billing.anomaly_rule (
  kind text primary key,
  is_watched boolean not null,
  -- So many spreads from the median are unusual, in tenths.
  tenths_min int not null check (tenths_min > 0),
  history_min int not null check (history_min >= 0),
  amount_min bigint not null check (amount_min >= 0),
  changed_by text not null check (changed_by <> ''),
  changed_at timestamptz not null
);
call public.make_fixed_but('billing.anomaly_rule', 'is_watched', 'tenths_min', 'history_min', 'amount_min', 'changed_by', 'changed_at');
insert into billing.anomaly_rule (kind, is_watched, tenths_min, history_min, amount_min, changed_by, changed_at) values
  ('usage_spike', true, 60, 7, 1000, 'reckoner', '2026-01-01Z'),
  ('invoice_unlike_history', true, 60, 3, 1000, 'reckoner', '2026-01-01Z'),
  ('zero_invoice', true, 1, 2, 0, 'reckoner', '2026-01-01Z'),
  ('negative_line', true, 1, 0, 1, 'reckoner', '2026-01-01Z'),
  ('unusual_credit', true, 60, 10, 1000, 'reckoner', '2026-01-01Z'),
  ('late_usage', true, 1, 0, 1000, 'reckoner', '2026-01-01Z'),
  ('stuck_period', true, 1, 0, 6, 'reckoner', '2026-01-01Z'),
  ('unmatched_stripe', true, 1, 0, 0, 'reckoner', '2026-01-01Z');

create table billing.anomaly (
  id text primary key,
  kind text not null references billing.anomaly_rule (kind),
  -- Made from what it is about: the same is one case, for ever.
  key text not null unique,
  customer_id text references billing.customer (id),
  subject_type text not null check (subject_type <> ''),
  subject_id text not null check (subject_id <> ''),
  -- The figures that it was found by, as they were.
  evidence jsonb not null check (jsonb_typeof(evidence) = 'object'),
  found_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'investigating', 'resolved', 'expected')),
  owner text check (owner <> ''),
  changed_at timestamptz not null
);
create index anomaly_newest_first on billing.anomaly (found_at desc, id desc);
create index anomaly_of_state on billing.anomaly (state, found_at desc, id desc);
create index anomaly_of_customer on billing.anomaly (customer_id, found_at desc, id desc) where customer_id is not null;
call public.make_fixed_but('billing.anomaly', 'state', 'owner', 'changed_at');

-- What was done about a case, and said.
create table billing.anomaly_note (
  id text primary key,
  anomaly_id text not null references billing.anomaly (id),
  note text check (note <> ''),
  state text check (state in ('open', 'investigating', 'resolved', 'expected')),
  owner text check (owner <> ''),
  noted_by text not null check (noted_by <> ''),
  noted_at timestamptz not null,
  check (note is not null or state is not null or owner is not null)
);
create index anomaly_note_of_anomaly on billing.anomaly_note (anomaly_id, noted_at, id);
call public.make_append_only('billing.anomaly_note');
grant select on billing.anomaly_rule to reckoner_app;
grant update (is_watched, tenths_min, history_min, amount_min, changed_by, changed_at) on billing.anomaly_rule to reckoner_app;
grant select, insert on billing.anomaly, billing.anomaly_note to reckoner_app;
grant update (state, owner, changed_at) on billing.anomaly to reckoner_app;

-- Who settled what, in the audit trail.
call public.audit_changes('billing.anomaly');
call public.audit_changes('billing.anomaly_note');
call public.audit_changes('billing.anomaly_rule');
