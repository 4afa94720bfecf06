import { and, desc, eq, getTableColumns } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { featureGrant, featureGrantEnd } from "../schema/feature-grants.ts";

/** What was given to a customer, and how somebody ended it; null as long as nobody did. */
export type StoredFeatureGrant = typeof featureGrant.$inferSelect & {
  readonly end: typeof featureGrantEnd.$inferSelect | null;
};

const columns = { ...getTableColumns(featureGrant), end: getTableColumns(featureGrantEnd) };

const grants = (tx: Tx) =>
  tx
    .select(columns)
    .from(featureGrant)
    .leftJoin(featureGrantEnd, eq(featureGrantEnd.grantId, featureGrant.id));

/** Stores a grant; one that is there already stays as it is. */
export async function insertFeatureGrant(tx: Tx, row: typeof featureGrant.$inferInsert): Promise<void> {
  await tx.insert(featureGrant).values(row).onConflictDoNothing();
}

/** Ends a grant; the first end stands. */
export async function endFeatureGrant(tx: Tx, row: typeof featureGrantEnd.$inferInsert): Promise<void> {
  await tx.insert(featureGrantEnd).values(row).onConflictDoNothing();
}

export async function findFeatureGrant(tx: Tx, id: string): Promise<StoredFeatureGrant | undefined> {
  const [row] = await grants(tx).where(eq(featureGrant.id, id));
  return row;
}

/** All that a customer was given beside plans, the newest first. */
export async function listFeatureGrants(
  tx: Tx,
  customerId: string,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredFeatureGrant, NewestFirst>> {
  const found = await grants(tx)
    .where(
      and(
        eq(featureGrant.customerId, customerId),
        olderThan(featureGrant.grantedAt, featureGrant.id, page.after),
      ),
    )
    .orderBy(desc(featureGrant.grantedAt), desc(featureGrant.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ grantedAt, id }) => ({ at: grantedAt, id }));
}
