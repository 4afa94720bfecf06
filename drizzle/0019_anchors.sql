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
  kept int := jsonb_array_length(old.anchors);
begin
  if jsonb_path_query_array(new.anchors, '$[0 to $last]', jsonb_build_object('last', kept - 1)) is distinct from old.anchors
    and kept > 0 or jsonb_array_length(new.anchors) < kept then
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
