import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addDuration,
  instant,
  instantOfEpochMs,
  type Period,
  period,
} from "../../../src/domain/calendar/index.ts";
import {
  addMoney,
  currency,
  decimal,
  money,
  negateMoney,
  sumDecimals,
  sumMoney,
} from "../../../src/domain/money/index.ts";
import {
  elapsedTime,
  shareOfQuantity,
  split,
  unusedShare,
  usedShare,
} from "../../../src/domain/proration/index.ts";

const june = period(instant("2026-06-01T00:00:00Z"), instant("2026-07-01T00:00:00Z"));
const tenthDay = instant("2026-06-11T00:00:00Z");
const twentiethDay = instant("2026-06-21T00:00:00Z");

describe("a change from 20.00 to 50.00, exactly ten days into thirty", () => {
  const credit = negateMoney(unusedShare(money(2000n, "usd"), june, tenthDay));
  const charge = unusedShare(money(5000n, "usd"), june, tenthDay);

  test("credits 13.33 of the old price: 20.00 × 20 ÷ 30", () => expect(credit).toEqual(money(-1333n, "usd")));
  test("charges 33.33 of the new price: 50.00 × 20 ÷ 30", () => expect(charge).toEqual(money(3333n, "usd")));
  test("which is 20.00 net", () => expect(addMoney(credit, charge)).toEqual(money(2000n, "usd")));
});

describe("the unused share of 30.00 in June", () => {
  test.each([
    { at: "2026-06-01T00:00:00Z", unused: 3000n, why: "at the start, all" },
    { at: "2026-06-16T00:00:00Z", unused: 1500n, why: "in the middle, half" },
    { at: "2026-06-30T23:59:59.999Z", unused: 0n, why: "a millisecond is less than half a cent" },
    { at: "2026-07-01T00:00:00Z", unused: 0n, why: "at the end, none" },
    { at: "2026-05-01T00:00:00Z", unused: 3000n, why: "before it, all and not more" },
    { at: "2026-08-01T00:00:00Z", unused: 0n, why: "after it, none and not less" },
    { at: "2026-06-01T07:12:00Z", unused: 2970n, why: "one hundredth of 720 hours" },
    { at: "2026-06-01T00:07:12Z", unused: 3000n, why: "used: exactly half a cent, to the even 0" },
    { at: "2026-06-01T00:21:36Z", unused: 2998n, why: "used: exactly one and a half cents, to the even 2" },
  ])("at $at is $unused: $why", ({ at, unused }) => {
    expect(unusedShare(money(3000n, "usd"), june, instant(at))).toEqual(money(unused, "usd"));
    expect(usedShare(money(3000n, "usd"), june, instant(at))).toEqual(money(3000n - unused, "usd"));
  });
});

describe("segments", () => {
  test.each([
    {
      total: 10_000n,
      at: [tenthDay, twentiethDay],
      segments: [3333n, 3333n, 3334n],
      why: "thirds: the last takes the residual",
    },
    {
      total: -10_000n,
      at: [tenthDay, twentiethDay],
      segments: [-3333n, -3333n, -3334n],
      why: "a credit mirrors it",
    },
    { total: 10_000n, at: [], segments: [10_000n], why: "no change, one segment" },
    { total: 10_000n, at: [june.start], segments: [0n, 10_000n], why: "at the start nothing is used" },
    { total: 10_000n, at: [tenthDay, tenthDay], segments: [3333n, 0n, 6667n], why: "two changes at once" },
    {
      total: 2n,
      at: [9, 18, 27].map((day) => addDuration(june.start, { days: day }, "UTC")),
      segments: [1n, 1n, 0n, 0n],
      why: "0.6, 0.6, 0.6 and 0.2: the third cent is not there to be had",
    },
  ])("of $total are $segments: $why", ({ total, at, segments }) => {
    expect(split(money(total, "usd"), june, at)).toEqual(segments.map((segment) => money(segment, "usd")));
  });

  test.each([
    [[twentiethDay, tenthDay]],
    [[instant("2026-07-01T00:00:00.001Z")]],
    [[instant("2026-05-31T00:00:00Z")]],
  ])("instants out of order or outside the period are a bug", (at) => {
    expect(() => split(money(100n, "usd"), june, at)).toThrow(/invariant/);
  });
});

