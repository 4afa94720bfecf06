import type { StoredInvoice } from "../db/billing/invoices.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import {
  type ClockNow,
  changedSubscriptions,
  thresholdSubscriptions,
  uncollectedThresholds,
} from "../db/billing/threshold-subscriptions.ts";
import type { Database } from "../db/database.ts";
import type { Snapshot } from "../db/usage/usage-reads.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import { billThreshold, isThresholdDue } from "./bill-threshold.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface BilledThresholds {
  /** Subscriptions that were looked at. */
  readonly lookedAt: number;
  /** Invoices that were issued. */
  readonly issued: number;
  /** Whose collection was started. */
  readonly collecting: number;
  /** Whether the pass goes on: another page is to be looked at. */
  readonly hasMore: boolean;
  /** The first of what went wrong: it held up nothing else. */
  readonly failure: unknown;
}

/** A pass over all subscriptions that something may have changed for, page by page. */
interface Pass {
  readonly ids: readonly string[];
  readonly snapshot: Snapshot;
  at: number;
  hasFailed: boolean;
}

/**
 * Looks at the subscriptions that have thresholds, pass by pass: at first at all, then at those for which something has changed
 * since the pass before saw it. A pass takes its snapshot before it looks, and is what the next one begins from only when all
 * has gone well; so what commits meanwhile, or failed, is looked at again. Any number of workers may do it, each by itself: who
 * comes second finds nothing to bill.
 */
export class ThresholdPasses {
  readonly #deps: Pick<ActivityDependencies, "db" | "gateway">;
  readonly #limit: number;
  #seen: Snapshot | null = null;
  #pass: Pass | null = null;

  /** @param limit of subscriptions in a page */
  constructor(deps: Pick<ActivityDependencies, "db" | "gateway">, limit = 100) {
    this.#deps = deps;
    this.#limit = limit;
  }

  /** The next pass is at all subscriptions, as the first was. */
  forget(): void {
    this.#seen = null;
    this.#pass = null;
  }

  /**
   * Looks at a page: bills those whose period has reached a threshold, each in a transaction of its own, and starts the collection
   * of all such invoices that have none.
   * @param now the wall's time; who is on a test clock has the clock's
   */
  async next(now: Instant): Promise<BilledThresholds> {
    const { db } = this.#deps;
    const pass = this.#pass ?? {
      ...(await changedSubscriptions(db.orm, this.#seen)),
      at: 0,
      hasFailed: false,
    };
    this.#pass = pass;
    const ids = pass.ids.slice(pass.at, pass.at + this.#limit);
    const billed = await billPage(this.#deps, ids, now, this.#limit);
    pass.at += ids.length;
    pass.hasFailed ||= billed.failure !== undefined;
    const hasMore = pass.at < pass.ids.length;
    if (!hasMore) {
      if (!pass.hasFailed) this.#seen = pass.snapshot;
      this.#pass = null;
    }
    return { ...billed, lookedAt: ids.length, hasMore };
  }
}

async function billPage(
  deps: Pick<ActivityDependencies, "db" | "gateway">,
  ids: readonly string[],
  now: Instant,
  limit: number,
): Promise<Pick<BilledThresholds, "issued" | "collecting" | "failure">> {
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
  for (const { row, clock } of await thresholdSubscriptions(db.orm, ids)) {
    if (await attempt(() => billIfDue(db, row, clock?.currentAt ?? now))) issued += 1;
  }
  // By the invoices as they are, so that one is collected though whoever issued it died before saying so.
  for (const { invoice, clock } of await uncollectedThresholds(db.orm, limit)) {
    if (await attempt(() => collect(deps, invoice, clock))) collecting += 1;
  }
  return { issued, collecting, failure: failures[0] };
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
