import { and, asc, count, eq, exists, gt } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import type { JsonValue } from "../../domain/metering/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { rows, sql, type Tx } from "../database.ts";
import { customer } from "../schema/billing.ts";
import { pendingEvent } from "../schema/usage.ts";
import { contributionLists } from "./contribution-lists.ts";
import { dimensionNumbers, numberSourceOf, openMonths } from "./known-numbers.ts";
import { type MeasuredContribution, measurerOf } from "./measurement.ts";
import { publishedMeters, type StoredMeter } from "./meters-in-force.ts";

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
  { customerId, meters: known }: { readonly customerId: string; readonly meters: readonly StoredMeter[] },
): Promise<ReplayResult> {
  // A publication waits for this as for a batch: what is released is measured with every version that it will find in force.
  await tx.execute(sql`select pg_advisory_xact_lock_shared(hashtextextended('catalog', 0))`);
  const published = await publishedMeters(tx);
  const meters = published.length === known.length ? known : published;
  await tx.execute(sql`select usage.await_ingest(${customerId})`);
  const measure = measurerOf(meters);
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
    const measured = page.flatMap((pending): Measured[] => {
      const contributions = measure({ ...pending, data: pending.data as Record<string, JsonValue> });
      return contributions instanceof BillingError || contributions === null
        ? []
        : [{ ...pending, contributions }];
    });
    if (measured.length > 0) released += await release(tx, measured, meters);
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

interface Measured {
  readonly seq: bigint;
  readonly time: Instant;
  readonly contributions: readonly MeasuredContribution[];
}

async function release(tx: Tx, batch: readonly Measured[], meters: readonly StoredMeter[]): Promise<number> {
  const asked = numberSourceOf(tx);
  await openMonths(
    asked,
    meters,
    batch.map(({ time }) => time),
  );
  const keys = batch.flatMap(({ contributions }) => contributions.map(({ dimensionsKey }) => dimensionsKey));
  const numbers = await dimensionNumbers(asked, meters, keys);
  const lists = contributionLists(
    batch.map(({ contributions }) => contributions),
    numbers,
  );
  const released = await rows(
    tx,
    sql`select usage.release(${arrayLiteral(batch.map(({ seq }) => `${seq}`))}::text::bigint[],
      ${lists.meters}::text::text[], ${lists.dimensions}::text::text[], ${lists.quantities}::text::text[],
      ${lists.values}::text::text[])`,
  );
  return released.length;
}

async function pendingCount(tx: Tx, customerId: string): Promise<number> {
  const [row] = await tx
    .select({ pending: count() })
    .from(pendingEvent)
    .where(eq(pendingEvent.customerId, customerId));
  return row?.pending ?? 0;
}
