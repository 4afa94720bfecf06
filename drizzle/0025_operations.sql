-- Why: what operators did to running workflows and task queues, who did it and for what reason: written down before anything is done, and never changed.

create table access.operation (
  id text primary key,
  action text not null check (action in ('retry', 'skip', 'reset', 'cancel', 'signal', 'pause_queue', 'unpause_queue')),
  -- What runs are told.
  signal text,
  -- By which they were found; null when they were named.
  query text check (query <> ''),
  reason text not null check (reason <> ''),
  targets int not null check (targets > 0),
  requested_by text not null check (requested_by <> ''),
  requested_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  check ((action = 'signal') = (signal is not null))
);
create index operation_newest_first on access.operation (requested_at desc, id desc);
call public.make_append_only('access.operation');

-- What it is about, settled before it begins: the runs that were found then, or a queue.
create table access.operation_target (
  operation_id text not null references access.operation (id),
  position int not null check (position >= 0),
  target text not null check (target <> ''),
  -- Of a run; null of a queue.
  run_id text check (run_id <> ''),
  primary key (operation_id, position),
  unique (operation_id, target)
);
create index operation_of_target on access.operation_target (target, operation_id);
call public.make_append_only('access.operation_target');

-- What became of each; a target without a row here is still to be done.
create table access.operation_outcome (
  operation_id text not null,
  position int not null,
  outcome text not null check (outcome in ('done', 'refused')),
  -- Why it was refused.
  code text check (code <> ''),
  detail text,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (operation_id, position),
  foreign key (operation_id, position) references access.operation_target (operation_id, position),
  check ((outcome = 'refused') = (code is not null))
);
call public.make_append_only('access.operation_outcome');
grant select, insert on access.operation, access.operation_target, access.operation_outcome to reckoner_app;
--> statement-breakpoint

-- An operation and how far it is.
create view access.operation_standing with (security_invoker = true) as
select operation.*, counted.done, counted.refused, operation.targets - counted.done - counted.refused as pending
from access.operation as operation
cross join lateral (
  select count(*) filter (where outcome = 'done')::int as done, count(*) filter (where outcome = 'refused')::int as refused
  from access.operation_outcome where operation_id = operation.id
) as counted;
grant select on access.operation_standing to reckoner_app;
