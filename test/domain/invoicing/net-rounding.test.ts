import { describe, expect, test } from "vitest";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import { closePeriod, stretchesOf } from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, ledgerAmount, money } from "../../../src/domain/money/index.ts";
import { january, meters, pro, terms } from "./plans.ts";

const usd = currency("usd");

/** A period with as many prices as there are quantities, half a cent a token, of a plan that rounds the net. */
function closed(quantities: readonly string[], grants: readonly CreditGrant[] = []) {
  const models = quantities.map((_, index) => `m${index}`);
  const [, deep] = pro.prices;
  const prices = models.map((model) => ({
    ...deep,
    key: model,
    where: { model },
    included: "0",
  })) as typeof pro.prices;
  const history = [terms({ ...pro, prices, rounding: "net" }, "2026-01-01T00:00:00Z")];
  return closePeriod({
    currency: usd,
    period: january,
    full: january,
    next: null,
    terms: history,
    meters,
    usage: stretchesOf(history, january).map((stretch) => ({
      stretch,
      readings: models.map((model, index) => ({
        meterKey: "tokens",
        dimensions: { model },
        quantity: decimal(quantities[index] ?? "0"),
      })),
    })),
    late: [],
    waiting: [],
    grants,
    customerBalance: money(0n, "usd"),
    carried: money(0n, "usd"),
    asOf: january.end,
  });
}

const shown = ({ lines, totals }: ReturnType<typeof closed>) => [
  ...lines.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`),
  `total ${totals.total.amountMinor}`,
];

describe("a plan that rounds the net", () => {
  test.each([
    {
      why: "three lines of 50.5 are 50 each, and 151.5 is 152",
      tokens: ["101", "101", "101"],
      lines: ["usage 50", "usage 50", "usage 50", "rounding 2", "total 152"],
    },
    {
      why: "three lines of 51.5 are 52 each, and 154.5 is 154",
      tokens: ["103", "103", "103"],
      lines: ["usage 52", "usage 52", "usage 52", "rounding -2", "total 154"],
    },
    {
      why: "what is whole needs no line",
      tokens: ["100", "200"],
      lines: ["usage 50", "usage 100", "total 150"],
    },
  ])("$why", ({ tokens, lines }) => {
    expect(shown(closed(tokens))).toEqual(lines);
  });

  test("credit that pays all usage leaves nothing to pay, whatever the rounding", () => {
    const grant: CreditGrant = {
      id: "g",
      kind: "paid",
      priority: 50,
      remaining: ledgerAmount(10n ** 12n),
      effectiveAt: january.start,
      expiresAt: null,
      createdAt: january.start,
      currency: usd,
    };
    expect(shown(closed(["101", "101", "101"], [grant])).at(-1)).toBe("total 0");
  });
});
