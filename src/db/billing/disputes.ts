import { and, asc, desc, eq, lte } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { invoiceDispute } from "../schema/money-out.ts";

export type StoredDispute = typeof invoiceDispute.$inferSelect;

const closed = ["won", "lost", "prevented", "warning_closed"];

/** Whether somebody still decides about it; of a status that we have never heard of we believe that. */
export const isOpenDispute = (status: string): boolean => !closed.includes(status);

/** Writes down how a dispute stands. A closed one stays as it is, but for an appeal. */
export async function storeDispute(tx: Tx, dispute: Omit<StoredDispute, "isOpen">): Promise<void> {
  const { status, withdrawnMinor, answerBy, changedAt } = dispute;
  const standing = { status, isOpen: isOpenDispute(status), withdrawnMinor, answerBy, changedAt };
  await tx
    .insert(invoiceDispute)
    .values({ ...dispute, ...standing })
    .onConflictDoUpdate({ target: invoiceDispute.stripeDisputeId, set: standing });
}

export async function findDispute(tx: Tx, stripeDisputeId: string): Promise<StoredDispute | undefined> {
  const [row] = await tx
    .select()
    .from(invoiceDispute)
    .where(eq(invoiceDispute.stripeDisputeId, stripeDisputeId));
  return row;
}

/** The disputes about an invoice, the oldest first. */
export async function disputesOf(tx: Tx, invoiceId: string): Promise<StoredDispute[]> {
  return await tx
    .select()
    .from(invoiceDispute)
    .where(eq(invoiceDispute.invoiceId, invoiceId))
    .orderBy(asc(invoiceDispute.openedAt), asc(invoiceDispute.stripeDisputeId));
}

/** The ids of the disputes about an invoice that are still open. */
export async function openDisputesOf(tx: Tx, invoiceId: string): Promise<string[]> {
  const all = await disputesOf(tx, invoiceId);
  return all.filter(({ isOpen }) => isOpen).map(({ stripeDisputeId }) => stripeDisputeId);
}

export interface DisputeFilter {
  readonly customerId?: string | undefined;
  readonly invoiceId?: string | undefined;
  readonly isOpen?: boolean | undefined;
}

export async function listDisputes(
  tx: Tx,
  { customerId, invoiceId, isOpen }: DisputeFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredDispute, NewestFirst>> {
  const found = await tx
    .select()
    .from(invoiceDispute)
    .where(
      and(
        customerId === undefined ? undefined : eq(invoiceDispute.customerId, customerId),
        invoiceId === undefined ? undefined : eq(invoiceDispute.invoiceId, invoiceId),
        isOpen === undefined ? undefined : eq(invoiceDispute.isOpen, isOpen),
        olderThan(invoiceDispute.openedAt, invoiceDispute.stripeDisputeId, page.after),
      ),
    )
    .orderBy(desc(invoiceDispute.openedAt), desc(invoiceDispute.stripeDisputeId))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ openedAt, stripeDisputeId }) => ({ at: openedAt, id: stripeDisputeId }));
}

/** Disputes that are open and were not heard of since, the longest silent first. */
export async function disputesUnderWay(
  tx: Tx,
  { silentSince, limit }: { readonly silentSince: Instant; readonly limit: number },
): Promise<string[]> {
  const found = await tx
    .select({ id: invoiceDispute.stripeDisputeId })
    .from(invoiceDispute)
    .where(and(eq(invoiceDispute.isOpen, true), lte(invoiceDispute.changedAt, silentSince)))
    .orderBy(asc(invoiceDispute.changedAt), asc(invoiceDispute.stripeDisputeId))
    .limit(limit);
  return found.map(({ id }) => id);
}
