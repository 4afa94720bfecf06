import { describe, expect, test } from "vitest";
import type { PlanPhase, Price, PriceOverride, UsageModel } from "../../../src/domain/catalog/index.ts";
import { phaseAt, resolvePrices } from "../../../src/domain/pricing/index.ts";

const base: Price = {
  key: "base",
  name: "base fee",
  product: "pro",
  type: "flat",
  timing: "in_advance",
  amountMinor: "2001",
};
const seats: Price = {
  key: "seats",
  name: "seats",
  product: "pro",
  type: "seat",
  timing: "in_advance",
  unitAmountMinor: "1000",
  includedSeats: 1,
};
const tokens: Price = {
  key: "tokens",
  name: "tokens",
  product: "tokens",
  type: "usage",
  meter: "tokens",
  where: {},
  unitLabel: "token",
  included: "100",
  model: { type: "per_unit", unitPriceMinor: "0.000000000003" },
};
const prices = [base, seats, tokens];

const times = (factor: string, priority = 50, of: PriceOverride["prices"] = "all"): PriceOverride => ({
  prices: of,
  priority,
  effect: { type: "multiplier", factor },
});
const says = (
  price: Extract<PriceOverride["effect"], { type: "overwrite" }>["price"],
  priority = 50,
  of: PriceOverride["prices"] = "all",
): PriceOverride => ({ prices: of, priority, effect: { type: "overwrite", price } });

const phase = (key: string, periods: number | null, overrides: readonly PriceOverride[]): PlanPhase => ({
  key,
  name: key,
  periods,
  overrides,
});

describe("which override counts", () => {
  test.each([
    { why: "none", contract: [], cents: "2001" },
    { why: "2001 × 0.5 = 1000.5, half to even", contract: [times("0.5")], cents: "1000" },
    { why: "the lowest priority number", contract: [times("0.5", 2), times("0.9", 1)], cents: "1801" },
    { why: "of equal priorities the lowest factor", contract: [times("0.9"), times("0.5")], cents: "1000" },
    { why: "only one: 0.5 × 0.9 is not 0.45", contract: [times("0.5", 1), times("0.9", 2)], cents: "1000" },
    {
      why: "an overwrite wins, whatever its priority",
      contract: [times("0.5", 1), says({ amountMinor: "1500" }, 99)],
      cents: "1500",
    },
    {
      why: "of overwrites the lowest priority",
      contract: [says({ amountMinor: "1" }, 2), says({ amountMinor: "2" }, 1)],
      cents: "2",
    },
    {
      why: "of equal overwrites the first",
      contract: [says({ amountMinor: "1" }), says({ amountMinor: "2" })],
      cents: "1",
    },
    { why: "not one for another price", contract: [times("0.5", 1, ["seats"])], cents: "2001" },
    { why: "not one that says nothing of a fee", contract: [says({ unitAmountMinor: "1" })], cents: "2001" },
  ])("$why", ({ contract, cents }) => {
    expect(resolvePrices({ prices }, 0, contract)[0]).toEqual({ ...base, amountMinor: cents });
  });

  test("a contract's goes before the phase's, where they are equal otherwise", () => {
    const phases = [phase("all", null, [says({ amountMinor: "7" })])];
    expect(resolvePrices({ prices, phases }, 0, [says({ amountMinor: "5" })])[0]).toEqual({
      ...base,
      amountMinor: "5",
    });
    expect(resolvePrices({ prices, phases }, 0, [times("0.5")])[0]).toEqual({ ...base, amountMinor: "7" });
  });

  test("seats and usage: what is overwritten, and what stays", () => {
    const model: UsageModel = { type: "per_unit", unitPriceMinor: "2" };
    const [, ofSeats, ofTokens] = resolvePrices({ prices }, 0, [says({ includedSeats: 3, model })]);
    expect(ofSeats).toEqual({ ...seats, includedSeats: 3 });
    expect(ofTokens).toEqual({ ...tokens, model });
  });
});

describe("a ramp of two free periods, three at half price, and then the full price", () => {
  const phases = [phase("free", 2, [times("0")]), phase("half", 3, [times("0.5")]), phase("full", null, [])];

  test.each([
    { index: 0, key: "free", cents: "0" },
    { index: 1, key: "free", cents: "0" },
    { index: 2, key: "half", cents: "500" },
    { index: 4, key: "half", cents: "500" },
    { index: 5, key: "full", cents: "1000" },
    { index: 500, key: "full", cents: "1000" },
  ])("period $index is $key", ({ index, key, cents }) => {
    expect(phaseAt(phases, index)?.key).toBe(key);
    expect(resolvePrices({ prices, phases }, index)[1]).toEqual({ ...seats, unitAmountMinor: cents });
  });

  test("behind a last phase that ends the plan's own prices hold", () => {
    expect(resolvePrices({ prices, phases: phases.slice(0, 2) }, 5)).toBe(prices);
  });
});

describe("a multiplier of 0.5", () => {
  const tiers = [{ upTo: null, unitPriceMinor: "3", flatMinor: "10" }];
  test.each<{ model: UsageModel; half: UsageModel }>([
    {
      model: { type: "package", packageSize: "100", packagePriceMinor: "5", rounding: "up" },
      half: { type: "package", packageSize: "100", packagePriceMinor: "2.5", rounding: "up" },
    },
    {
      model: { type: "graduated", tiers },
      half: { type: "graduated", tiers: [{ upTo: null, unitPriceMinor: "1.5", flatMinor: "5" }] },
    },
    {
      model: { type: "stairstep", steps: [{ upTo: null, priceMinor: "7" }] },
      half: { type: "stairstep", steps: [{ upTo: null, priceMinor: "3.5" }] },
    },
    {
      model: {
        type: "percentage",
        percent: "3",
        feePerEventMinor: "30",
        freeAmountMinor: "99",
        perEventMaxMinor: "8",
      },
      half: {
        type: "percentage",
        percent: "1.5",
        feePerEventMinor: "15",
        freeAmountMinor: "99",
        perEventMaxMinor: "4",
      },
    },
    {
      model: {
        type: "matrix",
        dimensions: ["model"],
        cells: [{ values: { model: "deep" }, unitPriceMinor: "4" }],
        defaultUnitPriceMinor: "2",
      },
      half: {
        type: "matrix",
        dimensions: ["model"],
        cells: [{ values: { model: "deep" }, unitPriceMinor: "2" }],
        defaultUnitPriceMinor: "1",
      },
    },
    {
      model: { type: "cost_plus", costTable: "c", tokenClass: "input", dimensions: [], markupPercent: "20" },
      half: { type: "cost_plus", costTable: "c", tokenClass: "input", dimensions: [], markupPercent: "-40" },
    },
    {
      model: { type: "per_unit", unitPriceMinor: "0.000000000003" },
      half: { type: "per_unit", unitPriceMinor: "0.000000000002" },
    },
  ])("$model.type", ({ model, half }) => {
    const [scaled] = resolvePrices({ prices: [{ ...tokens, model }] }, 0, [times("0.5")]);
    expect(scaled).toEqual({ ...tokens, model: half });
  });
});
