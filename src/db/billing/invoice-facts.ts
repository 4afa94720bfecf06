import { createHash } from "node:crypto";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import {
  type BilledBefore,
  type InvoiceMeans,
  type KnownFacts,
  knownFactsOf,
  type LatePeriod,
  metersOf,
  type PeriodFacts,
  type PriceReading,
  type StretchUsage,
  toJson,
  type UsageUntil,
  usagePricesOf,
} from "../../domain/invoicing/index.ts";
import { canonicalJson, type JsonValue } from "../../domain/metering/index.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";

/** What a meter read in a stretch of unchanged terms, as a run saw it: enough to know it again. */
export interface UsageSeen extends Period {
  readonly meterKey: string;
  readonly meterVersion: number;
  /** SHA-256 of the readings as canonical JSON. */
  readonly fingerprint: string;
}

/** An earlier period whose late usage is on the invoice, but for its usage and what was booked of it. */
export interface LatePeriodSeen
  extends Omit<LatePeriod, "usage" | "usageUntil" | "booked" | "adjusted" | "meters"> {
  /** `catalog.meter.number` of the versions that measured it. */
  readonly meters: readonly number[];
  /** As of the period itself. */
  readonly usageUntil: readonly Instant[];
}

/** What decided the invoice of a period, beside what stays where it is: the events, the versions of plans, the runs. */
export interface PeriodSeen {
  readonly kind: "period";
  readonly known: KnownFacts;
  /** When the terms that were known took effect: what was agreed later was not. */
  readonly termsAt: readonly Instant[];
  readonly meters: readonly number[];
  /** What credit had paid of what thresholds billed; left out where they billed nothing. */
  readonly before?: Pick<BilledBefore, "draws">;
  readonly late: readonly LatePeriodSeen[];
  /** Until when usage was read besides: where a grant took effect or ended. */
  readonly usageUntil: readonly Instant[];
  readonly usage: readonly UsageSeen[];
}

/** What decided an invoice whose lines follow from one fact, such as a change of plan. */
export interface MeansSeen {
  readonly kind: "means";
  readonly means: InvoiceMeans;
}

/** As the table has it. */
export type FactsToStore = JsonValue;

interface LoadedFacts extends PeriodFacts {
  readonly meters: readonly StoredMeter[];
  readonly late: readonly (PeriodFacts["late"][number] & { readonly meters: readonly StoredMeter[] })[];
}

/** Of a period that is closed, or billed at a threshold. */
export function factsOfPeriod(facts: LoadedFacts): FactsToStore {
  const numbersOf = (meters: readonly StoredMeter[]) => meters.map(({ number }) => number);
  const instantsOf = (until: readonly UsageUntil[] = []) => until.map(({ at }) => at);
  const seen = toJson({
    kind: "period",
    termsAt: facts.terms.map(({ effectiveAt }) => effectiveAt),
    meters: numbersOf(facts.meters),
    ...(facts.before === undefined ? {} : { before: { draws: facts.before.draws } }),
    late: facts.late.map(({ period, full, periodIndex, advance, draws, meters, usageUntil }) => ({
      period,
      full,
      periodIndex,
      advance,
      draws,
      meters: numbersOf(meters),
      usageUntil: instantsOf(usageUntil),
    })),
    usageUntil: instantsOf(facts.usageUntil),
    usage: [
      ...usageSeen(facts.usage, facts.meters),
      ...facts.late.flatMap(({ usage, meters }) => usageSeen(usage, meters)),
    ],
  }) as { readonly [name: string]: JsonValue };
  return { ...seen, known: knownFactsOf({ ...facts }) };
}

/** Of an invoice whose lines are given. */
export const factsOfMeans = (means: InvoiceMeans): FactsToStore => toJson({ kind: "means", means });

/** One for each meter that is priced in a stretch. */
export function usageSeen(usage: readonly StretchUsage[], meters: readonly StoredMeter[]): UsageSeen[] {
  return usage.flatMap(({ stretch, readings, priceReadings = [] }) =>
    metersOf(stretch.terms.items).flatMap((key) => {
      const meter = meters.find((each) => each.key === key);
      if (meter === undefined) return [];
      const prices = usagePricesOf(stretch.terms).filter(({ price }) => price.meter === key);
      const isRead = (read: PriceReading) =>
        prices.some(({ plan, price }) => plan.key === read.planKey && price.key === read.priceKey);
      const read = [...readings.filter(({ meterKey }) => meterKey === key), ...priceReadings.filter(isRead)];
      return [
        {
          start: stretch.start,
          end: stretch.end,
          meterKey: key,
          meterVersion: meter.version,
          fingerprint: fingerprintOf(read),
        },
      ];
    }),
  );
}

/** The same for the same readings, in whatever order. */
function fingerprintOf(readings: readonly unknown[]): string {
  const texts = readings.map((reading) => canonicalJson(toJson(reading))).sort();
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}
