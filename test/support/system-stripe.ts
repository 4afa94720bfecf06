import { expect } from "vitest";
import { reconciliationAsText } from "../../src/cli/stripe-reconcile-text.ts";
import { reconcileWithStripe } from "../../src/db/invariants/stripe-reconciliation.ts";
import { expectInvariants } from "./invariants.ts";
import type { SystemHere } from "./system.ts";

/** Tells the banks of the stand-in what to do, such as `complete_authentication` of an intent. */
export const bankOf =
  (system: () => SystemHere) =>
  (action: string, on: object = {}) =>
    system().surroundings.account.control<Record<string, unknown>>("bank", { action, ...on });

/** What has come to be after a while: webhooks and runs take their time. */
export const eventually = <T>(read: () => Promise<T>) =>
  expect.poll(read, { timeout: 15_000, interval: 100 });

/** After a story: the books balance, every movement at Stripe is booked, and nothing else is. */
export async function expectBooksAgreeWithStripe(system: SystemHere): Promise<void> {
  await system.followStripe();
  await system.followStripe();
  await expectInvariants(system.db);
  const reconciled = await reconcileWithStripe(system.db.orm, system.surroundings.account.stripe);
  expect(reconciled.differences).toEqual([]);
  expect(reconciliationAsText(reconciled)).toContain("The books agree with Stripe.");
}
