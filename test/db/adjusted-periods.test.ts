import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { expectInvariants } from "../support/invariants.ts";
import { BilledMonths } from "./billed-months.ts";
import { foldAll } from "./usage-fixture.ts";

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalog());
});
afterAll(() => months.end());

describe("a commitment of 100.00 with an overage factor of 1.5, a token for a cent", () => {
  test("130.00 cost 145.00; 80.00 cost 80.00 and a true-up of 20.00", async () => {
    await months.subscribe("acme", "committed");
    await months.use("acme", "2026-01-10T00:00:00Z", 13_000);
    expect(await months.close("acme", "2026-01-01", "2026-02-01")).toEqual([
      "usage deep 13000",
      "overage deep 1500",
      "total 14500",
    ]);
    await months.use("acme", "2026-02-10T00:00:00Z", 8_000);
    expect(await months.close("acme", "2026-02-01", "2026-03-01")).toEqual([
      "usage deep 8000",
      "true_up - 2000",
      "total 10000",
    ]);
  });

  test("late usage of both months bills what it changes: overage for January, less true-up for February", async () => {
    await months.use("acme", "2026-01-20T00:00:00Z", 1_000); // 140.00: 100 + 40 × 1.5 = 160
    await months.use("acme", "2026-02-20T00:00:00Z", 500); // 85.00 + 15.00: nothing more in all
    expect(await months.close("acme", "2026-03-01", "2026-04-01")).toEqual([
      "late_usage deep 1000",
      "overage deep 500",
      "late_usage deep 500",
      "true_up - 0",
      "true_up - 10000",
      "balance -500",
      "total 11500",
    ]);
  });
});

describe("20 % off everything for two months", () => {
  test("base fees when they are charged, usage when it is billed; credit pays what is left of it", async () => {
    expect(await months.subscribe("bolt", "discounted")).toEqual([
      "flat base 3000",
      "discount base -600",
      "total 2400",
    ]);
    await months.give("bolt", 900n);
    await months.use("bolt", "2026-01-10T00:00:00Z", 1_000);
    expect(await months.close("bolt", "2026-01-01", "2026-02-01")).toEqual([
      "usage deep 1000",
      "discount deep -200",
      "flat base 3000",
      "discount base -600",
      "credits -800",
      "total 2400",
    ]);
    await months.use("bolt", "2026-02-10T00:00:00Z", 1_000);
    expect(await months.close("bolt", "2026-02-01", "2026-03-01")).toEqual([
      "usage deep 1000",
      "discount deep -200",
      "flat base 3000",
      "credits -100",
      "total 3700",
    ]);
  });

  test("a change in mid-month hands back what was paid: 24.00 × 15 / 30, not 30.00", async () => {
    await months.subscribe("cedar", "discounted");
    await months.close("cedar", "2026-01-01", "2026-02-01");
    expect(
      await months.change("cedar", "2026-02-15T00:00:00Z", { kind: "change_plan", planKey: "capped" }),
    ).toEqual(["proration_credit base -1200", "proration_charge base 2000", "total 800"]);
  });
});

describe("an end in mid-month", () => {
  test("hands back what was paid of the discounted fee: 24.00 × 15 / 31", async () => {
    await months.subscribe("hazel", "discounted");
    await months.use("hazel", "2026-01-10T00:00:00Z", 1_000);
    const end = { kind: "cancel", credit: "unused" } as const;
    expect(await months.change("hazel", "2026-01-17T00:00:00Z", end)).toEqual([
      "proration_credit base -1161",
      "balance 1161",
      "total 0",
    ]);
    expect(await months.close("hazel", "2026-01-01", "2026-01-17")).toEqual([
      "usage deep 1000",
      "discount deep -200",
      "balance -800",
      "total 0",
    ]);
  });

  test("a minimum is due for the days that there were: 100.00 × 16 / 31", async () => {
    await months.subscribe("ivy", "committed");
    await months.change("ivy", "2026-01-17T00:00:00Z", { kind: "cancel", credit: "unused" });
    expect(await months.close("ivy", "2026-01-01", "2026-01-17")).toEqual(["true_up - 5161", "total 5161"]);
  });
});

