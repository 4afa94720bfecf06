-- Why: tax is reckoned by somebody outside, for lines that are told by a quote: what was given is kept, and an invoice that wants it is not issued without.

-- ── who reckons a customer's tax: the last row in force does ──────────────────────────────────────────────────
create table billing.tax_choice (
  customer_id text not null references billing.customer (id),
  request_id text not null,
  number bigint generated always as identity unique,
  -- Null: what the seller says for all.
  handling text check (handling in ('none', 'external')),
  basis text not null check (basis in ('before_credits', 'after_credits')),
  -- For invoices that are issued from then on.
  applies_at timestamptz not null,
  reason text check (reason <> ''),
  chosen_by text not null check (chosen_by <> ''),
  chosen_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (customer_id, request_id),
  check (applies_at >= chosen_at)
);
create index tax_choice_newest on billing.tax_choice (customer_id, number desc);
call public.make_append_only('billing.tax_choice');
--> statement-breakpoint

-- ── tax as it was given, for the lines that a quote names: the last row of a quote counts ─────────────────────
create function billing.sum_of_tax(lines jsonb) returns numeric language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum((line ->> 'amountMinor')::numeric), 0) from jsonb_array_elements(lines) as line
$$;
revoke execute on function billing.sum_of_tax from public;
grant execute on function billing.sum_of_tax to reckoner_app;

create table billing.tax_given (
  id text primary key,
  number bigint generated always as identity unique,
  customer_id text not null references billing.customer (id),
  quote text not null check (quote ~ '^[0-9a-f]{24}$'),
  currency text not null,
  -- [{ description, jurisdiction, rate, taxableMinor, amountMinor, lines }]; none: there is no tax on it.
  lines jsonb not null check (jsonb_typeof(lines) = 'array'),
  tax_minor bigint not null check (tax_minor = billing.sum_of_tax(lines)),
  given_by text not null check (given_by <> ''),
  given_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index tax_given_of_quote on billing.tax_given (customer_id, quote, number desc);
call public.make_append_only('billing.tax_given');

-- Which tax an invoice was issued with, also where that was none; of others nobody reckons tax.
create table billing.invoice_tax (
  invoice_id text primary key references billing.invoice (id),
  given_id text not null references billing.tax_given (id),
  basis text not null check (basis in ('before_credits', 'after_credits'))
);
create index invoice_tax_given on billing.invoice_tax (given_id);
call public.make_append_only('billing.invoice_tax');
grant select, insert on billing.tax_choice, billing.tax_given, billing.invoice_tax to reckoner_app;
--> statement-breakpoint

-- ── drafts that are finalised before their time ───────────────────────────────────────────────────────────────
-- Written before a run is told of it, which is told the request's id alone; it may be refused.
create table billing.finalise_request (
  subscription_id text not null references billing.subscription (id),
  period_start timestamptz not null,
  request_id text not null,
  reason text check (reason <> ''),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (subscription_id, period_start, request_id)
);
call public.make_append_only('billing.finalise_request');
grant select, insert on billing.finalise_request to reckoner_app;
--> statement-breakpoint

-- What the close of a period that has ended waits for. It is closed all the same, once, whoever comes first.
alter table billing.subscription add column close_waits_for text check (close_waits_for in ('usage', 'tax'));
drop trigger all_else_is_fixed on billing.subscription;
drop trigger rows_are_kept on billing.subscription;
drop trigger table_is_kept on billing.subscription;
call public.make_fixed_but('billing.subscription', 'status', 'billed_through', 'next_close_at', 'cancel_at', 'canceled_at', 'anchors', 'close_waits_for');
create index subscription_waits_to_close on billing.subscription (id) where close_waits_for is not null;
