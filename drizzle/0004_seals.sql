-- Why: whoever owns the database can switch its triggers off. What was sealed, and copied elsewhere, cannot be changed unnoticed.

-- A seal covers every row of the ledger's facts that was recorded by the transactions [from_xid, to_xid). Ranges follow one
-- another without a gap, and each root contains the one before it.
create table ledger.seal (
  number bigint primary key check (number > 0),
  previous bytea not null check (octet_length(previous) = 32),
  from_xid xid8 not null,
  to_xid xid8 not null check (to_xid > from_xid),
  row_count bigint not null check (row_count > 0),
  root bytea not null unique check (octet_length(root) = 32),
  sealed_at timestamptz not null
);
comment on column ledger.seal.previous is 'the root of the seal before; zeros in the first';
call public.make_append_only('ledger.seal');

create index account_recorded_xid on ledger.account (recorded_xid);
create index journal_entry_recorded_xid on ledger.journal_entry (recorded_xid);
create index hold_recorded_xid on ledger.hold (recorded_xid);
create index hold_resolution_recorded_xid on ledger.hold_resolution (recorded_xid);

create view ledger.recorded with (security_invoker = true) as
  select recorded_xid from ledger.account
  union all select recorded_xid from ledger.journal_entry
  union all select recorded_xid from ledger.hold
  union all select recorded_xid from ledger.hold_resolution
  union all select recorded_xid from ledger.accounting_period;
comment on view ledger.recorded is 'The transaction of every fact; lines are recorded with what they belong to.';
--> statement-breakpoint
-- A row's digest is that of its binary form, in which PostgreSQL puts type and length before every value, so that no two rows
-- are written alike. Columns are named: one that is added later changes no old digest. Verification names them once
-- more, src/db/sealed-tables.ts, and hashes outside the database; they must agree.
create function ledger.sealed_rows(from_xid xid8, to_xid xid8) returns table (ordinal int, id bigint, line int, digest bytea)
language sql stable set search_path = pg_catalog, pg_temp set client_encoding = 'UTF8' set enable_hashjoin = off set enable_mergejoin = off as $$
  select 1, id, 0, sha256(record_send(row('account'::text, id, key, code, class, normal, currency, floor, hot, keep_history, customer_id,
    dimensions, opened_at, recorded_xid)))
  from ledger.account where recorded_xid >= from_xid and recorded_xid < to_xid
  union all
  select 2, id, 0, sha256(record_send(row('journal_entry'::text, id, kind, source_key, request_hash, occurred_at, effective_at, recorded_at,
    recorded_xid, actor, cause_type, cause_id, customer_id, currency, reverses, metadata)))
  from ledger.journal_entry where recorded_xid >= from_xid and recorded_xid < to_xid
  union all
  select 3, entry_id, line, sha256(record_send(row('posting'::text, entry_id, line, posting.currency, debit_account, credit_account, amount)))
  from ledger.journal_entry as entry join ledger.posting as posting on entry_id = entry.id
  where recorded_xid >= from_xid and recorded_xid < to_xid
  union all
  select 4, id, 0, sha256(record_send(row('hold'::text, id, source_key, request_hash, customer_id, currency, cause_type, cause_id, actor,
    placed_at, expires_at, recorded_at, recorded_xid)))
  from ledger.hold where recorded_xid >= from_xid and recorded_xid < to_xid
  union all
  select 5, hold_id, line, sha256(record_send(row('hold_line'::text, hold_id, line, account_id, amount, at_most)))
  from ledger.hold join ledger.hold_line on hold_id = hold.id
  where recorded_xid >= from_xid and recorded_xid < to_xid
  union all
  select 6, hold_id, 0, sha256(record_send(row('hold_resolution'::text, hold_id, outcome, entry_key, actor, resolved_at, recorded_at,
    recorded_xid)))
  from ledger.hold_resolution where recorded_xid >= from_xid and recorded_xid < to_xid
  union all
  select 7, month - date '2000-01-01', 0, sha256(record_send(row('accounting_period'::text, month, closed_at, closed_by, recorded_xid)))
  from ledger.accounting_period where recorded_xid >= from_xid and recorded_xid < to_xid
$$;
--> statement-breakpoint
-- Where a seal ends that begins at this transaction: before the first one that may still be running, or earlier, so that
-- it covers at most so many facts. What a transaction has recorded stays together.
create function ledger.seal_end(from_xid xid8, horizon xid8, facts_max int) returns xid8 language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  cut xid8;
begin
  select recorded_xid into cut from ledger.recorded where recorded_xid >= from_xid order by recorded_xid offset facts_max limit 1;
  if not exists (select from ledger.recorded where recorded_xid >= from_xid and recorded_xid < cut) then
    select recorded_xid into cut from ledger.recorded where recorded_xid > cut order by recorded_xid limit 1;
  end if;
  return least(cut, horizon);
end
$$;

create function ledger.seal_closed_range(facts_max int) returns setof ledger.seal
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  last ledger.seal;
  next ledger.seal;
  digests bytea;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the ledger is sealed in read committed, not in %', current_setting('transaction_isolation') using errcode = 'RK003';
  end if;
  perform pg_advisory_xact_lock(hashtext('ledger.seal'));
  select * into last from ledger.seal order by number desc limit 1;
  next.number := coalesce(last.number, 0) + 1;
  next.previous := coalesce(last.root, decode(repeat('00', 32), 'hex'));
  next.from_xid := coalesce(last.to_xid, '0');
  -- Every transaction before this has ended, so nothing can appear in the range any more: no late committer is skipped.
  next.to_xid := pg_snapshot_xmin(pg_current_snapshot());
  if next.to_xid < next.from_xid then
    raise exception 'transactions are counted from % again, and seals go up to %: this database was restored without its transaction ids',
      next.to_xid, next.from_xid using errcode = 'RK005';
  end if;
  next.to_xid := ledger.seal_end(next.from_xid, next.to_xid, facts_max);
  next.sealed_at := clock_timestamp();

  select count(*), string_agg(digest, '' order by ordinal, id, line) into next.row_count, digests
  from ledger.sealed_rows(next.from_xid, next.to_xid);
  if next.row_count = 0 then
    return;
  end if;
  next.root := sha256(convert_to(concat_ws('/', next.number, encode(next.previous, 'hex'), next.from_xid, next.to_xid, next.row_count,
    extract(epoch from next.sealed_at)), 'UTF8') || digests);
  insert into ledger.seal select next.*;
  return next next;
end
$$;
comment on function ledger.seal_closed_range is 'Seals what was recorded since the last seal and can no longer grow, at most about so many facts, lines not counted; no row when there is nothing.';

revoke execute on function ledger.sealed_rows, ledger.seal_end, ledger.seal_closed_range from public;
grant execute on function ledger.seal_closed_range to reckoner_app;
grant select on ledger.seal to reckoner_app;
