import { eq, sql } from "drizzle-orm";
import type { OperationLog, OperationState, StripeFailure } from "../../stripe/index.ts";
import type { Database, Tx } from "../database.ts";
import { operation } from "../schema/stripe.ts";

/**
 * The permanent record of every write to Stripe. Each step commits by itself, outside of any transaction of the
 * caller: the record must survive whatever happens next.
 */
export function operationLog(db: Database): OperationLog {
  return {
    async begin({ key, operation: name, requestHash, body, at }) {
      const [inserted] = await db.orm
        .insert(operation)
        .values({ key, operation: name, requestHash, body, state: "sent", firstSentAt: at })
        .onConflictDoNothing()
        .returning();
      if (inserted !== undefined) return { state: "new", firstSentAt: inserted.firstSentAt };
      const [recorded] = await db.orm.select().from(operation).where(eq(operation.key, key));
      if (recorded === undefined) throw new Error(`operation ${key} was neither written nor found`);
      return recorded.requestHash === requestHash ? stateOf(recorded) : { state: "reused" };
    },
    async succeed(key, response) {
      await finish(db, key, { state: "succeeded", response });
    },
    async refuse(key, error) {
      await finish(db, key, { state: "refused", error });
    },
  };
}

/** Whether a call under this key was made, or was about to be. */
export async function isBegun(tx: Tx, key: string): Promise<boolean> {
  const found = await tx.select({ key: operation.key }).from(operation).where(eq(operation.key, key));
  return found.length > 0;
}

function stateOf(recorded: typeof operation.$inferSelect): OperationState<unknown> {
  switch (recorded.state) {
    case "sent":
      return { state: "unknown", firstSentAt: recorded.firstSentAt };
    case "succeeded":
      return { state: "succeeded", response: recorded.response };
    case "refused":
      return { state: "refused", error: recorded.error as StripeFailure };
  }
}

async function finish(
  db: Database,
  key: string,
  outcome: { state: "succeeded"; response: unknown } | { state: "refused"; error: StripeFailure },
): Promise<void> {
  await db.orm
    .update(operation)
    .set({ ...outcome, finishedAt: sql`clock_timestamp()` })
    .where(eq(operation.key, key));
}
