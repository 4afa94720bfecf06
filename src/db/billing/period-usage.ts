import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import type { Price, UsagePrice } from "../../domain/catalog/index.ts";
import {
  type LatePeriod,
  type MeterReading,
  metersOf,
  pricedTerms,
  type StretchUsage,
  stretchesOf,
  type Terms,
  type TermsStretch,
} from "../../domain/invoicing/index.ts";
import { isComposable } from "../../domain/metering/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { type UsageRequest, usageQuantities } from "../usage/usage-quantities.ts";
import { eventCount, type Snapshot } from "../usage/usage-reads.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import { priceReadings } from "./price-readings.ts";
import { bookedUsage, type CountingRun, newestRuns } from "./rating-runs.ts";
import { anchorsOf, fullPeriodAt, type StoredSubscription } from "./subscriptions.ts";

/** A period closed before that has had usage since, with the run that saw it last. */
export interface LateFacts extends LatePeriod {
  readonly run: CountingRun;
  /** That no run before has seen. */
  readonly newEvents: bigint;
  readonly meters: readonly StoredMeter[];
}

export function pricedMeters(terms: readonly Terms[]): string[] {
  return metersOf(terms.flatMap(({ items }) => items));
}

export interface MeasuredPeriod extends Pick<AgreedPeriod, "period" | "terms" | "meters"> {
  readonly customerId: string;
  /** A level has no end while its period goes on: then it counts until this instant. */
  readonly levelsUntil?: Instant;
  /** As an earlier run saw it. */
  readonly visibleIn?: Snapshot;
}

/** What the priced meters read in each stretch of a period. */
export async function periodUsage(tx: Tx, measured: MeasuredPeriod): Promise<StretchUsage[]> {
  const { terms, period, meters } = measured;
  const usage: StretchUsage[] = [];
  for (const stretch of stretchesOf(terms, period)) {
    const keys = metersOf(stretch.terms.items);
    const readings = [];
    for (const meter of meters.filter(({ key }) => keys.includes(key))) {
      const held = heldPart(meter, stretch, measured.levelsUntil);
      if (held === null) continue;
      const { customerId, visibleIn } = measured;
      const request = { customerId, meter, period: held, ...(visibleIn === undefined ? {} : { visibleIn }) };
      readings.push(...(await readingsOf(tx, request, stretch)));
    }
    const heldPartOf = (meter: StoredMeter) => heldPart(meter, stretch, measured.levelsUntil);
    const more = await priceReadings(tx, { ...measured, stretch, heldPart: heldPartOf });
    usage.push({ stretch, readings, priceReadings: more });
  }
  return usage;
}

/** The part of a stretch that is read; null when none of it has come yet. */
function heldPart({ aggregation }: StoredMeter, { start, end }: TermsStretch, until = end): Period | null {
  if (aggregation !== "time_weighted_sum" || end <= until) return { start, end };
  return start < until ? { start, end: until } : null;
}

/** For each combination of dimensions; or for each of the prices, where that says nothing of several together. */
async function readingsOf(
  tx: Tx,
  request: UsageRequest & { readonly meter: StoredMeter },
  stretch: TermsStretch,
): Promise<MeterReading[]> {
  const { key: meterKey, aggregation } = request.meter;
  if (isComposable(aggregation)) {
    const found = await usageQuantities(tx, request);
    return found.map(({ dimensions, quantity }) => ({ meterKey, dimensions, quantity }));
  }
  const readings: MeterReading[] = [];
  for (const { where } of stretch.terms.items
    .flatMap(({ plan }) => plan.prices)
    .filter(isUsageOf(meterKey))) {
    const [found] = await usageQuantities(tx, { ...request, where, groupBy: [] });
    if (found !== undefined) readings.push({ meterKey, dimensions: where, quantity: found.quantity });
  }
  return readings;
}

const isUsageOf =
  (meterKey: string) =>
  (price: Price): price is UsagePrice =>
    price.type === "usage" && price.meter === meterKey;

/** The closed periods of a subscription that have had usage since. @param voiding as {@link newestRuns} takes it */
export async function latePeriods(
  tx: Tx,
  row: StoredSubscription,
  { terms, metersOf: metersOfPeriod }: Pick<AgreedPeriod, "terms" | "metersOf">,
  voiding: string | null = null,
): Promise<LateFacts[]> {
  const late: LateFacts[] = [];
  for (const run of await newestRuns(tx, row.id, voiding)) {
    const period = { start: run.periodStart, end: run.periodEnd };
    const { customerId } = row;
    const unseen = { customerId, period, meterKeys: pricedMeters(terms), notVisibleIn: run.snapshot };
    if ((await eventCount(tx, unseen)) === 0n) continue;
    const newEvents = await eventCount(tx, { ...unseen, notVisibleIn: run.last.snapshot });
    const meters = await metersOfPeriod(period);
    const periodIndex = periodIndexAt(anchorsOf(row), period.start);
    const priced = pricedTerms(terms, periodIndex);
    late.push({
      run,
      newEvents,
      meters,
      period,
      full: fullPeriodAt(row, period.start),
      periodIndex,
      usage: await periodUsage(tx, { customerId, terms: priced, period, meters }),
      booked: await bookedUsage(tx, run),
    });
  }
  return late;
}
