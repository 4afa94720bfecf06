import { describe, expect, test } from "vitest";
import {
  CatalogInvalidError,
  defaultProration,
  type PlanDefinition,
  parseCatalog,
  planFingerprint,
} from "../../../src/domain/catalog/index.ts";

/** The plan of a catalog that says this of its periods. */
function parsed(said: object): PlanDefinition {
  const plan = {
    key: "pro",
    name: "Pro",
    currency: "usd",
    interval: { unit: "month", count: 1 },
    prices: [],
  };
  const [only] = parseCatalog({ meters: [], plans: [{ ...plan, ...said }] }).plans;
  if (only === undefined) throw new Error("there is a plan");
  return only;
}

function issuesOf(said: object): string[] {
  try {
    parsed(said);
    return [];
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
}

test("a quarter is three months, and the same plan", () => {
  const quarters = parsed({ interval: { unit: "quarter", count: 2 } });
  expect(quarters.interval).toEqual({ unit: "month", count: 6 });
  expect(planFingerprint(quarters)).toBe(planFingerprint(parsed({ interval: { unit: "month", count: 6 } })));
});

test("what a policy leaves out is the default; a plan that says nothing stays without one", () => {
  expect(parsed({ proration: { unit: "day" } }).proration).toEqual({ ...defaultProration, unit: "day" });
  expect(parsed({})).not.toHaveProperty("proration");
});

test("how a plan prorates, and where its periods begin, make another version of it", () => {
  const plans = [
    parsed({}),
    parsed({ proration: { unit: "day" } }),
    parsed({ proration: { settle: "none" } }),
    parsed({ anchor: { type: "calendar" } }),
    parsed({ anchor: { type: "calendar", day: 2 } }),
  ];
  expect(new Set(plans.map(planFingerprint)).size).toBe(plans.length);
});

describe("what is refused", () => {
  test.each([
    {
      said: { proration: { unit: "hour" } },
      issue: 'plans[0].proration.unit: write "second" or "day" or "fixed_30" or "30_360" or "none"',
    },
    {
      said: { anchor: { type: "calendar", weekday: 1 } },
      issue: "plans[0].anchor.weekday: periods of 1 month have no weekday to begin on: remove it",
    },
    {
      said: { anchor: { type: "calendar", month: 2 }, interval: { unit: "month", count: 5 } },
      issue: "plans[0].anchor.month: periods of 5 month have no month to begin on: remove it",
    },
    { said: { anchor: { type: "calendar", day: 32 } }, issue: "plans[0].anchor.day: must be at most 31" },
    { said: { anchor: { type: "moon" } }, issue: 'plans[0].anchor.type: write "anniversary" or "calendar"' },
  ])("$issue", ({ said, issue }) => {
    expect(issuesOf(said)).toEqual([issue]);
  });
});
