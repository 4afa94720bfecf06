import { eq, or } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { trialClaim } from "../schema/promotions.ts";

export type StoredTrialClaim = typeof trialClaim.$inferSelect;

/**
 * Claims a trial for a subscription, in the transaction that opens it: one for a customer, and one for a fingerprint, whoever
 * claims at the same time.
 * @returns false when either has had one
 */
export async function claimTrial(tx: Tx, claim: StoredTrialClaim): Promise<boolean> {
  const claimed = await tx.insert(trialClaim).values(claim).onConflictDoNothing().returning();
  return claimed.length > 0;
}

/** Trials that were claimed by a customer, or under a fingerprint. */
export async function trialClaimsOf(
  tx: Tx,
  { customerId, fingerprint }: Pick<StoredTrialClaim, "customerId" | "fingerprint">,
): Promise<StoredTrialClaim[]> {
  const ofCustomer = eq(trialClaim.customerId, customerId);
  const same = fingerprint === null ? ofCustomer : or(ofCustomer, eq(trialClaim.fingerprint, fingerprint));
  return await tx.select().from(trialClaim).where(same).orderBy(trialClaim.claimedAt);
}
