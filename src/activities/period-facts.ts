import { grantsOfCustomer } from "../db/billing/credit-grants.ts";
import { carriedAmount } from "../db/billing/invoices.ts";
import { currentMeters } from "../db/billing/plan-versions.ts";
import { bookedUsage, currentSnapshot, newestRuns, type StoredRun } from "../db/billing/rating-runs.ts";
import {
  anchorOf,
  fullPeriodAt,
  type StoredSubscription,
  termsHistory,
  waitingChanges,
} from "../db/billing/subscriptions.ts";
import { type Database, inSnapshot, type Tx } from "../db/database.ts";
import { usageQuantities } from "../db/usage/usage-quantities.ts";
import { eventCount } from "../db/usage/usage-reads.ts";
import { type Instant, type Period, periodContaining } from "../domain/calendar/index.ts";
import {
  type LatePeriod,
  type PeriodFacts,
  type StretchUsage,
  stretchesOf,
  type Terms,
} from "../domain/invoicing/index.ts";
import type { Meter } from "../domain/metering/index.ts";
import { currency } from "../domain/money/index.ts";
import { balanceOfCustomer } from "./customer-balance.ts";
import { metersOf } from "./subscription-items.ts";

/** A period closed before that has had usage since, with the run that saw it last. */
export interface LateFacts extends LatePeriod {
  readonly run: StoredRun;
  readonly newEvents: bigint;
}

/** What was agreed for a period, and the meters as they are now. */
export interface AgreedPeriod {
  readonly period: Period;
  readonly full: Period;
  readonly next: Period | null;
  readonly terms: readonly Terms[];
  readonly meters: readonly Meter[];
}

export type LoadedPeriod = Omit<PeriodFacts, "late"> & {
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
  return { ...periodOf(row, start), terms, meters: await currentMeters(tx) };
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
  const { period, terms, meters } = agreed;
  const inCurrency = currency(row.currency);
  const { customerId } = row;
  const changes = await waitingChanges(tx, row.id);
  const frozen = await inSnapshot(db, async (snapshot) => ({
    snapshot: await currentSnapshot(snapshot),
    usage: await usageOf(snapshot, customerId, terms, period, meters),
    late: await latePeriods(snapshot, row, terms, meters),
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
  meters: readonly Meter[],
): Promise<StretchUsage[]> {
  const usage: StretchUsage[] = [];
  for (const stretch of stretchesOf(terms, period)) {
    const priced = metersOf(stretch.terms.items);
    const readings = [];
    for (const { key, aggregation } of meters.filter((meter) => priced.includes(meter.key))) {
      const found = await usageQuantities(tx, { customerId, meterKey: key, aggregation, period: stretch });
      readings.push(...found.map(({ dimensions, quantity }) => ({ meterKey: key, dimensions, quantity })));
    }
    usage.push({ stretch, readings });
  }
  return usage;
}

async function latePeriods(
  tx: Tx,
  row: StoredSubscription,
  terms: readonly Terms[],
  meters: readonly Meter[],
): Promise<LateFacts[]> {
  const late: LateFacts[] = [];
  for (const run of await newestRuns(tx, row.id)) {
    const period = { start: run.periodStart, end: run.periodEnd };
    const { customerId } = row;
    const unseen = { customerId, period, meterKeys: pricedMeters(terms), notVisibleIn: run.snapshot };
    const newEvents = await eventCount(tx, unseen);
    if (newEvents === 0n) continue;
    late.push({
      run,
      newEvents,
      period,
      full: fullPeriodAt(row, period.start),
      usage: await usageOf(tx, customerId, terms, period, meters),
      booked: await bookedUsage(tx, run),
    });
  }
  return late;
}
