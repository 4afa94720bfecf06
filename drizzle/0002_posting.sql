-- Why: the only way to write the ledger. A batch of entries in one statement, each posted whole or not at all, each with an
-- outcome of its own.
--
-- Of most batches every entry can be written as it stands. One statement finds that out and writes them; the constraints have
-- the last word. What is left is read in full and judged, entry by entry where one depends on another, without locks, and
-- what was admitted is written. When a constraint objects, because someone else was faster, all of it is undone and judged
-- again with the accounts locked.

create type ledger.entry_draft as (ordinal int, request_hash bytea, claims uuid[], is_late boolean);
-- An account is null while it is not open; an outflow is what the line takes from an account that has a floor.
create type ledger.posting_draft as (
  ordinal int, currency text, amount numeric, debit_key text, debit_account bigint, debit_outflow numeric,
  credit_key text, credit_account bigint, credit_outflow numeric, is_missing boolean
);
create type ledger.posting_result as (ordinal int, status text, entry_id bigint);
-- What was read, and what is to be judged about it at all: most batches have nothing. The status of what is taken is the rank of
-- the claim by which it is.
create type ledger.batch as (
  drafts ledger.entry_draft[], lines ledger.posting_draft[], taken ledger.posting_result[],
  is_sound boolean, has_twins boolean, has_late boolean, has_unopened boolean, has_missing boolean, has_floors boolean
);

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

-- ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────
-- The hash leaves out the key and the actor: the same content under another key, from someone else, is the same request.
create function ledger.request_hash(entry jsonb) returns bytea language sql stable as $$
  select sha256(convert_to((entry - '{source_key,actor}'::text[])::text, 'UTF8'))
$$;

create function ledger.is_entry(entry jsonb) returns boolean language sql immutable as $$
  select (jsonb_array_length(entry -> 'postings') > 0 and coalesce(entry ->> 'when_closed' in ('refuse', 'next_open_month'), true)
    and entry - '{source_key,kind,occurred_at,effective_at,actor,cause_type,cause_id,customer_id,currency,reverses,metadata,when_closed,postings}'::text[] = '{}') is true
$$;

create function ledger.is_posting(posting jsonb, debit text, credit text, amount numeric) returns boolean language sql immutable as $$
  select (amount > 0 and amount < 1e38 and amount = trunc(amount) and debit <> credit and posting - '{debit,credit,amount}'::text[] = '{}') is true
$$;

-- Writes all entries or none, and gives their ids in order; null when there is something to judge about them that was not
-- judged: an account that is not open or of another currency or may run short, a key that is taken, a closed month. Other
-- claims, and what happens meanwhile, are left to the constraints. Of accounts with a floor, what the batch brings is
-- ignored: what fits without it fits in any order.
--
-- A fact of a closed month becomes effective with the first open one, unless it would rather be refused.
--
-- Accounts, keys and balances are looked up one by one: their number says more than any statistics, and few come twice. Fields
-- are taken out by name, which costs half of what jsonb_to_recordset does, and once ("offset 0"). The query asks for the ids of
-- the entries, so these are written before their postings, and claimed before balances are locked, as everywhere.
create function ledger.record_entries(entries jsonb, open_since timestamptz, is_judged boolean) returns bigint[]
language plpgsql volatile set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_memoize = off as $$
declare
  ids bigint[];
