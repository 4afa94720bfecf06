import fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import type { PlanVersion, PriceAdjustment, UsageModel } from "../../../src/domain/catalog/index.ts";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import { currency, ledgerAmount, ledgerAmountOfExact, sumDecimals } from "../../../src/domain/money/index.ts";
import { cap, commitment, minimum, off, percentOff } from "../pricing/adjustments.ts";
import { pro, team } from "./plans.ts";
import { BilledInParts } from "./thresholds.ts";

const anyLimit = fc.nat(2_000).map(String);
const anyAdjustment: fc.Arbitrary<PriceAdjustment> = fc.oneof(
  anyLimit.map(minimum),
  anyLimit.map(cap),
  anyLimit.map(off),
  fc.nat(100).map((percent) => percentOff(String(percent))),
  fc.tuple(anyLimit, fc.constantFrom("0.5", "1", "1.5")).map(([limit, factor]) => commitment(limit, factor)),
);
const tiers = [
  { upTo: "1000", unitPriceMinor: "0.7", flatMinor: "0" },
  { upTo: "3000", unitPriceMinor: "0.31", flatMinor: "25" },
  { upTo: null, unitPriceMinor: "0.1", flatMinor: "0" },
];
const anyModel: fc.Arbitrary<UsageModel> = fc.constantFrom<UsageModel>(
  { type: "per_unit", unitPriceMinor: "0.37" },
  { type: "graduated", tiers },
  { type: "volume", tiers },
);

/** Two prices for usage, a fee in arrears, and any adjustments on all of them. */
const anyPlan = fc
  .record({
    models: fc.tuple(anyModel, anyModel),
    adjustments: fc.array(anyAdjustment, { maxLength: 4 }),
    rounding: fc.constantFrom("line" as const, "net" as const),
  })
  .map(
    ({ models, adjustments, rounding }): PlanVersion => ({
      ...pro,
      prices: [
        ...["deep", "swift"].map((model, index) => ({
          ...({
            key: model,
            name: model,
            product: `tokens-${model}`,
            type: "usage",
            meter: "tokens",
          } as const),
          ...{ where: { model }, unitLabel: "token", included: "10", model: models[index] ?? models[0] },
        })),
        ...team.prices.filter(({ key }) => key === "support"),
      ],
      adjustments: adjustments.map((each, index) => ({ ...each, key: `${each.key}-${index}` })),
      rounding,
    }),
  );

/** Usage can be taken back, too. */
const anyReading = fc.record({ deep: fc.nat(6_000), swift: fc.nat(6_000) });
const anyReadings = fc.array(anyReading, { minLength: 1, maxLength: 5 });

function inParts(
  plan: PlanVersion,
  readings: readonly { deep: number; swift: number }[],
  credit = 0,
): BilledInParts {
  const grant: CreditGrant = {
    ...{ id: "gift", kind: "promotional", priority: 1, expiresAt: null, currency: currency("usd") },
    remaining: ledgerAmount(BigInt(credit) * 100_000_000n),
    effectiveAt: instant("2026-01-01T00:00:00Z"),
    createdAt: instant("2026-01-01T00:00:00Z"),
  };
  const billed = new BilledInParts(plan, credit === 0 ? [] : [grant]);
  for (const reading of readings.slice(0, -1)) billed.bill(reading);
  const last = readings.at(-1);
  if (last !== undefined) billed.close(last);
  return billed;
}

test("INV-36: however often a period is billed before it ends, it costs what it costs when it is billed once", () => {
  fc.assert(
    fc.property(anyPlan, anyReadings, (plan, readings) => {
      expect(inParts(plan, readings).askedFor()).toBe(inParts(plan, readings.slice(-1)).askedFor());
    }),
    { numRuns: 300 },
  );
});

test("INV-37: credit or not, the revenue that thresholds and the close post is what the period comes to, and nothing stays unbilled", () => {
  fc.assert(
    fc.property(anyPlan, anyReadings, fc.nat(1_500), (plan, readings, credit) => {
      const billed = inParts({ ...plan, rounding: "line" }, readings, credit);
      const { rated, adjusted, lines } = billed.invoices.at(-1) ?? expect.fail("it is closed");
      const exact = sumDecimals([
        ...rated.map((usage) => usage.rated.exactMinor),
        ...adjusted.filter(({ earning }) => earning === "unbilled").map(({ exactMinor }) => exactMinor),
      ]);
      expect(billed.credits("4000")).toBe(ledgerAmountOfExact(exact));
      const fees = lines.filter(({ earning }) => earning === "earned");
      const charged = fees.reduce((sum, { amount }) => sum + amount.amountMinor, 0n);
      expect(billed.credits("4010")).toBe(charged * 100_000_000n);
      const carried = billed.invoices.flatMap((each) =>
        each.lines.filter(({ kind }) => kind === "carried_forward"),
      );
      expect(billed.credits("1110")).toBe(
        ledgerAmountOfExact(sumDecimals(carried.map(({ exactMinor }) => exactMinor))),
      );
    }),
    { numRuns: 300 },
  );
});
