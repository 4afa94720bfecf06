import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregate } from "../../../src/domain/metering/index.ts";
import { decimal } from "../../../src/domain/money/index.ts";

describe("quantities put together again", () => {
  test.each([
    { aggregation: "count", quantities: ["1", "1", "1"], result: "3", why: "three events" },
    { aggregation: "sum", quantities: ["0.1", "0.2"], result: "0.3", why: "exact" },
    { aggregation: "max", quantities: ["9", "10", "2"], result: "10", why: "the largest number, not text" },
    { aggregation: "min", quantities: ["9", "10", "2"], result: "2", why: "the smallest number, not text" },
    {
      aggregation: "time_weighted_sum",
      quantities: ["1.5", "2"],
      result: "3.5",
      why: "levels held side by side",
    },
    { aggregation: "count", quantities: [], result: "0", why: "no events" },
    { aggregation: "sum", quantities: [], result: "0", why: "no events" },
    { aggregation: "max", quantities: [], result: "0", why: "no events" },
  ] as const)("$aggregation of $quantities is $result: $why", ({ aggregation, quantities, result }) => {
    expect(
      aggregate(
        aggregation,
        quantities.map((text) => decimal(text)),
      ),
    ).toEqual(decimal(result));
  });

  const anyQuantities = fc.array(
    fc.bigInt({ min: 0n, max: 10n ** 18n }).map((units) => decimal(units)),
    { maxLength: 12 },
  );

  test("INV-9: an aggregate does not depend on the order or the grouping of its parts", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("count", "sum", "max"),
        anyQuantities,
        anyQuantities,
        (aggregation, left, right) => {
          const whole = aggregate(aggregation, [...left, ...right]);
          expect(aggregate(aggregation, [...right, ...left])).toEqual(whole);
          expect(
            aggregate(aggregation, [aggregate(aggregation, left), aggregate(aggregation, right)]),
          ).toEqual(whole);
        },
      ),
    );
  });

  test.each(["latest", "unique_count", "average"] as const)(
    "%s has to be read as a whole: from two quantities it would be wrong",
    (aggregation) => {
      expect(() => aggregate(aggregation, [decimal("1"), decimal("2")])).toThrow(/cannot be put together/);
    },
  );
});
