import fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import type { PlanVersion, PriceAdjustment } from "../../../src/domain/catalog/index.ts";
import {
  type BookedAdjustment,
  type BookedUsage,
  type ClosedPeriod,
  closePeriod,
  closingEntries,
  type PeriodFacts,
  stretchesOf,
} from "../../../src/domain/invoicing/index.ts";
import {
  currency,
  decimal,
  ledgerAmountOfExact,
  money,
  sumDecimals,
} from "../../../src/domain/money/index.ts";
import { cap, commitment, minimum, off, percentOff } from "../pricing/adjustments.ts";
import { february, january, meters, pro, terms } from "./plans.ts";

const usd = currency("usd");

const prices: PlanVersion["prices"] = ["deep", "swift"].map((model) => ({
  key: model,
  name: model,
  product: `tokens-${model}`,
  type: "usage",
  meter: "tokens",
  where: { model },
  unitLabel: "token",
  included: "0",
  model: { type: "per_unit", unitPriceMinor: "0.37" },
}));

const anyLimit = fc.nat(2_000).map(String);
const anyAdjustment: fc.Arbitrary<PriceAdjustment> = fc.oneof(
  anyLimit.map(minimum),
  anyLimit.map(cap),
  anyLimit.map(off),
  fc.nat(100).map((percent) => percentOff(String(percent))),
  fc.tuple(anyLimit, fc.constantFrom("0.5", "1", "1.5")).map(([limit, factor]) => commitment(limit, factor)),
);
const anyPlan = fc.array(anyAdjustment, { maxLength: 4 }).map((list): PlanVersion => {
  const adjustments = list.map((adjustment, index) => ({ ...adjustment, key: `${adjustment.key}-${index}` }));
  return { ...pro, prices, adjustments };
});

/** Tokens of each model, as they are known at one rating after the other; usage can be taken back, too. */
const anyReadings = fc.array(fc.tuple(fc.nat(6_000), fc.nat(6_000)), { minLength: 1, maxLength: 4 });

type Reading = readonly [deep: number, swift: number];

function usageOf(plan: PlanVersion, period: typeof january, [deep, swift]: Reading) {
  return stretchesOf([terms(plan, "2026-01-01T00:00:00Z")], period).map((stretch) => ({
    stretch,
    readings: Object.entries({ deep, swift }).map(([model, tokens]) => ({
      meterKey: "tokens",
      dimensions: { model },
      quantity: decimal(BigInt(tokens)),
    })),
  }));
}

function factsOf(plan: PlanVersion, change: Partial<PeriodFacts>): PeriodFacts {
  return {
    currency: usd,
    period: january,
    full: january,
    next: null,
    terms: [terms(plan, "2026-01-01T00:00:00Z")],
    meters,
    usage: [],
    late: [],
    waiting: [],
    grants: [],
    customerBalance: money(0n, "usd"),
    carried: money(0n, "usd"),
    asOf: instant("2026-03-01T01:00:00Z"),
    ...change,
  };
}

/** Closes January, and rates it again with each later reading; answers with every closing. */
function closings(plan: PlanVersion, [first, ...later]: readonly Reading[]): ClosedPeriod[] {
  if (first === undefined) return [];
  const closed = [closePeriod(factsOf(plan, { usage: usageOf(plan, january, first) }))];
  let booked = bookedBy(closed[0]);
  for (const reading of later) {
    const late = [
      { period: january, full: january, meters, usage: usageOf(plan, january, reading), ...booked },
    ];
    const again = closePeriod(factsOf(plan, { period: february, full: february, late }));
    closed.push(again);
    booked = bookedBy({ ...again, ...again.late[0] });
  }
  return closed;
}

function bookedBy(rated: Pick<ClosedPeriod, "rated" | "adjusted"> | undefined): {
  booked: BookedUsage[];
  adjusted: readonly BookedAdjustment[];
} {
  return {
    booked: (rated?.rated ?? []).map(({ stretch, plan, price, rated: { quantity, exactMinor } }) => ({
      termsStart: stretch.start,
      planKey: plan.key,
      priceKey: price.key,
      quantity,
      exactMinor,
    })),
    adjusted: rated?.adjusted ?? [],
  };
}

/** What a customer has been asked for in all, less what went back to the balance. */
function askedFor(closed: readonly ClosedPeriod[]): bigint {
  const lines = closed.flatMap((each) => each.lines.filter(({ kind }) => !kind.startsWith("carried")));
  const asked = lines.reduce((sum, { amount }) => sum + amount.amountMinor, 0n);
  const back = closed.flatMap(({ corrections }) => corrections.flatMap(({ givenBack }) => givenBack));
  return asked - back.reduce((sum, { moneyToBalance }) => sum + moneyToBalance.amountMinor, 0n);
}

test("INV-34: however usage comes in, a period with adjustments costs what it costs when all is known at once", () => {
  fc.assert(
    fc.property(anyPlan, anyReadings, (plan, readings) => {
      const last = readings.at(-1) ?? [0, 0];
      const inParts = closings(plan, readings);
      const atOnce = closings(plan, [last]);
      expect(askedFor(inParts)).toBe(askedFor(atOnce));
    }),
  );
});

/** What all closings put into an account less what they took out of it, credits positive, in 10⁻⁸ of the minor unit. */
function creditsOf(code: string, closed: readonly ClosedPeriod[]): bigint {
  const postings = closed.flatMap((each, index) =>
    closingEntries(
      {
        invoiceId: `inv_${index}`,
        customerId: "acme",
        subscriptionId: "sub_1",
        currency: usd,
        issuedAt: instant("2026-02-01T01:00:00Z"),
        period: index === 0 ? january : february,
        grantKinds: new Map(),
        revisionOf: () => index,
        advance: [],
      },
      each,
    ).flatMap((entry) => entry.postings),
  );
  return postings.reduce((sum, { debit, credit, amount }) => {
    if (credit.code === code) return sum + amount;
    return debit.code === code ? sum - amount : sum;
  }, 0n);
}

test("INV-35: the revenue that closings post is what the period comes to after adjustments, and nothing stays unbilled", () => {
  fc.assert(
    fc.property(anyPlan, anyReadings, (plan, readings) => {
      const closed = closings(plan, readings);
      const { rated, adjusted } = closings(plan, readings.slice(-1))[0] ?? { rated: [], adjusted: [] };
      const exact = sumDecimals([
        ...rated.map((usage) => usage.rated.exactMinor),
        ...adjusted.map(({ exactMinor }) => exactMinor),
      ]);
      expect(creditsOf("4000", closed)).toBe(ledgerAmountOfExact(exact));
      const carried = closed.flatMap(({ lines }) => lines.filter(({ kind }) => kind === "carried_forward"));
      expect(creditsOf("1110", closed)).toBe(
        ledgerAmountOfExact(sumDecimals(carried.map(({ exactMinor }) => exactMinor))),
      );
    }),
  );
});
