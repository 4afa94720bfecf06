import { describe, expect, test } from "vitest";
import {
  adjustmentSteps,
  isAdjustment,
} from "../../../src/domain/invoicing/explanation/explain-adjustment.ts";
import { closePeriod, type InvoiceLine, stretchesOf } from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, money } from "../../../src/domain/money/index.ts";
import { cap, commitment, minimum, off, percentOff } from "../pricing/adjustments.ts";
import { january, meters, pro, terms } from "./plans.ts";

const usd = currency("usd");

/** The line that an adjustment makes of 1000 tokens at half a cent, which are 500. */
function lineOf(
  adjustment: ReturnType<typeof cap | typeof minimum | typeof off | typeof percentOff | typeof commitment>,
) {
  const [, deep] = pro.prices;
  const prices = [{ ...deep, included: "0" }] as typeof pro.prices;
  const history = [terms({ ...pro, prices, adjustments: [adjustment] }, "2026-01-01T00:00:00Z")];
  const { lines } = closePeriod({
    currency: usd,
    period: january,
    full: january,
    next: null,
    terms: history,
    meters,
    usage: stretchesOf(history, january).map((stretch) => ({
      stretch,
      readings: [{ meterKey: "tokens", dimensions: { model: "deep" }, quantity: decimal("1000") }],
    })),
    late: [],
    waiting: [],
    grants: [],
    customerBalance: money(0n, "usd"),
    carried: money(0n, "usd"),
    asOf: january.end,
  });
  const found = lines.find(isAdjustment);
  if (found === undefined) throw new Error("the adjustment makes a line");
  return found;
}

const said = (line: InvoiceLine) => adjustmentSteps(line).map(({ text }) => text);

describe("a line of an adjustment says how it came about", () => {
  test.each([
    { adjustment: cap("300"), rule: "What is above $3.00 is taken off: $2.00.", exact: "−$2.00" },
    { adjustment: minimum("900"), rule: "To $9.00 there are $4.00 missing.", exact: "$4.00" },
    { adjustment: percentOff("15"), rule: "15 % of it is taken off.", exact: "−$0.75" },
    {
      adjustment: off("40"),
      rule: "$0.40 are taken off, as far as there is something to take it off.",
      exact: "−$0.40",
    },
    {
      adjustment: commitment("300", "1.5"),
      rule: "Of what is above $3.00, $2.00, each minor unit costs 1.5 instead of 1.",
      exact: "$1.00",
    },
  ])("$adjustment.type", ({ adjustment, rule, exact }) => {
    const key = adjustment.key;
    expect(said(lineOf(adjustment))).toEqual([
      `Adjustment ${key} is reckoned on $5.00, what its prices came to before it. ${rule}`,
      `On what this line is for that is exactly ${exact}.`,
      `All its lines are rounded together, and sum to it: ${exact} here.`,
    ]);
  });

  test("a difference says what was billed before", () => {
    const line = lineOf(percentOff("15"));
    const rest = { ...line, exactMinor: decimal("-25"), amount: money(-25n, "usd") };
    expect(said(rest)).toContain("−$0.50 of it was billed before.");
  });
});
