import fc from "fast-check";
import { expect, test } from "vitest";
import type { MatrixModel, PercentageModel, TieredModel } from "../../../src/domain/catalog/index.ts";
import {
  type Decimal,
  decimal,
  maxDecimal,
  minDecimal,
  sumDecimals,
  zero,
} from "../../../src/domain/money/index.ts";
import {
  type MeasuredCell,
  rateDifference,
  rateUsage,
  type UsageMeasure,
} from "../../../src/domain/rating/index.ts";

/** Models that are reckoned on cells, events and buckets: parts sum to the whole, and no way to split usage changes it. */

const anyAmount = fc
  .tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 99 }))
  .map(([whole, hundredths]) => decimal(`${whole}.${String(hundredths).padStart(2, "0")}`));

const anyText = anyAmount.map(({ text }) => text);

const modelNames = ["deep", "swift", "odd"] as const;

const anyCell: fc.Arbitrary<MeasuredCell> = fc.record({
  dimensions: fc.record({ model: fc.constantFrom(...modelNames), team: fc.constantFrom("a", "b") }),
  quantity: anyAmount,
});

const anyMatrix: fc.Arbitrary<MatrixModel> = fc
  .tuple(anyText, anyText, fc.option(anyText))
  .map(([swift, deep, otherwise]) => ({
    type: "matrix",
    dimensions: ["model"],
    cells: [
      { values: { model: "swift" }, unitPriceMinor: swift },
      { values: { model: "deep" }, unitPriceMinor: deep },
    ],
    defaultUnitPriceMinor: otherwise,
  }));

const cellsMeasure = (cells: readonly MeasuredCell[]): UsageMeasure => ({
  total: sumDecimals(cells.map(({ quantity }) => quantity)),
  cells,
});

const anyPercentage: fc.Arbitrary<PercentageModel> = fc
  .record(
    {
      percent: fc
        .integer({ min: 0, max: 1000 })
        .map((tenths) => decimal(String(tenths)).times(decimal("0.1")).text),
      feePerEventMinor: anyText,
      freeEvents: fc.integer({ min: 0, max: 6 }),
      bounds: fc.tuple(anyAmount, anyAmount),
    },
    { requiredKeys: ["percent"] },
  )
  .map(({ bounds, ...rest }) => ({
    type: "percentage",
    ...rest,
    ...(bounds === undefined
      ? {}
      : {
          perEventMinMinor: minDecimal(...bounds).text,
          perEventMaxMinor: maxDecimal(...bounds).text,
        }),
  }));

const anyEvents = fc.array(anyAmount, { maxLength: 10 });
const eventsMeasure = (events: readonly Decimal[]): UsageMeasure => ({ total: sumDecimals(events), events });

function expectWhole(rated: ReturnType<typeof rateUsage>, total: Decimal): void {
  expect(rated.quantity).toEqual(total);
  expect(sumDecimals(rated.tiers.map(({ exactMinor }) => exactMinor))).toEqual(rated.exactMinor);
  expect(rated.includedQuantity.plus(rated.billableQuantity)).toEqual(total);
  for (const tier of rated.tiers) {
    expect(tier.quantity.times(tier.unitPriceMinor).plus(tier.flatMinor)).toEqual(tier.exactMinor);
  }
}

/** What every step of coming in made more, summed up. */
function differences<Part>(
  parts: readonly Part[],
  measureOf: (parts: readonly Part[]) => UsageMeasure,
  model: MatrixModel | PercentageModel | TieredModel,
  included: Decimal,
): Decimal {
  return sumDecimals(
    parts.map((_, index) =>
      rateDifference(model, measureOf(parts.slice(0, index)), measureOf(parts.slice(0, index + 1)), included),
    ),
  );
}

test("a matrix: parts sum to the whole, in any order and any split of its cells", () => {
  fc.assert(
    fc.property(anyMatrix, fc.array(anyCell, { maxLength: 12 }), anyAmount, (model, cells, included) => {
      const measure = cellsMeasure(cells);
      const rated = rateUsage(model, measure, included);
      expectWhole(rated, measure.total);
      expect(rateUsage(model, cellsMeasure(cells.toReversed()), included)).toEqual(rated);
      expect(differences(cells, cellsMeasure, model, included)).toEqual(rated.exactMinor);
    }),
  );
});

test("a matrix without anything included is the sum of each cell at its price", () => {
  fc.assert(
    fc.property(anyMatrix, fc.array(anyCell, { maxLength: 12 }), (model, cells) => {
      const costs = cells.map(({ dimensions, quantity }) => {
        const cell = model.cells.find(({ values }) => values.model === dimensions.model);
        return quantity.times(decimal(cell?.unitPriceMinor ?? model.defaultUnitPriceMinor ?? "0"));
      });
      expect(rateUsage(model, cellsMeasure(cells), zero).exactMinor).toEqual(sumDecimals(costs));
    }),
  );
});

