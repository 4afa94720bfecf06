import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import type { PlanVersion } from "../../../src/domain/catalog/index.ts";
import { type ClosedPeriod, chargedSoFar, thresholdsReached } from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, ledgerAmountOfMoney, money } from "../../../src/domain/money/index.ts";
import { minimum, percentOff } from "../pricing/adjustments.ts";
import { january, pro } from "./plans.ts";
import { BilledInParts } from "./thresholds.ts";

describe("thresholds at 100 and 200, then each 50", () => {
  const amountsMinor = ["100", "200"];
  test.each([
    { charged: "0", listed: 0n, recurring: 0n, why: "nothing" },
    { charged: "99.99999999", listed: 0n, recurring: 0n, why: "exact: not rounded up to it" },
    { charged: "100", listed: 1n, recurring: 1n, why: "reached is enough" },
    { charged: "205", listed: 2n, recurring: 2n, why: "both" },
    { charged: "249.9", listed: 2n, recurring: 2n, why: "not yet 50 more" },
    { charged: "250", listed: 2n, recurring: 3n, why: "200 + 50" },
    { charged: "1000", listed: 2n, recurring: 18n, why: "200 + 16 × 50" },
    { charged: "-5", listed: 0n, recurring: 0n, why: "usage that was taken back" },
  ])("$charged have reached $listed, $recurring: $why", ({ charged, listed, recurring }) => {
    expect(thresholdsReached({ amountsMinor }, decimal(charged))).toBe(listed);
    expect(thresholdsReached({ amountsMinor, recurringMinor: "50" }, decimal(charged))).toBe(recurring);
  });
});

const usage = pro.prices.filter(({ type }) => type === "usage");
/** 310 tokens are free, then one is half a cent up to 1,310, and a tenth behind. */
const tiered: PlanVersion = {
  ...pro,
  prices: usage.map((price) => ({
    ...price,
    model: {
      type: "graduated",
      tiers: [
        { upTo: "1000", unitPriceMinor: "0.5", flatMinor: "0" },
        { upTo: null, unitPriceMinor: "0.1", flatMinor: "0" },
      ],
    },
  })) as PlanVersion["prices"],
};

test("tiers never restart: 700 tokens, 1,700, 2,310 cost 195, 345 more and 60 more", () => {
  const billed = new BilledInParts(tiered);
  const amounts = [
    billed.bill({ deep: 700 }), // 390 × 0.5
    billed.bill({ deep: 1_700 }), // 1,000 × 0.5 + 390 × 0.1 = 539
    billed.close({ deep: 2_310 }), // 1,000 × 0.5 + 1,000 × 0.1 = 600
  ].map(({ totals }) => totals.total.amountMinor);
  expect(amounts).toEqual([195n, 344n, 61n]);
});

test("100.00 and 200.00 are billed when 120.00 and 205.00 are reached, and the close bills the rest of 250.00", () => {
  const model = { type: "per_unit", unitPriceMinor: "1" };
  const prices = usage.map((price) => ({ ...price, included: "0", model })) as PlanVersion["prices"];
  const billed = new BilledInParts({ ...pro, prices });
  const invoices = [
    billed.bill({ deep: 12_000 }),
    billed.bill({ deep: 20_500 }),
    billed.close({ deep: 25_000 }),
  ];
  expect(invoices.map(({ totals }) => totals.total.amountMinor)).toEqual([12_000n, 8_500n, 4_500n]);
});

test("a discount counts at a threshold, a minimum at the close; the lines say what they are less of", () => {
  const plan = { ...pro, prices: usage, adjustments: [percentOff("10"), minimum("400")] };
  const billed = new BilledInParts(plan);
  const soFar = billed.bill({ deep: 510 }); // 200 × 0.5 less 10 %
  expect(chargedSoFar(soFar).text).toBe("90");
  expect(soFar.lines.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`)).toEqual([
    "usage 100",
    "discount -10",
  ]);
  const closed = billed.close({ deep: 710 });
  expect(closed.lines.map(({ description, amount }) => [description, amount.amountMinor])).toEqual([
    ["Pro: tokens, deep, less what was billed at thresholds", 100n],
    ["Pro: Discount, tokens, deep, less what was billed at thresholds", -10n],
    ["Pro: Minimum", 220n],
  ]);
  expect(closed.lines[0]?.detail.billedAtThresholds).toEqual({
    quantity: "510",
    exactMinor: "100",
    amountMinor: "100",
  });
});

test("credit pays for what was used before it ended, wherever that was billed, and for nothing behind", () => {
  const plan = { ...pro, prices: usage };
  const gift = {
    ...({ id: "gift", kind: "promotional", priority: 1, currency: currency("usd") } as const),
    remaining: ledgerAmountOfMoney(money(500n, "usd")),
    effectiveAt: january.start,
    createdAt: january.start,
    expiresAt: instant("2026-01-10T00:00:00Z"),
  };
  // By the tenth 430 tokens, of which 310 are free: 60.
  const billed = new BilledInParts(plan, [gift], { at: gift.expiresAt, reading: { deep: 430 } });
  const creditOf = ({ totals }: ClosedPeriod) => totals.creditsApplied.amountMinor;
  expect(creditOf(billed.bill({ deep: 390 }))).toBe(40n);
  expect(creditOf(billed.bill({ deep: 550 }))).toBe(20n); // 80 more, 20 of it by the tenth
  expect(creditOf(billed.close({ deep: 810 }))).toBe(0n);
});
