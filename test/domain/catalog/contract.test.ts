import { describe, expect, test } from "vitest";
import {
  CatalogInvalidError,
  contractIssues,
  type Price,
  parseContract,
} from "../../../src/domain/catalog/index.ts";

const prices: Price[] = [
  { key: "base", name: "base fee", product: "pro", type: "flat", timing: "in_advance", amountMinor: "2000" },
  {
    key: "seats",
    name: "seats",
    product: "pro",
    type: "seat",
    timing: "in_advance",
    unitAmountMinor: "1000",
    includedSeats: 1,
  },
];

describe("what a contract says instead of a plan's prices", () => {
  test("is read with its defaults, in canonical text", () => {
    const effect = { type: "multiplier", factor: "0.50" };
    expect(parseContract({ overrides: [{ prices: "all", effect }] })).toEqual([
      { prices: "all", priority: 100, effect: { type: "multiplier", factor: "0.5" } },
    ]);
  });

  test.each([
    { why: "no effect", override: { prices: "all" }, path: "overrides[0].effect" },
    {
      why: "a number instead of text",
      override: { prices: "all", effect: { type: "multiplier", factor: 0.5 } },
      path: "overrides[0].effect.factor",
    },
    {
      why: "no price",
      override: { prices: [], effect: { type: "multiplier", factor: "1" } },
      path: "overrides[0].prices",
    },
  ])("is refused with $why", ({ override, path }) => {
    const parse = () => parseContract({ overrides: [override] });
    expect(parse).toThrow(CatalogInvalidError);
    expect(parse).toThrow(path);
  });

  test.each([
    {
      override: { prices: ["sets"], effect: { type: "multiplier", factor: "0.5" } },
      path: "overrides[0].prices[0]",
    },
    {
      override: { prices: ["base"], effect: { type: "overwrite", price: { unitAmountMinor: "1" } } },
      path: "overrides[0].effect.price.unitAmountMinor",
    },
    {
      override: { prices: "all", effect: { type: "overwrite", price: { included: "1" } } },
      path: "overrides[0].effect.price",
    },
  ])("does not fit the plan at $path", ({ override, path }) => {
    const issues = contractIssues({ prices }, parseContract({ overrides: [override] }), {
      meters: [],
      costTables: [],
    });
    expect(issues.map((issue) => issue.path)).toEqual([path]);
  });
});
