-- Why: the only way to write the ledger. A batch of entries in one statement, each with an outcome of its own.

create type ledger.entry_draft as (
  ordinal int, source_key text, kind text, occurred_at timestamptz, effective_at timestamptz, actor text, cause_type text, cause_id text,
  customer_id text, currency text, reverses bigint, metadata jsonb, request_hash bytea
);
create type ledger.posting_draft as (ordinal int, line int, debit_key text, credit_key text, amount numeric);
create type ledger.posting_result as (ordinal int, status text, entry_id bigint);

-- What an account would be when opened from its key; no row when the chart has no such account or the spelling is not canonical.
create function ledger.account_from_key(key text)
returns table (
  code text, class text, normal smallint, currency text, floor numeric, hot boolean, keep_history boolean, customer_id text, dimensions jsonb
)
language sql stable as $$
  select chart.code, chart.class, chart.normal, named.currency, case when chart.bounded then 0 end, chart.hot, chart.keep_history,
    named.dimensions ->> 'customer', named.dimensions
  from (
    select split_part(key, '/', 1) as code, split_part(key, '/', 2) as currency, coalesce((
      select jsonb_object_agg(split_part(part, '=', 1),
        replace(replace(replace(split_part(part, '=', 2), '%3D', '='), '%2F', '/'), '%25', '%'))
      from unnest((string_to_array(key, '/'))[3:]) as part), '{}') as dimensions
  ) as named
  join ledger.chart_account as chart on chart.code = named.code
  where named.currency ~ '^[a-z]{3}$'
    and chart.dimensions = array(select name from jsonb_object_keys(named.dimensions) as name order by name collate "C")
    and key = ledger.account_key(named.code, named.currency, named.dimensions)
    and key !~ '=(/|$)'
$$;

-- Entries that are in the ledger already: by source key, by business event, or because what they reverse has been reversed.
create function ledger.recorded_drafts(drafts ledger.entry_draft[]) returns setof ledger.posting_result language plpgsql volatile set search_path = '' as $$
begin
  return query
  select draft.ordinal, case when found.request_hash = draft.request_hash then 'exists' else 'exists_different' end, found.id
  from unnest(drafts) as draft
  cross join lateral (
    select id, request_hash from (
      select 1 as choice, id, request_hash from ledger.journal_entry where source_key = draft.source_key
      union all select 2, id, request_hash from ledger.journal_entry
        where cause_type = draft.cause_type and cause_id = draft.cause_id and kind = draft.kind
      union all select 3, id, request_hash from ledger.journal_entry where reverses = draft.reverses
    ) as candidate order by choice limit 1
  ) as found;
end
$$;

-- What would become of each draft now. Besides the final statuses: "admitted" may be posted together with all the other admitted ones;
-- "contested" depends on the drafts before it (too little in an account for all, or a twin in the same batch) and is judged again alone.
create function ledger.judge_drafts(drafts ledger.entry_draft[], lines ledger.posting_draft[])
returns setof ledger.posting_result language plpgsql volatile set search_path = '' as $$
begin
  return query
  with draft as (
    select * from unnest(drafts)
  ), recorded as (
    select * from ledger.recorded_drafts(drafts)
  ), move as (
    select ordinal, key, sum(debit) - sum(credit) as net_debit
    from (
      select ordinal, debit_key as key, amount as debit, 0 as credit from unnest(lines)
      union all select ordinal, credit_key, 0, amount from unnest(lines)
    ) as side group by ordinal, key
  ), subject as (
    select account.key, account.currency, account.normal, account.floor, balance.debit, balance.credit
    from ledger.account as account join ledger.account_balance as balance on balance.account_id = account.id
    where account.key in (select key from move)
    union all
    select wanted.key, opened.currency, opened.normal, opened.floor, 0, 0
    from (select distinct key from move) as wanted
    left join ledger.account as account on account.key = wanted.key
    cross join lateral ledger.account_from_key(wanted.key) as opened
    where account.id is null
  ), refused as (
    select draft.ordinal, 'period_closed' as status from draft
    join ledger.accounting_period as period on period.month = ledger.month_of(draft.effective_at)
    union all
    select move.ordinal, 'account_missing' from move join draft on draft.ordinal = move.ordinal
    left join subject on subject.key = move.key and subject.currency = draft.currency
    where subject.key is null
  ), open as (
    select ordinal,
      count(*) over (partition by source_key) > 1
        or count(*) over (partition by cause_type, cause_id, kind) > 1
        or (reverses is not null and count(*) over (partition by reverses) > 1) as has_twin
    from draft where ordinal not in (select ordinal from recorded union all select ordinal from refused)
  ), short as (
    -- Inflows of the batch are ignored: what fits without them fits in any order.
    select move.key from move join open on open.ordinal = move.ordinal join subject on subject.key = move.key
    where subject.floor is not null
    group by move.key
    having min(subject.normal * (subject.debit - subject.credit) - subject.floor) < sum(greatest(0, -subject.normal * move.net_debit))
  )
  select ordinal, status, entry_id from recorded
  union all
  select ordinal, max(status), null from refused where ordinal not in (select ordinal from recorded) group by ordinal
  union all
  select ordinal, case
    when has_twin or exists (select from move join short on short.key = move.key where move.ordinal = open.ordinal) then 'contested'
    else 'admitted' end, null
  from open;
