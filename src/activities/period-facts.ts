import { grantsOfCustomer } from "../db/billing/credit-grants.ts";
import { findCustomer } from "../db/billing/customers.ts";
import { carriedAmount } from "../db/billing/invoices.ts";
import { bookedUsage, currentSnapshot, newestRuns, type StoredRun } from "../db/billing/rating-runs.ts";
import {
  anchorOf,
  fullPeriodAt,
  type StoredSubscription,
  termsHistory,
  waitingChanges,
} from "../db/billing/subscriptions.ts";
import { type Database, inSnapshot, type Tx } from "../db/database.ts";
import { metersOfPeriod, publishedMeters, type StoredMeter } from "../db/usage/meters-in-force.ts";
import { type UsageRequest, usageQuantities } from "../db/usage/usage-quantities.ts";
import { eventCount } from "../db/usage/usage-reads.ts";
import { type Instant, type Period, periodContaining } from "../domain/calendar/index.ts";
import type { Price, UsagePrice } from "../domain/catalog/index.ts";
import {
  type LatePeriod,
  type MeterReading,
  type PeriodFacts,
  type StretchUsage,
  stretchesOf,
  type Terms,
  type TermsStretch,
} from "../domain/invoicing/index.ts";
import { isComposable } from "../domain/metering/index.ts";
import { currency } from "../domain/money/index.ts";
import { balanceOfCustomer } from "./customer-balance.ts";
import { metersOf } from "./subscription-items.ts";

/** A period closed before that has had usage since, with the run that saw it last. */
export interface LateFacts extends LatePeriod {
  readonly run: StoredRun;
  readonly newEvents: bigint;
  readonly meters: readonly StoredMeter[];
}

/** What was agreed for a period, and the meters that measure it. */
export interface AgreedPeriod {
  readonly period: Period;
  readonly full: Period;
  readonly next: Period | null;
  readonly terms: readonly Terms[];
  readonly meters: readonly StoredMeter[];
  /** Those that measure the period that begins at an instant. */
  readonly metersFrom: (periodStart: Instant) => readonly StoredMeter[];
}

export type LoadedPeriod = Omit<PeriodFacts, "late" | "meters"> & {
  readonly meters: readonly StoredMeter[];
  readonly late: readonly LateFacts[];
  readonly newEvents: bigint;
  /** Which transactions' events are in it: it freezes the usage. */
  readonly snapshot: string;
};

/** The period that starts at `start`; shorter than the calendar's when the subscription ends inside it. */
export function periodOf(
  row: StoredSubscription,
  start: Instant,
): { period: Period; full: Period; next: Period | null } {
  const full = fullPeriodAt(row, start);
  const end = row.cancelAt !== null && row.cancelAt < full.end ? row.cancelAt : full.end;
  const endsHere = row.cancelAt !== null && row.cancelAt <= full.end;
  const next = endsHere ? null : periodContaining(anchorOf(row), full.end).period;
  return { period: { start, end }, full, next };
}

/** The period that starts at `start`, with what was agreed for it. */
export async function agreedPeriod(tx: Tx, row: StoredSubscription, start: Instant): Promise<AgreedPeriod> {
  const terms = await termsHistory(tx, row.id);
  const isOnTestClock = (await findCustomer(tx, row.customerId))?.testClockId != null;
  const published = await publishedMeters(tx);
  const metersFrom = (periodStart: Instant) => metersOfPeriod(published, periodStart, isOnTestClock);
  return { ...periodOf(row, start), terms, meters: metersFrom(start), metersFrom };
}

/**
 * Reads everything that decides a period's invoice. The caller's transaction holds the customer's lock, so nothing of
 * the customer's money moves; usage goes on coming in, and is read as of one moment, which is kept with the result.
 */
export async function loadPeriod(
  db: Database,
  tx: Tx,
  row: StoredSubscription,
  agreed: AgreedPeriod,
  asOf: Instant,
): Promise<LoadedPeriod> {
  const { period, terms, meters, metersFrom } = agreed;
  const inCurrency = currency(row.currency);
  const { customerId } = row;
  const changes = await waitingChanges(tx, row.id);
  const frozen = await inSnapshot(db, async (snapshot) => ({
    snapshot: await currentSnapshot(snapshot),
    usage: await usageOf(snapshot, customerId, terms, period, meters),
    late: await latePeriods(snapshot, row, terms, metersFrom),
    newEvents: await eventCount(snapshot, { customerId, period, meterKeys: pricedMeters(terms) }),
  }));
  return {
    ...agreed,
    ...frozen,
    currency: inCurrency,
    waiting: changes.flatMap(({ lines }) => lines),
    grants: await grantsOfCustomer(tx, customerId),
    customerBalance: await balanceOfCustomer(tx, customerId, inCurrency),
    carried: await carriedAmount(tx, customerId, inCurrency),
    asOf,
  };
}

function pricedMeters(terms: readonly Terms[]): string[] {
  return metersOf(terms.flatMap(({ items }) => items));
}

async function usageOf(
  tx: Tx,
  customerId: string,
  terms: readonly Terms[],
  period: Period,
  meters: readonly StoredMeter[],
): Promise<StretchUsage[]> {
  const usage: StretchUsage[] = [];
  for (const stretch of stretchesOf(terms, period)) {
    const priced = metersOf(stretch.terms.items);
    const readings = [];
    for (const meter of meters.filter(({ key }) => priced.includes(key))) {
      readings.push(...(await readingsOf(tx, { customerId, meter, period: stretch }, stretch)));
    }
    usage.push({ stretch, readings });
  }
  return usage;
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

async function latePeriods(
  tx: Tx,
  row: StoredSubscription,
  terms: readonly Terms[],
  metersFrom: AgreedPeriod["metersFrom"],
): Promise<LateFacts[]> {
  const late: LateFacts[] = [];
  for (const run of await newestRuns(tx, row.id)) {
    const period = { start: run.periodStart, end: run.periodEnd };
    const { customerId } = row;
    const unseen = { customerId, period, meterKeys: pricedMeters(terms), notVisibleIn: run.snapshot };
    const newEvents = await eventCount(tx, unseen);
    if (newEvents === 0n) continue;
    const meters = metersFrom(period.start);
    late.push({
      run,
      newEvents,
      meters,
      period,
      full: fullPeriodAt(row, period.start),
      usage: await usageOf(tx, customerId, terms, period, meters),
      booked: await bookedUsage(tx, run),
    });
  }
  return late;
}
