import { afterAll, beforeAll, expect, test } from "vitest";
import { closeDuePage } from "../../src/activities/close-due-page.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import type { BillingCycleInput } from "../../src/workflows/messages.ts";
import { openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { expectInvariants } from "../support/invariants.ts";
import { breakTermsOf, dueAt, publishPlans, subscribe, subscribeToSupport } from "./due-customers.ts";
import { pageOptions } from "./page-options.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 4 });
  await publishPlans(fixture.db);
});
afterAll(() => fixture.close());

/** Which subscriptions' periods were closed in one transaction, for each transaction. */
async function groups(): Promise<string[][]> {
  const found = await fixture.db.sql<{ ids: string[] }[]>`
    select array_agg(subscription_id order by subscription_id) as ids from billing.rating_run
    group by recorded_xid order by 1`;
  return found.map(({ ids }) => ids);
}

test("a customer is in no group twice, and only the group of what cannot be closed is closed one by one", async () => {
  const { db, owner } = fixture;
  const ids: string[] = [];
  for (const name of ["a", "b", "c", "d", "e", "f", "g"]) ids.push(await subscribe(db, name));
  const others = [await subscribeToSupport(db, "a", "sub-a-2"), await subscribeToSupport(db, "a", "sub-a-3")];
  others.push(await subscribeToSupport(db, "b", "sub-b-2"));
  await breakTermsOf(owner, "sub-d");

  const cycles: BillingCycleInput[] = [];
  const gateway = { startBillingCycle: async (input: BillingCycleInput) => void cycles.push(input) };
  const deps = { db, gateway } as unknown as ActivityDependencies;
  const told: unknown[] = [];
  const page = { lane: 0, lanes: 1, after: null, limit: 100 };
  const closed = await closeDuePage(deps, page, {
    ...pageOptions(dueAt),
    togetherMax: 3,
    progress: (counts) => told.push(counts),
  });

  expect(closed).toEqual({ closed: ids.length + others.length - 1, handedOver: 1, next: null });
  expect(told.at(-1)).toEqual({ closed: 9, handedOver: 1 });
  expect(cycles.map(({ subscriptionId }) => subscriptionId)).toEqual(["sub-d"]);
  expect(await groups()).toEqual([
    // Seven customers are groups of three, three and one; the second one's are closed each by itself.
    ["sub-a", "sub-b", "sub-c"],
    ["sub-a-2", "sub-b-2"],
    ["sub-a-3"],
    ["sub-e"],
    ["sub-f"],
    ["sub-g"],
  ]);
  await expectInvariants(db, { limits: { billing: 1e9 } });
});
