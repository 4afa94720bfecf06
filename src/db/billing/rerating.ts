import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import {
  pricedTerms,
  type RatedUsage,
  type RatingDifference,
  rateStretches,
  ratingDifferences,
} from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { metersOfPeriod, publishedMeters } from "../usage/meters-in-force.ts";
import { eventCount } from "../usage/usage-reads.ts";
import { periodOf } from "./agreed-period.ts";
import { type ClosedRating, closedRatings } from "./closed-ratings.ts";
import { type MeasuredPeriod, periodUsages, pricedVersions } from "./period-usage.ts";
import type { ClockedSubscription } from "./subscription-pages.ts";
import { anchorsOf } from "./subscriptions.ts";
import { type KnownPlans, termsHistories } from "./terms-histories.ts";

export interface Rerating {
  /** The time of those who are on no test clock. */
  readonly now: Instant;
  /** Besides what is open, closed periods that begin in it. */
  readonly closedIn: Period | null;
  readonly known: KnownPlans;
}

export interface ReratedPeriod {
  readonly subscriptionId: string;
  readonly period: Period;
  readonly isClosed: boolean;
  readonly rated: readonly RatedUsage[];
  /** Of a closed period: what is booked otherwise. */
  readonly differences: readonly RatingDifference[];
  /** How many facts have come since it was rated last: where there are none, a difference is damage. */
  readonly unseen: bigint;
}

/**
 * Rates periods of a page of subscriptions anew, from windows, by what a closing rates them by, and stores nothing. Takes no
 * locks: call it in `inSnapshot`, so that all is of one moment.
 */
export async function reratePeriods(
  tx: Tx,
  page: readonly ClockedSubscription[],
  rerating: Rerating,
): Promise<ReratedPeriod[]> {
  const periods = await periodsToRate(tx, page, rerating);
  const usages = await periodUsages(
    tx,
    periods.map(({ measured }) => measured),
  );
  const rerated: ReratedPeriod[] = [];
  for (const [index, { subscription, measured, full, closed }] of periods.entries()) {
    const { period, meters } = measured;
    const { timeZone } = subscription.row;
    const rated = rateStretches(usages[index] ?? [], { full, timeZone }, meters);
    const differences = closed === null ? [] : ratingDifferences(rated, closed.booked);
    rerated.push({
      subscriptionId: subscription.row.id,
      period,
      isClosed: closed !== null,
      rated,
      differences,
      unseen: closed === null || differences.length === 0 ? 0n : await unseenFacts(tx, measured, closed),
    });
  }
  return rerated;
}

async function unseenFacts(tx: Tx, measured: MeasuredPeriod, { snapshot }: ClosedRating): Promise<bigint> {
  const { customerId, period } = measured;
  const meters = pricedVersions(measured);
  return await eventCount(tx, { customerId, period, meters, notVisibleIn: snapshot });
}

interface PeriodToRate {
  readonly subscription: ClockedSubscription;
  readonly measured: MeasuredPeriod;
  readonly full: Period;
  /** Null while it is open. */
  readonly closed: ClosedRating | null;
}

async function periodsToRate(
  tx: Tx,
  page: readonly ClockedSubscription[],
  { now, closedIn, known }: Rerating,
): Promise<PeriodToRate[]> {
  const ids = page.map(({ row }) => row.id);
  const histories = await termsHistories(tx, ids, known);
  const ratings =
    closedIn === null ? new Map<string, ClosedRating[]>() : await closedRatings(tx, ids, closedIn);
  const published = await publishedMeters(tx);
  const found: PeriodToRate[] = [];
  for (const subscription of page) {
    const { row, clockTime } = subscription;
    const { id, customerId } = row;
    const at = clockTime ?? now;
    const closedPeriods = (ratings.get(id) ?? []).map((closed) => ({ start: closed.periodStart, closed }));
    const open = openPeriods(row, at).map((start) => ({ start, closed: null }));
    for (const { start, closed } of [...closedPeriods, ...open]) {
      const { period, full } = periodOf(row, start);
      const measured = {
        customerId,
        period,
        terms: pricedTerms(histories.get(id) ?? [], periodIndexAt(anchorsOf(row), start)),
        meters: await metersOfPeriod(tx, published, {
          customerId,
          period,
          isOnTestClock: clockTime !== null,
        }),
        ...(closed === null ? { levelsUntil: at } : {}),
      };
      found.push({ subscription, measured, full, closed });
    }
  }
  return found;
}

/** Where the periods begin that have begun and are not closed. */
function openPeriods(row: ClockedSubscription["row"], now: Instant): Instant[] {
  const starts: Instant[] = [];
  let start: Instant | null = row.nextCloseAt === null ? null : row.billedThrough;
  while (start !== null && start <= now) {
    starts.push(start);
    const { period, followingEnd } = periodOf(row, start);
    start = followingEnd === null ? null : period.end;
  }
  return starts;
}
