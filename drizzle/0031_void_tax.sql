-- Why: an invoice that bills anew what a void one billed may want tax that nobody has given: then it is kept for which lines, so that it can be given before voiding is asked for again.

create table billing.void_tax_wanted (
  invoice_id text not null references billing.invoice (id),
  quote text not null check (quote ~ '^[0-9a-f]{24}$'),
  number bigint generated always as identity unique,
  basis text not null check (basis in ('before_credits', 'after_credits')),
  -- All lines of the invoice that would replace it, numbered from 1, each with what is to be taxed of it.
  lines jsonb not null check (jsonb_typeof(lines) = 'array' and lines <> '[]'),
  wanted_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (invoice_id, quote)
);
call public.make_append_only('billing.void_tax_wanted');
grant select, insert on billing.void_tax_wanted to reckoner_app;
