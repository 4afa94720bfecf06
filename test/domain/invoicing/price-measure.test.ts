import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import { type PlanVersion, parseCatalog } from "../../../src/domain/catalog/index.ts";
import { invariant } from "../../../src/domain/errors.ts";
import {
  type MeterReading,
  type PriceReading,
  priceMeasure,
  rateStretches,
  usageLines,
} from "../../../src/domain/invoicing/index.ts";
import { decimal, sumDecimals } from "../../../src/domain/money/index.ts";
import { january } from "./plans.ts";

/** What a price is reckoned on, and the lines that it makes. */

const unit = { name: "thirds", factor: "1/3", decimals: 2 };

function planWith(model: object, { more = {}, meter = {} }: { more?: object; meter?: object } = {}) {
  const { meters, plans } = parseCatalog({
    meters: [
      {
        key: "used",
        eventType: "used",
        aggregation: "sum",
        property: "n",
        dimensions: ["model", "team"],
        ...meter,
      },
    ],
    plans: [
      {
        key: "p",
        name: "P",
        currency: "usd",
        interval: { unit: "month", count: 1 },
        prices: [{ key: "u", type: "usage", name: "U", product: "p", meter: "used", model, ...more }],
      },
    ],
  });
  const plan: PlanVersion | undefined = plans[0] && { ...plans[0], version: 1 };
  const price = plan?.prices[0];
  invariant(plan !== undefined && price?.type === "usage", "the plan has a usage price");
  return { meters, plan, price };
}

const reading = (model: string, team: string, quantity: string): MeterReading => ({
  meterKey: "used",
  dimensions: { model, team },
  quantity: decimal(quantity),
});

const matrix = { type: "matrix", dimensions: ["model"], cells: [], defaultUnitPriceMinor: "1" };

const anyReading = fc
  .tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("x", "y"), fc.nat({ max: 1000 }))
  .map(([model, team, quantity]) => reading(model, team, String(quantity)));

const anyReadings = fc.uniqueArray(anyReading, {
  maxLength: 6,
  selector: ({ dimensions }) => `${dimensions.model}${dimensions.team}`,
});

test("cells in a unit sum to the total, which is converted and rounded once, in whatever order they are read", () => {
  const { meters, price } = planWith(matrix, { meter: { unit } });
  fc.assert(
    fc.property(anyReadings, (readings) => {
      const measure = priceMeasure(price, readings, undefined, meters);
      expect(sumDecimals((measure.cells ?? []).map(({ quantity }) => quantity))).toEqual(measure.total);
      expect(priceMeasure(price, readings.toReversed(), undefined, meters)).toEqual(measure);
    }),
  );
});

test("so do maxima of days", () => {
  const buckets = { per: "day", price: "each" };
  const model = { type: "per_unit", unitPriceMinor: "1" };
  const { meters, price } = planWith(model, { more: { buckets }, meter: { unit, aggregation: "max" } });
  const whole = planWith(model, {
    more: { buckets: { ...buckets, price: "sum" } },
    meter: { unit, aggregation: "max" },
  });
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1000 }), { maxLength: 6 }), (maxima) => {
      const found: PriceReading = {
        planKey: "p",
        priceKey: "u",
        buckets: maxima.map((highest) => ({ start: january.start, quantity: decimal(String(highest)) })),
      };
      const each = priceMeasure(price, [], found, meters);
      expect(sumDecimals((each.buckets ?? []).map(({ quantity }) => quantity))).toEqual(each.total);
      const together = priceMeasure(whole.price, [], found, whole.meters);
      expect(together.total).toEqual(each.total);
      expect(together.maxima).toEqual(each.buckets);
      expect(together.buckets).toBeUndefined();
    }),
  );
});

test("only readings that the price is for are measured", () => {
  const { meters, price } = planWith(matrix, { more: { where: { team: "x" } } });
  const readings = [
    reading("a", "x", "5"),
    reading("a", "y", "7"),
    { ...reading("a", "x", "9"), meterKey: "other" },
  ];
  expect(priceMeasure(price, readings, undefined, meters).total).toEqual(decimal("5"));
});

describe("lines", () => {
  const middle = instant("2026-01-16T12:00:00Z");
  const stretchOf = (plan: PlanVersion, start = january.start, end = january.end) => ({
    start,
    end,
    terms: { effectiveAt: january.start, items: [{ plan, seats: 1 }], paused: false },
  });

  test("what is free of events and amounts is shared by time, in whole events and units", () => {
    const model = {
      type: "percentage",
      percent: "10",
      freeEvents: 5,
      freeAmountMinor: "101",
      feePerEventMinor: "1",
    };
    const { meters, plan } = planWith(model);
    const events = ["10", "10", "10", "100"].map((amount) => decimal(amount));
    const priceReadings = [{ planKey: "p", priceKey: "u", events }];
    const readings = [reading("", "", "130")];
    const costOf = (stretch: ReturnType<typeof stretchOf>) =>
      rateStretches([{ stretch, readings, priceReadings }], { full: january, timeZone: "UTC" }, meters)[0]
        ?.rated;
    // All of January: 101 are free, the fourth event crosses them by 29: 2.9 + 1.
    expect(costOf(stretchOf(plan))).toMatchObject({
      includedQuantity: decimal("101"),
      exactMinor: decimal("3.9"),
    });
    // Half of it: two events (2.5 to even) and 50 (50.5 to even); the third and the fourth cost 1 + 1 and 10 + 1.
    expect(costOf(stretchOf(plan, january.start, middle))?.exactMinor).toEqual(decimal("13"));
  });

  test("what is due for nothing makes a line once", () => {
    const tiers = [{ upTo: null, unitPriceMinor: "1", flatMinor: "300" }];
    const { meters, plan } = planWith({ type: "graduated", tiers, flatAtZero: true });
    const rated = rateStretches(
      [{ stretch: stretchOf(plan), readings: [] }],
      { full: january, timeZone: "UTC" },
      meters,
    );
    const [line] = usageLines(rated, null);
    expect(line).toMatchObject({ quantity: decimal("0"), amount: { amountMinor: 300n } });
    const booked = {
      termsStart: january.start,
      planKey: "p",
      priceKey: "u",
      quantity: decimal("0"),
      exactMinor: decimal("300"),
    };
    expect(usageLines(rated, [booked])).toEqual([]);
  });

  test("a part of a line names its cell, and that it has no price", () => {
    const { meters, plan } = planWith({
      ...matrix,
      cells: [{ values: { model: "b" }, unitPriceMinor: "2" }],
      defaultUnitPriceMinor: null,
    });
    const readings = [reading("a", "x", "1"), reading("b", "x", "2"), reading("b", "y", "3")];
    const [line] = usageLines(
      rateStretches([{ stretch: stretchOf(plan), readings }], { full: january, timeZone: "UTC" }, meters),
      null,
    );
    expect(line?.amount.amountMinor).toBe(10n);
    expect(JSON.parse(JSON.stringify(line?.detail.tiers))).toMatchObject([
      { cell: { model: "b" }, quantity: "5", unitPriceMinor: "2", exactMinor: "10" },
      { cell: { model: "a" }, quantity: "1", exactMinor: "0", isNotPriced: true },
    ]);
  });
});
