import { and, asc, desc, eq, isNull } from "drizzle-orm";
import { type Database, inTransaction, type Tx } from "./database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { operation, operationOutcome, operationStanding, operationTarget } from "./schema/operations.ts";

export { type OperationAction, operationActions } from "./schema/operations.ts";

/** An operation and how far it is. */
export type StoredOperation = typeof operationStanding.$inferSelect;
export type NewOperation = Omit<typeof operation.$inferInsert, "targets">;

/** A workflow's run, or a queue, which has no run. */
export interface OperationTarget {
  readonly target: string;
  readonly runId: string | null;
}

export interface TargetStanding extends OperationTarget {
  readonly position: number;
  /** Null: still to be done. */
  readonly outcome: "done" | "refused" | null;
  readonly code: string | null;
  readonly detail: string | null;
}

/** Writes down what is about to be done, and to what; the same operation again stays as it was. */
export async function insertOperation(
  db: Database,
  asked: NewOperation,
  targets: readonly OperationTarget[],
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const row = { ...asked, targets: targets.length };
    const inserted = await tx
      .insert(operation)
      .values(row)
      .onConflictDoNothing()
      .returning({ id: operation.id });
    if (inserted.length === 0) return;
    const rows = targets.map((target, position) => ({ operationId: asked.id, position, ...target }));
    for (let from = 0; from < rows.length; from += 1_000) {
      await tx.insert(operationTarget).values(rows.slice(from, from + 1_000));
    }
  });
}

export async function findOperation(tx: Tx, id: string): Promise<StoredOperation | undefined> {
  const [found] = await tx.select().from(operationStanding).where(eq(operationStanding.id, id));
  return found;
}

export async function listOperations(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredOperation, NewestFirst>> {
  const found = await tx
    .select()
    .from(operationStanding)
    .where(olderThan(operationStanding.requestedAt, operationStanding.id, page.after))
    .orderBy(desc(operationStanding.requestedAt), desc(operationStanding.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ requestedAt, id }) => ({ at: requestedAt, id }));
}

/** The targets of an operation in their order, at most `limit`; of those that are still to be done, when asked so. */
export async function targetsOf(
  tx: Tx,
  operationId: string,
  { limit, outcome }: { readonly limit: number; readonly outcome?: "pending" | "refused" },
): Promise<TargetStanding[]> {
  const { target, runId, position } = operationTarget;
  const { outcome: became, code, detail } = operationOutcome;
  const wanted = { pending: isNull(became), refused: eq(became, "refused") };
  return await tx
    .select({ target, runId, position, outcome: became, code, detail })
    .from(operationTarget)
    .leftJoin(
      operationOutcome,
      and(
        eq(operationOutcome.operationId, operationTarget.operationId),
        eq(operationOutcome.position, position),
      ),
    )
    .where(and(eq(operationTarget.operationId, operationId), outcome && wanted[outcome]))
    .orderBy(asc(position))
    .limit(limit);
}

/** Writes down what became of a target; who is later with it has done the same. */
export async function insertOutcome(tx: Tx, outcome: typeof operationOutcome.$inferInsert): Promise<void> {
  await tx.insert(operationOutcome).values(outcome).onConflictDoNothing();
}
