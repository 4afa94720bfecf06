import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import {
  type ExpectedSource,
  expectedDaysMax,
  type InstanceClaim,
  type Watermark,
  watermarkOf,
} from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";

export interface WatermarksRequest {
  readonly customerId: string;
  readonly eventTypes: readonly string[];
  /** The customer's time. */
  readonly now: Instant;
  /**
   * On a test clock only sources count that name the customer in their heartbeats: nothing else knows anything of that time.
   */
  readonly isOnTestClock: boolean;
}

/** Up to when a customer's usage of each of these event types is complete. */
export async function usageWatermarks(tx: Tx, request: WatermarksRequest): Promise<Map<string, Watermark>> {
  const expected = await expectedSources(tx, request);
  return new Map(
    request.eventTypes.map((type) => [type, watermarkOf(expected.get(type) ?? [], request.now)]),
  );
}

interface ExpectedRow {
  readonly type: string;
  readonly source: string;
  /** Null: the source was seen and says nothing. */
  readonly instance: string | null;
  readonly complete_until_ms: bigint | null;
  readonly heard_at_ms: bigint | null;
}

type SourcesByType = Map<string, ExpectedSource[]>;

/**
 * Sources to be waited for: those that have lately sent such events for the customer, and those whose heartbeats speak of
 * them: by name of customer or type, or, when they speak of all, because they do send such events.
 */
async function expectedSources(tx: Tx, request: WatermarksRequest): Promise<SourcesByType> {
  const { customerId, now, isOnTestClock } = request;
  const found = await rows<ExpectedRow>(
    tx,
    sql`with asked as (select json_array_elements_text(${JSON.stringify(request.eventTypes)}::text::json) as type)
      select asked.type, h.source, h.instance, max(${epochMs(sql`h.complete_until`)}) as complete_until_ms,
        max(${epochMs(sql`h.heard_at`)}) as heard_at_ms
      from asked join usage.source_heartbeat h on h.type is null or h.type = asked.type
      where (h.customer_id = ${customerId} or h.customer_id is null and not ${isOnTestClock}::boolean)
        and h.heard_at > now() - ${expectedDaysMax} * interval '1 day'
        and (h.customer_id is not null or h.type is not null or exists (
          select from usage.arrival_lag l where l.source = h.source and l.type = asked.type
            and l.day > current_date - ${expectedDaysMax}::int))
      group by asked.type, h.source, h.instance
      union all
      select type, a.source, null, null, null
      from billing.customer c join usage.active_source a on a.customer_number = c.number join asked using (type)
      where c.id = ${customerId} and not ${isOnTestClock}::boolean
        and a.last_day > ${timestamp(now)}::date - ${expectedDaysMax}::int`,
  );
  const byType: Map<string, Map<string, InstanceClaim[]>> = new Map();
  for (const { type, source, instance, complete_until_ms: until, heard_at_ms: heardAt } of found) {
    const sources = byType.get(type) ?? new Map<string, InstanceClaim[]>();
    const claims = sources.get(source) ?? [];
    if (instance !== null && until !== null && heardAt !== null) {
      claims.push({ instance, completeUntil: instantFrom(until), heardAt: instantFrom(heardAt) });
    }
    byType.set(type, sources.set(source, claims));
  }
  return await withArrivals(tx, byType);
}

/** How late those that say nothing themselves used to be, of the events of each type. */
async function withArrivals(
  tx: Tx,
  byType: ReadonlyMap<string, ReadonlyMap<string, InstanceClaim[]>>,
): Promise<SourcesByType> {
  const expected: SourcesByType = new Map();
  for (const [type, sources] of byType) {
    const silent = [...sources].filter(([, claims]) => claims.length === 0).map(([source]) => source);
    const arrivals = silent.length === 0 ? [] : await arrivalsOf(tx, type, silent);
    expected.set(
      type,
      [...sources].map(([source, claims]) => ({
        source,
        claims,
        arrivals: arrivals.filter((arrived) => arrived.source === source),
      })),
    );
  }
  return expected;
}

