import type { Database } from "../../src/db/database.ts";

/** A row in every table of reservations, as the schema's owner writes it: of no customer that a story is about. */
export async function reserveForEveryTable({ sql }: Pick<Database, "sql">): Promise<void> {
  await sql.begin(async (tx) => {
    // Switched off again by what placements and caps make others notice.
    const keepSpending = () => tx`select set_config('billing.keeps_spending', 'on', true)`;
    await keepSpending();
    await tx`
      with organisation as (
        insert into billing.spender (customer_id, kind, key) select id, 'organisation', id from billing.customer limit 1 returning *
      ), cap as (
        insert into billing.spending_cap (id, spender, kind, each_user, amount_minor, limit_window, effective_at, set_by, set_at)
        select 'cap_1', number, 'cap', false, 100, '{"type": "never"}', now(), 'alice', now() from organisation
        returning *
      ), ended as (
        insert into billing.spending_cap_end (cap_id, ended_by, ended_at) select id, 'alice', now() from cap
      ), placed as (
        insert into billing.spender_placement (id, spender, effective_at, placed_by)
        select 'place_1', number, now(), 'alice' from organisation
      )
      insert into billing.spending_counter (spender, window_key, window_start, held_minor, spent_minor)
      select number, '{"type": "never"}', '-infinity', 0, 0 from organisation`;
    await tx`
      insert into billing.reservation (id, request_hash, customer_id, event_type, worst_case, charges, currency, held_minor, path,
        is_on_test_clock, placed_at, expires_at)
      select id, gen_random_uuid(), 'nobody', 'request', '{}', '[]', 'usd', 0, '{}', false, now(), now() + interval '1 hour'
      from unnest(array['req_open', 'req_expired', 'req_released']) as id`;
    await keepSpending();
    await tx`
      insert into billing.open_reservation (reservation_id, customer_id, expires_at, is_on_test_clock, held_minor, counters)
      values ('req_open', 'nobody', now() + interval '1 hour', false, 0, '{}')`;
    await tx`insert into billing.reservation_extension values ('req_open', now() + interval '1 hour', now())`;
    await tx`insert into billing.reservation_expiry values ('req_expired', now())`;
    await tx`
      insert into billing.receipt (reservation_id, request_hash, customer_id, outcome, is_late, used, charges, currency, cost_minor,
        held_minor, path, used_at, settled_at)
      values ('req_released', gen_random_uuid(), 'nobody', 'released', false, '{}', '[]', 'usd', 0, 0, '{}', now(), now())`;
    await tx`
      with team as (
        insert into billing.spender (customer_id, kind, key) select customer_id, 'team', 'holders' from billing.recurring_grant limit 1 returning *
      )
      insert into billing.credit_grant_holder (grant_id, spender, given_by, given_at)
      select id, number, 'alice', now() from team join billing.recurring_grant using (customer_id) limit 1`;
    await keepSpending();
    await tx`
      insert into billing.credit_counter (grant_id, account, held_minor, unbilled_minor, hold_number) values ('nothing', 'nothing', 0, 0, 0)`;
    await tx`
      insert into billing.reserved_draw (subscription_id, period_start, revision, plan_key, plan_version, price_key, grant_id, amount, released)
      values ('nobody', now(), 0, 'pro', 1, 'tokens', 'nothing', 1, 1)`;
    await tx`insert into billing.entitlement_revision values ('nobody', 1, pg_current_xact_id())`;
  });
}
