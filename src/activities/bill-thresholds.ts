import {
  type ClockNow,
  thresholdSubscriptions,
  uncollectedThresholds,
} from "../db/billing/threshold-subscriptions.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import { billThreshold, isThresholdDue } from "./bill-threshold.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface BilledThresholds {
  /** Invoices that were issued. */
  readonly issued: number;
  /** Whose collection was started. */
  readonly collecting: number;
  /** Where the next page begins; null after the last one. */
  readonly next: string | null;
  /** The first of what went wrong: it held up nothing else. */
  readonly failure: unknown;
}

/**
 * Looks at a page of the subscriptions that have thresholds, bills those whose period has reached one, each in a transaction of
 * its own, and starts the collection of all such invoices that have none. Any number of workers may do it at once: who comes
 * second finds nothing to do.
 * @param now the wall's time; who is on a test clock has the clock's
 * @param after as {@link BilledThresholds.next} said; empty for the first page
 */
export async function billThresholds(
  deps: Pick<ActivityDependencies, "db" | "gateway">,
  now: Instant,
  after = "",
  limit = 100,
): Promise<BilledThresholds> {
  const { db } = deps;
  const page = await thresholdSubscriptions(db.orm, after, limit);
  let issued = 0;
  const failures: unknown[] = [];
  for (const { row, clock } of page) {
    try {
      const at = clock?.currentAt ?? now;
      if (!(await isThresholdDue(db, row, at))) continue;
      const billed = await billThreshold(db, { subscriptionId: row.id, at: isoOf(at) });
      if (billed.invoiceId !== null) issued += 1;
    } catch (error) {
      failures.push(error);
    }
  }
  const collecting = await collectThresholds(deps, limit);
  const next = page.length < limit ? null : (page.at(-1)?.row.id ?? null);
  return { issued, collecting, next, failure: failures[0] };
}

/** By the invoices as they are, so that one is collected though whoever issued it died before saying so. */
async function collectThresholds(
  { db, gateway }: Pick<ActivityDependencies, "db" | "gateway">,
  limit: number,
): Promise<number> {
  const found = await uncollectedThresholds(db.orm, limit);
  for (const { invoice, clock } of found) {
    const { id: invoiceId, customerId, subscriptionId } = invoice;
    await gateway.startCollection({ invoiceId, customerId, subscriptionId, clock: readingOf(clock) });
  }
  return found.length;
}

const readingOf = (clock: ClockNow | null) =>
  clock === null ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
