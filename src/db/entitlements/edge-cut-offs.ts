import { and, asc, desc, eq, inArray } from "drizzle-orm";
import { type Database, inTransaction, rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { edgeCutOff, edgeCutOffFeature } from "../schema/edge.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "../usage/customer-number.ts";

type CutOffRow = typeof edgeCutOff.$inferSelect;

export interface StoredCutOff extends CutOffRow {
  readonly features: readonly (typeof edgeCutOffFeature.$inferSelect)[];
  /** Usage events that were accepted with its mark, as far as their month is not archived. */
  readonly eventsReported: number;
}

/** Stores what was let through during a cut-off; one that is there already stays as it is. */
export async function insertCutOff(
  db: Database,
  row: typeof edgeCutOff.$inferInsert,
  features: readonly Omit<typeof edgeCutOffFeature.$inferInsert, "cutOffId">[],
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const inserted = await tx.insert(edgeCutOff).values(row).onConflictDoNothing().returning();
    if (inserted.length === 0) return;
    await tx.insert(edgeCutOffFeature).values(features.map((each) => ({ ...each, cutOffId: row.id })));
  });
}

export async function findCutOff(tx: Tx, id: string): Promise<StoredCutOff | undefined> {
  const found = await tx.select().from(edgeCutOff).where(eq(edgeCutOff.id, id));
  return (await withFeatures(tx, found))[0];
}

/** Those of a customer, the last that was told first. */
export async function listCutOffs(
  tx: Tx,
  customerId: string,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCutOff, NewestFirst>> {
  const found = await tx
    .select()
    .from(edgeCutOff)
    .where(
      and(eq(edgeCutOff.customerId, customerId), olderThan(edgeCutOff.reportedAt, edgeCutOff.id, page.after)),
    )
    .orderBy(desc(edgeCutOff.reportedAt), desc(edgeCutOff.id))
    .limit(rowsToRead(page));
  const all = await withFeatures(tx, found);
  return pageOf(all, page, ({ reportedAt, id }) => ({ at: reportedAt, id }));
}

async function withFeatures(tx: Tx, found: readonly CutOffRow[]): Promise<StoredCutOff[]> {
  const ids = found.map(({ id }) => id);
  if (ids.length === 0) return [];
  const features = await tx
    .select()
    .from(edgeCutOffFeature)
    .where(inArray(edgeCutOffFeature.cutOffId, ids))
    .orderBy(asc(edgeCutOffFeature.feature));
  return await Promise.all(
    found.map(async (row) => ({
      ...row,
      features: features.filter(({ cutOffId }) => cutOffId === row.id),
      eventsReported: await eventsMarked(tx, row),
    })),
  );
}

/** Usage of a cut-off happened while it lasted, or ran on for as long as a request may take. */
async function eventsMarked(tx: Tx, { id, customerId, beganAt, endedAt }: CutOffRow): Promise<number> {
  const [row] = await rows<{ count: number }>(
    tx,
    sql`select count(*)::int as count from usage.event
      where customer_number = ${customerNumber(customerId)}
        and time >= ${timestamp(beganAt)} - interval '1 hour' and time < ${timestamp(endedAt)} + interval '1 day'
        and data ->> 'let_through' = ${id}`,
  );
  return row?.count ?? 0;
}
