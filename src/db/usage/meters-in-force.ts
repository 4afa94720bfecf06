import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import { type PublishedMeter, versionInForce } from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "./customer-number.ts";

/** A version of a meter as it was published, with the number that usage calls it by. */
export type StoredMeter = PublishedMeter & { readonly number: number };

/** What is measured with, as of one moment. */
export interface MetersInForce {
  /** How many versions of meters have been published: they are only ever added, so an equal number is the same meters. */
  readonly published: bigint;
  /** Every version. */
  readonly meters: readonly StoredMeter[];
}

/** Every version of every meter, in the order of their numbers. */
export async function publishedMeters(tx: Tx): Promise<StoredMeter[]> {
  const found = await rows<{
    definition: Omit<StoredMeter, "number" | "version" | "publishedAt">;
    number: number;
    version: number;
    published_ms: string;
  }>(
    tx,
    sql`select definition, number, version, (extract(epoch from created_at) * 1000)::int8::text as published_ms
      from catalog.meter order by number`,
  );
  return found.map(({ definition, number, version, published_ms }) => ({
    ...definition,
    number,
    version,
    publishedAt: instantOfEpochMs(Number(published_ms)),
  }));
}

/** The meters with their number. */
export async function metersInForce(tx: Tx): Promise<MetersInForce> {
  const meters = await publishedMeters(tx);
  return { published: BigInt(meters.length), meters };
}

export interface MeasuredTime {
  readonly customerId: string;
  readonly period: Period;
  /** Then the period's time says nothing of when a meter was published. */
  readonly isOnTestClock: boolean;
}

/**
 * Of each meter the version that measures a period: the one in force when it began; on a test clock, when its first event
 * was recorded. It measured all of the period's events, and stays the same whatever is published later.
 */
export async function metersOfPeriod(
  tx: Tx,
  meters: readonly StoredMeter[],
  measured: MeasuredTime,
): Promise<StoredMeter[]> {
  const begun = measured.isOnTestClock ? await firstRecordedAt(tx, measured) : measured.period.start;
  if (begun === undefined) return newestVersions(meters);
  const inForce = [...Map.groupBy(meters, ({ key }) => key).values()].map((versions) =>
    versionInForce(versions, begun),
  );
  return inForce.filter((meter): meter is StoredMeter => meter !== undefined);
}

async function firstRecordedAt(tx: Tx, { customerId, period }: MeasuredTime): Promise<Instant | undefined> {
  const [row] = await rows<{ ms: bigint | null }>(
    tx,
    sql`select (extract(epoch from min(recorded_at)) * 1000)::int8 as ms from usage.event
      where customer_number = ${customerNumber(customerId)}
        and time >= ${timestamp(period.start)}
        and time < ${timestamp(period.end)}`,
  );
  return row?.ms == null ? undefined : instantOfEpochMs(Number(row.ms));
}

/** Of each meter the newest version. */
export function newestVersions(meters: readonly StoredMeter[]): StoredMeter[] {
  return [...new Map(meters.map((meter) => [meter.key, meter])).values()];
}
