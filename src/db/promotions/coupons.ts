import { and, desc, eq, getTableColumns, isNull, ne } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { coupon, couponEnd, promotionStanding } from "../schema/promotions.ts";

/** A coupon with how often it was redeemed, and how somebody ended it; null as long as nobody did. */
export type StoredCoupon = typeof coupon.$inferSelect & {
  readonly end: typeof couponEnd.$inferSelect | null;
  /** Null as long as nobody has redeemed it. */
  readonly redemptions: number | null;
};

const columns = {
  ...getTableColumns(coupon),
  end: getTableColumns(couponEnd),
  redemptions: promotionStanding.redemptions,
};

const coupons = (tx: Tx) =>
  tx
    .select(columns)
    .from(coupon)
    .leftJoin(couponEnd, eq(couponEnd.couponId, coupon.id))
    .leftJoin(
      promotionStanding,
      and(eq(promotionStanding.kind, "coupon"), eq(promotionStanding.id, coupon.id)),
    );

/** Stores a coupon. False: its id or code is taken, and nothing changes. */
export async function insertCoupon(tx: Tx, row: typeof coupon.$inferInsert): Promise<boolean> {
  const inserted = await tx.insert(coupon).values(row).onConflictDoNothing().returning({ id: coupon.id });
  return inserted.length > 0;
}

/** Ends a coupon; the first end stands, and what was redeemed stays. */
export async function endCoupon(tx: Tx, row: typeof couponEnd.$inferInsert): Promise<void> {
  await tx.insert(couponEnd).values(row).onConflictDoNothing();
}

export async function findCoupon(tx: Tx, id: string): Promise<StoredCoupon | undefined> {
  const [row] = await coupons(tx).where(eq(coupon.id, id));
  return row;
}

export async function findCouponByCode(tx: Tx, code: string): Promise<StoredCoupon | undefined> {
  const [row] = await coupons(tx).where(eq(coupon.code, code.toUpperCase()));
  return row;
}

export async function listCoupons(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCoupon, NewestFirst>> {
  const found = await coupons(tx)
    .where(olderThan(coupon.createdAt, coupon.id, page.after))
    .orderBy(desc(coupon.createdAt), desc(coupon.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** Those that nobody has ended and that are given on an occasion, by themselves. */
export async function couponsGivenOn(
  tx: Tx,
  occasion: "sign_up" | "referral",
  currency: string,
): Promise<StoredCoupon[]> {
  return await coupons(tx)
    .where(
      and(
        ne(coupon.givenOn, "code"),
        eq(coupon.givenOn, occasion),
        eq(coupon.currency, currency),
        isNull(couponEnd.couponId),
      ),
    )
    .orderBy(coupon.id);
}
