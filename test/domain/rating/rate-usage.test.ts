import { describe, expect, test } from "vitest";
import type { PackageModel, TieredModel, UsageModel } from "../../../src/domain/catalog/index.ts";
import { currency, decimal, money, roundToMinor } from "../../../src/domain/money/index.ts";
import { rateDifference, rateUsage } from "../../../src/domain/rating/index.ts";

function exactMinor(model: UsageModel, quantity: string, included = "0"): string {
  return rateUsage(model, decimal(quantity), decimal(included)).exactMinor.text;
}

/** Up to and including 100 at 10 cents, above at 5. */
const hundredThenHalf = [
  { upTo: "100", unitPriceMinor: "10", flatMinor: "0" },
  { upTo: null, unitPriceMinor: "5", flatMinor: "0" },
];
const graduated: TieredModel = { type: "graduated", tiers: hundredThenHalf };
const volume: TieredModel = { type: "volume", tiers: hundredThenHalf };

const flatFees = [
  { upTo: "10", unitPriceMinor: "0", flatMinor: "300" },
  { upTo: "20", unitPriceMinor: "7", flatMinor: "100" },
  { upTo: null, unitPriceMinor: "2.5", flatMinor: "50" },
];

const packages: PackageModel = {
  type: "package",
  packageSize: "100",
  packagePriceMinor: "500",
  rounding: "up",
};

describe("per unit", () => {
  const model: UsageModel = { type: "per_unit", unitPriceMinor: "0.0003" };

  test.each([
    { quantity: "0", included: "0", minor: "0", why: "nothing costs nothing" },
    { quantity: "1", included: "0", minor: "0.0003", why: "below a cent, exact" },
    { quantity: "1234567", included: "0", minor: "370.3701", why: "1234567 × 0.0003" },
    { quantity: "2.5", included: "0", minor: "0.00075", why: "2.5 × 0.0003" },
    { quantity: "1500", included: "1000", minor: "0.15", why: "500 × 0.0003" },
    { quantity: "999", included: "1000", minor: "0", why: "all of it is included" },
  ])("$quantity, $included included, cost $minor: $why", ({ quantity, included, minor }) => {
    expect(exactMinor(model, quantity, included)).toBe(minor);
  });
});

describe("package", () => {
  test.each([
    { quantity: "20", included: "20", minor: "0", why: "all of it is included" },
    { quantity: "21", included: "20", minor: "500", why: "1 begins a package" },
    { quantity: "120", included: "20", minor: "500", why: "100 fill it" },
    { quantity: "121", included: "20", minor: "1000", why: "101 begin a second" },
    { quantity: "0.001", included: "0", minor: "500", why: "any part begins one" },
  ])("$quantity, $included included, cost $minor: $why", ({ quantity, included, minor }) => {
    expect(exactMinor(packages, quantity, included)).toBe(minor);
  });

  test.each([
    { quantity: "99", minor: "0", why: "not yet one" },
    { quantity: "100", minor: "500", why: "one" },
    { quantity: "250", minor: "1000", why: "two and a half are two" },
  ])("rounded down, $quantity cost $minor: $why", ({ quantity, minor }) => {
    expect(exactMinor({ ...packages, rounding: "down" }, quantity)).toBe(minor);
  });

  test("its one part counts packages at the price of one", () => {
    const rated = rateUsage(packages, decimal("121"), decimal("20"));
    expect(rated.billableQuantity).toEqual(decimal("101"));
    expect(rated.tiers).toEqual([
      {
        from: decimal("0"),
        to: null,
        quantity: decimal("2"),
        unitPriceMinor: decimal("500"),
        flatMinor: decimal("0"),
        exactMinor: decimal("1000"),
      },
    ]);
  });
});

