import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import {
  type InvoiceLine,
  pricedTerms,
  type RatedUsage,
  rateStretches,
  usageLines,
} from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { agreedPeriod } from "./agreed-period.ts";
import { latePeriods, periodUsage } from "./period-usage.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  type StoredSubscription,
  subscriptionsOfCustomer,
} from "./subscriptions.ts";

/** What the usage of a subscription's period comes to so far. */
export interface PeriodCost {
  readonly subscription: StoredSubscription;
  readonly period: Period;
  readonly isClosed: boolean;
  /** Every usage price of every stretch of terms, those without usage too. */
  readonly rated: readonly RatedUsage[];
  /** That measured. */
  readonly meters: readonly StoredMeter[];
  /** What usage of earlier periods, come since they were closed, adds to the next invoice. */
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
  const terms = pricedTerms(agreed.terms, periodIndexAt(anchorsOf(subscription), period.start));
  const usage = await periodUsage(tx, { ...agreed, terms, customerId, levelsUntil: now });
  const isClosed = period.end <= billedThrough;
  const late = isClosed ? [] : await latePeriods(tx, subscription, agreed);
  return {
    subscription,
    period,
    isClosed,
    meters,
    rated: rateStretches(usage, full, meters),
    late: late.map((earlier) => ({
      period: earlier.period,
      lines: usageLines(rateStretches(earlier.usage, earlier.full, earlier.meters), earlier.booked),
    })),
  };
}
