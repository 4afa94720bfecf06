import type { SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import type { Dimensions } from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { type CorrectionOfEvent, correctionsOfEvent, standingOfEvent } from "./corrected-events.ts";
import { customerNumber } from "./customer-number.ts";

/** What a version of a meter made of an event. */
export interface StoredContribution {
  readonly meterKey: string;
  readonly meterVersion: number;
  readonly dimensions: Dimensions;
  readonly quantity: string;
  /** Of meters that count values. */
  readonly value?: string;
}

export interface StoredEvent {
  readonly seq: bigint;
  readonly customerId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly time: Instant;
  readonly data: Record<string, unknown>;
  readonly recordedAt: Instant;
  /** What meters made of it when it was accepted. */
  readonly contributions: readonly StoredContribution[];
  /** What counts of it now. */
  readonly standing: readonly StoredContribution[];
  /** The oldest first. */
  readonly corrections: readonly CorrectionOfEvent[];
}

/** A row of {@link eventColumns}. */
export interface StoredEventRow extends Omit<StoredEvent, "time" | "recordedAt"> {
  readonly time_ms: bigint;
  readonly recorded_ms: bigint;
}

/** Of the table `usage.event as event`. */
export const eventColumns = sql`event.seq, event.source, event.id, event.type, event.data,
  (select id from billing.customer where number = event.customer_number) as "customerId",
  (extract(epoch from event.time) * 1000)::int8 as time_ms, (extract(epoch from event.recorded_at) * 1000)::int8 as recorded_ms,
  ${listed(sql`unnest(event.meters, event.dimensions, event.quantities, event.distinct_values) as c (meter, dimensions, quantity, value)`)} as contributions,
  ${listed(standingOfEvent)} as standing, ${correctionsOfEvent} as corrections`;

/** Contributions as a list of {@link StoredContribution}. */
function listed(contributions: SQL): SQL {
  return sql`(
    select coalesce(json_agg(json_strip_nulls(json_build_object('meterKey', m.key, 'meterVersion', m.version,
      'dimensions', d.key::json, 'quantity', c.quantity::text, 'value', c.value)) order by m.key, m.version), '[]')
    from ${contributions}
    join catalog.meter m on m.number = c.meter join usage.dimensions d on d.number = c.dimensions)`;
}

export const storedEvent = ({ time_ms, recorded_ms, ...rest }: StoredEventRow): StoredEvent => ({
  ...rest,
  time: instantOfEpochMs(Number(time_ms)),
  recordedAt: instantOfEpochMs(Number(recorded_ms)),
});

/** Which transactions a rating run could see, as `pg_current_snapshot()` gave it to that run. */
export type Snapshot = string;

export interface EventsInPeriod {
  readonly customerId: string;
  readonly period: Period;
  /** Only events that one of these versions of meters counts. */
  readonly meters: readonly { readonly number: number }[];
  readonly visibleIn?: Snapshot;
  readonly notVisibleIn?: Snapshot;
}

/**
 * How many events of a period a rating run has seen (`visibleIn`), or has not (`notVisibleIn`). Over the runs
 * of a period, "not seen by the one before, seen by this one" counts every event exactly once.
 */
export async function eventCount(tx: Tx, filter: EventsInPeriod): Promise<bigint> {
  const [row] = await rows<{ events: bigint }>(
    tx,
    sql`select count(distinct fact_seq) as events from usage.contribution as fact where ${inPeriod(filter)}`,
  );
  return row?.events ?? 0n;
}

export interface EventCounts {
  readonly accepted: number;
  /** Contradictions of accepted or quarantined events; each different one is counted once. */
  readonly conflicting: number;
  readonly quarantined: number;
}

/** What has been taken in, of one customer or of all. */
export async function eventCounts(tx: Tx, customerId?: string): Promise<EventCounts> {
  const of = async (table: SQL, customer: SQL) => {
    const [row] = await rows<{ events: number }>(
      tx,
      sql`select count(*)::int as events from ${table} where ${customerId === undefined ? sql`true` : customer}`,
    );
    return row?.events ?? 0;
  };
  const isTheirs = sql`customer_id = ${customerId ?? null}`;
  const number = sql`customer_number = ${customerNumber(customerId ?? null)}`;
  return {
    accepted: await of(sql`usage.event`, number),
    conflicting: await of(sql`usage.event_conflict`, isTheirs),
    quarantined: await of(sql`usage.pending_event`, isTheirs),
  };
}

function inPeriod({ customerId, period, meters, visibleIn, notVisibleIn }: EventsInPeriod): SQL {
  const numbers = JSON.stringify(meters.map(({ number }) => number));
  return sql.join(
    [
      sql`customer_number = ${customerNumber(customerId)}`,
      sql`time >= ${timestamp(period.start)} and time < ${timestamp(period.end)}`,
      sql`meter = any (array(select json_array_elements_text(${numbers}::text::json)::int))`,
      visibleIn === undefined ? sql`true` : isVisibleIn(visibleIn),
      // The first of the two finds by index what has come since.
      notVisibleIn === undefined
        ? sql`true`
        : sql`recorded_xid >= pg_snapshot_xmin(${notVisibleIn}::pg_snapshot) and not ${isVisibleIn(notVisibleIn)}`,
    ],
    sql` and `,
  );
}

const isVisibleIn = (snapshot: Snapshot): SQL =>
  sql`pg_visible_in_snapshot(recorded_xid, ${snapshot}::pg_snapshot)`;
