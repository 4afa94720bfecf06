import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Instant, instant, isoOf } from "../../../src/domain/calendar/index.ts";
import {
  carriedOver,
  keptWithin,
  occurrenceCount,
  occurrencesUntil,
  type Recurrence,
  RolloverInvalidError,
  requireSoundRollover,
  rolloverExpiry,
} from "../../../src/domain/credits/index.ts";
import { ledgerAmount } from "../../../src/domain/money/index.ts";

const at = (date: string): Instant => instant(`${date}T00:00:00Z`);
const days = (instants: readonly Instant[]) => instants.map((each) => isoOf(each).slice(0, 10));

function monthly(anchor: string, over: Partial<Recurrence> = {}): Recurrence {
  return {
    anchor: { at: at(anchor), interval: { unit: "month", count: 1 }, timeZone: "UTC" },
    effectiveAt: at(anchor),
    expiresAt: null,
    first: "at_once",
    ...over,
  };
}

describe("the instants of a monthly grant", () => {
  test.each<{ why: string; of: Recurrence; until: string; starts: string[]; ends?: string[] }>([
    {
      why: "one that takes effect on an instant is given once there, not twice",
      of: monthly("2026-01-01"),
      until: "2026-03-01",
      starts: ["2026-01-01", "2026-02-01", "2026-03-01"],
      ends: ["2026-02-01", "2026-03-01", "2026-04-01"],
    },
    {
      why: "between two instants: at once, and then at the instants",
      of: monthly("2026-01-01", { effectiveAt: at("2026-01-20") }),
      until: "2026-03-01",
      starts: ["2026-01-20", "2026-02-01", "2026-03-01"],
      ends: ["2026-02-01", "2026-03-01", "2026-04-01"],
    },
    {
      why: "or at the next instant only",
      of: monthly("2026-01-01", { effectiveAt: at("2026-01-20"), first: "at_instant" }),
      until: "2026-03-01",
      starts: ["2026-02-01", "2026-03-01"],
    },
    {
      why: "which may be the one on which it takes effect",
      of: monthly("2026-01-01", { first: "at_instant" }),
      until: "2026-02-01",
      starts: ["2026-01-01", "2026-02-01"],
    },
    {
      why: "no instant falls on the end; the last time ends with it",
      of: monthly("2026-01-01", { expiresAt: at("2026-03-01") }),
      until: "2027-01-01",
      starts: ["2026-01-01", "2026-02-01"],
      ends: ["2026-02-01", "2026-03-01"],
    },
    {
      why: "an end between two instants cuts the last time short",
      of: monthly("2026-01-01", { expiresAt: at("2026-02-10") }),
      until: "2027-01-01",
      starts: ["2026-01-01", "2026-02-01"],
      ends: ["2026-02-01", "2026-02-10"],
    },
    {
      why: "the month's end is clamped, and does not drift",
      of: monthly("2026-01-31"),
      until: "2026-04-30",
      starts: ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
    },
    {
      why: "the anchor may be in the future",
      of: monthly("2026-06-15", { effectiveAt: at("2026-01-01") }),
      until: "2026-02-15",
      starts: ["2026-01-01", "2026-01-15", "2026-02-15"],
    },
    { why: "none before it takes effect", of: monthly("2026-01-01"), until: "2025-12-31", starts: [] },
  ])("$why", ({ of, until, starts, ends }) => {
    const found = occurrencesUntil(of, at(until));
    expect(days(found.map(({ start }) => start))).toEqual(starts);
    if (ends !== undefined) expect(days(found.map(({ end }) => end))).toEqual(ends);
    expect(found.map(({ number }) => number)).toEqual(starts.map((_, index) => index));
  });

  test("follow the customer's calendar: the first of the month in New York, in winter and summer", () => {
    const anchor = {
      at: instant("2026-02-01T05:00:00Z"),
      interval: { unit: "month", count: 1 } as const,
      timeZone: "America/New_York",
    };
    const found = occurrencesUntil(
      { ...monthly("2026-01-01"), anchor, effectiveAt: anchor.at },
      at("2026-05-01"),
    );
    expect(found.map(({ start }) => isoOf(start))).toEqual([
      "2026-02-01T05:00:00.000Z",
      "2026-03-01T05:00:00.000Z",
      "2026-04-01T04:00:00.000Z",
    ]);
  });
});

test("their number is known before they come", () => {
  const anyMs = fc.integer({ min: at("2020-01-01"), max: at("2021-01-01") });
  const lengths = fc.integer({ min: 1, max: 200 * 86_400_000 });
  const firsts = fc.constantFrom("at_once" as const, "at_instant" as const);
  const onInstant = { anchor: at("2026-01-01"), length: 59 * 86_400_000 };
  fc.assert(
    fc.property(anyMs, anyMs, lengths, firsts, (anchorAt, effective, length, first) => {
      const anchor = {
        at: anchorAt as Instant,
        interval: { unit: "month" as const, count: 1 },
        timeZone: "UTC",
      };
      const expiresAt = (effective + length) as Instant;
      const recurrence = { anchor, effectiveAt: effective as Instant, expiresAt, first };
      expect(occurrenceCount(recurrence)).toBe(occurrencesUntil(recurrence, expiresAt).length);
    }),
    { examples: [[onInstant.anchor, onInstant.anchor, onInstant.length, "at_instant"]] },
  );
  expect(occurrenceCount(monthly("2026-01-01"))).toBeNull();
});

