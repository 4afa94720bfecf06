import { describe, expect, test } from "vitest";
import { CatalogInvalidError, limitsOf, parseCatalog } from "../../../src/domain/catalog/index.ts";

const month = { type: "calendar", unit: "month" };

/** A catalog with a feature of each type, of which a plan gives something. */
function catalogWith({
  features = {},
  entitlements = {},
}: {
  features?: object;
  entitlements?: object;
} = {}) {
  const feature = { name: "F" };
  const given = {
    requests: { limits: [{ quantity: "10", window: month, per: ["user"] }] },
    spending: { limits: [{ amountMinor: "100", window: month }] },
    models: { values: ["small"] },
    ...entitlements,
  };
  const declared = {
    requests: { ...feature, type: "metered", meter: "requests" },
    spending: { ...feature, type: "budget", caps: ["requests"] },
    models: { ...feature, type: "config", combine: "union" },
    ...features,
  };
  return {
    meters: [
      { key: "requests", eventType: "r", aggregation: "count", dimensions: ["user", "model"] },
      { key: "speed", eventType: "r", aggregation: "average", property: "ms" },
    ],
    features: Object.entries(declared).map(([key, said]) => ({ key, ...(said as object) })),
    plans: [
      {
        ...{ key: "pro", name: "Pro", currency: "usd", interval: { unit: "month", count: 1 }, prices: [] },
        entitlements: Object.entries(given).map(([key, said]) => ({ feature: key, ...(said as object) })),
      },
    ],
  };
}

function issuesOf(input: unknown): string[] {
  try {
    parseCatalog(input);
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

test("it can be sold from, and read again", () => {
  const catalog = parseCatalog(catalogWith());
  expect(parseCatalog(JSON.parse(JSON.stringify(catalog)))).toEqual(catalog);
});

test("the short form is one limit on each billing cycle", () => {
  expect(limitsOf({ feature: "f", limit: "5" })).toEqual([
    { quantity: "5", window: { type: "billing_cycle" } },
  ]);
  expect(limitsOf({ feature: "f" })).toBeNull();
});

const limited = (limit: object) => ({
  entitlements: { requests: { limits: [{ quantity: "10", window: month, ...limit }] } },
});
const spent = (limit: object) => ({
  entitlements: { spending: { limits: [{ amountMinor: "1", window: month, ...limit }] } },
});

describe("what is wrong is named with its place and what to do", () => {
  test.each([
    {
      with: limited({ perUser: true }),
      issue: "plans[0].entitlements[0].limits[0].perUser: is not a known field: correct or remove it",
    },
    {
      with: { entitlements: { models: { values: [], whenCutOff: { use: "allowed_up_to", quantity: "5" } } } },
      issue:
        'plans[0].entitlements[2].whenCutOff.use: write "allowed" or "denied": only what is metered has an amount',
    },
    {
      with: { features: { spending: { name: "F", type: "budget", whenCutOff: { use: "allowed" } } } },
      issue: "features[1].whenCutOff: remove it: say it of the features that the budget caps",
    },
    {
      with: limited({ per: ["team"] }),
      issue:
        'plans[0].entitlements[0].limits[0].per[0]: meter "requests" has no dimension "team"; it has user, model',
    },
    {
      with: limited({ where: { region: "eu" } }),
      issue:
        'plans[0].entitlements[0].limits[0].where.region: meter "requests" has no dimension "region"; it has user, model',
    },
    {
      with: limited({ window: { type: "calendar", unit: "fortnight" } }),
      issue:
        'plans[0].entitlements[0].limits[0].window.unit: write "hour" or "day" or "week" or "month" or "quarter" or "year"',
    },
    {
      with: limited({ window: { type: "rolling", length: { unit: "hour", count: 0 } } }),
      issue: "plans[0].entitlements[0].limits[0].window.length.count: must be at least 1",
    },
    {
      with: limited({ amountMinor: "5" }),
      issue:
        "plans[0].entitlements[0].limits[0].amountMinor: remove it: what is metered is limited by quantity",
    },
    {
      with: { entitlements: { requests: { limit: "5", limits: [{ quantity: "5", window: month }] } } },
      issue: "plans[0].entitlements[0].limit: remove it, or the limits: it is the short form of one of them",
    },
    {
      with: {
        entitlements: {
          requests: { limits: [5, 6].map((each) => ({ quantity: `${each}`, window: month })) },
        },
      },
      issue: "plans[0].entitlements[0].limits[1]: says the same as a limit before it: write one of them",
    },
    {
      with: spent({ quantity: "5" }),
      issue: "plans[0].entitlements[1].limits[0].quantity: remove it: a budget is limited by an amount",
    },
    {
      with: spent({ beyond: "charged" }),
      issue: "plans[0].entitlements[1].limits[0].beyond: remove it: what goes beyond a budget is denied",
    },
    {
      with: { entitlements: { spending: {} } },
      issue: "plans[0].entitlements[1].limits: is missing: write how much may be spent",
    },
    {
      with: { entitlements: { models: { value: "small" } } },
      issue: "plans[0].entitlements[2].value: remove it: this setting is a list of values",
    },
    {
      with: {
        features: { models: { name: "M", type: "config", combine: "highest" } },
        entitlements: { models: { value: "many" } },
      },
      issue: 'plans[0].entitlements[2].value: write a number as text, zero or more, such as "25"',
    },
    {
      with: { features: { spending: { name: "S", type: "budget", caps: ["flying"] } } },
      issue: 'features[1].caps[0]: there is no feature "flying": declare it under features',
    },
    {
      with: { features: { requests: { name: "R", type: "metered", meter: "speed" } } },
      issue:
        'features[0].meter: meter "speed" tells the average, of which nothing is used up: name another meter',
    },
    {
      with: { features: { requests: { name: "R", type: "metered", meter: "requests", combine: "sum" } } },
      issue: "features[0].combine: remove it: only settings are combined",
    },
  ])("$issue", ({ with: changed, issue }) => {
    expect(issuesOf(catalogWith(changed))).toContain(issue);
  });
});