begin
  with item as materialized (
    select number, entry, entry ->> 'source_key' as source_key, entry ->> 'kind' as kind,
      (entry ->> 'occurred_at')::timestamptz as occurred_at, (entry ->> 'effective_at')::timestamptz as effective_at,
      coalesce(entry ->> 'when_closed' = 'refuse', false) as refuses_delay, entry ->> 'actor' as actor,
      entry ->> 'cause_type' as cause_type, entry ->> 'cause_id' as cause_id, entry ->> 'customer_id' as customer_id,
      entry ->> 'currency' as currency, (entry ->> 'reverses')::bigint as reverses, nullif(entry -> 'metadata', 'null') as metadata
    from jsonb_array_elements(entries) with ordinality as item (entry, number)
  ), line as materialized (
    select number, line, posted.currency, amount, debited.id as debit_account, credited.id as credit_account,
      case when debited.floor is not null then -debited.normal * amount end as debit_outflow,
      case when credited.floor is not null then credited.normal * amount end as credit_outflow,
      (debited.currency = posted.currency and credited.currency = posted.currency) is true
        and ledger.is_posting(posting, debit, credit, amount) as is_usual
    from (
      select number, currency, jsonb_array_elements(entry -> 'postings') as posting,
        generate_series(1, jsonb_array_length(entry -> 'postings')) as line
      from item
    ) as posted
    cross join lateral (
      select posting ->> 'debit' as debit, posting ->> 'credit' as credit, (posting ->> 'amount')::numeric as amount offset 0
    ) as field
    left join ledger.account as debited on debited.key = debit
    left join ledger.account as credited on credited.key = credit
  ), short as (
    select from (
      select debit_account as account, debit_outflow as outflow from line where debit_outflow > 0
      union all select credit_account, credit_outflow from line where credit_outflow > 0
    ) as taken
    group by account
    having sum(outflow) > coalesce((select normal * (debit - credit) - held - floor from ledger.account_balance where account_id = account), 0)
  ), entered as (
    insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, customer_id,
      currency, reverses, metadata)
    select kind, source_key, ledger.request_hash(entry), occurred_at,
      case when refuses_delay then effective_at else greatest(effective_at, open_since) end,
      actor, cause_type, cause_id, customer_id, currency, reverses, coalesce(metadata, '{}')
    from item
    where is_judged or (
      (select bool_and(is_usual) from line) and not exists (select from short)
      and (select bool_and(ledger.is_entry(entry) and (refuses_delay and effective_at < open_since) is not true
        and not exists (select from ledger.entry_key where hash = ledger.claim('source/' || source_key))) from item))
    returning id
  ), given as materialized (
    select array_agg(id order by id) as ids from entered
  ), written as (
    insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
    select given.ids[number], line, currency, debit_account, credit_account, amount
    from given cross join line where given.ids is not null
  )
  select given.ids into ids from given;
  return ids;
end
$$;

-- ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────
-- What there is to judge about. The planner takes any batch for a very large one, and would have its plan compiled anew for each.
create function ledger.read_batch(entries jsonb, open_since timestamptz) returns ledger.batch
language sql stable set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_memoize = off as $$
  with item as materialized (
    select number, entry, entry ->> 'currency' as currency, entry -> 'postings' as postings,
      (entry ->> 'when_closed' = 'refuse' and (entry ->> 'effective_at')::timestamptz < open_since) is true as is_late,
      ledger.claims_of(entry ->> 'source_key', entry ->> 'kind', entry ->> 'cause_type', entry ->> 'cause_id', (entry ->> 'reverses')::bigint)
        as claims
    from jsonb_array_elements(entries) with ordinality as item (entry, number)
  ), draft as (
    select array_agg(row(number, ledger.request_hash(entry), claims, is_late)::ledger.entry_draft) as drafts,
      bool_and(ledger.is_entry(entry)) as are_sound, bool_or(is_late) as has_late
    from item
  ), line as (
    select array_agg(row(number, posted.currency, amount,
        debit, debited.id, case when debited.floor is not null then -debited.normal * amount end,
        credit, credited.id, case when credited.floor is not null then credited.normal * amount end,
        debited.currency <> posted.currency or credited.currency <> posted.currency)::ledger.posting_draft) as lines,
      bool_and(ledger.is_posting(posting, debit, credit, amount)) as are_sound,
      bool_or(debited.id is null or credited.id is null) as has_unopened,
      bool_or(debited.currency <> posted.currency or credited.currency <> posted.currency) as has_missing,
      bool_or(debited.floor is not null or credited.floor is not null) as has_floors
    from (select number, currency, jsonb_array_elements(postings) as posting from item) as posted
    cross join lateral (
      select posting ->> 'debit' as debit, posting ->> 'credit' as credit, (posting ->> 'amount')::numeric as amount
    ) as field
    left join ledger.account as debited on debited.key = debit
    left join ledger.account as credited on credited.key = credit
  ), claim as (
    select array_agg(row(number, rank, entry_id)::ledger.posting_result) filter (where entry_id is not null) as taken,
      count(distinct claim.hash) < count(*) as has_twins
    from (select number, unnest(claims) as hash, generate_subscripts(claims, 1) as rank from item) as claim
    left join ledger.entry_key as key on key.hash = claim.hash
  )
  select row(drafts, lines, taken, draft.are_sound and line.are_sound, has_twins, has_late, has_unopened, has_missing, has_floors)::ledger.batch
  from draft cross join line cross join claim
