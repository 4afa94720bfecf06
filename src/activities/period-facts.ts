import { advanceLinesOf } from "../db/billing/advance-lines.ts";
import type { AgreedPeriod } from "../db/billing/agreed-period.ts";
import { drawsOfPeriod } from "../db/billing/credit-draws.ts";
import { grantsOfCustomer } from "../db/billing/credit-grants.ts";
import { carriedAmount, type StoredInvoice } from "../db/billing/invoices.ts";
import { type LateFacts, latePeriods, periodUsage, pricedMeters } from "../db/billing/period-usage.ts";
import { bookedAdjustments } from "../db/billing/rated-adjustments.ts";
import { currentSnapshot, type StoredRun } from "../db/billing/rating-runs.ts";
import { anchorsOf, type StoredSubscription, waitingChanges } from "../db/billing/subscriptions.ts";
import { usageUntil } from "../db/billing/usage-until.ts";
import { type Database, inSnapshot, type Tx } from "../db/database.ts";
import type { StoredMeter } from "../db/usage/meters-in-force.ts";
import { eventCount } from "../db/usage/usage-reads.ts";
import { type Instant, periodIndexAt } from "../domain/calendar/index.ts";
import {
  advanceCharged,
  creditBoundaries,
  creditPolicyOf,
  type PeriodFacts,
  pricedTerms,
} from "../domain/invoicing/index.ts";
import { currency } from "../domain/money/index.ts";
import { balanceOfCustomer } from "./customer-balance.ts";

export type LoadedPeriod = Omit<PeriodFacts, "late" | "meters"> & {
  readonly meters: readonly StoredMeter[];
  readonly late: readonly LateFacts[];
  readonly newEvents: bigint;
  /** Which transactions' events are in it: it freezes the usage. */
  readonly snapshot: string;
};

/** A period whose invoice is voided, to be billed anew. */
export interface BilledAgain {
  readonly voided: StoredInvoice;
  /** The first invoice of the period, for which changes had waited. */
  readonly waitedFor: string;
  /** The last rating of the period. */
  readonly lastRun: StoredRun;
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
  again: BilledAgain | null = null,
): Promise<LoadedPeriod> {
  const { period, terms } = agreed;
  const inCurrency = currency(row.currency);
  const { customerId } = row;
  const periodIndex = periodIndexAt(anchorsOf(row), period.start);
  const measured = { ...agreed, terms: pricedTerms(terms, periodIndex), customerId };
  const changes = await waitingChanges(tx, row.id, again?.waitedFor ?? null);
  const counted = { customerId, period, meterKeys: pricedMeters(terms) };
  const unseen = again === null ? counted : { ...counted, notVisibleIn: again.lastRun.snapshot };
  const grants = await grantsOfCustomer(tx, customerId);
  const frozen = await inSnapshot(db, async (snapshot) => ({
    snapshot: await currentSnapshot(snapshot),
    usage: await periodUsage(snapshot, measured),
    usageUntil: await usageUntil(
      snapshot,
      measured,
      creditBoundaries(grants, period, creditPolicyOf(terms, period)),
    ),
    late: await latePeriods(snapshot, row, agreed, again?.voided.id),
    newEvents: await eventCount(snapshot, unseen),
  }));
  return {
    ...agreed,
    ...frozen,
    late: await withWhatWasBilled(tx, row, frozen.late, asOf),
    currency: inCurrency,
    timeZone: row.timeZone,
    periodIndex,
    advance: advanceCharged(await advanceLinesOf(tx, row.id, period)),
    waiting: changes.flatMap(({ lines }) => lines),
    grants,
    customerBalance: await balanceOfCustomer(tx, customerId, inCurrency),
    carried: await carriedAmount(tx, customerId, inCurrency),
    asOf,
  };
}

/**
 * What was charged, adjusted and paid by credit of periods closed before: by others under the same lock, so it is read in its
 * transaction.
 */
async function withWhatWasBilled(
  tx: Tx,
  { id, currency: code }: StoredSubscription,
  late: readonly LateFacts[],
  asOf: Instant,
): Promise<LateFacts[]> {
  const facts: LateFacts[] = [];
  for (const earlier of late) {
    facts.push({
      ...earlier,
      adjusted: await bookedAdjustments(tx, earlier.run, code),
      advance: advanceCharged(await advanceLinesOf(tx, id, earlier.period)),
      draws: await drawsOfPeriod(tx, id, earlier.period, asOf),
    });
  }
  return facts;
}
