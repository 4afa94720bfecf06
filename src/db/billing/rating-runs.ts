import { and, asc, desc, eq, isNull } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { BookedUsage, RatedUsage } from "../../domain/invoicing/index.ts";
import { decimal, type Money, money } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { ratedUsage, ratingRun } from "../schema/billing.ts";
import { timestamp } from "../timestamp.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";

export type StoredRun = typeof ratingRun.$inferSelect;

/** The run that closed a period, or billed it anew after that invoice was voided; undefined while it is open. */
export async function closingRun(
  tx: Tx,
  subscriptionId: string,
  periodStart: Instant,
): Promise<StoredRun | undefined> {
  const [row] = await tx
    .select()
    .from(ratingRun)
    .where(
      and(
        eq(ratingRun.subscriptionId, subscriptionId),
        eq(ratingRun.periodStart, periodStart),
        isNull(ratingRun.afterRevision),
      ),
    )
    .orderBy(desc(ratingRun.revision))
    .limit(1);
  return row;
}

/** Of each closed period the newest run. */
export async function newestRuns(tx: Tx, subscriptionId: string): Promise<StoredRun[]> {
  return await tx
    .selectDistinctOn([ratingRun.periodStart])
    .from(ratingRun)
    .where(eq(ratingRun.subscriptionId, subscriptionId))
    .orderBy(asc(ratingRun.periodStart), desc(ratingRun.revision));
}

/** What a run came to, price by price. */
export async function bookedUsage(tx: Tx, run: StoredRun): Promise<BookedUsage[]> {
  const found = await tx
    .select()
    .from(ratedUsage)
    .where(
      and(
        eq(ratedUsage.subscriptionId, run.subscriptionId),
        eq(ratedUsage.periodStart, run.periodStart),
        eq(ratedUsage.revision, run.revision),
      ),
    );
  return found.map((row) => ({
    termsStart: row.termsStart,
    planKey: row.planKey,
    priceKey: row.priceKey,
    quantity: decimal(row.quantity),
    exactMinor: decimal(row.exactMinor),
  }));
}

/** Which transactions the current one sees; inside `inSnapshot` it holds for all that is read there. */
export async function currentSnapshot(tx: Tx): Promise<string> {
  const [row] = await rows<{ snapshot: string }>(tx, sql`select pg_current_snapshot()::text as snapshot`);
  if (row === undefined) throw new Error("the database always has a snapshot");
  return row.snapshot;
}

export interface RunToStore {
  readonly subscriptionId: string;
  readonly period: Period;
  readonly revision: number;
  /** The revision that its lines are the difference to; null: they bill the period from nothing. */
  readonly afterRevision: number | null;
  readonly invoiceId: string | null;
  readonly snapshot: string;
  readonly eventCount: bigint;
  readonly ratedAt: Instant;
  readonly rated: readonly RatedUsage[];
  /** That measured: of each meter the version in force. */
  readonly meters: readonly StoredMeter[];
}

export async function insertRun(tx: Tx, { period, rated, meters, ...run }: RunToStore): Promise<void> {
  await tx.insert(ratingRun).values({ ...run, periodStart: period.start, periodEnd: period.end });
  if (rated.length === 0) return;
  await tx.insert(ratedUsage).values(
    rated.map(({ stretch, plan, price, rated: result }) => ({
      subscriptionId: run.subscriptionId,
      periodStart: period.start,
      revision: run.revision,
      termsStart: stretch.start,
      termsEnd: stretch.end,
      planKey: plan.key,
      planVersion: plan.version,
      priceKey: price.key,
      product: price.product,
      meter: numberOf(meters, price.meter),
      quantity: result.quantity.text,
      includedQuantity: result.includedQuantity.text,
      exactMinor: result.exactMinor.text,
    })),
  );
}

function numberOf(meters: readonly StoredMeter[], meterKey: string): number {
  const meter = meters.find(({ key }) => key === meterKey);
  invariant(meter !== undefined, "what is rated was measured by a published meter");
  return meter.number;
}

/** What was invoiced in advance for a period, per product, less what was handed back: what it earns when it has passed. */
export async function advanceOf(
  tx: Tx,
  subscriptionId: string,
  period: Period,
  currency: string,
): Promise<{ productKey: string; amount: Money }[]> {
  const found = await rows<{ product: string; amount: bigint }>(
    tx,
    sql`select line.product, sum(line.amount_minor)::int8 as amount
        from billing.invoice inv join billing.invoice_line line on line.invoice_id = inv.id
        where inv.subscription_id = ${subscriptionId} and inv.status <> 'void' and line.earning = 'deferred'
          and line.period_start >= ${timestamp(period.start)}
          and line.period_start < ${timestamp(period.end)}
        group by line.product having sum(line.amount_minor) <> 0 order by line.product`,
  );
  return found.map(({ product, amount }) => ({ productKey: product, amount: money(amount, currency) }));
}
