import { and, desc, eq, getTableColumns } from "drizzle-orm";
import { type LedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { campaign, campaignEnd, promotionStanding } from "../schema/promotions.ts";

/** A campaign with what it has given away. */
export type StoredCampaign = typeof campaign.$inferSelect & {
  readonly end: typeof campaignEnd.$inferSelect | null;
  /** Null as long as nobody has redeemed anything of it. */
  readonly redemptions: number | null;
  readonly givenMinor: bigint | null;
};

const campaigns = (tx: Tx) =>
  tx
    .select({
      ...getTableColumns(campaign),
      end: getTableColumns(campaignEnd),
      redemptions: promotionStanding.redemptions,
      givenMinor: promotionStanding.givenMinor,
    })
    .from(campaign)
    .leftJoin(campaignEnd, eq(campaignEnd.campaignId, campaign.id))
    .leftJoin(
      promotionStanding,
      and(eq(promotionStanding.kind, "campaign"), eq(promotionStanding.id, campaign.id)),
    );

/** Stores a campaign; one that is there already stays as it is. */
export async function insertCampaign(tx: Tx, row: typeof campaign.$inferInsert): Promise<void> {
  await tx.insert(campaign).values(row).onConflictDoNothing();
}

/** Ends a campaign; the first end stands, and what was given stays. */
export async function endCampaign(tx: Tx, row: typeof campaignEnd.$inferInsert): Promise<void> {
  await tx.insert(campaignEnd).values(row).onConflictDoNothing();
}

export async function findCampaign(tx: Tx, id: string): Promise<StoredCampaign | undefined> {
  const [row] = await campaigns(tx).where(eq(campaign.id, id));
  return row;
}

export async function listCampaigns(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCampaign, NewestFirst>> {
  const found = await campaigns(tx)
    .where(olderThan(campaign.createdAt, campaign.id, page.after))
    .orderBy(desc(campaign.createdAt), desc(campaign.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** What became of what a coupon of a campaign gave, in the ledger's unit. */
export interface CouponUptake {
  readonly couponId: string;
  readonly redemptions: number;
  readonly customers: number;
  readonly given: LedgerAmount;
  /** Drawn by usage, less what went back: what the campaign has cost. */
  readonly spent: LedgerAmount;
  /** What was left of it when it ended. */
  readonly lapsed: LedgerAmount;
}

/** Cost and uptake of a campaign, coupon by coupon: as of what is billed. */
export async function campaignUptake(tx: Tx, campaignId: string): Promise<CouponUptake[]> {
  const found = await rows<
    Record<"coupon_id" | "given" | "spent" | "lapsed", string> & Record<"redemptions" | "customers", number>
  >(
    tx,
    sql`select coupon.id as coupon_id, count(redeemed.id)::int as redemptions, count(distinct redeemed.customer_id)::int as customers,
          coalesce(sum(coupon.amount_minor * 100000000::numeric) filter (where credit.id is not null), 0)::text as given,
          coalesce(sum(drawn.amount), 0)::text as spent, coalesce(sum(ended.held), 0)::text as lapsed
        from billing.coupon as coupon
        left join billing.redemption as redeemed on redeemed.coupon_id = coupon.id
        left join billing.adjustment on adjustment.id = redeemed.adjustment_id
        left join billing.credit_grant as credit on credit.id = adjustment.grant_id
        left join billing.credit_grant_end as ended on ended.grant_id = credit.id
        left join lateral (
          select sum(draw.amount - coalesce((
            select sum(amount) from billing.credit_return as back
            where (back.invoice_id, back.position) = (draw.invoice_id, draw.position)), 0)) as amount
          from billing.credit_draw as draw where draw.grant_id = credit.id) as drawn on true
        where coupon.campaign_id = ${campaignId}
        group by coupon.id order by coupon.id`,
  );
  return found.map(({ coupon_id: couponId, redemptions, customers, given, spent, lapsed }) => ({
    ...{ couponId, redemptions, customers },
    given: ledgerAmount(BigInt(given)),
    spent: ledgerAmount(BigInt(spent)),
    lapsed: ledgerAmount(BigInt(lapsed)),
  }));
}