end
$$;

-- Writes admitted drafts: their accounts, their entries in key order, their postings. A key that another transaction
-- has recorded meanwhile is left alone.
create function ledger.record_drafts(drafts ledger.entry_draft[], lines ledger.posting_draft[])
returns setof ledger.posting_result language plpgsql volatile set search_path = '' as $$
declare
  created ledger.posting_result[];
begin
  insert into ledger.account (key, code, class, normal, currency, floor, hot, keep_history, customer_id, dimensions)
  select wanted.key, opened.*
  from (select debit_key as key from unnest(lines) union select credit_key from unnest(lines)) as wanted
  left join ledger.account as account on account.key = wanted.key
  cross join lateral (
    select code, class, normal, currency, floor, hot, keep_history, customer_id, dimensions from ledger.account_from_key(wanted.key)
  ) as opened
  where account.id is null
  order by wanted.key
  on conflict (key) do nothing;

  -- In key order, so that two batches with common keys wait for each other in one direction only.
  with inserted as (
    insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id,
      customer_id, currency, reverses, metadata)
    select kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, customer_id, currency, reverses, metadata
    from unnest(drafts) order by source_key
    on conflict do nothing
    returning id, source_key
  )
  select coalesce(array_agg(row(draft.ordinal, 'created', inserted.id)::ledger.posting_result), '{}') into created
  from inserted join unnest(drafts) as draft on draft.source_key = inserted.source_key;

  insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
  select entry.entry_id, posted.line, debited.currency, debited.id, credited.id, posted.amount
  from unnest(created) as entry
  join unnest(lines) as posted on posted.ordinal = entry.ordinal
  join ledger.account as debited on debited.key = posted.debit_key
  join ledger.account as credited on credited.key = posted.credit_key
  order by entry.entry_id, posted.line;

  return query
    select * from unnest(created)
    union all
    select * from ledger.recorded_drafts(array(
      select draft from unnest(drafts) as draft where draft.ordinal not in (select ordinal from unnest(created))));
end
$$;

-- The hash leaves out the key and the actor: the same content under another key, from someone else, is the same request.
create function ledger.drafts_of(entries jsonb) returns ledger.entry_draft[] language sql stable set search_path = '' as $$
  select array_agg(row(number, source_key, kind, occurred_at, effective_at, actor, cause_type, cause_id, customer_id, currency, reverses,
    coalesce(metadata, '{}'), sha256(convert_to((entry - '{source_key,actor}'::text[])::text, 'UTF8')))::ledger.entry_draft)
  from rows from (jsonb_array_elements(entries), jsonb_to_recordset(entries) as (
    source_key text, kind text, occurred_at timestamptz, effective_at timestamptz, actor text, cause_type text, cause_id text,
    customer_id text, currency text, reverses bigint, metadata jsonb
  )) with ordinality as item (entry, source_key, kind, occurred_at, effective_at, actor, cause_type, cause_id, customer_id, currency,
    reverses, metadata, number)
