import { describe, expect, test } from "vitest";
import { instant, type Period } from "../../../src/domain/calendar/index.ts";
import {
  type Aggregation,
  compactState,
  type Meter,
  mergeStates,
  mustBeRebuilt,
  quantityOf,
  type Series,
  stateOf,
} from "../../../src/domain/metering/index.ts";
import { decimal } from "../../../src/domain/money/index.ts";

const day: Period = { start: instant("2026-06-15T00:00:00Z"), end: instant("2026-06-16T00:00:00Z") };

/** Levels of one series, as "hour=quantity"; the value that is counted is the quantity as well. */
function series(aggregation: Aggregation, levels: string, carryIn?: string): Series {
  const states = levels.split(" ").flatMap((level, index) => {
    const [hour = "", quantity = ""] = level.split("=");
    if (quantity === "") return [];
    const time = instant(`2026-06-15T${hour.padStart(2, "0")}:00:00Z`);
    return [stateOf(aggregation, { time, seq: BigInt(index), quantity: decimal(quantity), value: quantity })];
  });
  return { states, carryIn: carryIn === undefined ? null : decimal(carryIn) };
}

const hours: Meter["unit"] = { name: "hours", factor: "1/3600" };

describe("one series", () => {
  test.each([
    { aggregation: "count", levels: "1=5 2=5 3=7", quantity: "3", why: "three events" },
    { aggregation: "sum", levels: "1=5 2=5 3=7", quantity: "17", why: "5 + 5 + 7" },
    { aggregation: "max", levels: "1=5 2=9 3=7", quantity: "9", why: "the largest" },
    { aggregation: "min", levels: "1=5 2=9 3=7", quantity: "5", why: "the smallest" },
    {
      aggregation: "latest",
      levels: "2=9 3=7 1=5",
      quantity: "7",
      why: "at 3 o'clock, not the last to come",
    },
    {
      aggregation: "latest",
      levels: "3=7 3=8",
      quantity: "8",
      why: "of two at one instant the one that came later",
    },
    { aggregation: "unique_count", levels: "1=5 2=5 3=7", quantity: "2", why: "5 and 7" },
    { aggregation: "average", levels: "1=5 2=5 3=7", quantity: "5.666666666667", why: "17 / 3" },
    ...(["count", "sum", "max", "min", "latest", "unique_count", "average"] as const).map((aggregation) => ({
      aggregation,
      levels: "",
      quantity: "0",
      why: "no events",
    })),
  ] as const)("$aggregation of $levels is $quantity: $why", ({ aggregation, levels, quantity }) => {
    expect(quantityOf({ aggregation }, [series(aggregation, levels)], day).text).toBe(quantity);
  });
});

describe("a level that holds until the next one, over a day, in hours", () => {
  test.each([
    { levels: "6=10 18=4", carryIn: undefined, quantity: "144", why: "12 h × 10 + 6 h × 4" },
    { levels: "6=10 18=4", carryIn: "2", quantity: "156", why: "6 h × 2 before" },
    { levels: "18=4 6=10", carryIn: "2", quantity: "156", why: "sent in another order" },
    { levels: "", carryIn: "2", quantity: "48", why: "24 h × 2: nothing was said all day" },
    { levels: "", carryIn: undefined, quantity: "0", why: "nothing was ever said" },
    { levels: "0=3", carryIn: "2", quantity: "72", why: "24 h × 3: from the first moment" },
    { levels: "6=10 12=0", carryIn: undefined, quantity: "60", why: "6 h × 10, then it ended" },
    {
      levels: "6=10 6=4",
      carryIn: undefined,
      quantity: "72",
      why: "18 h × 4: the later of two at one instant",
    },
    { levels: "23=1", carryIn: undefined, quantity: "1", why: "the last hour" },
  ])("$levels after $carryIn is $quantity: $why", ({ levels, carryIn, quantity }) => {
    const meter = { aggregation: "time_weighted_sum", unit: hours } as const;
    expect(quantityOf(meter, [series("time_weighted_sum", levels, carryIn)], day).text).toBe(quantity);
  });

  test("without a unit it is in seconds", () => {
    const second = { start: day.start, end: instant("2026-06-15T00:00:01.500Z") };
    expect(
      quantityOf({ aggregation: "time_weighted_sum" }, [series("time_weighted_sum", "", "2")], second).text,
    ).toBe("3");
  });
});

describe("several series", () => {
  test.each([
    { aggregation: "count", quantity: "4", why: "all events" },
    { aggregation: "sum", quantity: "24", why: "5 + 7 + 9 + 3" },
    { aggregation: "max", quantity: "9", why: "of all" },
    { aggregation: "min", quantity: "3", why: "of all" },
    { aggregation: "latest", quantity: "3", why: "of all, at 4 o'clock" },
    { aggregation: "unique_count", quantity: "4", why: "5, 7, 9 and 3" },
    { aggregation: "average", quantity: "6", why: "24 / 4, not the average of averages" },
    {
      aggregation: "time_weighted_sum",
      quantity: "235",
      why: "(2 h × 5 + 21 h × 7) + (2 h × 9 + 20 h × 3)",
    },
  ] as const)("$aggregation is $quantity: $why", ({ aggregation, quantity }) => {
    const meter = aggregation === "time_weighted_sum" ? { aggregation, unit: hours } : { aggregation };
    const read = quantityOf(meter, [series(aggregation, "1=5 3=7"), series(aggregation, "2=9 4=3")], day);
    expect(read.text).toBe(quantity);
  });

  test("a value that two of them have is one value", () => {
    const both = [series("unique_count", "1=5 2=7"), series("unique_count", "3=7 4=9")];
    expect(quantityOf({ aggregation: "unique_count" }, both, day).text).toBe("3");
  });
});

test("levels outside the period are a bug, not a quantity", () => {
  const early: Period = { start: instant("2026-06-15T02:00:00Z"), end: day.end };
  expect(() =>
    quantityOf({ aggregation: "time_weighted_sum" }, [series("time_weighted_sum", "1=5")], early),
  ).toThrow(/lie in it/);
});

test("a level that comes late, between others of a compacted window, cannot be merged into it", () => {
  const window = compactState(mergeStates(series("time_weighted_sum", "1=5 3=7").states));
  const [late = window] = series("time_weighted_sum", "2=9").states;
  const [later = window] = series("time_weighted_sum", "4=9").states;
  expect([mustBeRebuilt(window, late), mustBeRebuilt(window, later)]).toEqual([true, false]);
  expect(() => mergeStates([window, late])).toThrow(/do not interleave/);
  expect(() => mergeStates([later, later]), "one event twice").toThrow(/do not interleave/);
});
