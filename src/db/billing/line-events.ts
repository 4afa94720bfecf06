import type { SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import type { Dimensions } from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "../usage/customer-number.ts";

/**
 * Whether a contribution is in a line, as 1, or was taken out of it again, as -1; null when neither. A line is what a run came
 * to less what the run before did: it has what the run saw and the one before had not. Where the run measured with another
 * version of the meter, it has all that this version made, and takes back all that the other had.
 * @param fact a row with `meter` and `recorded_xid`
 */
export const sideOf = (fact: string, rated: RatedColumns): SQL => {
  const { meter, snapshot, meterBefore, snapshotBefore } = rated;
  return sql.raw(`case
    when ${fact}.meter = ${meter} and pg_visible_in_snapshot(${fact}.recorded_xid, ${snapshot})
      and not coalesce(${meterBefore} = ${meter} and pg_visible_in_snapshot(${fact}.recorded_xid, ${snapshotBefore}), false) then 1
    when ${fact}.meter = ${meterBefore} and ${meterBefore} <> ${meter}
      and pg_visible_in_snapshot(${fact}.recorded_xid, ${snapshotBefore}) then -1 end`);
};

interface RatedColumns {
  readonly meter: string;
  readonly snapshot: string;
  readonly meterBefore: string;
  readonly snapshotBefore: string;
}

/** What every run made of every price, with what the run before had: `run`, `rated`, `run_before`, `before`, and the price's dimensions. */
export const ratedRows = sql`billing.rating_run as run
  join billing.rated_usage as rated using (subscription_id, period_start, revision)
  join catalog.plan as plan on plan.key = rated.plan_key and plan.version = rated.plan_version
  cross join lateral (
    select price -> 'where' as dimensions from jsonb_array_elements(plan.definition -> 'prices') as price
    where price ->> 'key' = rated.price_key
  ) as wanted
  left join billing.rated_usage as before on before.subscription_id = rated.subscription_id
    and before.period_start = rated.period_start and before.revision = run.after_revision
    and before.terms_start = rated.terms_start and before.plan_key = rated.plan_key and before.price_key = rated.price_key
  left join billing.rating_run as run_before on run_before.subscription_id = before.subscription_id
    and run_before.period_start = before.period_start and run_before.revision = before.revision`;

/** The line that bills what a run made of a price; a run that changed nothing has none. */
export const isLineOf = sql`line.invoice_id = run.invoice_id
  and line.kind = case run.kind when 'late' then 'late_usage' else 'usage' end
  and line.plan_key = rated.plan_key and line.price_key = rated.price_key and line.period_start = rated.terms_start
  and exists (
    select from billing.invoice_part as part
    where (part.invoice_id, part.part, part.subscription_id) = (line.invoice_id, line.part, run.subscription_id))`;

/** A line that bills usage, and by what its events are found. */
export interface RatedLine {
  readonly customerId: string;
  readonly subscriptionId: string;
  readonly revision: number;
  readonly period: Period;
  readonly meterKey: string;
  readonly meterVersion: number;
  readonly aggregation: string;
  /** As the line says, in the meter's unit. */
  readonly quantity: string;
  readonly where: Dimensions;
  readonly meter: number;
  readonly snapshot: string;
  readonly meterBefore: number | null;
  readonly snapshotBefore: string | null;
}

/** Undefined when there is no such line, or it bills no usage. */
export async function findRatedLine(tx: Tx, invoiceId: string, line: number): Promise<RatedLine | undefined> {
  const [found] = await rows<Omit<RatedLine, "period"> & { start_ms: bigint; end_ms: bigint }>(
    tx,
    sql`select invoice.customer_id as "customerId", run.subscription_id as "subscriptionId", run.revision,
        (extract(epoch from rated.terms_start) * 1000)::int8 as start_ms, (extract(epoch from rated.terms_end) * 1000)::int8 as end_ms,
        meter.key as "meterKey", meter.version as "meterVersion", meter.definition ->> 'aggregation' as aggregation,
        line.quantity::text as quantity, wanted.dimensions as where, rated.meter, run.snapshot::text as snapshot,
        before.meter as "meterBefore", run_before.snapshot::text as "snapshotBefore"
      from billing.invoice join billing.invoice_line as line on line.invoice_id = invoice.id
      join billing.invoice_part as of on (of.invoice_id, of.part) = (line.invoice_id, line.part)
      cross join (${ratedRows}) join catalog.meter on meter.number = rated.meter
      where invoice.id = ${invoiceId} and line.line = ${line} and run.subscription_id = of.subscription_id and ${isLineOf}`,
  );
  if (found === undefined) return undefined;
  const { start_ms, end_ms, ...rest } = found;
  return {
    ...rest,
    period: { start: instantOfEpochMs(Number(start_ms)), end: instantOfEpochMs(Number(end_ms)) },
  };
}

/** What an event contributed to a line. */
export interface LineEvent {
  readonly position: LineEventPosition;
  /** Null when the event lies in the archive. */
  readonly source: string | null;
  readonly id: string | null;
  readonly type: string | null;
  readonly time: Instant;
  readonly recordedAt: Instant;
  readonly dimensions: Dimensions;
  /** In the meter's own measure. */
  readonly quantity: string;
  readonly value: string | null;
  readonly isTakenBack: boolean;
}

/** By time; then what is of one event together. */
export interface LineEventPosition {
  readonly time: Instant;
  readonly eventSeq: bigint;
  readonly factSeq: bigint;
  /** Tells apart what one fact says of an event. */
  readonly place: bigint;
}

interface LineEventRow extends Omit<LineEvent, "position" | "time" | "recordedAt" | "isTakenBack"> {
  readonly time_ms: bigint;
  readonly recorded_ms: bigint;
  readonly event_seq: bigint;
  readonly fact_seq: bigint;
  readonly place: bigint;
  readonly side: number;
}

/** Exactly what a line bills, event by event. */
export async function eventsOfLine(
  tx: Tx,
  line: RatedLine,
  page: PageRequest<LineEventPosition>,
): Promise<Page<LineEvent, LineEventPosition>> {
  const found = await rows<LineEventRow>(
    tx,
    sql`with line as materialized (
        select ${line.meter}::int as meter, ${line.snapshot}::pg_snapshot as snapshot,
          ${line.meterBefore}::int as meter_before, ${line.snapshotBefore}::pg_snapshot as snapshot_before
      ), fact as (
        (${factsOf(line, page, "accepted")}) union all (${factsOf(line, page, "later")})
      )
      select event.source, event.id, event.type, named.key::json as dimensions, fact.quantity::text as quantity, fact.value,
        (extract(epoch from fact.time) * 1000)::int8 as time_ms, (extract(epoch from fact.recorded_at) * 1000)::int8 as recorded_ms,
        fact.event_seq, fact.fact_seq, fact.place, fact.side
      from (select * from fact order by time, event_seq, fact_seq, place limit ${rowsToRead(page)}) as fact
      join usage.dimensions as named on named.number = fact.dimensions
      left join usage.event as event on event.seq = fact.event_seq and event.time = fact.time
      order by fact.time, fact.event_seq, fact.fact_seq, fact.place`,
  );
  return pageOf(found.map(lineEvent), page, ({ position }) => position);
}

const accepted =
  sql.raw(`select event.seq as fact_seq, event.seq as event_seq, event.recorded_xid, event.recorded_at, event.time,
    event.customer_number, made.*, 1 as weight
  from usage.event as event
  cross join lateral unnest(event.meters, event.dimensions, event.quantities, event.distinct_values) as made (meter, dimensions, quantity, value)`);
const later =
  sql.raw(`select fact_seq, event_seq, recorded_xid, recorded_at, time, customer_number, meter, dimensions, quantity, value, weight
  from usage.later_contribution`);

/** As much as a page needs of one of the two tables that contributions are in. */
function factsOf(line: RatedLine, page: PageRequest<LineEventPosition>, kind: "accepted" | "later"): SQL {
  const { customerId, period, where } = line;
  const { after } = page;
  const side = sideOf("made", {
    meter: "line.meter",
    snapshot: "line.snapshot",
    meterBefore: "line.meter_before",
    snapshotBefore: "line.snapshot_before",
  });
  return sql`select made.*, sided.side * made.weight as side, place.place
    from (${kind === "accepted" ? accepted : later}) as made cross join line
    cross join lateral (select ${side} as side) as sided
    cross join lateral (select made.meter::int8 * 2 + (made.weight > 0)::int as place) as place
    where made.customer_number = ${customerNumber(customerId)}
      and made.time >= ${timestamp(after?.time ?? period.start)} and made.time < ${timestamp(period.end)}
      and ${after === undefined ? sql`true` : isAfter(after)}
      and ${isUnseenBefore(line)} and sided.side is not null
      and exists (
        select from usage.dimensions as named
        where named.number = made.dimensions and named.key::jsonb @> ${JSON.stringify(where)}::text::jsonb)
    order by made.time, made.event_seq, made.fact_seq, place.place limit ${rowsToRead(page)}`;
}

/** By index, what cannot have been seen by the run before: of late usage that is far less than all of a period. */
const isUnseenBefore = ({ meter, meterBefore, snapshotBefore }: RatedLine): SQL =>
  meter === meterBefore
    ? sql`made.recorded_xid >= pg_snapshot_xmin(${snapshotBefore}::pg_snapshot)`
    : sql`true`;

const isAfter = ({ time, eventSeq, factSeq, place }: LineEventPosition): SQL =>
  sql`(made.time, made.event_seq, made.fact_seq, place.place) >
    (${timestamp(time)}, ${eventSeq.toString()}::int8, ${factSeq.toString()}::int8, ${place.toString()}::int8)`;

function lineEvent({
  time_ms,
  recorded_ms,
  event_seq,
  fact_seq,
  place,
  side,
  ...rest
}: LineEventRow): LineEvent {
  const time = instantOfEpochMs(Number(time_ms));
  return {
    ...rest,
    time,
    recordedAt: instantOfEpochMs(Number(recorded_ms)),
    isTakenBack: side < 0,
    position: { time, eventSeq: event_seq, factSeq: fact_seq, place },
  };
}
