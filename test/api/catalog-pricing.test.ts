import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** What a catalog may say beyond simple prices, as it is written in requests and answers. */

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const version = (effective_at: string, cache_read: string) => ({
  effective_at,
  rows: [{ values: { modelName: "deepMind" }, costs: { cache_read, input: "0.25" } }],
});

const costTable = {
  key: "provider",
  name: "Provider",
  currency: "usd",
  dimensions: ["modelName"],
  versions: [version("2026-01-01T00:00:00Z", "0.030"), version("2026-02-01T00:00:00.000Z", "0.02")],
};

const meter = (key: string) => ({
  key,
  event_type: "model.request",
  aggregation: "sum",
  property: key,
  dimensions: ["modelName", "context"],
  bands: [
    {
      dimension: "context",
      of: "input",
      bands: [
        { name: "short", up_to: "200000" },
        { name: "long", up_to: null },
      ],
    },
  ],
});

const card = (key: string, pricing: object, where: object) => ({
  type: "rate_card",
  key,
  name: "Tokens",
  product: "tokens",
  dimensions: ["modelName"],
  classes: [
    { key: "cache_read", name: "cached", meter: "cached", where },
    { key: "input", name: "input", meter: "input", where, included: "10" },
  ],
  pricing,
});

const catalog = {
  meters: [meter("cached"), meter("input")],
  cost_tables: [costTable],
  features: [{ key: "calls", name: "Calls", type: "metered", meter: "input" }],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: { unit: "quarter", count: 1 },
      prices: [
        card(
          "short",
          {
            type: "fixed",
            rows: [{ values: { modelName: "deepMind" }, rates: { cache_read: "0.03", input: "0.30" } }],
            defaults: { cache_read: "1" },
          },
          { context: "short" },
        ),
        card(
          "long",
          { type: "cost_plus", cost_table: "provider", markup_percent: "20", markups: { cache_read: "5" } },
          { context: "long" },
        ),
      ],
      adjustments: [{ type: "maximum", key: "cap", name: "Cap", prices: ["short"], amount_minor: "5000" }],
      entitlements: [{ feature: "calls", limit: "1000" }],
    },
  ],
};

test("rate cards, cost tables, bands and features are published and read as they were written", async () => {
  expect((await api.call("PUT", "/v1/catalog", catalog)).body).toEqual({
    plans: [{ key: "pro", version: 1, change: "new" }],
  });
  const { body } = await api.call("GET", "/v1/catalog");
  expect(body.cost_tables).toEqual([
    {
      ...costTable,
      versions: [version("2026-01-01T00:00:00.000Z", "0.03"), version("2026-02-01T00:00:00.000Z", "0.02")],
    },
  ]);
  expect(body.features).toEqual(catalog.features);
  expect(body.meters).toEqual(catalog.meters);
  expect(body.plans[0]).toMatchObject({
    interval: { unit: "month", count: 3 },
    adjustments: [{ prices: ["short.cache_read", "short.input"], prorated: true }],
    prices: [
      {
        key: "short.cache_read",
        where: { context: "short" },
        model: {
          type: "matrix",
          cells: [{ values: { modelName: "deepMind" }, unit_price_minor: "0.03" }],
          default_unit_price_minor: "1",
        },
      },
      { key: "short.input", included: "10", model: { default_unit_price_minor: null } },
      {
        key: "long.cache_read",
        model: { cost_table: "provider", token_class: "cache_read", markup_percent: "5" },
      },
      { key: "long.input", model: { markup_percent: "20" } },
    ],
  });
});

test("what was answered can be published again, and changes nothing", async () => {
  const { body } = await api.call("GET", "/v1/catalog");
  const plans = body.plans.map(({ version: _, ...plan }: { version: number }) => plan);
  const again = await api.call("PUT", "/v1/catalog", { ...body, plans });
  expect(again.body).toEqual({ plans: [{ key: "pro", version: 1, change: "unchanged" }] });
});

test("a published version of costs stays as it was, and a new one is for a time to come", async () => {
  const withVersions = (...versions: object[]) =>
    api.call("PUT", "/v1/catalog", { ...catalog, cost_tables: [{ ...costTable, versions }] });
  const changed = await withVersions(version("2026-02-01T00:00:00Z", "0.5"));
  expect(changed.status).toBe(422);
  expect(changed.body).toMatchObject({
    code: "catalog_invalid",
    field: "cost_tables[0].versions[0].rows",
    detail: expect.stringContaining("was published with other costs and stays as it was"),
  });
  const past = await withVersions(version("2026-02-02T00:00:00Z", "0.5"));
  expect(past.body).toMatchObject({ field: "cost_tables[0].versions[0].effective_at" });
  const future = version("2999-01-01T00:00:00.000Z", "0.01");
  expect((await withVersions(future)).status).toBe(200);
  const { body } = await api.call("GET", "/v1/catalog");
  expect(body.cost_tables[0].versions).toHaveLength(3);
  expect(body.cost_tables[0].versions[2]).toEqual(future);
});

test("what is wrong is told in the words of the request", async () => {
  const [pro] = catalog.plans;
  const bad = {
    ...pro,
    prices: [card("t", { type: "cost_plus", cost_table: "costs", markup_percent: "1" }, {})],
  };
  const { status, body } = await api.call("PUT", "/v1/catalog", {
    ...catalog,
    plans: [{ ...bad, adjustments: [] }],
  });
  expect(status).toBe(422);
  expect(body).toMatchObject({
    code: "catalog_invalid",
    field: "plans[0].prices[0].pricing.cost_table",
    detail: expect.stringContaining('there is no cost table "costs": declare it under the cost tables'),
  });
});

test("a meter keeps the dimensions that cells are priced by", async () => {
  const [cached, input] = catalog.meters;
  const without = { ...input, dimensions: ["context"] };
  const { status, body } = await api.call("PUT", "/v1/catalog", { meters: [cached, without], plans: [] });
  expect(status).toBe(422);
  expect(body).toMatchObject({
    code: "meter_in_use",
    detail: expect.stringContaining('needs its dimension "modelName"'),
  });
});
