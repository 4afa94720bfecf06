import { and, desc, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { BackfillState } from "../../domain/corrections/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { type backfill, backfillStanding } from "../schema/usage-corrections.ts";
import { timestamp } from "../timestamp.ts";

/** A backfill with its state. */
export type StoredBackfill = typeof backfillStanding.$inferSelect;

/** What is in a backfill. */
export interface BackfillCounts {
  readonly accepted: bigint;
  /** Of those: events that were voided, with the backfill or one by one. */
  readonly voided: bigint;
  readonly customers: bigint;
}

/** Opened twice under one id, it is the first one that stands. */
export async function openBackfill(
  tx: Tx,
  { id, name, reason, openedBy, openedAt }: typeof backfill.$inferInsert,
): Promise<void> {
  await tx.execute(sql`select usage.open_backfill(${id}, ${name}, ${reason}, ${openedBy},
    ${timestamp(openedAt)})`);
}

export async function findBackfill(tx: Tx, id: string): Promise<StoredBackfill | undefined> {
  const [found] = await tx.select().from(backfillStanding).where(eq(backfillStanding.id, id));
  return found;
}

export interface BackfillFilter {
  readonly state?: BackfillState | undefined;
  /** Of whose events at least one is in it. */
  readonly customerId?: string | undefined;
}

export async function listBackfills(
  tx: Tx,
  { state, customerId }: BackfillFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredBackfill, NewestFirst>> {
  const found = await tx
    .select()
    .from(backfillStanding)
    .where(
      and(
        state === undefined ? undefined : eq(backfillStanding.state, state),
        customerId === undefined ? undefined : hasEventOf(customerId),
        olderThan(backfillStanding.openedAt, backfillStanding.id, page.after),
      ),
    )
    .orderBy(desc(backfillStanding.openedAt), desc(backfillStanding.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ openedAt, id }) => ({ at: openedAt, id }));
}

const hasEventOf = (customerId: string) =>
  sql`exists (
    select from usage.backfill_event added join billing.customer on customer.number = added.customer_number
    where added.backfill_id = ${backfillStanding.id} and customer.id = ${customerId})`;

/** Once it settles no event can be added; closed twice, it is the first that stands. */
export async function closeBackfill(
  tx: Tx,
  id: string,
  { closedBy, closedAt }: { readonly closedBy: string; readonly closedAt: Instant },
): Promise<void> {
  await tx.execute(sql`select usage.close_backfill(${id}, ${closedBy}, ${timestamp(closedAt)})`);
}

export async function backfillCounts(tx: Tx, id: string): Promise<BackfillCounts> {
  const [counts] = await rows<BackfillCounts>(
    tx,
    sql`select count(*) as accepted, count(distinct customer_number) as customers,
          count(*) filter (where exists (
            select from usage.correction_event e join usage.correction_booking using (correction_id)
            join usage.correction c on c.id = e.correction_id
            where e.event_seq = added.event_seq and c.kind = 'void')) as voided
        from usage.backfill_event added where backfill_id = ${id}`,
  );
  return counts ?? { accepted: 0n, voided: 0n, customers: 0n };
}