test("costs: usage before and after a change costs what each part does by itself", () => {
  const model = {
    type: "cost_plus",
    costTable: "t",
    tokenClass: "input",
    dimensions: ["model"],
    markupPercent: "20",
  } as const;
  const anyCosted = fc
    .tuple(anyCell, anyAmount, fc.constantFrom("2026-01-01", "2026-01-16"))
    .map(([cell, unitCostMinor, since]): MeasuredCell => ({ ...cell, cost: { unitCostMinor, since } }));
  // One cost for each combination of values and time, as a table has it.
  const anyCells = fc.uniqueArray(anyCosted, {
    maxLength: 8,
    selector: ({ dimensions, cost }) => `${dimensions.model} ${cost?.since}`,
  });
  fc.assert(
    fc.property(anyCells, (cells) => {
      const rated = rateUsage(model, cellsMeasure(cells), zero);
      expectWhole(rated, cellsMeasure(cells).total);
      const costs = cells.map(({ quantity, cost }) =>
        quantity.times(cost?.unitCostMinor ?? zero).times(decimal("1.2")),
      );
      expect(rated.exactMinor).toEqual(sumDecimals(costs));
    }),
  );
});

test("a percentage of events is the sum of what each costs by itself, and splits without a rest", () => {
  fc.assert(
    fc.property(anyPercentage, anyEvents, anyAmount, (model, events, free) => {
      const measure = eventsMeasure(events);
      const rated = rateUsage(model, measure, free);
      expectWhole(rated, measure.total);
      expect(differences(events, eventsMeasure, model, free)).toEqual(rated.exactMinor);
      if (!free.isZero()) expect(rated.exactMinor).toEqual(chargedOneByOne(model, events, free));
    }),
  );
});

/** The rule in other words: an event is free while it is among the first and all of it lies in the free amount. */
function chargedOneByOne(model: PercentageModel, events: readonly Decimal[], free: Decimal): Decimal {
  const { percent, feePerEventMinor = "0", freeEvents = Number.POSITIVE_INFINITY } = model;
  const costs = events.map((amount, index) => {
    const before = sumDecimals(events.slice(0, index));
    const left = index < freeEvents ? maxDecimal(free.minus(before), zero) : zero;
    const paid = maxDecimal(amount.minus(left), zero);
    const isFree = index < freeEvents && !before.plus(amount).isGreaterThan(free);
    if (isFree) return zero;
    const cost = paid.times(decimal(percent)).times(decimal("0.01")).plus(decimal(feePerEventMinor));
    const atLeast =
      model.perEventMinMinor === undefined ? cost : maxDecimal(cost, decimal(model.perEventMinMinor));
    return model.perEventMaxMinor === undefined
      ? atLeast
      : minDecimal(atLeast, decimal(model.perEventMaxMinor));
  });
  return sumDecimals(costs);
}

test("without allowances the order of events changes nothing; and more events never cost less", () => {
  fc.assert(
    fc.property(anyPercentage, anyEvents, anyAmount, ({ freeEvents: _, ...model }, events, more) => {
      const { exactMinor } = rateUsage(model, eventsMeasure(events), zero);
      expect(rateUsage(model, eventsMeasure(events.toReversed()), zero).exactMinor).toEqual(exactMinor);
      const after = rateUsage(model, eventsMeasure([...events, more]), zero).exactMinor;
      expect(after.isLessThan(exactMinor)).toBe(false);
    }),
  );
});

test("buckets priced each are the sum of what every one costs, once what is included is used up", () => {
  const model: TieredModel = {
    type: "graduated",
    tiers: [
      { upTo: "100", unitPriceMinor: "3", flatMinor: "7" },
      { upTo: null, unitPriceMinor: "1", flatMinor: "2" },
    ],
  };
  const bucketsMeasure = (maxima: readonly Decimal[]): UsageMeasure => ({
    total: sumDecimals(maxima),
    buckets: maxima.map((quantity, index) => ({ start: `day ${index}`, quantity })),
  });
  fc.assert(
    fc.property(anyEvents, anyAmount, (maxima, included) => {
      const rated = rateUsage(model, bucketsMeasure(maxima), included);
      expectWhole(rated, sumDecimals(maxima));
      expect(differences(maxima, bucketsMeasure, model, included)).toEqual(rated.exactMinor);
      const alone = maxima.map((quantity) => rateUsage(model, quantity, zero).exactMinor);
      expect(rateUsage(model, bucketsMeasure(maxima), zero).exactMinor).toEqual(sumDecimals(alone));
    }),
  );
});