async function arrivalsOf(tx: Tx, type: string, sources: readonly string[]) {
  return await rows<{ source: string; bucket: number; events: bigint }>(
    tx,
    sql`select source, bucket, sum(events)::int8 as events from usage.arrival_lag
      where type = ${type} and day > current_date - ${expectedDaysMax}::int
        and source in (select json_array_elements_text(${JSON.stringify(sources)}::text::json))
      group by source, bucket`,
  );
}

/** How far every source is, whatever it sends: for `/metrics`. */
export async function sourcesForMetrics(tx: Tx): Promise<ExpectedSource[]> {
  const claimed = await rows<{ source: string; instance: string; until_ms: bigint; heard_at_ms: bigint }>(
    tx,
    sql`select source, instance, ${epochMs(sql`min(complete_until)`)} as until_ms,
        ${epochMs(sql`max(heard_at)`)} as heard_at_ms
      from usage.source_heartbeat h
      where heard_at > now() - ${expectedDaysMax} * interval '1 day'
        and not exists (select from billing.customer c where c.id = h.customer_id and c.test_clock_id is not null)
      group by source, instance`,
  );
  const arrived = await rows<{ source: string; bucket: number; events: bigint }>(
    tx,
    sql`select source, bucket, sum(events)::int8 as events from usage.arrival_lag
      where day > current_date - ${expectedDaysMax}::int group by source, bucket`,
  );
  const sources = new Set([...claimed, ...arrived].map(({ source }) => source));
  return [...sources].map((source) => ({
    source,
    arrivals: arrived.filter((row) => row.source === source),
    claims: claimed
      .filter((row) => row.source === source)
      .map(({ instance, until_ms, heard_at_ms }) => ({
        instance,
        completeUntil: instantFrom(until_ms),
        heardAt: instantFrom(heard_at_ms),
      })),
  }));
}

export interface Heartbeat {
  readonly source: string;
  readonly instance: string;
  readonly completeUntil: Instant;
  /** Null: all. */
  readonly customerIds: readonly string[] | null;
  /** Null: all. */
  readonly types: readonly string[] | null;
}

export interface HeartbeatNoted {
  /** False: what was known before said as much, or more, and stands. */
  readonly isNews: boolean;
  /** How far the instance is; where it said more of some customers or types before, the least of it. */
  readonly completeUntil: Instant;
}

/** Keeps what an instance of a source says. It never goes back. */
export async function noteHeartbeat(tx: Tx, heartbeat: Heartbeat): Promise<HeartbeatNoted> {
  const { source, instance, completeUntil, customerIds, types } = heartbeat;
  const [noted] = await rows<{ is_news: boolean; until_ms: bigint }>(
    tx,
    sql`select is_news, ${epochMs(sql`known_until`)} as until_ms
      from usage.note_heartbeat(${source}, ${instance}, ${timestamp(completeUntil)},
        ${textArray(customerIds)}, ${textArray(types)})`,
  );
  if (noted === undefined) throw new Error("a function always answers");
  return { isNews: noted.is_news, completeUntil: instantFrom(noted.until_ms) };
}

/** An instance will send nothing more; nobody waits for it any longer. */
export async function endHeartbeats(tx: Tx, source: string, instance: string): Promise<void> {
  await tx.execute(sql`select usage.end_heartbeats(${source}, ${instance})`);
}

const epochMs = (timestamp: ReturnType<typeof sql>) => sql`(extract(epoch from ${timestamp}) * 1000)::int8`;

const instantFrom = (ms: bigint): Instant => instantOfEpochMs(Number(ms));

const textArray = (texts: readonly string[] | null) =>
  texts === null
    ? sql`null::text[]`
    : sql`array(select json_array_elements_text(${JSON.stringify(texts)}::text::json))`;
