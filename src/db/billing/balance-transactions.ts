import { and, asc, eq, isNull, ne, sql } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { balanceTransaction, importPosition } from "../schema/stripe.ts";

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

/** How far the list of balance transactions has been read. */
export interface ImportPosition {
  /** Everything made before this has been read; null before the first pass has ended. */
  readonly coveredUntil: Instant | null;
  /** Of the pass under way: when the newest was made, and the last that was read; null between passes. */
  readonly passNewest: Instant | null;
  readonly passAfter: string | null;
}

const list = "balance_transactions";

export async function readImportPosition(tx: Tx): Promise<ImportPosition> {
  const [row] = await tx.select().from(importPosition).where(eq(importPosition.list, list));
  return row ?? { coveredUntil: null, passNewest: null, passAfter: null };
}

/** Goes on from `from`. False when somebody else did meanwhile: what was read is kept, and this pass is theirs. */
export async function moveImportPosition(tx: Tx, from: ImportPosition, to: ImportPosition): Promise<boolean> {
  await tx.insert(importPosition).values({ list }).onConflictDoNothing();
  const { passAfter, coveredUntil } = from;
  const same = [
    passAfter === null ? isNull(importPosition.passAfter) : eq(importPosition.passAfter, passAfter),
    coveredUntil === null
      ? isNull(importPosition.coveredUntil)
      : eq(importPosition.coveredUntil, coveredUntil),
  ];
  const moved = await tx
    .update(importPosition)
    .set({ ...to, movedAt: sql`clock_timestamp()` })
    .where(and(eq(importPosition.list, list), ...same))
    .returning({ list: importPosition.list });
  return moved.length > 0;
}
