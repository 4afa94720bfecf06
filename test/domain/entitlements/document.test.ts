import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { camelCase, renameFields } from "../../../src/api/field-names.ts";
import { combinations, featureTypes, parseCatalog } from "../../../src/domain/catalog/index.ts";
import { allowedReasons, deniedReasons, paymentBuckets } from "../../../src/domain/entitlements/index.ts";

/** The page about entitlements names what there is, and its catalog can be sold from. */
const page = readFileSync(join(import.meta.dirname, "../../../docs/entitlements.md"), "utf8");
const firstCells = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.split("|")[1] ?? "");
const named = new Set(
  firstCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)),
);

test.each([
  { what: "every type", names: featureTypes },
  { what: "every reason", names: [...allowedReasons, ...deniedReasons] },
  { what: "every bucket", names: paymentBuckets },
  { what: "every window", names: ["calendar", "billing_cycle", "rolling", "first_use", "never"] },
])("$what has a row", ({ names }) => {
  expect(names.filter((name) => !named.has(name))).toEqual([]);
});

test("every combination is named", () => {
  expect(combinations.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test("its catalog is one", () => {
  const [, written = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const { features, plans } = parse(written) as { features: object[]; plans: object[] };
  const meter = { aggregation: "count", eventType: "request", dimensions: ["user", "model"] };
  const sold = { name: "Pro", currency: "usd", interval: { unit: "month", count: 1 }, prices: [] };
  const catalog = parseCatalog({
    meters: [
      { key: "requests", ...meter },
      { key: "tokens", ...meter },
    ],
    features: renameFields(features, camelCase),
    plans: plans.map((plan) => ({ ...(renameFields(plan, camelCase) as object), ...sold })),
  });
  expect(catalog.plans[0]?.entitlements?.map(({ feature }) => feature)).toEqual([
    "models",
    "requests",
    "tokens",
    "spending",
  ]);
});
