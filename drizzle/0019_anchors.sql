-- Why: another interval, or a new period at will, gives a subscription another anchor; all that it ever had say where its periods lie.
alter table billing.subscription
  -- [{ effectiveAt, at, unit, count }], ascending: periods count by one from effectiveAt on, until the next. Before the first
  -- of them they count from the start of the subscription.
  add column anchors jsonb not null default '[]' check (jsonb_typeof(anchors) = 'array');

drop trigger all_else_is_fixed on billing.subscription;
drop trigger rows_are_kept on billing.subscription;
drop trigger table_is_kept on billing.subscription;
call public.make_fixed_but('billing.subscription', 'status', 'billed_through', 'next_close_at', 'cancel_at', 'canceled_at', 'anchors');

create function billing.guard_anchors() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  kept jsonb := coalesce((
    select jsonb_agg(value order by place) from jsonb_array_elements(new.anchors) with ordinality as anchor (value, place)
    where place <= jsonb_array_length(old.anchors)
  ), '[]');
begin
  if kept <> old.anchors then
    raise exception 'subscription %: anchors are added, what was agreed stays', old.id using errcode = 'RK001';
  end if;
  if (new.anchors -> -1 ->> 'effectiveAt')::timestamptz < old.billed_through then
    raise exception 'subscription %: an anchor does not cut a closed period', old.id using errcode = 'RK001';
  end if;
  return new;
end
$$;
create trigger anchors_are_added before update on billing.subscription
  for each row when (old.anchors is distinct from new.anchors) execute function billing.guard_anchors();
