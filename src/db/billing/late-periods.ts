import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import { type LatePeriod, pricedTerms } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { eventCount } from "../usage/usage-reads.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import { periodUsage, pricedVersions } from "./period-usage.ts";
import { bookedUsage, type CountingRun, newestRuns } from "./rating-runs.ts";
import { anchorsOf, fullPeriodAt, type StoredSubscription } from "./subscriptions.ts";
import { usageUntil } from "./usage-until.ts";

/** A period closed before that has had usage since, with the run that saw it last. */
export interface LateFacts extends LatePeriod {
  readonly run: CountingRun;
  /** That no run before has seen. */
  readonly newEvents: bigint;
  readonly meters: readonly StoredMeter[];
}

/**
 * The closed periods of a subscription that have had usage since.
 * @param boundariesOf inside a period: usage until each of them is read too
 * @param voiding as {@link newestRuns} takes it
 */
export async function latePeriods(
  tx: Tx,
  row: StoredSubscription,
  { terms, metersOf: metersOfPeriod }: Pick<AgreedPeriod, "terms" | "metersOf">,
  boundariesOf: (period: Period) => readonly Instant[] = () => [],
  voiding: string | null = null,
): Promise<LateFacts[]> {
  const late: LateFacts[] = [];
  for (const run of await newestRuns(tx, row.id, voiding)) {
    const period = { start: run.periodStart, end: run.periodEnd };
    const { customerId } = row;
    const meters = await metersOfPeriod(period);
    const counted = { customerId, period, meters: pricedVersions({ terms, meters }) };
    if ((await eventCount(tx, { ...counted, notVisibleIn: run.snapshot })) === 0n) continue;
    const newEvents = await eventCount(tx, { ...counted, notVisibleIn: run.last.snapshot });
    const periodIndex = periodIndexAt(anchorsOf(row), period.start);
    const measured = { customerId, terms: pricedTerms(terms, periodIndex), period, meters };
    late.push({
      run,
      newEvents,
      meters,
      period,
      full: fullPeriodAt(row, period.start),
      periodIndex,
      usage: await periodUsage(tx, measured),
      usageUntil: await usageUntil(tx, measured, boundariesOf(period), run),
      booked: await bookedUsage(tx, run),
    });
  }
  return late;
}
