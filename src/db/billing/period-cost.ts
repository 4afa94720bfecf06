import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import {
  adjustmentLines,
  advanceCharged,
  type InvoiceLine,
  pricedTerms,
  type RatedAdjustment,
  type RatedPeriod,
  type RatedUsage,
  ratePeriod,
  usageLines,
} from "../../domain/invoicing/index.ts";
import { currency, type Money, money, roundToMinor, sumMoney } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { advanceLinesOf } from "./advance-lines.ts";
import { agreedPeriod } from "./agreed-period.ts";
import { type LateFacts, latePeriods } from "./late-periods.ts";
import { periodUsage } from "./period-usage.ts";
import { bookedAdjustments } from "./rated-adjustments.ts";
import { bookedUsage, ratedBefore } from "./rating-runs.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  type StoredSubscription,
  subscriptionsOfCustomer,
} from "./subscriptions.ts";

/** What the usage of a subscription's period comes to so far, after adjustments. */
export interface PeriodCost {
  readonly subscription: StoredSubscription;
  readonly period: Period;
  readonly isClosed: boolean;
  /** Every usage price of every stretch of terms, those without usage too. */
  readonly rated: readonly RatedUsage[];
  /** What adjustments make of it, if the period were closed as it is: on usage, and what is missing to a minimum. */
  readonly adjusted: readonly RatedAdjustment[];
  /** What invoices of thresholds have billed of it. */
  readonly billedAtThresholds: Money;
  /** That measured. */
  readonly meters: readonly StoredMeter[];
  /** What usage of earlier periods, come since they were closed, adds to the next invoice, with what it does to their adjustments. */
  readonly late: readonly { readonly period: Period; readonly lines: readonly InvoiceLine[] }[];
}

export interface PeriodCostRequest {
  readonly customerId: string;
  /** The customer's time: levels count until it. */
  readonly now: Instant;
  /** Of the periods that begin then; of those of now when left out. */
  readonly periodStart?: Instant | undefined;
}

/**
 * Rates the usage of a customer's periods by what a closing rates it by, and stores nothing. Takes no locks: call it in
 * `inSnapshot`, so that all is of one moment.
 */
export async function periodCosts(tx: Tx, request: PeriodCostRequest): Promise<PeriodCost[]> {
  const { customerId, now, periodStart } = request;
  const at = periodStart ?? now;
  const costs: PeriodCost[] = [];
  for (const row of await subscriptionsOfCustomer(tx, customerId)) {
    const isInForce = row.startedAt <= at && (row.cancelAt === null || at < row.cancelAt);
    if (!isInForce) continue;
    const { start } = anchoredPeriodAt(row, at).period;
    if (periodStart === undefined || start === periodStart) {
      costs.push(await costOf(tx, row, start, now));
    }
  }
  return costs;
}

async function costOf(
  tx: Tx,
  subscription: StoredSubscription,
  start: Instant,
  now: Instant,
): Promise<PeriodCost> {
  const { customerId, billedThrough } = subscription;
  const agreed = await agreedPeriod(tx, subscription, start);
  const { period, full, meters } = agreed;
  const periodIndex = periodIndexAt(anchorsOf(subscription), period.start);
  const terms = pricedTerms(agreed.terms, periodIndex);
  const usage = await periodUsage(tx, { ...agreed, terms, customerId, levelsUntil: now });
  const isClosed = period.end <= billedThrough;
  const measured = { period, full, meters, usage, periodIndex };
  const { rated, adjusted } = await ratedIn(tx, subscription, measured);
  const late = isClosed ? [] : await latePeriods(tx, subscription, agreed);
  return {
    subscription,
    period,
    isClosed,
    meters,
    rated,
    adjusted: adjusted.filter(({ earning }) => earning === "unbilled"),
    billedAtThresholds: await billedAtThresholds(tx, subscription, period),
    late: await Promise.all(late.map((earlier) => lateCost(tx, subscription, earlier))),
  };
}

/** As a closing rates it, with what was charged in advance. */
async function ratedIn(
  tx: Tx,
  { id, currency: code, timeZone }: StoredSubscription,
  measured: Omit<Parameters<typeof ratePeriod>[0], "advance">,
): Promise<RatedPeriod> {
  const advance = advanceCharged(await advanceLinesOf(tx, id, measured.period));
  return ratePeriod({ ...measured, advance }, { currency: currency(code), timeZone });
}

async function billedAtThresholds(
  tx: Tx,
  { id, currency: code }: StoredSubscription,
  { start }: Period,
): Promise<Money> {
  const { atThreshold } = await ratedBefore(tx, id, start);
  if (atThreshold === null) return money(0n, code);
  const rated = await bookedUsage(tx, atThreshold);
  const adjusted = await bookedAdjustments(tx, atThreshold, code);
  const amounts = rated.map(({ exactMinor }) => roundToMinor(exactMinor, currency(code)));
  return sumMoney([...amounts, ...adjusted.map(({ amount }) => amount)], currency(code));
}

async function lateCost(
  tx: Tx,
  subscription: StoredSubscription,
  earlier: LateFacts,
): Promise<PeriodCost["late"][number]> {
  const { rated, adjusted } = await ratedIn(tx, subscription, earlier);
  const adjustedBefore = await bookedAdjustments(tx, earlier.run, subscription.currency);
  const lines = [...usageLines(rated, earlier.booked), ...adjustmentLines(adjusted, adjustedBefore)];
  return { period: earlier.period, lines };
}
