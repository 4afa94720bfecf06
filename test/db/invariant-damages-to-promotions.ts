import type { Damage } from "./invariant-damages.ts";

const rule = `
  insert into billing.top_up_rule (id, customer_id, currency, threshold_minor, amount_minor, cool_down_seconds, priority, set_by, set_at)
  values ('buys', 'acme', 'usd', 1, 100, 60, 50, 'alice', '2026-01-01Z')`;
const boughtGrant = `
  insert into billing.credit_grant (id, customer_id, kind, currency, amount_minor, priority, effective_at, invoice_id, created_at)
  values ('buys.1', 'acme', 'paid', 'usd', 100, 50, '2026-01-02Z', 'inv_buys.1', '2026-01-02Z')`;
const bought = (grantId: string) => `
  insert into billing.top_up (rule_id, number, grant_id, credit_left, month_start, begun_at)
  values ('buys', 1, '${grantId}', 0, '2026-01-01Z', '2026-01-02Z')`;
const coupon = `
  insert into billing.coupon (id, code, given_on, name, currency, amount_minor, priority, starts_at, per_customer_max, redemptions_max,
    stacking, created_by, created_at)
  values ('given', 'GIVEN', 'code', 'Given', 'usd', 100, 50, '2026-01-01Z', 1, 1, 'stackable', 'alice', '2026-01-01Z')`;

/** The same for credit that is bought by itself, alerts, and what is given away. */
export const damagesToPromotions: readonly Damage[] = [
  {
    what: "a purchase by itself of another amount than its rule says",
    broken: "V4",
    rule: "what a rule bought by itself",
    sql: `${rule}; ${bought("prepaid")}`,
  },
  {
    what: "a crossing that nobody was told of",
    broken: "V4",
    rule: "an alert tells each crossing once",
    sql: `
      insert into billing.alert (id, customer_id, subject, condition, set_by, set_at)
      values ('silent', 'acme', '{"type": "credit"}', '{"type": "forecast"}', 'alice', '2026-01-01Z');
      insert into billing.alert_crossing (alert_id, number, reading, used, allowed, crossed_at)
      values ('silent', 1, 'credit', 1, 1, '2026-01-02Z')`,
  },
  {
    what: "a redemption that gave something else",
    broken: "V4",
    rule: "what was redeemed is what coupons give",
    sql: `${coupon}; insert into billing.promotion_standing values ('coupon', 'given', 1, 100);
      insert into billing.redemption (id, coupon_id, customer_id, adjustment_id, redeemed_by, redeemed_at)
      values ('wrong', 'given', 'acme', 'nothing', 'alice', '2026-01-02Z')`,
  },
  {
    what: "a coupon that is counted as redeemed and was not",
    broken: "V2",
    rule: "how often coupons were redeemed",
    sql: `${coupon}; insert into billing.promotion_standing values ('coupon', 'given', 1, 100)`,
  },
  {
    what: "a purchase by itself that nobody has invoiced",
    broken: "V12",
    rule: "is invoiced",
    sql: `${rule}; ${boughtGrant}; ${bought("buys.1")}`,
  },
];
