import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import type { PriceAdjustment } from "../../../src/domain/catalog/index.ts";
import { decideChange, linesInAdvance } from "../../../src/domain/invoicing/index.ts";
import { cap, minimum, off, percentOff } from "../pricing/adjustments.ts";
import { january, pro, terms } from "./plans.ts";

const start = "2026-01-01T00:00:00Z";
const adjusted = (adjustments: readonly PriceAdjustment[]) => ({ ...pro, adjustments });
const shown = (lines: ReturnType<typeof linesInAdvance>) =>
  lines.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`);

describe("a base fee of 31.00 in advance", () => {
  test.each([
    { why: "10 % off", adjustments: [percentOff("10")], lines: ["flat 3100", "discount -310"] },
    { why: "10.00 off", adjustments: [off("1000")], lines: ["flat 3100", "discount -1000"] },
    { why: "no more off than there is", adjustments: [off("9900")], lines: ["flat 3100", "discount -3100"] },
    { why: "a cap of 20.00", adjustments: [cap("2000")], lines: ["flat 3100", "cap -1100"] },
    {
      why: "10 % off, then a cap of 20.00: 31.00 − 3.10 − 7.90",
      adjustments: [percentOff("10"), cap("2000")],
      lines: ["flat 3100", "discount -310", "cap -790"],
    },
    { why: "a minimum is for the period's end", adjustments: [minimum("9900")], lines: ["flat 3100"] },
    {
      why: "nothing off for prices that are not named",
      adjustments: [{ ...percentOff("10"), prices: ["deep"] }],
      lines: ["flat 3100"],
    },
  ])("$why", ({ adjustments, lines }) => {
    expect(shown(linesInAdvance(terms(adjusted(adjustments), start), january, 0))).toEqual(lines);
  });

  test.each([
    { index: 1, lines: ["flat 3100", "discount -310"] },
    { index: 2, lines: ["flat 3100"] },
  ])("10 % off for two periods, in period $index", ({ index, lines }) => {
    const plan = adjusted([{ ...percentOff("10"), periods: 2 }]);
    expect(shown(linesInAdvance(terms(plan, start), january, index))).toEqual(lines);
  });
});

describe("a change to it with 10 of 31 days left", () => {
  test.each([
    {
      why: "10 % off its share: 10.00",
      adjustments: [percentOff("10")],
      lines: ["proration_charge 1000", "discount -100"],
    },
    {
      why: "of 6.20 off the share too: 6.20 × 10 / 31",
      adjustments: [off("620")],
      lines: ["proration_charge 1000", "discount -200"],
    },
    {
      why: "several together never more than there is",
      adjustments: [percentOff("50"), { ...percentOff("100"), key: "rest" }],
      lines: ["proration_charge 1000", "discount -500", "discount -500"],
    },
  ])("$why", ({ adjustments, lines }) => {
    const before = { ...terms(pro, start), items: [] };
    const facts = {
      terms: before,
      anchors: [
        {
          effectiveAt: january.start,
          anchor: { at: january.start, interval: { unit: "month", count: 1 }, timeZone: "UTC" },
        },
      ],
      timeZone: "UTC",
      charged: [],
    } as const;
    const after = {
      ...terms(adjusted(adjustments), "2026-01-22T00:00:00Z"),
      effectiveAt: instant("2026-01-22T00:00:00Z"),
    };
    expect(shown([...decideChange(facts, after).lines])).toEqual(lines);
  });
});
