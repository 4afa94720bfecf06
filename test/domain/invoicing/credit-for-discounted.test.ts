import { describe, expect, test } from "vitest";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import { creditFor, type InvoiceLine } from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, ledgerAmount, money } from "../../../src/domain/money/index.ts";
import { january } from "./plans.ts";

const cent = 10n ** 8n;

function line(kind: InvoiceLine["kind"], priceKey: string | null, cents: bigint): InvoiceLine {
  return {
    kind,
    earning: "unbilled",
    description: kind,
    product: "tokens",
    source: priceKey === null ? null : { planKey: "pro", planVersion: 1, priceKey },
    period: january,
    quantity: null,
    exactMinor: decimal(cents),
    amount: money(cents, "usd"),
    detail: {},
  };
}

const grant: CreditGrant = {
  id: "g",
  kind: "paid",
  priority: 50,
  remaining: ledgerAmount(1000n * cent),
  effectiveAt: january.start,
  expiresAt: null,
  createdAt: january.start,
  currency: currency("usd"),
};

describe("credit pays what discounts leave", () => {
  test.each([
    {
      why: "of the price that the discount is on: 100 and 100 − 40",
      lines: [line("usage", "a", 100n), line("usage", "b", 100n), line("discount", "b", -40n)],
      drawn: [100n, 60n, 0n],
    },
    {
      why: "a discount of two parts leaves nothing of one price",
      lines: [
        line("usage", "a", 100n),
        line("discount", "a", -70n),
        line("cap", "a", -30n),
        line("usage", "b", 50n),
      ],
      drawn: [0n, 0n, 0n, 50n],
    },
    {
      why: "overage is usage, a true-up is not",
      lines: [line("usage", "a", 100n), line("overage", "a", 15n), line("true_up", null, 20n)],
      drawn: [100n, 15n, 0n],
    },
  ])("$why", ({ lines, drawn }) => {
    const { draws, uncovered } = creditFor(lines, { grants: [grant], asOf: january.end });
    const paid = lines.map((_, place) =>
      draws.filter((draw) => draw.line === place).reduce((sum, { amount }) => sum + amount, 0n),
    );
    expect(paid).toEqual(drawn.map((cents) => cents * cent));
    expect(uncovered).toBe(0n);
  });
});
