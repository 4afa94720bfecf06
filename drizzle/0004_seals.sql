-- Why: whoever owns the database can switch its triggers off. What was sealed, and copied elsewhere, cannot be changed unnoticed.

-- A seal covers every entry recorded by the transactions [from_xid, to_xid), with its postings. Ranges follow one another
-- without a gap, and each root contains the one before it.
create table ledger.seal (
  number bigint primary key check (number > 0),
  previous bytea not null check (octet_length(previous) = 32),
  from_xid xid8 not null,
  to_xid xid8 not null check (to_xid > from_xid),
  entry_count bigint not null check (entry_count > 0),
  posting_count bigint not null check (posting_count >= 0),
  root bytea not null unique check (octet_length(root) = 32),
  sealed_at timestamptz not null
);
comment on column ledger.seal.previous is 'the root of the seal before; zeros in the first';
call public.make_append_only('ledger.seal');

create index journal_entry_recorded_xid on ledger.journal_entry (recorded_xid);
--> statement-breakpoint
-- The canonical encoding: each value with its length in bytes before it, "-" for none, so that no two lists of values
-- are written alike. Verification has an implementation of its own, src/db/seal-encoding.ts; they must agree.
create function ledger.seal_text(variadic fields text[]) returns text language sql immutable set search_path = pg_catalog, pg_temp as $$
  select string_agg(coalesce(octet_length(value) || ':' || value, '-'), '' order by number)
  from unnest(fields) with ordinality as field (value, number)
$$;

create function ledger.seal_time(at timestamptz) returns text language sql immutable set search_path = pg_catalog, pg_temp as $$
  select (extract(epoch from at) * 1000000)::bigint::text
$$;
comment on function ledger.seal_time is 'microseconds since 1970: the same text whatever the session''s settings';

-- Accounts are written by their keys: an account that was given another meaning changes every entry it is in.
create function ledger.entry_digest(entry ledger.journal_entry) returns bytea language sql stable set search_path = pg_catalog, pg_temp as $$
  select sha256(convert_to(
    ledger.seal_text(entry.id::text, entry.kind, entry.source_key, encode(entry.request_hash, 'hex'),
      ledger.seal_time(entry.occurred_at), ledger.seal_time(entry.effective_at), ledger.seal_time(entry.recorded_at),
      entry.recorded_xid::text, entry.actor, entry.cause_type, entry.cause_id, entry.customer_id, entry.currency,
      entry.reverses::text, entry.metadata::text)
    || coalesce((
      select string_agg(
        ledger.seal_text(posting.line::text, posting.currency, debited.key, credited.key, posting.amount::text), '' order by posting.line)
      from ledger.posting as posting
      left join ledger.account as debited on debited.id = posting.debit_account
      left join ledger.account as credited on credited.id = posting.credit_account
      where posting.entry_id = entry.id), ''), 'UTF8'))
$$;
--> statement-breakpoint
-- Where a seal ends that begins at this transaction: before the first one that may still be running, or earlier, so that
-- it covers at most so many entries. A transaction's entries stay together.
create function ledger.seal_end(from_xid xid8, horizon xid8, entries_max int) returns xid8 language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  cut xid8;
begin
  select recorded_xid into cut from ledger.journal_entry
    where recorded_xid >= from_xid order by recorded_xid offset entries_max limit 1;
  if not exists (select from ledger.journal_entry where recorded_xid >= from_xid and recorded_xid < cut) then
    select recorded_xid into cut from ledger.journal_entry where recorded_xid > cut order by recorded_xid limit 1;
  end if;
  return least(cut, horizon);
end
$$;

create function ledger.seal_closed_range(entries_max int) returns setof ledger.seal
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
  next.to_xid := ledger.seal_end(next.from_xid, next.to_xid, entries_max);
  next.sealed_at := clock_timestamp();

  select count(*), sum((select count(*) from ledger.posting where entry_id = entry.id)), string_agg(ledger.entry_digest(entry), '' order by id)
  into next.entry_count, next.posting_count, digests
  from ledger.journal_entry as entry where recorded_xid >= next.from_xid and recorded_xid < next.to_xid;
  if next.entry_count = 0 then
    return;
  end if;
  next.root := sha256(convert_to(
    ledger.seal_text(next.number::text, encode(next.previous, 'hex'), next.from_xid::text, next.to_xid::text,
      next.entry_count::text, next.posting_count::text, ledger.seal_time(next.sealed_at)), 'UTF8') || digests);
  insert into ledger.seal select next.*;
  return next next;
end
$$;
comment on function ledger.seal_closed_range is 'Seals what was recorded since the last seal and can no longer grow, at most about so many entries; no row when there is nothing.';

revoke execute on function ledger.seal_text, ledger.seal_time, ledger.entry_digest, ledger.seal_end, ledger.seal_closed_range from public;
grant execute on function ledger.seal_closed_range to reckoner_app;
grant select on ledger.seal to reckoner_app;
