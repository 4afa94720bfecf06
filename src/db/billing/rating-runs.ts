import { and, asc, desc, eq } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { BookedUsage, RatedAdjustment, RatedUsage } from "../../domain/invoicing/index.ts";
import { type Decimal, maxDecimal, storedDecimal, zero } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type InvoiceStatus, invoice, type RatingRunKind, ratedUsage, ratingRun } from "../schema/billing.ts";
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
        eq(ratingRun.kind, "closing"),
      ),
    )
    .orderBy(desc(ratingRun.revision))
    .limit(1);
  return row;
}

/** The run of a period that counts: later ones were on invoices that are void. */
export interface CountingRun extends StoredRun {
  /** The last of the period, void or not: numbers go on after it, and events that it saw were seen. */
  readonly last: StoredRun;
}

/**
 * Of each closed period the newest run whose invoice is not void. A period that goes on is left out, and one whose closing is
 * void.
 * @param voiding an invoice that is being voided, though this transaction may not see it yet
 */
export async function newestRuns(
  tx: Tx,
  subscriptionId: string,
  voiding: string | null = null,
): Promise<CountingRun[]> {
  const found = await tx
    .select({ run: ratingRun, status: invoice.status })
    .from(ratingRun)
    .leftJoin(invoice, eq(invoice.id, ratingRun.invoiceId))
    .where(eq(ratingRun.subscriptionId, subscriptionId))
    .orderBy(asc(ratingRun.periodStart), desc(ratingRun.revision));
  return [...Map.groupBy(found, ({ run }) => run.periodStart).values()].flatMap((ofPeriod) => {
    const counting = ofPeriod.find(
      ({ run, status }) => status !== "void" && (run.invoiceId === null || run.invoiceId !== voiding),
    );
    const last = ofPeriod[0];
    const isClosed = counting !== undefined && counting.run.kind !== "threshold";
    return isClosed && last !== undefined ? [{ ...counting.run, last: last.run }] : [];
  });
}

/** How a period was rated until now. */
export interface RatedBefore {
  /** The last run, void or not; null where there is none. */
  readonly last: StoredRun | null;
  /** The newest that billed a threshold on an invoice that stands. */
  readonly atThreshold: StoredRun | null;
  /** The most that its usage came to at a threshold, void or not: what was reached once is not reached again. */
  readonly chargedMost: Decimal;
}

/** Reads how a period was rated, as the caller's transaction has it. */
export async function ratedBefore(
  tx: Tx,
  subscriptionId: string,
  periodStart: Instant,
): Promise<RatedBefore> {
  const of = (table: "rated_usage" | "rated_adjustment") =>
    sql.raw(`(select coalesce(sum(exact_minor), 0) from billing.${table} as part
      where part.subscription_id = rating_run.subscription_id and part.period_start = rating_run.period_start
        and part.revision = rating_run.revision)`);
  const found = await tx
    .select({
      run: ratingRun,
      status: invoice.status,
      charged: sql<string>`(${of("rated_usage")} + ${of("rated_adjustment")})::text`,
    })
    .from(ratingRun)
    .leftJoin(invoice, eq(invoice.id, ratingRun.invoiceId))
    .where(and(eq(ratingRun.subscriptionId, subscriptionId), eq(ratingRun.periodStart, periodStart)))
    .orderBy(desc(ratingRun.revision));
  return ratedBeforeOf(found);
}

/** A run with the state of its invoice, and what usage came to in it: of runs at thresholds. */
export interface RatedRun {
  readonly run: StoredRun;
  readonly status: InvoiceStatus | null;
  readonly charged: string | null;
}

/** @param found the runs of a period, the last one first */
export function ratedBeforeOf(found: readonly RatedRun[]): RatedBefore {
  const atThresholds = found.filter(({ run }) => run.kind === "threshold");
  return {
    last: found[0]?.run ?? null,
    atThreshold: atThresholds.find(({ status }) => status !== "void")?.run ?? null,
    chargedMost: atThresholds
      .map(({ charged }) => storedDecimal(charged ?? "0"))
      .reduce((most, charged) => maxDecimal(most, charged), zero),
  };
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
    quantity: storedDecimal(row.quantity),
    exactMinor: storedDecimal(row.exactMinor),
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
  readonly kind: RatingRunKind;
  /** The revision that its lines are the difference to; null: they bill the period from nothing. */
  readonly afterRevision: number | null;
  readonly invoiceId: string | null;
  readonly snapshot: string;
  readonly eventCount: bigint;
  readonly ratedAt: Instant;
  readonly rated: readonly RatedUsage[];
  readonly adjusted: readonly RatedAdjustment[];
  /** That measured: of each meter the version in force. */
  readonly meters: readonly StoredMeter[];
}

/** A run as the table has it. */
export function runRow({ period, ...run }: RunToStore): typeof ratingRun.$inferInsert {
  return { ...run, periodStart: period.start, periodEnd: period.end };
}

/** What a run came to, price by price, as the table has it. */
export function ratedRows({
  subscriptionId,
  period,
  revision,
  rated,
  meters,
}: RunToStore): (typeof ratedUsage.$inferInsert)[] {
  return rated.map(({ stretch, plan, price, rated: result }) => ({
    subscriptionId,
    periodStart: period.start,
    revision,
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
  }));
}

function numberOf(meters: readonly StoredMeter[], meterKey: string): number {
  const meter = meters.find(({ key }) => key === meterKey);
  invariant(meter !== undefined, "what is rated was measured by a published meter");
  return meter.number;
}
