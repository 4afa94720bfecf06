import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addCustomer } from "../db/usage-fixture.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const meter = {
  key: "tokens",
  event_type: "model.request",
  aggregation: "sum",
  property: "tokens",
  dimensions: ["modelName"],
};
const fee = {
  type: "flat",
  key: "fee",
  name: "Fee",
  product: "plan",
  timing: "in_advance",
  amount_minor: "2000",
};
const tokens = {
  type: "usage",
  key: "deep",
  name: "Deep tokens",
  product: "tokens",
  meter: "tokens",
  where: { modelName: "deepMind" },
  model: {
    type: "graduated",
    tiers: [
      { up_to: "1000", unit_price_minor: "0.3" },
      { up_to: null, unit_price_minor: "0.24" },
    ],
  },
};
const pro = {
  key: "pro",
  name: "Pro",
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices: [fee, tokens],
};
const plan = async (plans: object[], meters: object[] = [meter]) => {
  const { status, body } = await api.call(
    "POST",
    "/v1/catalog/plan",
    { meters, plans },
    { idempotencyKey: null },
  );
  expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
  return body;
};
const publish = (plans: object[]) => api.call("PUT", "/v1/catalog", { meters: [meter], plans });

/** Subscriptions on plan pro, as `[id, status, version, version, …]`, each version agreed after the one before. */
async function subscribe(...subscriptions: [id: string, status: string, ...versions: number[]][]) {
  await addCustomer(api.db, "acme");
  for (const [id, status, ...versions] of subscriptions) {
    const canceledAt = status === "canceled" ? "'2026-02-01'" : "null";
    // Whatever becomes of a subscription, it begins as active.
    await insertAsOwner(
      api.ownerUrl,
      `insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone,
         currency, grace_seconds, billed_through)
       values ('${id}', 'acme', 'active', '2026-01-01', 'month', 1, 'UTC', 'usd', 0, '2026-01-01');
       update billing.subscription set status = '${status}', cancel_at = ${canceledAt}, canceled_at = ${canceledAt}
       where id = '${id}' and status <> '${status}'`,
    );
    for (const [index, version] of versions.entries()) {
      const items = JSON.stringify([{ planKey: "pro", planVersion: version, seats: 1 }]);
      await insertAsOwner(
        api.ownerUrl,
        `insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
         values ('${id}', '2026-01-0${index + 1}', '${index}', '${items}', false)`,
      );
    }
  }
}