describe("a cap of 50.00 on usage and the base fee of 40.00", () => {
  test("only 10.00 of the usage are charged, late usage changes nothing, and less usage is given back", async () => {
    await months.subscribe("dune", "capped");
    await months.use("dune", "2026-01-10T00:00:00Z", 3_000);
    expect(await months.close("dune", "2026-01-01", "2026-02-01")).toEqual([
      "usage deep 3000",
      "cap deep -2000",
      "flat base 4000",
      "total 5000",
    ]);
    await months.use("dune", "2026-01-11T00:00:00Z", 500);
    expect(await months.close("dune", "2026-02-01", "2026-03-01")).toEqual([
      "late_usage deep 500",
      "cap deep -500",
      "flat base 4000",
      "total 4000",
    ]);
  });
});

describe("ramps and contracts", () => {
  test("a free first month, half price in the second, then the full price; each month's usage at its own", async () => {
    expect(await months.subscribe("elm", "ramped")).toEqual([]);
    await months.use("elm", "2026-01-10T00:00:00Z", 100);
    expect(await months.close("elm", "2026-01-01", "2026-02-01")).toEqual([
      "usage deep 0",
      "flat base 1000",
      "total 1000",
    ]);
    await months.use("elm", "2026-02-10T00:00:00Z", 100);
    await months.use("elm", "2026-01-11T00:00:00Z", 100); // late, and still free
    expect(await months.close("elm", "2026-02-01", "2026-03-01")).toEqual([
      "usage deep 50",
      "late_usage deep 0",
      "flat base 2000",
      "total 2050",
    ]);
  });

  test("what was agreed with one customer holds for it alone", async () => {
    const overrides = [
      { prices: ["base"], priority: 1, effect: { type: "overwrite", price: { amountMinor: "700" } } },
      { prices: "all", priority: 1, effect: { type: "multiplier", factor: "0.5" } },
    ] as const;
    expect(await months.subscribe("fern", "discounted", overrides)).toEqual([
      "flat base 700",
      "discount base -140",
      "total 560",
    ]);
    await months.use("fern", "2026-01-10T00:00:00Z", 1_000);
    expect(await months.close("fern", "2026-01-01", "2026-02-01")).toEqual([
      "usage deep 500",
      "discount deep -100",
      "flat base 700",
      "discount base -140",
      "total 960",
    ]);
  });
});

test("a plan that rounds the net: 3 × 50.5 are 152, not 3 × 50", async () => {
  await months.subscribe("gum", "netted");
  for (const model of ["deep", "swift", "wide"]) {
    await months.use("gum", "2026-01-10T00:00:00Z", 101, model);
  }
  expect(await months.close("gum", "2026-01-01", "2026-02-01")).toEqual([
    "usage deep 50",
    "usage swift 50",
    "usage wide 50",
    "rounding - 2",
    "total 152",
  ]);
});

test("revenue is lowered by product, every invoice follows from its facts, and V1 to V12 hold", async () => {
  await foldAll(months.db);
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
  expect((await verifyInvoices(months.db)).findings).toEqual([]);
});

function catalog() {
  const usage = (model: string, unitPriceMinor = "1") => ({
    key: model,
    name: model,
    product: "tokens",
    type: "usage",
    meter: "tokens",
    where: { model },
    model: { type: "per_unit", unitPriceMinor },
  });
  const base = (amountMinor: string) => ({
    key: "base",
    name: "base fee",
    product: "platform",
    type: "flat",
    timing: "in_advance",
    amountMinor,
  });
  const plan = (key: string, rest: object) => ({
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month", count: 1 },
    ...rest,
  });
  const times = (factor: string) => [{ prices: "all", effect: { type: "multiplier", factor } }];
  return {
    meters: [
      { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
    ],
    plans: [
      plan("committed", {
        prices: [usage("deep"), usage("swift")],
        adjustments: [
          {
            key: "commitment",
            name: "commitment",
            type: "commitment",
            amountMinor: "10000",
            overageFactor: "1.5",
            product: "commitments",
          },
        ],
      }),
      plan("discounted", {
        prices: [base("3000"), usage("deep")],
        adjustments: [
          { key: "launch", name: "launch discount", type: "percent_discount", percent: "20", periods: 2 },
        ],
      }),
      plan("netted", {
        prices: ["deep", "swift", "wide"].map((model) => usage(model, "0.5")),
        rounding: "net",
      }),
      plan("capped", {
        prices: [base("4000"), usage("deep")],
        adjustments: [{ key: "cap", name: "cap", type: "maximum", amountMinor: "5000" }],
      }),
      plan("ramped", {
        prices: [base("2000"), usage("deep")],
        phases: [
          { key: "free", name: "free", periods: 1, overrides: times("0") },
          { key: "half", name: "half", periods: 1, overrides: times("0.5") },
          { key: "full", name: "full", periods: null, overrides: [] },
        ],
      }),
    ],
  };
}
