import {
  customerTime,
  type InvariantLimits,
  type InvariantQuery,
  inLedgerUnits,
  seconds,
} from "./invariant-query.ts";

/** Credit that is bought by itself, alerts, and what is given away. */
export function promotionInvariants(limits: InvariantLimits): InvariantQuery[] {
  return [
    {
      name: "V4: what a rule bought by itself is what it says, one at a time, and no more than it may in a month",
      sql: `
        select bought.rule_id, bought.number, bought.grant_id from billing.top_up_standing as bought
        join billing.top_up_rule as rule on rule.id = bought.rule_id
        left join billing.credit_grant as credit on credit.id = bought.grant_id
        where (credit.kind, credit.customer_id, credit.currency, credit.amount_minor)
            is distinct from ('paid', rule.customer_id, rule.currency, rule.amount_minor)
          or bought.begun_at < (select max(before.begun_at) from billing.top_up as before
            where before.rule_id = bought.rule_id and before.number < bought.number) + make_interval(secs => rule.cool_down_seconds)
          or bought.state <> 'withdrawn' and rule.monthly_limit_minor < (
            select sum(amount_minor) from billing.top_up_standing as counted
            where (counted.customer_id, counted.month_start) = (bought.customer_id, bought.month_start)
              and counted.state <> 'withdrawn' and counted.begun_at <= bought.begun_at)
        union all
        select rule_id, min(number), min(grant_id) from billing.top_up_standing where state = 'outstanding' group by 1 having count(*) > 1`,
    },
    {
      name: "V4: an alert tells each crossing once, and is armed again before it tells the next",
      sql: `
        select crossing.alert_id, crossing.number from billing.alert_crossing as crossing
        where not exists (select from notice.notice where key = 'alert/' || crossing.alert_id || '/' || crossing.number)
        union all
        select crossing.alert_id, min(crossing.number) from billing.alert_crossing as crossing
        where not exists (select from billing.alert_recovery as back where (back.alert_id, back.number) = (crossing.alert_id, crossing.number))
        group by crossing.alert_id, crossing.reading having count(*) > 1`,
    },
    {
      name: "V4: what was redeemed is what coupons give, within their limits and the budgets of their campaigns",
      sql: `
        select redeemed.id, redeemed.coupon_id from billing.redemption as redeemed
        join billing.coupon on coupon.id = redeemed.coupon_id
        left join billing.adjustment as given on given.id = redeemed.adjustment_id
        where (given.kind, given.customer_id, given.currency, given.change)
          is distinct from ('grant_credit', redeemed.customer_id, coupon.currency, ${inLedgerUnits("coupon.amount_minor")})
        union all
        select null, coupon.id from billing.coupon
        join billing.redemption as redeemed on redeemed.coupon_id = coupon.id
        group by coupon.id having count(*) > coupon.redemptions_max
        union all
        select redeemed.customer_id, coupon.id from billing.coupon
        join billing.redemption as redeemed on redeemed.coupon_id = coupon.id
        group by coupon.id, redeemed.customer_id having count(*) > coupon.per_customer_max
        union all
        select null, campaign.id from billing.campaign
        join billing.coupon on coupon.campaign_id = campaign.id
        join billing.redemption as redeemed on redeemed.coupon_id = coupon.id
        group by campaign.id having sum(coupon.amount_minor) > campaign.budget_minor`,
    },
    {
      name: "V2: how often coupons were redeemed, and what campaigns have given away, is the sum of redemptions",
      sql: `
        with counted as (
          select 'coupon' as kind, coupon.id, count(*) as redemptions, sum(amount_minor) as given_minor
          from billing.redemption join billing.coupon on coupon.id = coupon_id group by coupon.id
          union all
          select 'campaign', campaign_id, count(*), sum(amount_minor)
          from billing.redemption join billing.coupon on coupon.id = coupon_id where campaign_id is not null group by campaign_id
        )
        select kind, id, standing.redemptions, counted.redemptions as counted from billing.promotion_standing as standing
        full join counted using (kind, id)
        where (standing.redemptions, standing.given_minor) is distinct from (counted.redemptions, counted.given_minor)`,
    },
    {
      name: "V12: credit that was begun to be bought by itself is invoiced",
      sql: `
        select bought.rule_id, bought.number, bought.begun_at from billing.top_up_standing as bought
        join (${customerTime}) as time using (customer_id)
        where not bought.is_invoiced and bought.begun_at < time.now - ${seconds(limits.billing)}
          and not exists (select from billing.top_up_rule_end as ended where ended.rule_id = bought.rule_id and ended.cause = 'refused')`,
    },
  ];
}
