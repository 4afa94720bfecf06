import type { Instant, Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { PeriodFacts } from "../../domain/invoicing/index.ts";
import { askedTogether } from "../asked-together.ts";
import { rows, sql, type Tx } from "../database.ts";
import { fromEventsHere } from "../usage/archived-months.ts";
import { eventCount, type Snapshot } from "../usage/usage-reads.ts";
import { askedTotals, type TotalOfRequest, totalsFound, type UsageRequest } from "../usage/usage-totals.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import { type LateFacts, latePeriods } from "./late-periods.ts";
import {
  type MeasuredPeriod,
  periodUsage,
  pricedMeters,
  pricedVersions,
  requestsAtOnce,
  usageOfTotals,
} from "./period-usage.ts";
import { currentSnapshot, type StoredRun } from "./rating-runs.ts";
import type { StoredSubscription } from "./subscriptions.ts";
import { usageUntil } from "./usage-until.ts";

/** What had been used when a period was looked at, all as of one moment. */
export interface FrozenUsage extends Required<Pick<PeriodFacts, "usage" | "usageUntil">> {
  /** Which transactions' events are in it: it freezes the usage. */
  readonly snapshot: Snapshot;
  readonly late: readonly LateFacts[];
  /** Of the period, that no run before has seen. */
  readonly newEvents: bigint;
}

export interface UsageToFreeze {
  readonly row: StoredSubscription;
  readonly agreed: AgreedPeriod;
  readonly measured: MeasuredPeriod;
  /** Inside a period: usage until each of them is read too. */
  readonly boundariesOf: (period: Period) => readonly Instant[];
  /** The run that billed it at a threshold; null where none did. */
  readonly atThreshold: StoredRun | null;
  /** What the last run of the period saw. */
  readonly seen: Snapshot | null;
  /** Without usage of earlier periods. */
  readonly soFar: boolean;
  /** An invoice that is being voided. */
  readonly voiding: string | undefined;
}

/** Reads several things as of one moment: in a snapshot of its own, or in the one that the caller has. */
export type FrozenReads = <Read>(read: (tx: Tx) => Promise<Read>) => Promise<Read>;

/**
 * Most periods are read by one statement, which has one snapshot by itself. Where that does not say all, everything is read anew,
 * in one snapshot.
 */
export async function frozenUsage(
  frozenBy: FrozenReads,
  tx: Tx,
  toFreeze: UsageToFreeze,
): Promise<FrozenUsage> {
  return (
    (await usageAtOnce(tx, toFreeze)) ?? (await frozenBy((frozenTx) => usagePiecemeal(frozenTx, toFreeze)))
  );
}

async function usagePiecemeal(
  tx: Tx,
  { row, agreed, measured, boundariesOf, atThreshold, seen, soFar, voiding }: UsageToFreeze,
): Promise<FrozenUsage> {
  const counted = {
    customerId: row.customerId,
    period: measured.period,
    meters: pricedVersions(agreed),
    ...(seen === null ? {} : { notVisibleIn: seen }),
  };
  const [snapshot, usage, until, late, newEvents] = await Promise.all([
    currentSnapshot(tx),
    periodUsage(tx, measured),
    usageUntil(tx, measured, boundariesOf(measured.period), atThreshold),
    soFar ? [] : latePeriods(tx, row, agreed, boundariesOf, voiding),
    eventCount(tx, counted),
  ]);
  return { snapshot, usage, usageUntil: until, late, newEvents };
}

/** Null where one statement does not say all. */
async function usageAtOnce(tx: Tx, toFreeze: UsageToFreeze): Promise<FrozenUsage | null> {
  const { row, agreed, measured, boundariesOf, seen, soFar, voiding } = toFreeze;
  const requests = requestsAtOnce(measured);
  if (requests === null || boundariesOf(measured.period).length > 0 || voiding !== undefined) return null;
  const { start, end } = measured.period;
  const { snapshot, newEvents, hasLate, totals } = await usageOfPeriod(tx, {
    subscription_id: row.id,
    since: new Date(start).toISOString(),
    until: new Date(end).toISOString(),
    meters: pricedMeters(agreed.terms),
    measuring: pricedVersions(agreed).map(({ number }) => number),
    seen,
    requests,
  });
  if (hasLate && !soFar) return null;
  const usage = usageOfTotals(measured, totals);
  return usage && { snapshot, usage, usageUntil: [], late: [], newEvents };
}

interface UsageAsked {
  readonly subscription_id: string;
  readonly since: string;
  readonly until: string;
  readonly meters: readonly string[];
  /** Numbers of the versions of them that measure the period. */
  readonly measuring: readonly number[];
  readonly seen: Snapshot | null;
  readonly requests: readonly UsageRequest[];
}

/** As `billing.usage_of_periods` gives it, of all that it was asked for. */
interface UsageFound {
  readonly snapshot: Snapshot;
  readonly periods: readonly { readonly newEvents: string; readonly hasLate: boolean }[];
  readonly totals: readonly TotalOfRequest[];
}

const usageOfPeriod = askedTogether(async (tx: Tx, asked: readonly UsageAsked[]) => {
  const all = asked.flatMap(({ requests }) => requests);
  const periods = asked.map(({ requests: _, ...period }, place) => ({ ...period, place }));
  const [answer] = await fromEventsHere(
    rows<{ found: UsageFound }>(
      tx,
      sql`select billing.usage_of_periods(${JSON.stringify(periods)}::text::json, ${askedTotals(all)}::text::json) as found`,
    ),
  );
  invariant(answer?.found.periods.length === asked.length, "usage is found of every period");
  const { snapshot, periods: found, totals } = answer.found;
  const ofRequests = totalsFound(all, totals);
  let next = 0;
  return asked.map(({ requests }, place) => {
    const from = next;
    next += requests.length;
    const { newEvents = "0", hasLate = false } = found[place] ?? {};
    return { snapshot, newEvents: BigInt(newEvents), hasLate, totals: ofRequests.slice(from, next) };
  });
});
