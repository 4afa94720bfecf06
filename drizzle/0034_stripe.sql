-- Why: what Stripe allows in a second is allowed to all of us together, whichever process asks.

-- ── turns: an account may ask so often, and each endpoint of it ──────────────────────────────────────────────
create table stripe.pace (
  bucket text primary key check (bucket <> ''),
  -- When the next request may go.
  free_at timestamptz not null
);
call public.make_fixed_but('stripe.pace', 'free_at');

-- Takes the next turn in each bucket and answers how long to wait until then; null, and none is taken, beyond wait_max. A bucket that
-- was idle has a little in store, so that who comes late does not lose what nobody used.
create function stripe.take_turn(buckets text[], per_second numeric[], wait_max interval) returns interval
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_at constant timestamptz := clock_timestamp();
  store constant interval := interval '200 milliseconds';
  turn timestamptz;
begin
  -- What it says is of this second: nobody has to wait until it is on the disk.
  perform set_config('synchronous_commit', 'off', true);
  insert into stripe.pace (bucket, free_at) select bucket, now_at - store from unnest(buckets) as bucket on conflict do nothing;
  perform from stripe.pace where bucket = any (buckets) order by bucket for update;
  select max(greatest(free_at, clock_timestamp() - store)) into turn from stripe.pace where bucket = any (buckets);
  if turn - now_at > wait_max then
    return null;
  end if;
  update stripe.pace set free_at = greatest(pace.free_at, clock_timestamp() - store) + interval '1 second' / asked.rate::float8
    from unnest(buckets, per_second) as asked (bucket, rate) where pace.bucket = asked.bucket;
  return greatest(turn - clock_timestamp(), interval '0');
end
$$;
revoke all on function stripe.take_turn(text[], numeric[], interval) from public;
grant execute on function stripe.take_turn(text[], numeric[], interval) to reckoner_app;
