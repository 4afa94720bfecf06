import { desc, eq } from "drizzle-orm";
import { isRedemptionRefusal, RedemptionRefusedError } from "../../domain/promotions/index.ts";
import { sqlState, type Tx } from "../database.ts";
import { redemption, referral } from "../schema/promotions.ts";

export type StoredRedemption = typeof redemption.$inferSelect;

/**
 * Writes down a redemption in the transaction of its adjustment. The database counts it against the limits of its coupon and the
 * budget of its campaign, whose rows those wait for who redeem at the same time.
 * @throws RedemptionRefusedError
 */
export async function insertRedemption(tx: Tx, row: StoredRedemption): Promise<void> {
  try {
    await tx.insert(redemption).values(row);
  } catch (error) {
    const refusal = sqlState(error) === refused ? messageOf(error) : "";
    if (isRedemptionRefusal(refusal)) throw new RedemptionRefusedError(refusal);
    throw error;
  }
}

const refused = "RK049";

/** The database's own words, where Drizzle has wrapped them. */
function messageOf(error: unknown): string {
  let message = "";
  for (let current = error; current instanceof Error; current = current.cause) message = current.message;
  return message;
}

export async function findRedemption(tx: Tx, id: string): Promise<StoredRedemption | undefined> {
  const [row] = await tx.select().from(redemption).where(eq(redemption.id, id));
  return row;
}

/** What a customer has redeemed, the newest first. */
export async function redemptionsOfCustomer(tx: Tx, customerId: string): Promise<StoredRedemption[]> {
  return await tx
    .select()
    .from(redemption)
    .where(eq(redemption.customerId, customerId))
    .orderBy(desc(redemption.redeemedAt), desc(redemption.id));
}

export type StoredReferral = typeof referral.$inferSelect;

/** Writes down who brought whom. Of the same referred the first one stands, and comes back. */
export async function keepReferral(tx: Tx, row: StoredReferral): Promise<StoredReferral | undefined> {
  await tx.insert(referral).values(row).onConflictDoNothing();
  const [stored] = await tx.select().from(referral).where(eq(referral.referredId, row.referredId));
  return stored;
}
