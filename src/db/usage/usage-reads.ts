import { and, asc, count, desc, eq, gte, lt, type SQL } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { event, eventConflict, pendingEvent } from "../schema/usage.ts";

export type StoredEvent = typeof event.$inferSelect;

/** Newest first; the order of acceptance decides within one instant. */
export interface EventPosition {
  readonly time: Instant;
  readonly seq: bigint;
}

export interface EventFilter {
  readonly customerId: string;
  readonly from?: Instant | undefined;
  /** Exclusive. */
  readonly to?: Instant | undefined;
  readonly source?: string | undefined;
  readonly id?: string | undefined;
}

/** A customer's accepted events, newest first. */
export async function findEvents(
  tx: Tx,
  { customerId, from, to, source, id }: EventFilter,
  page: PageRequest<EventPosition>,
): Promise<Page<StoredEvent, EventPosition>> {
  const found = await tx
    .select()
    .from(event)
    .where(
      and(
        eq(event.customerId, customerId),
        from === undefined ? undefined : gte(event.time, from),
        to === undefined ? undefined : lt(event.time, to),
        source === undefined ? undefined : eq(event.source, source),
        id === undefined ? undefined : eq(event.id, id),
        page.after && olderThan(page.after),
      ),
    )
    .orderBy(desc(event.time), desc(event.seq))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ time, seq }) => ({ time, seq }));
}

/** Which transactions a rating run could see, as `pg_current_snapshot()` gave it to that run. */
export type Snapshot = string;

export interface EventsInPeriod {
  readonly customerId: string;
  readonly period: Period;
  /** Only events that contribute to one of these meters. */
  readonly meterKeys: readonly string[];
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
    sql`select count(*) as events from ${event} where ${inPeriod(filter)}`,
  );
  return row?.events ?? 0n;
}

/** Events of a period that came after the run that closed it, in the order in which they were accepted. */
export async function lateEvents(
  tx: Tx,
  { closedBy, limit, ...filter }: EventsInPeriod & { readonly closedBy: Snapshot; readonly limit: number },
): Promise<StoredEvent[]> {
  return await tx
    .select()
    .from(event)
    .where(inPeriod({ ...filter, notVisibleIn: closedBy }))
    .orderBy(asc(event.seq))
    .limit(limit);
}

export interface EventCounts {
  readonly accepted: number;
  /** Contradictions of accepted or quarantined events; each different one is counted once. */
  readonly conflicting: number;
  readonly quarantined: number;
}

/** What has been taken in, of one customer or of all. */
export async function eventCounts(tx: Tx, customerId?: string): Promise<EventCounts> {
  const of = (table: typeof event | typeof eventConflict | typeof pendingEvent) =>
    tx
      .select({ events: count() })
      .from(table)
      .where(customerId === undefined ? undefined : eq(table.customerId, customerId));
  const [[accepted], [conflicting], [quarantined]] = [
    await of(event),
    await of(eventConflict),
    await of(pendingEvent),
  ];
  return {
    accepted: accepted?.events ?? 0,
    conflicting: conflicting?.events ?? 0,
    quarantined: quarantined?.events ?? 0,
  };
}

function inPeriod({
  customerId,
  period,
  meterKeys,
  visibleIn,
  notVisibleIn,
}: EventsInPeriod): SQL | undefined {
  return and(
    eq(event.customerId, customerId),
    gte(event.time, period.start),
    lt(event.time, period.end),
    sql`exists (
      select from jsonb_to_recordset(${event.contributions}) as c (meter_key text)
      where c.meter_key in (select json_array_elements_text(${JSON.stringify(meterKeys)}::text::json)))`,
    visibleIn === undefined ? undefined : isVisibleIn(visibleIn),
    notVisibleIn === undefined ? undefined : sql`not ${isVisibleIn(notVisibleIn)}`,
  );
}

const isVisibleIn = (snapshot: Snapshot): SQL =>
  sql`pg_visible_in_snapshot(${event.recordedXid}, ${snapshot}::pg_snapshot)`;

function olderThan({ time, seq }: EventPosition): SQL {
  return sql`(${event.time}, ${event.seq}) < (${new Date(time).toISOString()}::timestamptz, ${seq.toString()}::int8)`;
}