test("occurrences tile the time, and those from a number on are the same ones", () => {
  const anyMs = fc.integer({ min: at("2020-01-01"), max: at("2026-01-01") });
  const units = fc.constantFrom("day" as const, "week" as const, "month" as const);
  fc.assert(
    fc.property(
      anyMs,
      anyMs,
      units,
      fc.integer({ min: 1, max: 5 }),
      fc.nat(5),
      (anchorAt, effective, unit, count, from) => {
        const anchor = { at: anchorAt as Instant, interval: { unit, count }, timeZone: "Europe/Berlin" };
        const recurrence = { ...monthly("2026-01-01"), anchor, effectiveAt: effective as Instant };
        const until = (effective + 40 * 86_400_000) as Instant;
        const found = occurrencesUntil(recurrence, until);
        expect(found[0]?.start).toBe(effective);
        for (const [index, { start, end }] of found.entries()) {
          expect(start).toBeLessThan(end);
          expect(found[index + 1]?.start ?? end).toBe(end);
        }
        expect(occurrencesUntil(recurrence, until, from)).toEqual(found.slice(from));
      },
    ),
  );
});

describe("what goes over: min(max, max(remaining, min))", () => {
  test.each([
    { remaining: 70n, min: 0n, max: 50n, next: 50n, why: "cut to the maximum" },
    { remaining: 5n, min: 20n, max: 50n, next: 20n, why: "raised to the minimum" },
    { remaining: 30n, min: 20n, max: 50n, next: 30n, why: "all of it" },
    { remaining: 70n, min: 0n, max: 0n, next: 0n, why: "0/0 takes all away" },
    {
      remaining: 70n,
      min: 100n,
      max: 100n,
      next: 100n,
      why: "the same minimum and maximum is a full refill",
    },
  ])("$remaining with $min/$max: $next, $why", ({ remaining, min, max, next }) => {
    const limits = { min: ledgerAmount(min), max: ledgerAmount(max) };
    expect(carriedOver(ledgerAmount(remaining), limits)).toBe(next);
  });

  test.each([
    { amounts: [10n, 20n, 30n], cap: null, kept: [10n, 20n, 30n], why: "without a cap" },
    { amounts: [10n, 20n, 30n], cap: 60n, kept: [10n, 20n, 30n], why: "at the cap" },
    { amounts: [10n, 20n, 30n], cap: 55n, kept: [5n, 20n, 30n], why: "the oldest gives" },
    { amounts: [10n, 20n, 30n], cap: 40n, kept: [0n, 10n, 30n], why: "then the next" },
    { amounts: [10n, 20n, 30n], cap: 12n, kept: [0n, 0n, 12n], why: "the newest last" },
  ])("$amounts within $cap keep $kept: $why", ({ amounts, cap, kept }) => {
    expect(keptWithin(amounts.map(ledgerAmount), cap === null ? null : ledgerAmount(cap))).toEqual(kept);
  });

  test.each([
    { from: "2026-01-31", lifetimeMonths: 1, until: "2026-02-28" },
    { from: "2026-01-01", lifetimeMonths: 12, until: "2027-01-01" },
  ])("for $lifetimeMonths months from $from until $until", ({ from, lifetimeMonths, until }) => {
    const rollover = { min: ledgerAmount(0n), max: ledgerAmount(1n), cap: null, lifetimeMonths };
    expect(rolloverExpiry(at(from), rollover, "UTC")).toBe(at(until));
    expect(rolloverExpiry(at(from), { ...rollover, lifetimeMonths: null }, "UTC")).toBeNull();
  });

  test.each([
    { over: { min: -1n }, why: "a minimum below zero" },
    { over: { min: 2n, max: 1n }, why: "a minimum above the maximum" },
    { over: { cap: -1n }, why: "a cap below zero" },
    { over: { lifetimeMonths: 0 }, why: "no month" },
    { over: { lifetimeMonths: 1.5 }, why: "a month and a half" },
  ])("$why is refused", ({ over }) => {
    const limits = {
      min: 0n,
      max: 1n,
      cap: null as bigint | null,
      lifetimeMonths: 1 as number | null,
      ...over,
    };
    const { min, max, cap, lifetimeMonths } = limits;
    const rollover = {
      min: ledgerAmount(min),
      max: ledgerAmount(max),
      cap: cap === null ? null : ledgerAmount(cap),
      lifetimeMonths,
    };
    expect(() => requireSoundRollover(rollover)).toThrow(RolloverInvalidError);
  });
});
