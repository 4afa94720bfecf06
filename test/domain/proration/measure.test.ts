import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BillingInterval,
  instant,
  instantOfEpochMs,
  type Period,
} from "../../../src/domain/calendar/index.ts";
import { prorationUnits } from "../../../src/domain/catalog/index.ts";
import { money } from "../../../src/domain/money/index.ts";
import {
  measureOf,
  paidForWhole,
  shareOfPart,
  split,
  unusedShare,
  usedShare,
} from "../../../src/domain/proration/index.ts";

const month: BillingInterval = { unit: "month", count: 1 };
const of = (start: string, end: string): Period => ({ start: instant(start), end: instant(end) });
const january = of("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
const february = of("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
/** Europe/Berlin: midnight to midnight, with a day of 23 hours. */
const berlinMarch = of("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z");
/** New York, from 17:00 to 17:00. */
const afternoons = of("2026-01-01T22:00:00Z", "2026-02-01T22:00:00Z");

describe("how far a period has come", () => {
  test.each([
    // unit second: elapsed time, to the millisecond
    { unit: "second", full: january, at: "2026-01-11T00:00:00Z", units: "864000000 of 2678400000" },
    { unit: "second", full: january, at: "2026-01-01T00:00:00.001Z", units: "1 of 2678400000" },
    // unit day: the day of a change belongs to the new terms, or to the old
    { unit: "day", full: january, at: "2026-01-11T09:00:00Z", units: "10 of 31" },
    { unit: "day", day: "old", full: january, at: "2026-01-11T09:00:00Z", units: "11 of 31" },
    { unit: "day", full: january, at: "2026-01-01T09:00:00Z", units: "0 of 31" },
    { unit: "day", day: "old", full: january, at: "2026-01-01T09:00:00Z", units: "1 of 31" },
    { unit: "day", day: "old", full: january, at: "2026-01-31T09:00:00Z", units: "31 of 31" },
    // in the customer's time zone: 23:30 in UTC is tomorrow in Berlin; 29 March has 23 hours and is one day
    { unit: "day", full: berlinMarch, zone: "Europe/Berlin", at: "2026-03-10T23:30:00Z", units: "10 of 31" },
    { unit: "day", full: berlinMarch, zone: "Europe/Berlin", at: "2026-03-29T22:00:00Z", units: "29 of 31" },
    // a period from five to five in the afternoon has as many days; its last morning is on a day beyond them
    {
      unit: "day",
      full: afternoons,
      zone: "America/New_York",
      at: "2026-01-11T14:00:00Z",
      units: "10 of 31",
    },
    {
      unit: "day",
      full: afternoons,
      zone: "America/New_York",
      at: "2026-02-01T14:00:00Z",
      units: "31 of 31",
    },
    // every month has thirty days, of which so many have passed: the last ones take what is left, or nothing
    { unit: "fixed_30", full: january, at: "2026-01-11T09:00:00Z", units: "10 of 30" },
    { unit: "fixed_30", full: january, at: "2026-01-31T09:00:00Z", units: "30 of 30" },
    { unit: "fixed_30", full: february, at: "2026-02-28T09:00:00Z", units: "27 of 30" },
    // the 31st is the 30th, and so is the last of February
    { unit: "30_360", full: january, at: "2026-01-31T09:00:00Z", units: "29 of 30" },
    { unit: "30_360", full: february, at: "2026-02-27T09:00:00Z", units: "26 of 30" },
    { unit: "30_360", full: february, at: "2026-02-28T09:00:00Z", units: "29 of 30" },
    // whole periods only
    { unit: "none", full: january, at: "2026-01-31T23:59:59Z", units: "0 of 1" },
  ] as const)("$unit at $at: $units", ({ unit, full, at, units, ...rest }) => {
    const { day = "new", zone = "UTC" }: { day?: "old" | "new"; zone?: string } = rest;
    const measure = measureOf({ full, interval: month, timeZone: zone }, { unit, changeDayBelongsTo: day });
    expect(`${measure.passed(instant(at))} of ${measure.whole}`).toBe(units);
  });

  test.each([
    { unit: "fixed_30", interval: { unit: "week", count: 1 }, end: "2026-01-08T00:00:00Z", whole: 7n },
    { unit: "30_360", interval: { unit: "day", count: 3 }, end: "2026-01-04T00:00:00Z", whole: 3n },
    { unit: "fixed_30", interval: { unit: "year", count: 1 }, end: "2027-01-01T00:00:00Z", whole: 360n },
    { unit: "30_360", interval: { unit: "month", count: 3 }, end: "2026-04-01T00:00:00Z", whole: 90n },
  ] as const)(
    "$unit of $interval.count $interval.unit has $whole units",
    ({ unit, interval, end, whole }) => {
      const full = of("2026-01-01T00:00:00Z", end);
      const measured = { full, interval, timeZone: "UTC" };
      expect(measureOf(measured, { unit, changeDayBelongsTo: "new" }).whole).toBe(whole);
    },
  );
});

describe("20.00 is left for 50.00 on 11 January", () => {
  test.each([
    { unit: "second", day: "new", credit: 1355n, charge: 3387n, why: "21 of 31 days" },
    { unit: "day", day: "new", credit: 1355n, charge: 3387n, why: "21 of 31 days" },
    { unit: "day", day: "old", credit: 1290n, charge: 3226n, why: "20 of 31 days" },
    { unit: "fixed_30", day: "new", credit: 1333n, charge: 3333n, why: "20 of 30 days" },
    { unit: "30_360", day: "old", credit: 1267n, charge: 3167n, why: "19 of 30 days" },
  ] as const)("$unit, the day is the $day one's: $why", ({ unit, day, credit, charge }) => {
    const measure = measureOf(
      { full: january, interval: month, timeZone: "UTC" },
      { unit, changeDayBelongsTo: day },
    );
    const at = instant("2026-01-11T00:00:00Z");
    expect(unusedShare(money(2000n, "usd"), measure, at)).toEqual(money(credit, "usd"));
    expect(unusedShare(money(5000n, "usd"), measure, at)).toEqual(money(charge, "usd"));
  });
});

describe("who takes what rounding leaves of 100.00 in thirds", () => {
  const thirty = of("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z");
  const thirds = [instant("2026-06-11T00:00:00Z"), instant("2026-06-21T00:00:00Z")];
  test.each([
    { total: 10_000n, options: {}, parts: [3333n, 3333n, 3334n], why: "the last" },
    { total: -10_000n, options: {}, parts: [-3333n, -3333n, -3334n], why: "a credit mirrors the charge" },
    {
      total: 10_000n,
      options: { remainder: "largest_remainder" },
      parts: [3334n, 3333n, 3333n],
      why: "who lost most, the first among equals",
    },
    {
      total: -10_000n,
      options: { remainder: "largest_remainder", negative: "floored" },
      parts: [-3333n, -3333n, -3334n],
      why: "rounded down, and what is too little goes to the first ones",
    },
  ] as const)("$total: $why", ({ total, options, parts }) => {
    const segments = split(money(total, "usd"), thirty, thirds, options);
    expect(segments.map(({ amountMinor }) => amountMinor)).toEqual(parts);
  });
});

describe("a whole period at the rate that was paid", () => {
  test.each([
    { whole: 2000n, billed: 2000n, paid: 1000n, rate: 1000n, why: "a coupon of 50 %" },
    { whole: 2000n, billed: 1333n, paid: 1333n, rate: 2000n, why: "a part of the period, without a coupon" },
    { whole: 2000n, billed: 1333n, paid: 666n, rate: 999n, why: "2000 × 666 ÷ 1333" },
    { whole: 2000n, billed: 2000n, paid: 0n, rate: 0n, why: "a gift" },
    { whole: 2000n, billed: 0n, paid: 0n, rate: 0n, why: "nothing was billed" },
  ])("$why: $rate", ({ whole, billed, paid, rate }) => {
    const source = { planKey: "pro", planVersion: 1, priceKey: "base" };
    const charged = { ...source, wholeMinor: whole, billedMinor: billed, paidMinor: paid };
    expect(paidForWhole(charged, "usd")).toEqual(money(rate, "usd"));
  });

  test("20.00 with a coupon of 50 %, left on day 10 of 30: 6.67", () => {
    const source = { planKey: "pro", planVersion: 1, priceKey: "base" };
    const whole = paidForWhole({ ...source, wholeMinor: 2000n, billedMinor: 2000n, paidMinor: 1000n }, "usd");
    const june = of("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z");
    expect(unusedShare(whole, june, instant("2026-06-11T00:00:00Z"))).toEqual(money(667n, "usd"));
  });
});

test("parts of a period sum to the whole, in every unit and wherever it is cut", () => {
  const anyCuts = fc.array(fc.integer({ min: berlinMarch.start, max: berlinMarch.end }), { maxLength: 6 });
  const anyUnit = fc.constantFrom(...prorationUnits);
  const anyOwner = fc.constantFrom("old" as const, "new" as const);
  fc.assert(
    fc.property(
      fc.bigInt(-(10n ** 12n), 10n ** 12n),
      anyCuts,
      anyUnit,
      anyOwner,
      (minor, cuts, unit, owner) => {
        const measure = measureOf(
          { full: berlinMarch, interval: month, timeZone: "Europe/Berlin" },
          { unit, changeDayBelongsTo: owner },
        );
        const at = cuts.toSorted((one, other) => one - other).map((at) => instantOfEpochMs(at));
        const bounds = [berlinMarch.start, ...at, berlinMarch.end];
        const amount = money(minor, "usd");
        const parts = bounds.slice(1).map((end, index) => {
          const part = { start: bounds[index] ?? end, end };
          return shareOfPart(amount, measure, part).amountMinor;
        });
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(minor);
        const segments = split(amount, measure, at);
        expect(segments.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(minor);
        for (const instantOfCut of at) {
          const [used, unused] = [usedShare, unusedShare].map(
            (share) => share(amount, measure, instantOfCut).amountMinor,
          );
          expect((used ?? 0n) + (unused ?? 0n)).toBe(minor);
        }
      },
    ),
  );
});
