import type { Sql } from "postgres";

/** A row in each table of credit that is bought by itself, alerts, promotions and trials, as the database itself lets them in. */
export async function promoteForEveryTable(sql: Sql<{ bigint: bigint }>): Promise<void> {
  await sql`
    insert into billing.top_up_rule
      (id, customer_id, currency, threshold_minor, amount_minor, cool_down_seconds, priority, set_by, set_at)
    values ('rule', 'acme', 'usd', 1, 100, 60, 50, 'alice', '2026-01-01Z')`;
  await sql`
    insert into billing.credit_grant
      (id, customer_id, kind, currency, amount_minor, priority, effective_at, invoice_id, created_at)
    values ('rule.1', 'acme', 'paid', 'usd', 100, 50, '2026-01-02Z', 'inv_rule.1', '2026-01-02Z')`;
  await sql`
    insert into billing.top_up (rule_id, number, grant_id, credit_left, month_start, begun_at)
    values ('rule', 1, 'rule.1', 0, '2026-01-01Z', '2026-01-02Z')`;
  await sql`
    insert into billing.top_up_rule_end (rule_id, cause, detail, ended_by, ended_at)
    values ('rule', 'refused', 'tax_missing', 'reckoner', '2026-01-02Z')`;
  await sql`
    insert into billing.alert (id, customer_id, subject, condition, set_by, set_at)
    values ('alert', 'acme', '{"type": "credit"}', '{"type": "share", "percent": 80}', 'alice', '2026-01-01Z')`;
  await sql`
    insert into billing.alert_crossing (alert_id, number, reading, used, allowed, crossed_at)
    values ('alert', 1, 'credit', 80, 100, '2026-01-02Z')`;
  await sql`
    insert into notice.notice (id, key, kind, customer_id, subject, occurred_at)
    values ('ntc_alert', 'alert/alert/1', 'budget.share_reached', 'acme', '{"alertId": "alert", "number": 1}', '2026-01-02Z')`;
  await sql`
    insert into billing.alert_recovery (alert_id, number, cause, recovered_at) values ('alert', 1, 'recovered', '2026-01-03Z')`;
  await sql`insert into billing.alert_end (alert_id, ended_by, ended_at) values ('alert', 'alice', '2026-01-04Z')`;
  await sql`insert into billing.budget_look values ('acme', '2026-01-02Z')`;
  await sql`
    insert into billing.campaign (id, name, currency, budget_minor, created_by, created_at)
    values ('spring', 'Spring', 'usd', 100, 'alice', '2026-01-01Z')`;
  await sql`
    insert into billing.coupon (id, given_on, name, campaign_id, currency, amount_minor, priority, starts_at, per_customer_max, stacking,
      created_by, created_at)
    values ('coupon', 'referral', 'Coupon', 'spring', 'usd', 100, 50, '2026-01-01Z', 1, 'stackable', 'alice', '2026-01-01Z')`;
  await sql`
    insert into billing.referral (id, referrer_id, referred_id, written_by, referred_at)
    select 'referral', 'acme', id, 'alice', '2026-01-01Z' from billing.customer where id <> 'acme' limit 1`;
  // It waits for somebody else to agree, so there is nothing to book.
  await sql`
    insert into billing.adjustment (id, kind, customer_id, grant_id, grant_kind, priority, currency, change, reason_code, requested_by,
      requested_at, recorded_at, approval_limit_minor, unapproved_before)
    values ('redeemed', 'grant_credit', 'acme', 'redeemed', 'promotional', 50, 'usd', 10000000000, 'promotion', 'alice', now(), now(), 0, 0)`;
  await sql`
    insert into billing.redemption (id, coupon_id, customer_id, adjustment_id, referral_id, redeemed_by, redeemed_at)
    values ('redemption', 'coupon', 'acme', 'redeemed', 'referral', 'alice', '2026-01-02Z')`;
  await sql`insert into billing.coupon_end (coupon_id, ended_by, ended_at) values ('coupon', 'alice', '2026-01-03Z')`;
  await sql`insert into billing.campaign_end (campaign_id, ended_by, ended_at) values ('spring', 'alice', '2026-01-03Z')`;
  await sql`
    insert into billing.trial_claim (subscription_id, customer_id, fingerprint, claimed_at)
    values ('tried', 'acme', 'card', '2026-01-01Z')`;
}
