import { afterAll, beforeAll, expect, test } from "vitest";
import { closeDuePage, type FailingPeriods } from "../../src/activities/close-due-page.ts";
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
async function groups(like = "%"): Promise<string[][]> {
  const found = await fixture.db.sql<{ ids: string[] }[]>`
    select array_agg(subscription_id order by subscription_id) as ids from billing.rating_run
    where subscription_id like ${like} group by recorded_xid order by 1`;
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

test("what failed once holds up no group again, and is closed by itself when its cause is mended", async () => {
  const { db, owner } = fixture;
  const failing: FailingPeriods = new Map();
  const failed: string[] = [];
  const deps = { db, gateway: { startBillingCycle: async () => {} } } as unknown as ActivityDependencies;
  const sweep = async () =>
    await closeDuePage(
      deps,
      { lane: 0, lanes: 1, after: null, limit: 100 },
      { ...pageOptions(dueAt), failing, onFailure: (id) => failed.push(id) },
    );
  const lost = await subscribe(db, "lost");
  const mend = await breakTermsOf(owner, lost);
  for (const name of ["first-a", "first-b"]) await subscribe(db, name);
  await sweep();
  for (const name of ["then-a", "then-b"]) await subscribe(db, name);
  expect(await sweep()).toMatchObject({ closed: 2 });
  // The first sweep found out one by one; the second one closed together what it could.
  expect(await groups("sub-first-%")).toEqual([["sub-first-a"], ["sub-first-b"]]);
  expect(await groups("sub-then-%")).toEqual([["sub-then-a", "sub-then-b"]]);
  expect(new Set(failed)).toEqual(new Set(["sub-d", lost]));

  await mend();
  expect(await sweep()).toMatchObject({ closed: 1 });
  expect(await groups(lost)).toEqual([[lost]]);
  expect([...failing.keys()]).toEqual(["sub-d"]);
});