describe("graduated and volume", () => {
  test.each([
    { quantity: "0", graduatedMinor: "0", volumeMinor: "0", why: "nothing" },
    { quantity: "1", graduatedMinor: "10", volumeMinor: "10", why: "1 × 10" },
    {
      quantity: "100",
      graduatedMinor: "1000",
      volumeMinor: "1000",
      why: "100 × 10: the last of the first tier",
    },
    { quantity: "101", graduatedMinor: "1005", volumeMinor: "505", why: "100 × 10 + 1 × 5; 101 × 5" },
    { quantity: "150", graduatedMinor: "1250", volumeMinor: "750", why: "100 × 10 + 50 × 5; 150 × 5" },
    { quantity: "100.5", graduatedMinor: "1002.5", volumeMinor: "502.5", why: "half a unit above" },
  ])("$quantity cost $graduatedMinor and $volumeMinor: $why", ({ quantity, graduatedMinor, volumeMinor }) => {
    expect(exactMinor(graduated, quantity)).toBe(graduatedMinor);
    expect(exactMinor(volume, quantity)).toBe(volumeMinor);
  });

  test.each([
    { quantity: "0", graduatedMinor: "0", volumeMinor: "0", why: "no flat fee for nothing" },
    { quantity: "1", graduatedMinor: "300", volumeMinor: "300", why: "the first fee" },
    { quantity: "10", graduatedMinor: "300", volumeMinor: "300", why: "still the first" },
    { quantity: "11", graduatedMinor: "407", volumeMinor: "177", why: "300 + 1 × 7 + 100; 11 × 7 + 100" },
    { quantity: "20", graduatedMinor: "470", volumeMinor: "240", why: "300 + 10 × 7 + 100; 20 × 7 + 100" },
    { quantity: "22", graduatedMinor: "525", volumeMinor: "105", why: "470 + 2 × 2.5 + 50; 22 × 2.5 + 50" },
  ])("with flat fees, $quantity cost $graduatedMinor and $volumeMinor: $why", (row) => {
    expect(exactMinor({ type: "graduated", tiers: flatFees }, row.quantity)).toBe(row.graduatedMinor);
    expect(exactMinor({ type: "volume", tiers: flatFees }, row.quantity)).toBe(row.volumeMinor);
  });

  test("the included quantity comes off first: 120 with 20 included are 100, all in the first tier", () => {
    expect(exactMinor(graduated, "120", "20")).toBe("1000");
    expect(exactMinor(volume, "120", "20")).toBe("1000");
  });

  test("the parts say which units cost what", () => {
    const rated = rateUsage({ type: "graduated", tiers: flatFees }, decimal("27"), decimal("5"));
    expect(rated.includedQuantity).toEqual(decimal("5"));
    const parts = rated.tiers.map(
      ({ from, to, quantity, exactMinor }) => `${from}–${to}: ${quantity} for ${exactMinor}`,
    );
    expect(parts).toEqual(["0–10: 10 for 300", "10–20: 10 for 170", "20–null: 2 for 55"]);
  });

  test("volume has the one part of the tier reached", () => {
    const rated = rateUsage({ type: "volume", tiers: flatFees }, decimal("11"), decimal("0"));
    const parts = rated.tiers.map(
      ({ from, to, quantity, exactMinor }) => `${from}–${to}: ${quantity} for ${exactMinor}`,
    );
    expect(parts).toEqual(["10–20: 11 for 177"]);
  });
});

describe("usage that comes late", () => {
  test("90 were invoiced, 30 come late: 120 cost 1100, less 900, is 200; the 30 alone would be 300", () => {
    expect(rateDifference(graduated, decimal("90"), decimal("120"), decimal("0"))).toEqual(decimal("200"));
    expect(exactMinor(graduated, "30")).toBe("300");
  });

  test("a volume price that falls owes money back: 100 cost 1000, 101 cost 505", () => {
    expect(rateDifference(volume, decimal("100"), decimal("101"), decimal("0"))).toEqual(decimal("-495"));
  });
});

test("rounded once, at the end: three tiers of a third of a cent are one cent, not none", () => {
  const third = { unitPriceMinor: "0.333333333333", flatMinor: "0" };
  const model: UsageModel = {
    type: "graduated",
    tiers: [
      { ...third, upTo: "1" },
      { ...third, upTo: "2" },
      { ...third, upTo: null },
    ],
  };
  const rated = rateUsage(model, decimal("3"), decimal("0"));
  expect(rated.exactMinor.text).toBe("0.999999999999");
  expect(roundToMinor(rated.exactMinor, currency("usd"))).toEqual(money(1n, "usd"));
});