$$;

-- The same lines with what the accounts would be that are not open yet.
create function ledger.with_unopened(lines ledger.posting_draft[]) returns ledger.posting_draft[]
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
  with opened as materialized (
    select wanted.key, found.normal, found.currency, found.floor
    from (
      select debit_key as key from unnest(lines) where debit_account is null
      union select credit_key from unnest(lines) where credit_account is null
    ) as wanted
    cross join lateral ledger.account_from_key(wanted.key) as found
  )
  select array_agg(row(ordinal, posted.currency, amount,
    debit_key, debit_account, coalesce(debit_outflow, case when debited.floor is not null then -debited.normal * amount end),
    credit_key, credit_account, coalesce(credit_outflow, case when credited.floor is not null then credited.normal * amount end),
    coalesce(is_missing, false)
      or (debit_account is null and debited.currency is distinct from posted.currency)
      or (credit_account is null and credited.currency is distinct from posted.currency))::ledger.posting_draft)
  from unnest(lines) as posted
  left join opened as debited on debit_account is null and debited.key = debit_key
  left join opened as credited on credit_account is null and credited.key = credit_key
$$;

-- ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────
-- Drafts that are in the ledger already: by source key, by business event, or because what they reverse has been reversed.
-- An entry that was archived is here no more, but what it claimed stays taken.
create function ledger.recorded_drafts(drafts ledger.entry_draft[], taken ledger.posting_result[]) returns ledger.posting_result[]
language sql stable set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
  select array_agg(row(ordinal, case when entry.request_hash = drafts[ordinal].request_hash then 'exists' else 'exists_different' end, entry_id)
    ::ledger.posting_result)
  from (select distinct on (ordinal) ordinal, entry_id from unnest(taken) order by ordinal, status) as strongest
  left join ledger.journal_entry as entry on entry.id = strongest.entry_id
$$;

create function ledger.refused_drafts(drafts ledger.entry_draft[], lines ledger.posting_draft[]) returns ledger.posting_result[]
language sql stable set search_path = pg_catalog, pg_temp as $$
  select array_agg(row(ordinal, status, null)::ledger.posting_result)
  from (
    select ordinal, max(status) as status
    from (
      select ordinal, 'period_closed' as status from unnest(drafts) where is_late
      union all select ordinal, 'account_missing' from unnest(lines) where is_missing
    ) as reason group by ordinal
  ) as refused
$$;

-- What each draft takes from each account that has a floor; negative: what it brings.
create function ledger.outflows(lines ledger.posting_draft[]) returns table (ordinal int, key text, account_id bigint, amount numeric)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select ordinal, key, account_id, sum(outflow)
  from (
    select ordinal, debit_key as key, debit_account as account_id, debit_outflow as outflow from unnest(lines) where debit_outflow is not null
    union all
    select ordinal, credit_key, credit_account, credit_outflow from unnest(lines) where credit_outflow is not null
  ) as moved group by ordinal, key, account_id
$$;

-- The accounts that may not have enough for all of the drafts, with what can be taken from each. What the batch brings is
-- ignored: what fits without it fits in any order. Balances are looked up one by one, or every balance there is would be read.
create function ledger.short_accounts(lines ledger.posting_draft[]) returns table (key text, room numeric)
language sql stable set search_path = pg_catalog, pg_temp
set enable_nestloop = on set enable_hashjoin = off set enable_mergejoin = off as $$
  select wanted.key, coalesce(room, 0)
  from (
    select key, account_id, sum(greatest(0, amount)) as amount from ledger.outflows(lines) group by key, account_id
  ) as wanted
  left join lateral (
    select normal * (debit - credit) - held - floor as room from ledger.account_balance where account_id = wanted.account_id
  ) as standing on true
  where wanted.amount > coalesce(room, 0)
$$;

-- Drafts that claim what another one of the batch claims too.
create function ledger.twins(drafts ledger.entry_draft[]) returns int[] language sql stable set search_path = pg_catalog, pg_temp as $$
  select array_agg(distinct ordinal) from (
    select ordinal, count(*) over (partition by hash) as claimants from unnest(drafts) cross join lateral unnest(claims) as hash
  ) as claimed where claimants > 1
