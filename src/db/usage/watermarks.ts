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
  const { customerId, eventTypes, now, isOnTestClock } = request;
  const types = sql`array(select json_array_elements_text(${JSON.stringify(eventTypes)}::text::json))`;
  const [answer] = await rows<{ found: SourcesFound }>(
    tx,
    sql`select usage.expected_sources(${customerId}, ${types}, ${timestamp(now)}, ${isOnTestClock}::boolean,
      ${expectedDaysMax}::int) as found`,
  );
  if (answer === undefined) throw new Error("a function always answers");
  return watermarksOf(answer.found, request);
}

/** As `usage.expected_sources` gives it. */
export interface SourcesFound {
  readonly said: readonly {
    readonly type: string;
    readonly source: string;
    /** Null: the source was seen and says nothing. */
    readonly instance: string | null;
    readonly completeUntilMs: number | null;
    readonly heardAtMs: number | null;
  }[];
  /** How late those that say nothing themselves used to be, of the events of each type. */
  readonly arrivals: readonly {
    readonly type: string;
    readonly source: string;
    readonly bucket: number;
    readonly events: string;
  }[];
}

/** The same by what was found, of these types or of more. */
export function watermarksOf(
  { said, arrivals }: SourcesFound,
  { eventTypes, now }: Pick<WatermarksRequest, "eventTypes" | "now">,
): Map<string, Watermark> {
  const watermarkOfType = (type: string) => {
    const ofSources = Map.groupBy(
      said.filter((each) => each.type === type),
      ({ source }) => source,
    );
    const expected = [...ofSources].map(
      ([source, claimed]): ExpectedSource => ({
        source,
        claims: claimed.flatMap(claimOf),
        arrivals: arrivals
          .filter((each) => each.type === type && each.source === source)
          .map(({ bucket, events }) => ({ bucket, events: BigInt(events) })),
      }),
    );
    return watermarkOf(expected, now);
  };
  return new Map(eventTypes.map((type) => [type, watermarkOfType(type)]));
}

function claimOf({ instance, completeUntilMs, heardAtMs }: SourcesFound["said"][number]): InstanceClaim[] {
  if (instance === null || completeUntilMs === null || heardAtMs === null) return [];
  const completeUntil = instantOfEpochMs(completeUntilMs);
  return [{ instance, completeUntil, heardAt: instantOfEpochMs(heardAtMs) }];
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
