import { and, asc, count, eq, exists, gt } from "drizzle-orm";
import { BillingError } from "../../domain/errors.ts";
import {
  type CompiledMeters,
  compileMeters,
  type JsonValue,
  type Meter,
} from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { customer } from "../schema/billing.ts";
import { pendingEvent, type StoredContribution } from "../schema/usage.ts";
import { measureForStorage } from "./usage-ingest.ts";

export interface ReplayResult {
  readonly released: number;
  /** Still without a meter for their type, or refused by one. */
  readonly remaining: number;
}

const pageSize = 5_000;

/**
 * Counts the quarantined events of a customer who has appeared, or for whose events a meter has. They are
 * measured with the meters of now, in their own time. Call it in the transaction that adds the customer: a
 * batch that is being taken in meanwhile is either seen here or finds the customer itself.
 */
export async function replayQuarantined(
  tx: Tx,
  { customerId, meters }: { readonly customerId: string; readonly meters: readonly Meter[] },
): Promise<ReplayResult> {
  await tx.execute(sql`select usage.await_ingest(${customerId})`);
  const compiled = compileMeters(meters);
  let released = 0;
  for (let after = -1n; ; ) {
    const page = await tx
      .select()
      .from(pendingEvent)
      .where(and(eq(pendingEvent.customerId, customerId), gt(pendingEvent.seq, after)))
      .orderBy(asc(pendingEvent.seq))
      .limit(pageSize);
    const last = page.at(-1);
    if (!last) break;
    after = last.seq;
    released += await release(
      tx,
      page.flatMap((pending) => measured(pending, compiled)),
    );
  }
  return { released, remaining: await pendingCount(tx, customerId) };
}

/** Customers who exist and have quarantined events: after a change of meters each is worth a replay. */
export async function customersToReplay(tx: Tx): Promise<string[]> {
  const known = tx.select().from(customer).where(eq(customer.id, pendingEvent.customerId));
  const found = await tx
    .select({ customerId: pendingEvent.customerId })
    .from(pendingEvent)
    .where(exists(known))
    .groupBy(pendingEvent.customerId)
    .orderBy(asc(pendingEvent.customerId));
  return found.map(({ customerId }) => customerId);
}

function measured(pending: typeof pendingEvent.$inferSelect, meters: CompiledMeters) {
  const data = pending.data as Record<string, JsonValue>;
  const contributions = measureForStorage({ ...pending, data }, meters);
  if (contributions instanceof BillingError || contributions === null) return [];
  return [{ seq: pending.seq.toString(), contributions }];
}

async function release(
  tx: Tx,
  batch: { seq: string; contributions: StoredContribution[] }[],
): Promise<number> {
  const released = await rows(tx, sql`select usage.release(${JSON.stringify(batch)}::text::jsonb)`);
  return released.length;
}

async function pendingCount(tx: Tx, customerId: string): Promise<number> {
  const [row] = await tx
    .select({ pending: count() })
    .from(pendingEvent)
    .where(eq(pendingEvent.customerId, customerId));
  return row?.pending ?? 0;
}
