import type { Instant, Period } from "../../domain/calendar/index.ts";
import type { Price, UsagePrice } from "../../domain/catalog/index.ts";
import {
  type MeterReading,
  metersOf,
  type StretchUsage,
  stretchesOf,
  type Terms,
  type TermsStretch,
  usagePricesOf,
} from "../../domain/invoicing/index.ts";
import { isComposable } from "../../domain/metering/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import {
  quantitiesOfTotals,
  type UsageQuantity,
  type UsageRequest,
  usageQuantitiesOf,
} from "../usage/usage-quantities.ts";
import type { Snapshot } from "../usage/usage-reads.ts";
import type { UsageTotal } from "../usage/usage-totals.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import { isToldMore, priceReadings } from "./price-readings.ts";

export function pricedMeters(terms: readonly Terms[]): string[] {
  return metersOf(terms.flatMap(({ items }) => items));
}

/** The versions of meters that measure what is priced. */
export function pricedVersions({ terms, meters }: Pick<AgreedPeriod, "terms" | "meters">): StoredMeter[] {
  const keys = pricedMeters(terms);
  return meters.filter(({ key }) => keys.includes(key));
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
  const [usage = []] = await periodUsages(tx, [measured]);
  return usage;
}

/** The same of many periods, in their order, of one customer or many: meters are read together. Call it in `inSnapshot`. */
export async function periodUsages(tx: Tx, measured: readonly MeasuredPeriod[]): Promise<StretchUsage[][]> {
  const asked = measured.map((of) =>
    stretchesOf(of.terms, of.period).map((stretch) => ({
      of,
      stretch,
      requests: meterRequests(of, stretch),
    })),
  );
  const requests = asked.flat().flatMap((stretch) => stretch.requests);
  const quantities = await usageQuantitiesOf(tx, requests);
  const found = new Map(requests.map((request, index) => [request, quantities[index] ?? []]));
  const usages: StretchUsage[][] = [];
  for (const stretches of asked) {
    const usage: StretchUsage[] = [];
    for (const { of, stretch, requests: ofStretch } of stretches) {
      const readings = ofStretch.flatMap((request) => readingsOf(request, found.get(request) ?? []));
      const heldPartOf = (meter: StoredMeter) => heldPart(meter, stretch, of.levelsUntil);
      usage.push({
        stretch,
        readings,
        priceReadings: await priceReadings(tx, { ...of, stretch, heldPart: heldPartOf }),
      });
    }
    usages.push(usage);
  }
  return usages;
}

/**
 * What a period's usage is asked for by one statement; null where that would not say all that its prices or meters look at.
 */
export function requestsAtOnce(measured: MeasuredPeriod): UsageRequest[] | null {
  const stretches = stretchesOf(measured.terms, measured.period);
  const isTold = stretches.some(({ terms }) => usagePricesOf(terms).some(({ price }) => isToldMore(price)));
  if (isTold || measured.visibleIn !== undefined) return null;
  return stretches.flatMap((stretch) => meterRequests(measured, stretch));
}

/** What the priced meters read, by the totals of what {@link requestsAtOnce} asks for; null where they do not say it. */
export function usageOfTotals(
  measured: MeasuredPeriod,
  totals: readonly (readonly UsageTotal[])[],
): StretchUsage[] | null {
  let place = 0;
  const usage: StretchUsage[] = [];
  for (const stretch of stretchesOf(measured.terms, measured.period)) {
    const readings: MeterReading[] = [];
    for (const request of meterRequests(measured, stretch)) {
      const found = quantitiesOfTotals(request, totals[place++] ?? []);
      if (found === null) return null;
      readings.push(...readingsOf(request, found));
    }
    usage.push({ stretch, readings, priceReadings: [] });
  }
  return usage;
}

/** The part of a stretch that is read; null when none of it has come yet. */
function heldPart({ aggregation }: StoredMeter, { start, end }: TermsStretch, until = end): Period | null {
  if (aggregation !== "time_weighted_sum" || end <= until) return { start, end };
  return start < until ? { start, end: until } : null;
}

type MeterRequest = UsageRequest & { readonly meter: StoredMeter };

/** For each combination of dimensions; or for each of the prices, where that says nothing of several together. */
function meterRequests(
  { customerId, meters, levelsUntil, visibleIn }: MeasuredPeriod,
  stretch: TermsStretch,
): MeterRequest[] {
  const keys = metersOf(stretch.terms.items);
  return meters
    .filter(({ key }) => keys.includes(key))
    .flatMap((meter): MeterRequest[] => {
      const period = heldPart(meter, stretch, levelsUntil);
      if (period === null) return [];
      const request = { customerId, meter, period, ...(visibleIn === undefined ? {} : { visibleIn }) };
      if (isComposable(meter.aggregation)) return [request];
      const prices = stretch.terms.items.flatMap(({ plan }) => plan.prices).filter(isUsageOf(meter.key));
      return prices.map(({ where }) => ({ ...request, where, groupBy: [] }));
    });
}

function readingsOf(
  { meter: { key: meterKey, aggregation }, where = {} }: MeterRequest,
  found: readonly UsageQuantity[],
): MeterReading[] {
  return found.map(({ dimensions, quantity }) => ({
    meterKey,
    dimensions: isComposable(aggregation) ? dimensions : where,
    quantity,
  }));
}

const isUsageOf =
  (meterKey: string) =>
  (price: Price): price is UsagePrice =>
    price.type === "usage" && price.meter === meterKey;