$$;

-- Decides the drafts that depend on those before them: one after the other, in memory. A twin claims what an admitted one of
-- the batch claims, whatever else is wrong with it; its entry_id is that one's ordinal, negative, as there is no entry yet.
-- It may be recorded by another of its claims: the stronger of the two tells.
create function ledger.walk(
  drafts ledger.entry_draft[], lines ledger.posting_draft[], recorded ledger.posting_result[], refused ledger.posting_result[]
) returns ledger.posting_result[]
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
  twins constant int[] := coalesce(ledger.twins(drafts), '{}');
  short_keys text[];
  rooms numeric[];
  claimed uuid[] := '{}';
  claimants int[] := '{}';
  strongest int;
  claimant int;
  decided ledger.posting_result[];
  item record;
begin
  select array_agg(key), array_agg(room) into short_keys, rooms from ledger.short_accounts(lines);
  if short_keys is null and twins = '{}' then
    return null;
  end if;
  for item in
    select draft.ordinal, slots, amounts, coalesce(known.status, reason.status) as status, known.status is not null as is_recorded,
      case when draft.ordinal = any (twins) then claims else '{}' end as claims
    from unnest(drafts) as draft
    left join unnest(recorded) as known on known.ordinal = draft.ordinal
    left join unnest(refused) as reason on reason.ordinal = draft.ordinal
    left join (
      select ordinal, array_agg(array_position(short_keys, key)) as slots, array_agg(amount) as amounts
      from ledger.outflows(lines) where key = any (short_keys) group by ordinal
    ) as taken on taken.ordinal = draft.ordinal
    where (slots is not null and known.status is null) or draft.ordinal = any (twins)
    order by draft.ordinal
  loop
    strongest := case when item.claims && claimed then
      (select min(rank) from unnest(item.claims) with ordinality as claim (hash, rank) where hash = any (claimed)) end;
    if item.is_recorded and exists (select from ledger.entry_key where hash = any (item.claims[:strongest - 1])) then
      strongest := null;
    end if;
    if strongest is not null then
      claimant := claimants[array_position(claimed, item.claims[strongest])];
      decided := decided || row(item.ordinal,
        case when drafts[claimant].request_hash = drafts[item.ordinal].request_hash then 'exists' else 'exists_different' end,
        -claimant)::ledger.posting_result;
    elsif item.status is not null then
      continue;
    elsif exists (select from unnest(item.slots, item.amounts) as own (slot, amount) where amount > 0 and amount > rooms[slot]) then
      decided := decided || row(item.ordinal, 'insufficient', null)::ledger.posting_result;
    else
      claimed := claimed || item.claims;
      claimants := claimants || array_fill(item.ordinal, array[cardinality(item.claims)]);
      for position in 1 .. coalesce(cardinality(item.slots), 0) loop
        rooms[item.slots[position]] := rooms[item.slots[position]] - item.amounts[position];
      end loop;
    end if;
  end loop;
  return decided;
end
$$;