describe("planning a catalog", () => {
  test("of what is new says so, and writes nothing", async () => {
    const answer = await plan([pro]);
    expect(answer.meters).toEqual([{ key: "tokens", change: "new", version: 1, differences: [] }]);
    expect(answer.plans).toEqual([
      {
        key: "pro",
        name: "Pro",
        currency: "usd",
        change: "new",
        version: 1,
        current_version: null,
        differences: [],
        subscriptions: [],
      },
    ]);
    expect((await api.call("GET", "/v1/catalog")).body).toMatchObject({ meters: [], plans: [] });
  });

  test("names every field that differs, and how many subscriptions stay on which version", async () => {
    await publish([pro, { ...pro, key: "old", name: "Old" }]);
    await publish([{ ...pro, name: "Pro 2" }]);
    await subscribe(["sub-1", "active", 1], ["sub-2", "paused", 1, 2], ["sub-3", "canceled", 1]);
    const dearer = { ...tokens, model: { ...tokens.model, tiers: [tokens.model.tiers[1]] } };
    const seats = {
      type: "seat",
      key: "seats",
      name: "Seats",
      product: "seats",
      timing: "in_advance",
      unit_amount_minor: "500",
    };
    const answer = await plan([{ ...pro, prices: [seats, dearer] }]);
    expect(answer.plans[0]).toMatchObject({ change: "changed", version: 3, current_version: 2 });
    const differences = answer.plans[0].differences.map((each: Record<string, unknown>) => ({
      ...each,
      before: typeof each.before === "object" && each.before !== null ? "…" : each.before,
      after: typeof each.after === "object" && each.after !== null ? "…" : each.after,
    }));
    expect(differences).toEqual([
      { path: "name", change: "changed", before: "Pro 2", after: "Pro" },
      { path: "prices[seats]", change: "added", before: null, after: "…" },
      { path: "prices[deep].model.tiers[0].up_to", change: "changed", before: "1000", after: null },
      {
        path: "prices[deep].model.tiers[0].unit_price_minor",
        change: "changed",
        before: "0.3",
        after: "0.24",
      },
      { path: "prices[deep].model.tiers[1]", change: "removed", before: "…", after: null },
      { path: "prices[fee]", change: "removed", before: "…", after: null },
    ]);
    expect(answer.plans[0].subscriptions).toEqual([
      { version: 2, count: 1 }, // sub-2 has moved
      { version: 1, count: 1 }, // sub-1; sub-3 is canceled
    ]);
    expect(answer.left_out).toEqual([{ key: "old", name: "Old", version: 1, subscriptions: [] }]);
  });

  test("tells an order that changed, and finds nothing in what is only written differently", async () => {
    const current = { ...pro, name: "Pro 2" };
    const [reordered] = (await plan([{ ...current, prices: [tokens, fee] }])).plans;
    expect(reordered.differences).toEqual([
      { path: "prices", change: "reordered", before: ["fee", "deep"], after: ["deep", "fee"] },
    ]);
    const written = { ...current, grace_seconds: 3600, prices: [fee, { ...tokens, included: "0.00" }] };
    expect((await plan([written])).plans[0]).toMatchObject({
      change: "unchanged",
      version: 2,
      differences: [],
    });
  });

  test("a meter's differences, in its author's names", async () => {
    const changed = { ...meter, dimensions: ["modelName", "tokenClass"] };
    expect((await plan([], [changed])).meters).toEqual([
      {
        key: "tokens",
        change: "changed",
        version: 2,
        differences: [
          {
            path: "dimensions",
            change: "changed",
            before: ["modelName"],
            after: ["modelName", "tokenClass"],
          },
        ],
      },
    ]);
  });

  test("costs that begin later, and features", async () => {
    const later = {
      effective_at: "2999-01-01T00:00:00Z",
      rows: [{ values: { model: "deep" }, costs: { input: "2" } }],
    };
    const first = { ...later, effective_at: "2020-01-01T00:00:00Z" };
    const table = { key: "provider", name: "Provider", currency: "usd", dimensions: ["model"] };
    const sso = { key: "sso", name: "Single sign-on", type: "boolean" };
    const catalog = (versions: object[], name: string) => ({
      meters: [],
      plans: [],
      cost_tables: [{ ...table, versions }],
      features: [{ ...sso, name }],
    });
    const planned = async (body: object) => (await api.call("POST", "/v1/catalog/plan", body)).body;
    const before = await planned(catalog([first], "SSO"));
    expect([before.cost_tables[0].change, before.features[0].change]).toEqual(["new", "new"]);
    expect((await api.call("PUT", "/v1/catalog", catalog([first], "SSO"))).status).toBe(200);
    expect(await planned(catalog([first, later], "Single sign-on"))).toMatchObject({
      cost_tables: [{ key: "provider", change: "changed", new_versions: ["2999-01-01T00:00:00.000Z"] }],
      features: [
        {
          key: "sso",
          change: "changed",
          differences: [{ path: "name", before: "SSO", after: "Single sign-on" }],
        },
      ],
    });
    const rewritten = { ...first, rows: [{ values: { model: "deep" }, costs: { input: "3" } }] };
    expect((await planned(catalog([rewritten], "SSO"))).code).toBe("catalog_invalid");
  });

  test("refuses what publishing would refuse, and says all of it", async () => {
    const wrong = { ...pro, currency: "dollars", prices: [{ ...tokens, meter: "words" }, fee, fee] };
    const { status, body } = await api.call("POST", "/v1/catalog/plan", { meters: [meter], plans: [wrong] });
    expect([status, body.code]).toEqual([422, "catalog_invalid"]);
    const faults = (await api.call("POST", "/v1/catalog/plan", {
      meters: [meter],
      plans: [{ ...wrong, currency: "usd" }],
    })) as { body: { faults: { field: string }[] } };
    expect(faults.body.faults.map(({ field }) => field)).toEqual([
      "plans[0].prices[2].key",
      "plans[0].prices[0].meter",
    ]);
    const lost = await api.call("POST", "/v1/catalog/plan", {
      meters: [{ ...meter, dimensions: [] }],
      plans: [],
    });
    expect([lost.status, lost.body.code, lost.body.field]).toEqual([
      422,
      "meter_in_use",
      "meters[0].dimensions",
    ]);
  });

  test("needs no more than a key that reads", async () => {
    const key = await api.newKey(["read"]);
    const { status } = await api.call("POST", "/v1/catalog/plan", { meters: [], plans: [] }, { key });
    expect(status).toBe(200);
  });
});
