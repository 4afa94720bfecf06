import { and, asc, desc, lte, notInArray } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { payout } from "../schema/stripe.ts";

export type StoredPayout = typeof payout.$inferSelect;

/** Writes down how a payout stands. What it may become is the database's rule. */
export async function storePayout(tx: Tx, stored: typeof payout.$inferInsert): Promise<void> {
  const { status, failureCode, arrivesAt, changedAt } = stored;
  await tx
    .insert(payout)
    .values(stored)
    .onConflictDoUpdate({ target: payout.id, set: { status, failureCode, arrivesAt, changedAt } });
}

export async function listPayouts(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredPayout, NewestFirst>> {
  const found = await tx
    .select()
    .from(payout)
    .where(olderThan(payout.createdAt, payout.id, page.after))
    .orderBy(desc(payout.createdAt), desc(payout.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** Payouts that have not come to an end and were not heard of since, the longest silent first. */
export async function payoutsUnderWay(
  tx: Tx,
  { silentSince, limit }: { readonly silentSince: Instant; readonly limit: number },
): Promise<string[]> {
  const found = await tx
    .select({ id: payout.id })
    .from(payout)
    .where(and(notInArray(payout.status, ["paid", "failed", "canceled"]), lte(payout.changedAt, silentSince)))
    .orderBy(asc(payout.changedAt), asc(payout.id))
    .limit(limit);
  return found.map(({ id }) => id);
}
