import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyChange } from "../../src/activities/apply-change.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import type { SubscriptionCommands } from "../../src/api/dependencies.ts";
import { instant, isoOf } from "../../src/domain/calendar/index.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
let now = instant("2026-03-01T12:00:00Z");
/** What was told to the workflow: nothing of it may be a price. */
const told: unknown[] = [];
const refuse = () => Promise.reject(new Error("not part of this test"));

/** The subscription's workflow, which only passes on what it is told. */
const subscriptions: SubscriptionCommands = {
  async activate({ at, ...command }) {
    told.push(command);
    return await openSubscription(api.db, { ...command, at: isoOf(at) });
  },
  async changePlan({ subscriptionId, requestId, at, seats: _same, ...change }) {
    told.push(change);
    const input = { subscriptionId, changeId: requestId, at: isoOf(at) };
    const { options: _none, ...wanted } = change;
    const changed = await applyChange(api.db, { ...input, change: { kind: "change_plan", ...wanted } });
    return { changeId: requestId, ...changed };
  },
  changeQuantity: refuse,
  addAddOn: refuse,
  cancel: refuse,
  pause: refuse,
  resume: refuse,
  removeAddOn: refuse,
  endTrial: refuse,
  uncancel: refuse,
  withdrawScheduled: refuse,
};

const halfPrice = { prices: "all", priority: 1, effect: { type: "multiplier", factor: "0.5" } };
const special = {
  prices: ["base"],
  priority: 100,
  effect: { type: "overwrite", price: { amount_minor: "700" } },
};

beforeAll(async () => {
  api = await startApi({ subscriptions, now: () => now });
  const published = await api.call("PUT", "/v1/catalog", { meters: [], plans: [plan("pro"), plan("max")] });
  expect(published.status).toBe(200);
  const customer = { id: "acme", name: "Acme", email: "billing@acme.test", currency: "usd" };
  await api.call("POST", "/v1/customers", customer);
});
afterAll(() => api.stop());

describe("what is agreed with a customer instead of a plan's prices", () => {
  test("is shown with the subscription, is charged, and is only named to the workflow", async () => {
    const opened = await api.call("POST", "/v1/subscriptions", {
      id: "sub",
      customer: "acme",
      items: [{ plan: "pro", overrides: [{ ...special, priority: undefined }] }],
    });
    expect([opened.status, opened.body.items]).toEqual([
      201,
      [{ plan: "pro", plan_version: 1, seats: 1, overrides: [special] }],
    ]);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      items: [{ planKey: "pro", agreement: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    expect(JSON.stringify(told)).not.toContain("700");
    const invoices = await api.call("GET", "/v1/invoices?customer=acme");
    expect(invoices.body.data[0].total_minor).toBe("700");
  });

  test("a preview comes to it, stores nothing, and the change replaces what was agreed before", async () => {
    now = instant("2026-03-16T00:00:00Z");
    const agreements = async () => (await api.db.sql`select from billing.price_agreement`).length;
    const before = await agreements();
    const asked = { plan: "max", overrides: [halfPrice] };
    const preview = await api.call("POST", "/v1/subscriptions/sub/change-preview", {
      kind: "change_plan",
      ...asked,
    });
    expect([preview.status, preview.body.net_minor]).toEqual([200, "159"]); // 16.5 of 31 days are left: 532 of 1000, less 373 of 700
    expect(await agreements()).toBe(before);
    const changed = await api.call("POST", "/v1/subscriptions/sub/change-plan", asked);
    expect([changed.status, changed.body.subscription.items]).toEqual([
      200,
      [{ plan: "max", plan_version: 1, seats: 1, overrides: [halfPrice] }],
    ]);
    // Nobody has to ask for a preview to be told what it comes to.
    expect(changed.body.outcome).toEqual({
      currency: "usd",
      lines: preview.body.lines,
      net_minor: "159",
      settle: "now",
      invoiced_minor: "159",
    });
  });

  test("a change that agrees on nothing is at the plan's prices", async () => {
    now = instant("2026-03-17T00:00:00Z");
    const changed = await api.call("POST", "/v1/subscriptions/sub/change-plan", { plan: "pro" });
    expect(changed.body.subscription.items).toEqual([{ plan: "pro", plan_version: 1, seats: 1 }]);
  });

  test.each([
    {
      why: "a factor that is no decimal",
      override: { prices: "all", effect: { type: "multiplier", factor: "half" } },
      field: "items[0].overrides[0].effect.factor",
    },
    {
      why: "a price that the plan does not have",
      override: { prices: ["seats"], effect: { type: "multiplier", factor: "0.5" } },
      field: "overrides",
    },
  ])("is refused with $why", async ({ override, field }) => {
    const items = [{ plan: "pro", overrides: [override] }];
    const answer = await api.call("POST", "/v1/subscriptions", { customer: "acme", items });
    expect([answer.body.code, answer.body.field]).toEqual(["price_override_invalid", field]);
  });
});

function plan(key: string) {
  const price = { key: "base", name: "base fee", product: "pro", type: "flat", timing: "in_advance" };
  return {
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month", count: 1 },
    prices: [{ ...price, amount_minor: "2000" }],
  };
}
