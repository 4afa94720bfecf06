import { afterAll, beforeAll, expect, test } from "vitest";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { spendingPolicyOf } from "../../src/db/billing/spending-policy.ts";
import { updateSubscription } from "../../src/db/billing/subscriptions.ts";
import { BilledMonths } from "./billed-months.ts";
import { addCustomer } from "./usage-fixture.ts";

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin({
    meters: [],
    plans: [plan("usual", {}), plan("expiring", { credits: { burnOrder: "expiry_first" } })],
  });
});
afterAll(() => months.end());

test("credit is spent by the plan of the subscription that is billed next", async () => {
  const { db } = months;
  const spending = async () => {
    const { policy, subscriptionId } = await spendingPolicyOf(db.orm, "ada");
    return [policy.burnOrder, subscriptionId];
  };
  await addCustomer(db, "ada");
  expect(await spending()).toEqual(["priority_first", null]);
  await open("usual", "2026-01-20T00:00:00Z");
  await open("expiring", "2026-01-25T00:00:00Z");
  expect(await spending()).toEqual(["priority_first", "usual"]);
  await open("expiring", "2026-01-10T00:00:00Z", "sooner");
  expect(await spending()).toEqual(["expiry_first", "sooner"]);
  // What has nothing to bill any more spends nothing.
  await updateSubscription(db.orm, "sooner", { nextCloseAt: null });
  expect(await spending()).toEqual(["priority_first", "usual"]);
});

async function open(planKey: string, at: string, subscriptionId = planKey): Promise<void> {
  const items = [{ planKey, seats: 1 }];
  await openSubscription(months.db, { subscriptionId, customerId: "ada", requestId: "open", at, items });
}

function plan(key: string, rest: object) {
  return {
    ...{ key, name: key, currency: "usd", interval: { unit: "month", count: 1 } },
    prices: [
      { key: "base", type: "flat", name: "base", product: "p", timing: "in_arrears", amountMinor: "1000" },
    ],
    ...rest,
  };
}
