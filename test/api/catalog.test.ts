import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const meters = [
  {
    key: "tokens",
    event_type: "model.request",
    aggregation: "sum",
    property: "tokens",
    dimensions: ["modelName"],
  },
];
const tokenPrice = {
  type: "usage",
  key: "deep",
  name: "Deep tokens",
  product: "tokens",
  meter: "tokens",
  where: { modelName: "deepMind" },
  model: {
    type: "graduated",
    tiers: [
      { up_to: "1000", unit_price_minor: "0.30" },
      { up_to: null, unit_price_minor: "0.24" },
    ],
  },
};
const fee = {
  type: "flat",
  key: "fee",
  name: "Fee",
  product: "plan",
  timing: "in_advance",
  amount_minor: "2000",
};
const pro = {
  key: "pro",
  name: "Pro",
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices: [fee, tokenPrice],
};
const hobby = {
  key: "hobby",
  name: "Hobby",
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices: [fee],
};

const publish = (plans: unknown[], ofMeters: unknown[] = meters) =>
  api.call("PUT", "/v1/catalog", { meters: ofMeters, plans });

describe("publishing a catalog", () => {
  test("makes a version of each new or changed plan, and nothing of an unchanged one", async () => {
    expect((await publish([pro, hobby])).body.plans).toEqual([
      { key: "pro", version: 1, change: "new" },
      { key: "hobby", version: 1, change: "new" },
    ]);
    // "0.30" and "0.3" are one price, and a default written out is the default.
    const rewritten = structuredClone({ ...pro, grace_seconds: 3600 });
    Object.assign(rewritten.prices[1]?.type === "usage" ? rewritten.prices[1] : {}, { included: "0.0" });
    expect((await publish([rewritten, hobby])).body.plans).toEqual([
      { key: "pro", version: 1, change: "unchanged" },
      { key: "hobby", version: 1, change: "unchanged" },
    ]);
    const dearer = { ...pro, prices: [{ ...fee, amount_minor: "2500" }, tokenPrice] };
    expect((await publish([dearer])).body.plans).toEqual([{ key: "pro", version: 2, change: "changed" }]);
  });

  test("keeps every version as it was sold, and plans that are left out", async () => {
    const [first, newest, left] = await Promise.all(
      ["/v1/plans/pro?version=1", "/v1/plans/pro", "/v1/plans/hobby"].map((path) => api.call("GET", path)),
    );
    expect(first?.body.prices[0].amount_minor).toBe("2000");
    expect([newest?.body.version, newest?.body.prices[0].amount_minor]).toEqual([2, "2500"]);
    expect(left?.body.version).toBe(1);
    const catalog = (await api.call("GET", "/v1/catalog")).body;
    expect(
      catalog.plans.map(({ key, version }: { key: string; version: number }) => `${key} ${version}`),
    ).toEqual(["hobby 1", "pro 2"]);
    expect(catalog.meters).toEqual(meters);
  });

  test("leaves the names that its author gave to dimensions as they are", async () => {
    const { body } = await api.call("GET", "/v1/plans/pro");
    expect(body.prices[1].where).toEqual({ modelName: "deepMind" });
    expect(body.prices[1].model.tiers).toEqual([
      { up_to: "1000", unit_price_minor: "0.3", flat_minor: "0" },
      { up_to: null, unit_price_minor: "0.24", flat_minor: "0" },
    ]);
  });

  test("twenty times at once makes one new version", async () => {
    const changed = { ...hobby, name: "Hobby Plus" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => publish([changed])));
    const changes = answers.map(({ body }) => `${body.plans[0].version} ${body.plans[0].change}`);
    expect(changes.filter((change) => change === "2 changed")).toHaveLength(1);
    expect(changes.filter((change) => change === "2 unchanged")).toHaveLength(19);
  });

  test.each([
    {
      why: "a price for a meter that is not there",
      plans: [{ ...pro, prices: [{ ...tokenPrice, meter: "words" }] }],
      code: "catalog_invalid",
      field: "plans[0].prices[0].meter",
    },
    {
      why: "tiers that do not go up",
      plans: [
        {
          ...pro,
          prices: [
            {
              ...tokenPrice,
              model: {
                type: "volume",
                tiers: [
                  { up_to: "5", unit_price_minor: "1" },
                  { up_to: "5", unit_price_minor: "1" },
                  { up_to: null, unit_price_minor: "1" },
                ],
              },
            },
          ],
        },
      ],
      code: "catalog_invalid",
      field: "plans[0].prices[0].model.tiers[1].up_to",
    },
    {
      why: "a negative amount",
      plans: [{ ...pro, prices: [{ ...fee, amount_minor: "-1" }] }],
      code: "catalog_invalid",
      field: "plans[0].prices[0].amount_minor",
    },
    {
      why: "an amount as a number",
      plans: [{ ...pro, prices: [{ ...fee, amount_minor: 2000 }] }],
      code: "request_invalid",
      field: "plans[0].prices[0].amount_minor",
    },
    {
      why: "an unknown field deep inside",
      plans: [{ ...pro, interval: { unit: "month", count: 1, days: 3 } }],
      code: "request_invalid",
      field: "plans[0].interval.days",
    },
  ])("$why is refused at $field, and nothing is published", async ({ plans, code, field }) => {
    const answer = await publish(plans);
    expect([answer.body.code, answer.body.field]).toEqual([code, field]);
    expect((await api.call("GET", "/v1/plans/pro")).body.version).toBe(2);
  });

  test("a meter that changes gets a version of its own, and is answered as it is now", async () => {
    const changed = { ...meters[0], aggregation: "average" };
    expect((await publish([], [changed])).status).toBe(200);
    const versions = await api.db
      .sql`select version from catalog.meter where key = ${meters[0]?.key ?? ""} order by 1`;
    expect(versions.map(({ version }) => version)).toEqual([1, 2]);
    expect((await api.call("GET", "/v1/catalog")).body.meters).toContainEqual(
      expect.objectContaining(changed),
    );
    expect((await publish([], [changed])).status).toBe(200);
    expect(await api.db.sql`select from catalog.meter where key = ${meters[0]?.key ?? ""}`).toHaveLength(2);
  });

  test("a meter keeps the dimensions that prices were sold for", async () => {
    const answer = await publish([], [{ ...meters[0], dimensions: [] }]);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([
      422,
      "meter_in_use",
      "meters[0].dimensions",
    ]);
  });
});

test.each(["/v1/plans/enterprise", "/v1/plans/pro?version=9"])("%s is not there", async (path) => {
  const answer = await api.call("GET", path);
  expect([answer.status, answer.body.code]).toEqual([404, "plan_not_found"]);
});