$$;

create function ledger.lines_of(entries jsonb) returns ledger.posting_draft[] language sql stable set search_path = '' as $$
  select array_agg(row(item.number, line.number, debit, credit, amount)::ledger.posting_draft)
  from jsonb_array_elements(entries) with ordinality as item (entry, number)
  cross join rows from (jsonb_to_recordset(entry -> 'postings') as (debit text, credit text, amount numeric))
    with ordinality as line (debit, credit, amount, number)
$$;

create function ledger.require_sound(drafts ledger.entry_draft[], lines ledger.posting_draft[]) returns void language plpgsql set search_path = '' as $$
begin
  if exists (select from unnest(drafts) where ordinal not in (select ordinal from unnest(lines)))
    or exists (
      select from unnest(lines)
      where (amount > 0 and amount < 'Infinity' and amount = trunc(amount) and debit_key <> credit_key) is not true)
  then
    raise exception 'each entry needs postings, each from one account to another, of a positive whole amount' using errcode = 'RK002';
  end if;
end
$$;

-- In the order of apply_postings; everything that is judged afterwards stays true until the end of the transaction.
create function ledger.lock_balances(lines ledger.posting_draft[]) returns void language plpgsql set search_path = '' as $$
begin
  perform from ledger.account_balance as balance join ledger.account as account on account.id = balance.account_id
  where not account.hot and account.key in (select debit_key from unnest(lines) union all select credit_key from unnest(lines))
  order by balance.account_id for update of balance;
end
$$;

create function ledger.post_entries(entries jsonb) returns table (ordinal int, status text, entry_id bigint)
language plpgsql security definer set search_path = '' set plan_cache_mode = 'force_generic_plan' as $$
#variable_conflict use_column
declare
  drafts constant ledger.entry_draft[] := ledger.drafts_of(entries);
  lines constant ledger.posting_draft[] := ledger.lines_of(entries);
  judged ledger.posting_result[];
  single ledger.posting_result;
  single_draft ledger.entry_draft[];
  single_lines ledger.posting_draft[];
begin
  -- A plan that is kept posts one entry fastest; its nested loops would cost a large batch seconds.
  if cardinality(drafts) > 20 then
    perform set_config('plan_cache_mode', 'force_custom_plan', true);
  end if;
  perform ledger.require_sound(drafts, lines);
  perform ledger.share_months(array(select ledger.month_of(effective_at) from unnest(drafts)));
  perform ledger.lock_balances(lines);

  judged := array(select result from ledger.judge_drafts(drafts, lines) as result);
  return query select * from unnest(judged) where status not in ('admitted', 'contested');
  return query select * from ledger.record_drafts(
    array(select draft from unnest(drafts) as draft join unnest(judged) using (ordinal) where status = 'admitted'),
    array(select posted from unnest(lines) as posted join unnest(judged) using (ordinal) where status = 'admitted'));

  for single in select * from unnest(judged) where status = 'contested' order by ordinal loop
    single_draft := array(select draft from unnest(drafts) as draft where draft.ordinal = single.ordinal);
    single_lines := array(select posted from unnest(lines) as posted where posted.ordinal = single.ordinal);
    select * into single from ledger.judge_drafts(single_draft, single_lines);
    if single.status = 'admitted' then
      return query select * from ledger.record_drafts(single_draft, single_lines);
    else
      -- Contested by nothing but itself: the money is not there.
      return query select single.ordinal, replace(single.status, 'contested', 'insufficient'), single.entry_id;
    end if;
  end loop;
end
$$;
comment on function ledger.post_entries is 'Posts a batch in the caller''s transaction. Each entry is posted whole or not at all; ordinal counts from 1. Statuses: created, exists, exists_different, insufficient, account_missing, period_closed.';
--> statement-breakpoint
revoke execute on all functions in schema ledger from public;
grant execute on function ledger.post_entries to reckoner_app;