-- What becomes of the drafts that cannot be admitted; null when all can.
create function ledger.judge(batch ledger.batch) returns ledger.posting_result[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  judged ledger.posting_result[];
  recorded ledger.posting_result[];
  refused ledger.posting_result[];
begin
  if batch.taken is not null then
    recorded := ledger.recorded_drafts(batch.drafts, batch.taken);
  end if;
  if batch.has_unopened or batch.has_missing or batch.has_late then
    refused := ledger.refused_drafts(batch.drafts, batch.lines);
  end if;
  if batch.has_unopened or batch.has_floors or batch.has_twins then
    judged := ledger.walk(batch.drafts, batch.lines, recorded, refused);
  end if;
  if recorded is not null then
    judged := judged || array(select known from unnest(recorded) as known where ordinal not in (select ordinal from unnest(judged)));
  end if;
  if refused is not null then
    judged := judged || array(select reason from unnest(refused) as reason where ordinal not in (select ordinal from unnest(judged)));
  end if;
  return judged;
end
$$;

-- ── posting ──────────────────────────────────────────────────────────────────────────────────────────────────
create function ledger.open_accounts(lines ledger.posting_draft[]) returns void language sql volatile set search_path = pg_catalog, pg_temp as $$
  insert into ledger.account (key, code, class, normal, currency, floor, hot, keep_history, customer_id, dimensions)
  select wanted.key, opened.*
  from (
    select debit_key as key from unnest(lines) where debit_account is null
    union select credit_key from unnest(lines) where credit_account is null
  ) as wanted
  cross join lateral (
    select code, class, normal, currency, floor, hot, keep_history, customer_id, dimensions from ledger.account_from_key(wanted.key)
  ) as opened
  order by wanted.key
  on conflict (key) do nothing
$$;

create function ledger.account_keys(entries jsonb) returns text[] language sql stable set search_path = pg_catalog, pg_temp as $$
  select array_agg(distinct key)
  from jsonb_array_elements(entries) as entry cross join jsonb_array_elements(entry -> 'postings') as posting
  cross join lateral (values (posting ->> 'debit'), (posting ->> 'credit')) as side (key)
$$;

-- Locks all that will be updated, bounded or not, in the order in which everyone locks.
create function ledger.lock_accounts(keys text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  perform from ledger.account as account join ledger.account_balance as balance on balance.account_id = account.id
  where account.key = any (keys) and not account.hot order by balance.account_id for update of balance;
end
$$;

create function ledger.post_entries(entries jsonb) returns table (ordinal int, status text, entry_id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off as $$
#variable_conflict use_column
declare
  open_since timestamptz;
  batch ledger.batch;
  refused ledger.posting_result[];
  admitted int[];
  ids bigint[];
  objector text;
begin
  if jsonb_array_length(entries) = 0 then
    return;
  elsif jsonb_array_length(entries) > 10000 then
    raise exception 'a batch has at most 10000 entries, not %', jsonb_array_length(entries) using errcode = 'RK002';
  end if;
  perform ledger.share_periods();
  open_since := ledger.open_since();
  for attempt in 1 .. 10 loop
    begin
      if attempt = 1 then
        ids := ledger.record_entries(entries, open_since, false);
        if ids is not null then
          return query select number::int, 'created', id from unnest(ids) with ordinality as written (id, number);
          return;
        end if;
      else
        perform ledger.lock_accounts(ledger.account_keys(entries));
      end if;
      batch := ledger.read_batch(entries, open_since);
      if batch.is_sound is not true then
        raise exception 'each entry needs postings, each from one account to another, of a positive whole amount of at most 38 digits, and has no fields but those of an entry'
          using errcode = case
            when 'object' = all (array(select jsonb_typeof(entry) from jsonb_array_elements(entries) as entry)) then 'RK002'
            else 'invalid_parameter_value' end;
      end if;
      if batch.has_unopened then
        batch.lines := ledger.with_unopened(batch.lines);
      end if;
      refused := ledger.judge(batch);
      admitted := array(
        select number from generate_series(1, jsonb_array_length(entries)) as number
        where number not in (select ordinal from unnest(refused)) order by number);
      if batch.has_unopened then
        perform ledger.open_accounts(array(select posted from unnest(batch.lines) as posted where ordinal = any (admitted)));
      end if;
      if admitted <> '{}' then
        ids := ledger.record_entries(
          (select jsonb_agg(entries -> (number - 1) order by number) from unnest(admitted) as number), open_since, true);
      end if;
      return query select number, 'created', id from unnest(admitted, ids) as written (number, id);
      return query select ordinal, status, case when entry_id < 0 then ids[array_position(admitted, -entry_id::int)] else entry_id end
        from unnest(refused);
      return;
    exception when unique_violation or check_violation then
      -- Someone recorded a claim of ours, or emptied an account, after we had looked; or two of us have a claim in common.
      get stacked diagnostics objector = table_name;
      if objector in ('journal_entry', 'posting') then
        raise exception 'the ledger has no partition left for new entries: ledger.prepare_partitions adds some' using errcode = 'insufficient_resources';
      end if;
      if objector not like 'entry\_key%' and objector <> 'account_balance' then
        raise;
      end if;
    end;
  end loop;
  raise exception 'others were faster ten times: post these entries again' using errcode = 'serialization_failure';
end
$$;
comment on function ledger.post_entries is 'Posts a batch in the caller''s transaction. Each entry is posted whole or not at all; ordinal counts from 1. Statuses: created, exists, exists_different, insufficient, account_missing, period_closed.';
--> statement-breakpoint
revoke execute on all routines in schema ledger from public;
grant execute on function ledger.post_entries to reckoner_app;
