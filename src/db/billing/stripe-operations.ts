import { eq, inArray } from "drizzle-orm";
import type { OperationLog, OperationStart, OperationState, StripeFailure } from "../../stripe/index.ts";
import { type Database, rows, sql, type Tx } from "../database.ts";
import { insertOf } from "../insert-rows.ts";
import { operation } from "../schema/stripe.ts";
import { writtenTogether } from "../written-together.ts";

/**
 * The permanent record of every write to Stripe. Each step is committed when it is answered, outside of any transaction of the
 * caller: the record must survive whatever happens next. Those of calls that are made at the same time share a statement.
 */
export function operationLog(db: Database): OperationLog {
  const begin = writtenTogether((starts: readonly OperationStart[]) => beginAll(db, starts));
  const finish = writtenTogether((ends: readonly OperationEnd[]) => finishAll(db, ends));
  return {
    begin,
    succeed: (key, response) => finish({ key, state: "succeeded", response }),
    refuse: (key, error) => finish({ key, state: "refused", error }),
  };
}

/** Who is the first under a key has begun it; whoever else is among them is told what is recorded. */
async function beginAll(db: Database, starts: readonly OperationStart[]): Promise<OperationState<unknown>[]> {
  const firsts = new Map(starts.toReversed().map((start) => [start.key, start]));
  // In one order, so that two statements with the same keys do not wait for each other.
  const written = [...firsts.values()]
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ at, ...start }) => ({ ...start, state: "sent" as const, firstSentAt: at }));
  const inserted = await rows<{ key: string }>(
    db.orm,
    sql`${insertOf(operation, written)} on conflict do nothing returning key`,
  );
  const isNew = new Set(inserted.map(({ key }) => key));
  const begun = (start: OperationStart) => isNew.has(start.key) && firsts.get(start.key) === start;
  const known = await recordedUnder(
    db.orm,
    starts.filter((start) => !begun(start)).map(({ key }) => key),
  );
  return starts.map((start) => {
    if (begun(start)) return { state: "new", firstSentAt: start.at };
    const recorded = known.get(start.key);
    if (recorded === undefined) throw new Error(`operation ${start.key} was neither written nor found`);
    return recorded.requestHash === start.requestHash ? stateOf(recorded) : { state: "reused" };
  });
}

async function recordedUnder(
  tx: Tx,
  keys: readonly string[],
): Promise<ReadonlyMap<string, typeof operation.$inferSelect>> {
  if (keys.length === 0) return new Map();
  const found = await tx
    .select()
    .from(operation)
    .where(inArray(operation.key, [...keys]));
  return new Map(found.map((recorded) => [recorded.key, recorded]));
}

type OperationEnd = { readonly key: string } & (
  | { readonly state: "succeeded"; readonly response: unknown }
  | { readonly state: "refused"; readonly error: StripeFailure }
);

async function finishAll(db: Database, ends: readonly OperationEnd[]): Promise<undefined[]> {
  await db.orm.execute(sql`
    update stripe.operation set state = finished.state, finished_at = clock_timestamp(),
      response = coalesce(finished.response, operation.response), error = coalesce(finished.error, operation.error)
    from jsonb_to_recordset(${JSON.stringify(ends)}::text::jsonb)
      as finished (key text, state text, response jsonb, error jsonb)
    where operation.key = finished.key and operation.state = 'sent'`);
  return ends.map(() => undefined);
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
