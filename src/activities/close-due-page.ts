import { periodOf } from "../db/billing/agreed-period.ts";
import { findCustomer } from "../db/billing/customers.ts";
import { dueSubscriptions } from "../db/billing/due-subscriptions.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { closePeriodOnce } from "./close-period.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import type { WaitingForUsage } from "./wait-for-usage.ts";

export interface PageInput {
  readonly limit: number;
}

export interface ClosedPage {
  readonly closed: number;
  /** Periods that could not be closed here and have a `billingCycle` of their own now. */
  readonly handedOver: number;
  readonly more: boolean;
}

interface PageOptions extends WaitingForUsage {
  readonly now: Instant;
  readonly patienceMs: number;
  readonly heartbeat: (done: number) => void;
}

/** How long after it was due a period is left to its own subscription's run before the net takes it. */
export const patienceMs = { workflow: 10 * 60_000, paged: 0 } as const;

/**
 * Closes a page of periods that are due, each in its own transaction, and starts the collection of what they came to.
 * Customers on test clocks are left to their clocks. A period that fails, or whose usage is not
 * complete, gets a run of its own, where it is seen.
 */
export async function closeDuePage(
  deps: ActivityDependencies,
  { limit }: PageInput,
  options: PageOptions,
): Promise<ClosedPage> {
  const due = await dueSubscriptions(deps.db.orm, instantOfEpochMs(options.now - options.patienceMs), limit);
  let [handedOver, failed] = [0, 0];
  for (const [index, row] of due.entries()) {
    options.heartbeat(index);
    const outcome = await closeOne(deps, row, options).catch(() => "failed" as const);
    if (outcome === "closed") continue;
    if (outcome === "failed") failed += 1;
    handedOver += 1;
    await handOver(deps, row);
  }
  // What failed is still due, what waits is not: without progress there is nothing more for this page to do.
  return { closed: due.length - handedOver, handedOver, more: due.length === limit && failed < limit };
}

async function closeOne(
  deps: ActivityDependencies,
  row: StoredSubscription,
  { now, ...waiting }: PageOptions,
): Promise<"closed" | "waits"> {
  const input = { subscriptionId: row.id, periodStart: isoOf(row.billedThrough), at: isoOf(now) };
  const closed = await closePeriodOnce(deps.db, input, waiting);
  if (closed.outcome === "waiting") return "waits";
  if (closed.invoiceId === null || !closed.collect) return "closed";
  await deps.gateway.startCollection({
    invoiceId: closed.invoiceId,
    customerId: row.customerId,
    subscriptionId: row.id,
    clock: null,
  });
  return "closed";
}

async function handOver({ gateway, db }: ActivityDependencies, row: StoredSubscription): Promise<void> {
  const customer = await findCustomer(db.orm, row.customerId);
  if (customer === undefined) return;
  const { period } = periodOf(row, row.billedThrough);
  await gateway.startBillingCycle({
    subscriptionId: row.id,
    customerId: row.customerId,
    periodStart: isoOf(period.start),
    periodEnd: isoOf(period.end),
    graceSeconds: row.graceSeconds,
    clock: null,
  });
}