describe("the included quantity of a part-period", () => {
  const part = (start: string, end: string): Period => period(instant(start), instant(end));

  test.each([
    { included: "1000000", of: june, prorated: "1000000", why: "a full period, all" },
    { included: "0.5", of: june, prorated: "0.5", why: "a full period, not even rounded" },
    {
      included: "1000000",
      of: part("2026-06-11T00:00:00Z", "2026-07-01T00:00:00Z"),
      prorated: "666667",
      why: "20 ÷ 30 of a million, to whole units",
    },
    {
      included: "300",
      of: part("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"),
      prorated: "10",
      why: "1 ÷ 30",
    },
    {
      included: "5",
      of: part("2026-06-01T00:00:00Z", "2026-06-16T00:00:00Z"),
      prorated: "2",
      why: "2.5, to the even 2",
    },
    {
      included: "7",
      of: part("2026-06-01T00:00:00Z", "2026-06-16T00:00:00Z"),
      prorated: "4",
      why: "3.5, to the even 4",
    },
    {
      included: "5",
      of: part("2026-06-16T00:00:00Z", "2026-07-01T00:00:00Z"),
      prorated: "3",
      why: "what the first half left of 5",
    },
    {
      included: "7.5",
      of: part("2026-06-16T00:00:00Z", "2026-07-01T00:00:00Z"),
      prorated: "3.5",
      why: "what the first half left of 7.5: 3.75 is 4",
    },
    {
      included: "0",
      of: part("2026-06-01T00:00:00Z", "2026-06-16T00:00:00Z"),
      prorated: "0",
      why: "nothing",
    },
  ])("of $included is $prorated: $why", ({ included, of, prorated }) => {
    expect(shareOfQuantity(decimal(included), elapsedTime(june), of)).toEqual(decimal(prorated));
  });

  test("a part that reaches out of the period is a bug", () => {
    expect(() =>
      shareOfQuantity(decimal("1"), elapsedTime(june), part("2026-06-11T00:00:00Z", "2026-07-02T00:00:00Z")),
    ).toThrow(/invariant/);
  });
});

const anyAmount = fc
  .oneof(fc.bigInt({ min: -20n, max: 20n }), fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }))
  .map((minor) => money(minor, "usd"));
const anyMoment = fc.integer({ min: june.start, max: june.end }).map((epochMs) => instantOfEpochMs(epochMs));

test("INV-17: the used and the unused share of an amount sum to it", () => {
  fc.assert(
    fc.property(anyAmount, anyMoment, (amount, at) => {
      const [used, unused] = [usedShare(amount, june, at), unusedShare(amount, june, at)];
      expect(addMoney(used, unused)).toEqual(amount);
      expect(split(amount, june, [at])).toEqual([used, unused]);
    }),
  );
});

test("INV-18: the segments of an amount sum to it, and none has the other sign", () => {
  fc.assert(
    fc.property(anyAmount, fc.array(anyMoment, { maxLength: 10 }), (amount, moments) => {
      const segments = split(
        amount,
        june,
        moments.toSorted((a, b) => a - b),
      );
      expect(segments).toHaveLength(moments.length + 1);
      expect(sumMoney(segments, currency("usd"))).toEqual(amount);
      expect(segments.every((segment) => segment.amountMinor * amount.amountMinor >= 0n)).toBe(true);
    }),
  );
});

test("INV-19: the longer a period has run, the more of its amount is used", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), anyMoment, anyMoment, (minor, one, other) => {
      const [earlier, later] = one < other ? [one, other] : [other, one];
      const amount = money(minor, "usd");
      expect(usedShare(amount, june, earlier).amountMinor <= usedShare(amount, june, later).amountMinor).toBe(
        true,
      );
    }),
  );
});

test("the parts of an included quantity sum to it, however a period is cut", () => {
  const anyCuts = fc
    .array(anyMoment, { maxLength: 5 })
    .map((cuts) => cuts.toSorted((one, other) => one - other));
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), anyCuts, (included, cuts) => {
      const bounds = [june.start, ...cuts, june.end];
      const parts = bounds
        .slice(1)
        .map((end, index) =>
          shareOfQuantity(decimal(included), elapsedTime(june), { start: bounds[index] ?? end, end }),
        );
      expect(parts.every((part) => !part.isNegative())).toBe(true);
      expect(sumDecimals(parts)).toEqual(decimal(included));
    }),
  );
});
