import { and, asc, desc, eq, gt, lt } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { meterBackfillRefusal, meterBackfillStanding } from "../schema/usage-meter-backfill.ts";
import { customerNumber } from "./customer-number.ts";

export type StoredMeterBackfill = typeof meterBackfillStanding.$inferSelect;
export type StoredRefusal = typeof meterBackfillRefusal.$inferSelect;

export interface MeterBackfillRequest {
  /** Asked for again under the same id, it is the first one. */
  readonly id: string;
  /** `catalog.meter.number`: a version of a meter. */
  readonly meter: number;
  readonly since: Instant;
  /** Exclusive; null: all that there is. */
  readonly until: Instant | null;
  /** All when left out. */
  readonly customerId?: string | undefined;
  readonly requestedBy: string;
}

/**
 * Asks for stored events to be counted by a version of a meter, and gives the number of that fact. Which events these are is
 * settled here, for good. Ingest measures with a version from its publication on: a publication, and this request, wait for
 * batches under way and hold up those that follow, so every event that was measured without the version has been committed
 * with a smaller number than the request's, and every event with a larger one finds the version published. What is asked
 * for is the events with a smaller number; that some of them have been counted by the version already is seen event by event.
 * Give it a transaction that ends soon: taking in waits for it.
 */
export async function startMeterBackfill(tx: Tx, request: MeterBackfillRequest): Promise<bigint> {
  const { id, meter, since, until, customerId, requestedBy } = request;
  const [started] = await rows<{ seq: bigint }>(
    tx,
    sql`select usage.start_meter_backfill(${id}, ${meter}, ${customerNumber(customerId ?? null)},
      ${isoOf(since)}::timestamptz, ${until === null ? null : isoOf(until)}::timestamptz, ${requestedBy}) as seq`,
  );
  return started?.seq ?? 0n;
}

/** What has been counted stays counted. False when the backfill had ended. */
export async function cancelMeterBackfill(tx: Tx, seq: bigint, canceledBy: string): Promise<boolean> {
  const [row] = await rows<{ is_canceled: boolean }>(
    tx,
    sql`select usage.cancel_meter_backfill(${seq.toString()}::int8, ${canceledBy}) as is_canceled`,
  );
  return row?.is_canceled ?? false;
}

export async function findMeterBackfill(tx: Tx, id: string): Promise<StoredMeterBackfill | undefined> {
  const [found] = await tx.select().from(meterBackfillStanding).where(eq(meterBackfillStanding.id, id));
  return found;
}

/** Those of every version of a meter, the newest first. */
export async function listMeterBackfills(
  tx: Tx,
  key: string,
  page: PageRequest<bigint>,
): Promise<Page<StoredMeterBackfill, bigint>> {
  const found = await tx
    .select()
    .from(meterBackfillStanding)
    .where(
      and(
        eq(meterBackfillStanding.key, key),
        page.after === undefined ? undefined : lt(meterBackfillStanding.seq, page.after),
      ),
    )
    .orderBy(desc(meterBackfillStanding.seq))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ seq }) => seq);
}

/** An event that the meter refused. */
export type RefusedEvent = StoredRefusal & { readonly source: string; readonly id: string };

export async function listRefusals(
  tx: Tx,
  backfill: bigint,
  page: PageRequest<bigint>,
): Promise<Page<RefusedEvent, bigint>> {
  const found = await tx
    .select()
    .from(meterBackfillRefusal)
    .where(
      and(
        eq(meterBackfillRefusal.backfillSeq, backfill),
        page.after === undefined ? undefined : gt(meterBackfillRefusal.eventSeq, page.after),
      ),
    )
    .orderBy(asc(meterBackfillRefusal.eventSeq))
    .limit(rowsToRead(page));
  const named = await rows<{ seq: bigint; source: string; id: string }>(
    tx,
    sql`select seq, source, id from usage.event join (
        select * from json_to_recordset(${JSON.stringify(
          found.map(({ eventSeq, eventTime }) => ({ seq: `${eventSeq}`, time: isoOf(eventTime) })),
        )}::text::json) as refused (seq int8, time timestamptz)
      ) as refused using (seq, time)`,
  );
  const names = new Map(named.map(({ seq, source, id }) => [seq, { source, id }]));
  return pageOf(
    found.map((refusal) => ({ ...refusal, ...(names.get(refusal.eventSeq) ?? { source: "", id: "" }) })),
    page,
    ({ eventSeq }) => eventSeq,
  );
}

const countedMaxUsual = 20_000;

/**
 * How many events a backfill looks at in all: counted when they are some thousands, what the database takes them to be when they are
 * more.
 */
export async function eventsOf(
  tx: Tx,
  backfill: StoredMeterBackfill,
  countedMax = countedMaxUsual,
): Promise<bigint> {
  const { seq, customerNumber, since, until, events, state } = backfill;
  if (state === "done") return events;
  const asked = sql`from usage.event
    where seq < ${seq.toString()}::int8 and time >= ${isoOf(since)}::timestamptz
      and time < ${until === null ? "infinity" : isoOf(until)}::timestamptz
      and type = (select definition ->> 'eventType' from catalog.meter where number = ${backfill.meter})
      and ${customerNumber === null ? sql`true` : sql`customer_number = ${customerNumber.toString()}::int8`}`;
  const [counted] = await rows<{ events: bigint }>(
    tx,
    sql`select count(*) as events from (select 1 ${asked} limit ${countedMax}) as few`,
  );
  if (counted !== undefined && counted.events < countedMax) return counted.events;
  const [plan] = await rows<{ "QUERY PLAN": [{ Plan: { "Plan Rows": number } }] }>(
    tx,
    sql`explain (format json) select 1 ${asked}`,
  );
  const estimate = BigInt(Math.round(plan?.["QUERY PLAN"][0].Plan["Plan Rows"] ?? 0));
  return [estimate, events, BigInt(countedMax)].reduce((most, next) => (next > most ? next : most));
}

/** How many periods that were rated with its version already a backfill reaches: what it counts there is late usage. */
export async function ratedPeriodsReached(tx: Tx, backfill: StoredMeterBackfill): Promise<number> {
  const { meter, customerId, since, until } = backfill;
  const [row] = await rows<{ periods: number }>(
    tx,
    sql`select count(distinct (run.subscription_id, run.period_start))::int as periods
      from billing.rating_run run
      join billing.subscription on subscription.id = run.subscription_id
      join billing.rated_usage rated using (subscription_id, period_start, revision)
      where rated.meter = ${meter} and run.period_end > ${isoOf(since)}::timestamptz
        and run.period_start < ${until === null ? "infinity" : isoOf(until)}::timestamptz
        and ${customerId === null ? sql`true` : sql`subscription.customer_id = ${customerId}`}`,
  );
  return row?.periods ?? 0;
}
