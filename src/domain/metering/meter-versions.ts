import type { Instant, Period } from "../calendar/index.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Meter, MeterVersion } from "./meter.ts";

/** A version and since when it is in force, which ends where the next one begins. */
export type PublishedMeter = MeterVersion & { readonly publishedAt: Instant };

/** What publishing does to one meter, and the version that is then in force. */
export type MeterChange = {
  readonly meterKey: string;
  readonly change: "new" | "changed" | "unchanged";
  readonly version: number;
};

/** The canonical text of all that a meter says, its version left out. Any difference makes a new version. */
export function meterFingerprint(meter: Meter): string {
  const { key, eventType, aggregation, property, value, filter, dimensions, bands, unit, negative } = meter;
  const said = { key, eventType, aggregation, property, value, filter, dimensions, bands, unit, negative };
  return canonicalJson(JSON.parse(JSON.stringify(said)));
}

/**
 * Compares the versions there are with the meters to be published, one by one in their order. A meter that is not to be
 * published again stays as it is.
 */
export function diffMeters(current: readonly MeterVersion[], next: readonly Meter[]): MeterChange[] {
  return next.map((meter): MeterChange => {
    const newest = current
      .filter(({ key }) => key === meter.key)
      .toSorted((one, other) => other.version - one.version)[0];
    if (!newest) return { meterKey: meter.key, change: "new", version: 1 };
    if (meterFingerprint(newest) === meterFingerprint(meter)) {
      return { meterKey: meter.key, change: "unchanged", version: newest.version };
    }
    return { meterKey: meter.key, change: "changed", version: newest.version + 1 };
  });
}

/**
 * The version that measures a period, all of it: the newest that had been published when the period began; the first
 * version also measures what was before it.
 */
export function versionInForce(
  versions: readonly PublishedMeter[],
  periodStart: Instant,
): PublishedMeter | undefined {
  const inOrder = versions.toSorted((one, other) => one.version - other.version);
  return inOrder.findLast(({ publishedAt }) => publishedAt <= periodStart) ?? inOrder[0];
}

/**
 * The versions with which to measure an event that may belong to any of the periods that begin within `starts`: its
 * contributions to each are kept, and each period reads those of its own version.
 */
export function versionsInForce(versions: readonly PublishedMeter[], starts: Period): PublishedMeter[] {
  const first = versionInForce(versions, starts.start)?.version ?? 1;
  return versions.filter(
    ({ version, publishedAt }) => version >= first && (version === first || publishedAt < starts.end),
  );
}
