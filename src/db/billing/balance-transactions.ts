import { and, asc, eq, ne, sql } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { balanceTransaction } from "../schema/stripe.ts";

export type StoredBalanceTransaction = typeof balanceTransaction.$inferSelect;

/** Keeps what is new of a page; a transaction that is known stays as it is. Answers how many were new. */
export async function insertBalanceTransactions(
  tx: Tx,
  page: readonly Omit<StoredBalanceTransaction, "importedAt" | "state" | "problem">[],
): Promise<number> {
  if (page.length === 0) return 0;
  const inserted = await tx
    .insert(balanceTransaction)
    .values([...page])
    .onConflictDoNothing()
    .returning({ id: balanceTransaction.id });
  return inserted.length;
}

/** What is not booked under what it is, the oldest first: of those behind `after`, at most `limit`. */
export async function unexplainedTransactions(
  tx: Tx,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<StoredBalanceTransaction[]> {
  return await tx
    .select()
    .from(balanceTransaction)
    .where(
      and(
        ne(balanceTransaction.state, "booked"),
        after === null
          ? undefined
          : sql`(created_at, id) > (select created_at, id from stripe.balance_transaction where id = ${after})`,
      ),
    )
    .orderBy(asc(balanceTransaction.createdAt), asc(balanceTransaction.id))
    .limit(limit);
}

export async function findBalanceTransaction(
  tx: Tx,
  id: string,
): Promise<StoredBalanceTransaction | undefined> {
  const [row] = await tx.select().from(balanceTransaction).where(eq(balanceTransaction.id, id));
  return row;
}

export async function noteTransaction(
  tx: Tx,
  id: string,
  change: Pick<StoredBalanceTransaction, "state" | "problem">,
): Promise<void> {
  await tx.update(balanceTransaction).set(change).where(eq(balanceTransaction.id, id));
}
