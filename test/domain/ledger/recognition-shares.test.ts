import fc from "fast-check";
import { expect, test } from "vitest";
import { instant, instantOfEpochMs, isoOf, period } from "../../../src/domain/calendar/index.ts";
import { recognitionShares } from "../../../src/domain/ledger/index.ts";
import { ledgerAmount } from "../../../src/domain/money/index.ts";

const shares = (amount: bigint, start: string, end: string) =>
  recognitionShares(ledgerAmount(amount), period(instant(start), instant(end))).map((share) => ({
    from: isoOf(share.day.start).slice(0, 16),
    amount: share.amount,
  }));

test.each([
  {
    amount: 10n,
    start: "2026-02-02T00:00:00Z",
    end: "2026-02-05T00:00:00Z",
    expected: [
      { from: "2026-02-02T00:00", amount: 3n },
      { from: "2026-02-03T00:00", amount: 3n },
      { from: "2026-02-04T00:00", amount: 4n },
    ],
    why: "10 / 3 = 3, and the last day takes the remainder",
  },
  {
    amount: 24n,
    start: "2026-02-28T18:00:00Z",
    end: "2026-03-01T18:00:00Z",
    expected: [
      { from: "2026-02-28T18:00", amount: 6n },
      { from: "2026-03-01T00:00", amount: 18n },
    ],
    why: "6 and 18 hours of 24",
  },
  {
    amount: 7n,
    start: "2026-02-02T09:00:00Z",
    end: "2026-02-02T10:00:00Z",
    expected: [{ from: "2026-02-02T09:00", amount: 7n }],
    why: "an hour belongs to one day",
  },
])("$amount from $start to $end: $why", ({ amount, start, end, expected }) => {
  expect(shares(amount, start, end)).toEqual(expected);
});

test("a year has its 365 days, and a leap year 366", () => {
  expect(shares(1n, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")).toHaveLength(365);
  expect(shares(1n, "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z")).toHaveLength(366);
});

test("the shares sum to the amount, are never negative, and their days tile the period", () => {
  const dayMs = 86_400_000;
  fc.assert(
    fc.property(
      fc.bigInt(0n, 10n ** 30n),
      fc.integer({ min: -dayMs * 30_000, max: dayMs * 30_000 }),
      fc.integer({ min: 1, max: dayMs * 70 }),
      (amount, start, length) => {
        const served = period(instantOfEpochMs(start), instantOfEpochMs(start + length));
        const parts = recognitionShares(ledgerAmount(amount), served);
        expect(parts.reduce((sum, part) => sum + part.amount, 0n)).toBe(amount);
        expect(parts.every((part) => part.amount >= 0n)).toBe(true);
        expect(parts[0]?.day.start).toBe(served.start);
        expect(parts.at(-1)?.day.end).toBe(served.end);
        for (const [index, { day }] of parts.slice(1).entries())
          expect(day.start).toBe(parts[index]?.day.end);
      },
    ),
  );
});
