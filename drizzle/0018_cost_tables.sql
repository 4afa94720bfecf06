-- Why: what a provider charges us changes in time, and usage that is sold at cost is priced by what it cost when it was used.
-- And the features that plans may give, which plans refer to.

create table catalog.cost_table (
  key text not null,
  effective_at timestamptz not null,
  name text not null,
  currency text not null,
  dimensions jsonb not null check (jsonb_typeof(dimensions) = 'array'),
  rows jsonb not null check (jsonb_typeof(rows) = 'array'),
  created_at timestamptz not null default clock_timestamp(),
  primary key (key, effective_at)
);
call public.make_append_only('catalog.cost_table');

create table catalog.feature (
  key text not null,
  version int not null check (version > 0),
  definition jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (key, version)
);
call public.make_append_only('catalog.feature');
grant select, insert on catalog.cost_table, catalog.feature to reckoner_app;
