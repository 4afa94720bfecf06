import { testClockTimes } from "../db/billing/customers.ts";
import { timeOfSubscription } from "../db/billing/shown-subscription.ts";
import { hasTestClocks, testClockOf } from "../db/billing/test-clocks.ts";
import type { Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { ApiDependencies, TestClockCommands } from "./dependencies.ts";
import { found } from "./refusals.ts";
import { sharedRead } from "./shared-read.ts";

/** What time it is for a customer: on their test clock, or on the wall. */
export interface CustomerClock {
  readonly now: Instant;
  readonly isOnTestClock: boolean;
}

export async function clockOfCustomer(
  tx: Tx,
  { now }: Pick<ApiDependencies, "now">,
  customerId: string,
): Promise<CustomerClock> {
  const clock = await testClockOf(tx, customerId);
  return { now: clock?.currentAt ?? now(), isOnTestClock: clock !== undefined };
}

export async function timeOfCustomer(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  customerId: string,
): Promise<Instant> {
  return (await clockOfCustomer(db.orm, { now }, customerId)).now;
}

/** The same for the customer of a subscription, which has to be there. */
export async function timeOfSubscriber(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  subscriptionId: string,
): Promise<Instant> {
  const time = await timeOfSubscription(db.orm, subscriptionId, now());
  return found(time, "subscription", subscriptionId);
}

const none: ReadonlyMap<string, Instant> = new Map();

/**
 * The time of those of these customers who are on a test clock. Customers are asked about only where there is a clock at
 * all, and nothing is where there may be none.
 */
export function customerTimes({
  db,
  testClocks,
}: Pick<ApiDependencies, "db"> & { readonly testClocks: Pick<TestClockCommands, "areAllowed"> }) {
  const hasClocks = sharedRead(() => hasTestClocks(db.orm));
  return async (customerIds: () => readonly string[]): Promise<ReadonlyMap<string, Instant>> =>
    testClocks.areAllowed && (await hasClocks()) ? testClockTimes(db.orm, customerIds()) : none;
}
