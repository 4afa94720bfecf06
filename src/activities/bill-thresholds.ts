import type { StoredInvoice } from "../db/billing/invoices.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import {
  type ClockNow,
  thresholdSubscriptions,
  uncollectedThresholds,
} from "../db/billing/threshold-subscriptions.ts";
import type { Database } from "../db/database.ts";
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
  const failures: unknown[] = [];
  /** What fails holds up nothing else. */
  const attempt = async (step: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await step();
    } catch (error) {
      failures.push(error);
      return false;
    }
  };
  let [issued, collecting] = [0, 0];
  const page = await thresholdSubscriptions(db.orm, after, limit);
  for (const { row, clock } of page) {
    if (await attempt(() => billIfDue(db, row, clock?.currentAt ?? now))) issued += 1;
  }
  // By the invoices as they are, so that one is collected though whoever issued it died before saying so.
  for (const { invoice, clock } of await uncollectedThresholds(db.orm, limit)) {
    if (await attempt(() => collect(deps, invoice, clock))) collecting += 1;
  }
  const next = page.length < limit ? null : (page.at(-1)?.row.id ?? null);
  return { issued, collecting, next, failure: failures[0] };
}

async function billIfDue(db: Database, row: StoredSubscription, at: Instant): Promise<boolean> {
  if (!(await isThresholdDue(db, row, at))) return false;
  const { invoiceId } = await billThreshold(db, { subscriptionId: row.id, at: isoOf(at) });
  return invoiceId !== null;
}

async function collect(
  { gateway }: Pick<ActivityDependencies, "gateway">,
  { id: invoiceId, customerId, subscriptionId }: StoredInvoice,
  clock: ClockNow | null,
): Promise<boolean> {
  await gateway.startCollection({ invoiceId, customerId, subscriptionId, clock: readingOf(clock) });
  return true;
}

const readingOf = (clock: ClockNow | null) =>
  clock === null ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
