-- Why: what was let through where the product runs, while Reckoner could not be heard there, is told afterwards and kept beside the usage that it became.

-- One time during which one process heard nothing about a customer.
create table billing.edge_cut_off (
  -- Made by the process, and written on the usage events that it let through ("let_through").
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
  customer_id text not null references billing.customer (id),
  began_at timestamptz not null,
  ended_at timestamptz not null check (ended_at >= began_at),
  -- Of the snapshot that was held; null where there was none.
  held_position numeric check (held_position >= 0),
  reported_by text not null check (reported_by <> ''),
  reported_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index edge_cut_off_of_customer on billing.edge_cut_off (customer_id, reported_at desc, id desc);
call public.make_append_only('billing.edge_cut_off');

create table billing.edge_cut_off_feature (
  cut_off_id text not null references billing.edge_cut_off (id),
  feature text not null check (feature <> ''),
  policy text not null check (policy in ('allowed', 'denied', 'allowed_up_to', 'unknown')),
  -- Requests that were let through, what they asked for in the meter's unit, and those that were not.
  allowed bigint not null check (allowed >= 0),
  quantity numeric not null check (quantity >= 0),
  denied bigint not null check (denied >= 0),
  primary key (cut_off_id, feature)
);
call public.make_append_only('billing.edge_cut_off_feature');
grant select, insert on billing.edge_cut_off, billing.edge_cut_off_feature to reckoner_app;
