import fc from "fast-check";
import { expect, test } from "vitest";
import { type Instant, instantOfEpochMs } from "../../../../src/domain/calendar/index.ts";
import { defaultProration, type PlanVersion, prorationUnits } from "../../../../src/domain/catalog/index.ts";
import { explainLine } from "../../../../src/domain/invoicing/explanation/index.ts";
import {
  type InvoiceLine,
  prorationLines,
  rateStretches,
  type Terms,
  usageLines,
  wholeCourse,
} from "../../../../src/domain/invoicing/index.ts";
import {
  currency,
  type Decimal,
  decimal,
  Fraction,
  roundToMinor,
  sumDecimals,
} from "../../../../src/domain/money/index.ts";
import { january, pro } from "../plans.ts";

/** Nothing but the figures of an explanation, which are text, is used to derive its line again. */

const usd = currency("usd");
const cents = (exact: Decimal) => roundToMinor(exact, usd).amountMinor;

/** Of a line as it is stored. */
function figuresOf(made: InvoiceLine) {
  const line = { ...made, detail: JSON.parse(JSON.stringify(made.detail)) };
  const steps = explainLine({ line, timeZone: "UTC", usage: null, model: null, credits: [] });
  return (kind: (typeof steps)[number]["kind"]) =>
    steps.filter((step) => step.kind === kind).map(({ figures }) => figures);
}

const [base, deep] = pro.prices;

const anyPrice = fc
  .tuple(fc.nat({ max: 500 }), fc.nat({ max: 999_999 }))
  .map(([whole, millionths]) => `${whole}.${String(millionths).padStart(6, "0")}`);
const anyTiers = fc
  .array(fc.record({ width: fc.integer({ min: 1, max: 60 }), unit: anyPrice, flat: anyPrice }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((widths) => {
    let end = 0;
    return widths.map(({ width, unit, flat }, index) => {
      end += width;
      const upTo = index === widths.length - 1 ? null : String(end);
      return { upTo, unitPriceMinor: decimal(unit).text, flatMinor: decimal(flat).text };
    });
  });
const anyUsagePlan = fc
  .record({
    type: fc.constantFrom("graduated", "volume"),
    tiers: anyTiers,
    included: fc.nat({ max: 100 }),
    unit: fc.constantFrom(...prorationUnits),
  })
  .map(({ type, tiers, included, unit }): PlanVersion => {
    if (deep?.type !== "usage") throw new Error("the fixture has a price of usage");
    const prices = [{ ...deep, where: {}, included: String(included), model: { type, tiers } as const }];
    return { ...pro, prices, proration: { ...defaultProration, unit } };
  });
const anyInstant = fc
  .integer({ min: january.start + 1, max: january.end - 1 })
  .map(instantOfEpochMs.bind(null));

test("INV-38: every line is derived again from the figures of its explanation, late ones and parts of periods too", () => {
  const anyUse = fc.record({ first: fc.nat({ max: 300 }), more: fc.nat({ max: 300 }) });
  fc.assert(
    fc.property(anyUsagePlan, anyInstant, anyUse, (plan, at, { first, more }) => {
      const before = rate(plan, at, first);
      const after = rate(plan, at, first + more);
      const booked = before.map(({ stretch, price, rated }) => ({
        ...{ termsStart: stretch.start, planKey: plan.key, priceKey: price.key },
        ...{ quantity: rated.quantity, exactMinor: rated.exactMinor },
      }));
      for (const line of [...usageLines(before, null), ...usageLines(after, booked)]) {
        expect(amountOfUsage(line)).toBe(line.amount.amountMinor);
      }
    }),
  );
});

test("the parts of a charge for time are derived again from their explanations, by every unit", () => {
  const anyAmount = fc.nat({ max: 1_000_000 });
  fc.assert(
    fc.property(
      fc.constantFrom(...prorationUnits),
      anyAmount,
      anyAmount,
      anyInstant,
      (unit, from, to, at) => {
        const planOf = (amount: number, version: number): PlanVersion => {
          if (base?.type !== "flat") throw new Error("the fixture has a base fee");
          const prices = [{ ...base, amountMinor: String(amount) }];
          return { ...pro, version, prices, proration: { ...defaultProration, unit } };
        };
        const terms = (plan: PlanVersion, effectiveAt: Instant): Terms => ({
          ...{ effectiveAt, items: [{ plan, seats: 1 }], paused: false },
        });
        const course = wholeCourse(january);
        const old = terms(planOf(from, 1), january.start);
        for (const line of prorationLines(old, terms(planOf(to, 2), at), course, at)) {
          const sign = line.kind === "proration_credit" ? -1n : 1n;
          expect(amountOfPart(line)).toBe(sign * line.amount.amountMinor);
        }
      },
    ),
  );
});

/** So much used in each of two stretches, cut where the quantity of seats changes. */
function rate(plan: PlanVersion, at: Instant, used: number) {
  const usage = [
    { start: january.start, end: at },
    { start: at, end: january.end },
  ].map((stretch) => ({
    stretch: {
      ...stretch,
      terms: { effectiveAt: stretch.start, items: [{ plan, seats: 1 }], paused: false },
    },
    readings: [{ meterKey: "tokens", dimensions: {}, quantity: decimal(BigInt(used)) }],
  }));
  return rateStretches(usage, { full: january, timeZone: "UTC" }, []);
}

function amountOfUsage(line: InvoiceLine): bigint {
  const of = figuresOf(line);
  const [used, included] = [of("usage")[0]?.quantity, of("included")[0]?.quantity].map((text) =>
    decimal(text ?? ""),
  );
  const tiers = of("tier").map((tier) => ({
    quantity: decimal(tier.quantity ?? ""),
    exact: decimal(tier.quantity ?? "")
      .times(decimal(tier.unit_price_minor ?? ""))
      .plus(decimal(tier.flat_minor ?? "")),
  }));
  expect(used?.minus(included ?? decimal("0"))).toEqual(sumDecimals(tiers.map(({ quantity }) => quantity)));
  const exact = sumDecimals(tiers.map((tier) => tier.exact));
  const before = decimal(of("billed_before")[0]?.exact_minor ?? "0");
  return cents(exact) - cents(before);
}

function amountOfPart(line: InvoiceLine): bigint {
  const of = figuresOf(line);
  const [share] = of("share");
  const whole = decimal(of("exact")[0]?.whole_minor ?? "");
  const [part, all] = [decimal(share?.part_units ?? ""), decimal(share?.whole_units ?? "")];
  const used = Fraction.ofDecimal(whole.times(all.minus(part))).dividedBy(Fraction.ofDecimal(all));
  return whole.minus(used.rounded(0, "half-even")).toBigInt();
}
