import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import {
  type CompiledMeters,
  type Contribution,
  compileMeters,
  contributionsOf,
  type UsageEvent,
  versionsInForce,
} from "../../domain/metering/index.ts";
import type { StoredMeter } from "./meters-in-force.ts";

/** What an event contributes to one version of a meter. */
export interface MeasuredContribution extends Contribution {
  /** `catalog.meter.number` */
  readonly meter: number;
}

/** Contributions, null when no meter reads events of this type, or the refusal of a meter that cannot measure it. */
export type Measured = readonly MeasuredContribution[] | null | BillingError;

/** The longest period that usage may belong to, and its grace: a period keeps the versions that were in force when it began. */
const periodMaxMs = 400 * 86_400_000;

const measurers = new WeakMap<readonly StoredMeter[], (event: UsageEvent) => Measured>();

/**
 * Measures events with every version of a meter that one of the periods an event may belong to can have: those in force
 * from the earliest begin of such a period until now. Compiled once for each list of meters.
 */
export function measurerOf(meters: readonly StoredMeter[]): (event: UsageEvent) => Measured {
  const known = measurers.get(meters);
  if (known !== undefined) return known;
  const measurer = compile(meters);
  measurers.set(meters, measurer);
  return measurer;
}

function compile(meters: readonly StoredMeter[]): (event: UsageEvent) => Measured {
  const numbers = new Map(
    [...Map.groupBy(meters, ({ key }) => key)].map(([key, versions]) => [
      key,
      new Map(versions.map(({ version, number }) => [version, number])),
    ]),
  );
  const numberOf = ({ meterKey, meterVersion }: Contribution) =>
    numbers.get(meterKey)?.get(meterVersion) ?? 0;
  const compiledFor = versionChoice(meters);
  return (event) => {
    try {
      const contributions = contributionsOf(event, compiledFor(event.time));
      return (
        contributions?.map((contribution) => ({ ...contribution, meter: numberOf(contribution) })) ?? null
      );
    } catch (error) {
      if (error instanceof BillingError) return error;
      throw error;
    }
  };
}

/** The meters for an event of a time. Where each has one version, as most do, they are the same for all. */
function versionChoice(meters: readonly StoredMeter[]): (time: number) => CompiledMeters {
  const all = compileMeters(meters);
  const byKey = [...Map.groupBy(meters, ({ key }) => key).values()];
  if (byKey.every((versions) => versions.length === 1)) return () => all;
  const compiled = new Map<string, CompiledMeters>();
  return (time) => {
    const now = Date.now();
    const starts = {
      start: instantOfEpochMs(Math.min(time, now) - periodMaxMs),
      end: instantOfEpochMs(Math.max(time, now) + 1),
    };
    const chosen = byKey.flatMap((versions) => versionsInForce(versions, starts)) as StoredMeter[];
    const choice = chosen.map(({ number }) => number).join();
    const found = compiled.get(choice) ?? compileMeters(chosen);
    compiled.set(choice, found);
    return found;
  };
}
