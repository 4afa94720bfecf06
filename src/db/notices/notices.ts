import { and, asc, desc, eq, inArray } from "drizzle-orm";
import type { NoticeKind } from "../../domain/notices/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { type DeliveryState, delivery, deliveryAttempt, notice } from "../schema/notices.ts";

export type StoredNotice = typeof notice.$inferSelect;
export type StoredDelivery = typeof delivery.$inferSelect;
export type StoredAttempt = typeof deliveryAttempt.$inferSelect;

export interface NoticeFilter {
  readonly customerId?: string | undefined;
  readonly kind?: NoticeKind | undefined;
}

/** What was told, the latest facts first. */
export async function listNotices(
  tx: Tx,
  { customerId, kind }: NoticeFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredNotice, NewestFirst>> {
  const found = await tx
    .select()
    .from(notice)
    .where(
      and(
        customerId === undefined ? undefined : eq(notice.customerId, customerId),
        kind === undefined ? undefined : eq(notice.kind, kind),
        olderThan(notice.occurredAt, notice.id, page.after),
      ),
    )
    .orderBy(desc(notice.occurredAt), desc(notice.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ occurredAt, id }) => ({ at: occurredAt, id }));
}

export async function findNotice(tx: Tx, id: string): Promise<StoredNotice | undefined> {
  const [row] = await tx.select().from(notice).where(eq(notice.id, id));
  return row;
}

/** Where these notices went, by notice. */
export async function deliveriesOf(
  tx: Tx,
  noticeIds: readonly string[],
): Promise<Map<string, StoredDelivery[]>> {
  if (noticeIds.length === 0) return new Map();
  const found = await tx
    .select()
    .from(delivery)
    .where(inArray(delivery.noticeId, [...noticeIds]))
    .orderBy(asc(delivery.id));
  return Map.groupBy(found, ({ noticeId }) => noticeId);
}

export type DeliveryOfNotice = StoredDelivery & { readonly kind: NoticeKind };

/** What went to an endpoint, the newest first. */
export async function listDeliveries(
  tx: Tx,
  { endpointId, state }: { readonly endpointId: string; readonly state?: DeliveryState | undefined },
  page: PageRequest<NewestFirst>,
): Promise<Page<DeliveryOfNotice, NewestFirst>> {
  const found = await tx
    .select({ delivery, kind: notice.kind })
    .from(delivery)
    .innerJoin(notice, eq(notice.id, delivery.noticeId))
    .where(
      and(
        eq(delivery.endpointId, endpointId),
        state === undefined ? undefined : eq(delivery.state, state),
        olderThan(delivery.createdAt, delivery.id, page.after),
      ),
    )
    .orderBy(desc(delivery.createdAt), desc(delivery.id))
    .limit(rowsToRead(page));
  const shown = found.map((row) => ({ ...row.delivery, kind: row.kind }));
  return pageOf(shown, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

export async function findDelivery(tx: Tx, id: string): Promise<DeliveryOfNotice | undefined> {
  const [row] = await tx
    .select({ delivery, kind: notice.kind })
    .from(delivery)
    .innerJoin(notice, eq(notice.id, delivery.noticeId))
    .where(eq(delivery.id, id));
  return row && { ...row.delivery, kind: row.kind };
}

/** The log of a delivery, by attempt. */
export async function attemptsOfDelivery(tx: Tx, deliveryId: string): Promise<StoredAttempt[]> {
  return await tx
    .select()
    .from(deliveryAttempt)
    .where(eq(deliveryAttempt.deliveryId, deliveryId))
    .orderBy(asc(deliveryAttempt.attempt));
}
