import type { Instant, Period } from "../../domain/calendar/index.ts";
import type { PeriodFacts } from "../../domain/invoicing/index.ts";
import { askedTogether } from "../asked-together.ts";
import { rows, sql, type Tx } from "../database.ts";
import { fromEventsHere } from "../usage/archived-months.ts";
import { eventCount, type Snapshot } from "../usage/usage-reads.ts";
import { askedTotals, type TotalOfRequest, totalsFound } from "../usage/usage-totals.ts";
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

interface UsageFound {
  readonly snapshot: Snapshot;
  readonly newEvents: string;
  readonly hasLate: boolean;
  readonly totals: readonly TotalOfRequest[];
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
    requests: askedTotals(requests),
  });
  if (hasLate && !soFar) return null;
  const usage = usageOfTotals(measured, totalsFound(requests, totals));
  return usage && { snapshot, usage, usageUntil: [], late: [], newEvents: BigInt(newEvents) };
}

interface UsageAsked {
  readonly subscription_id: string;
  readonly since: string;
  readonly until: string;
  readonly meters: readonly string[];
  /** Numbers of the versions of them that measure the period. */
  readonly measuring: readonly number[];
  readonly seen: Snapshot | null;
  readonly requests: string;
}

const usageOfPeriod = askedTogether(async (tx: Tx, asked: readonly UsageAsked[]) => {
  const placed = asked.map((each, place) => ({ ...each, place }));
  const found = await fromEventsHere(
    rows<{ found: UsageFound }>(
      tx,
      sql`select billing.usage_of_period(subscription_id, since, until, array(select json_array_elements_text(meters)),
          array(select json_array_elements_text(measuring)::int), seen::pg_snapshot, requests::json) as found
        from json_to_recordset(${JSON.stringify(placed)}::text::json) as asked
          (place int, subscription_id text, since timestamptz, until timestamptz, meters json, measuring json, seen text, requests text)
        order by place`,
    ),
  );
  return found.map((answer) => answer.found);
});
