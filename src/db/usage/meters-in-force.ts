import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { type PublishedMeter, versionInForce } from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";

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

/**
 * Of each meter the version that measures a period: the one in force when it began. A test clock's time says nothing of
 * when a meter was published: there it is the newest.
 */
export function metersOfPeriod(
  meters: readonly StoredMeter[],
  periodStart: Instant,
  isOnTestClock: boolean,
): StoredMeter[] {
  if (isOnTestClock) return newestVersions(meters);
  const inForce = [...Map.groupBy(meters, ({ key }) => key).values()].map((versions) =>
    versionInForce(versions, periodStart),
  );
  return inForce.filter((meter): meter is StoredMeter => meter !== undefined);
}

/** Of each meter the newest version. */
export function newestVersions(meters: readonly StoredMeter[]): StoredMeter[] {
  return [...new Map(meters.map((meter) => [meter.key, meter])).values()];
}
