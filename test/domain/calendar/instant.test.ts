import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import {
  addDuration,
  instant,
  instantOfEpochMs,
  isoOf,
  timeZone,
} from "../../../src/domain/calendar/index.ts";

describe("instants", () => {
  test.each([
    { iso: "2026-01-31T00:00:00Z", canonical: "2026-01-31T00:00:00.000Z", why: "UTC" },
    {
      iso: "2026-01-31T01:30:00+05:30",
      canonical: "2026-01-30T20:00:00.000Z",
      why: "an offset is taken off",
    },
    { iso: "2026-01-31T00:00:00.5Z", canonical: "2026-01-31T00:00:00.500Z", why: "half a second" },
    {
      iso: "2026-01-31T00:00:00.123999999999Z",
      canonical: "2026-01-31T00:00:00.123Z",
      why: "cut, not rounded",
    },
    {
      iso: "1969-12-31T23:59:59.9999Z",
      canonical: "1969-12-31T23:59:59.999Z",
      why: "cut before 1970 as well",
    },
    { iso: "2028-02-29T12:00:00Z", canonical: "2028-02-29T12:00:00.000Z", why: "a leap day" },
  ])("$iso is $canonical: $why", ({ iso, canonical }) => {
    expect(isoOf(instant(iso))).toBe(canonical);
  });

  test.each([
    { iso: "2026-01-31T00:00:00", why: "no zone" },
    { iso: "2026-01-31", why: "a date alone" },
    { iso: "2026-01-31T00:00Z", why: "no seconds" },
    { iso: "2026-01-31 00:00:00Z", why: "no T" },
    { iso: "2026-02-29T00:00:00Z", why: "no leap year" },
    { iso: "2026-13-01T00:00:00Z", why: "a thirteenth month" },
    { iso: "2026-01-31T24:00:00Z", why: "hour 24" },
    { iso: "2026-06-30T23:59:60Z", why: "second 60" },
    { iso: "2026-01-31T00:00:00+99:00", why: "an offset no zone has" },
    { iso: "+012026-01-31T00:00:00Z", why: "a year beyond 9999" },
    { iso: "0000-01-01T00:00:00+01:00", why: "before the year 0" },
    { iso: "2026-01-31T00:00:00[Europe/Berlin]", why: "a zone name without an offset" },
    { iso: "1769817600000", why: "a number" },
    { iso: "", why: "empty" },
  ])("$iso is refused: $why", ({ iso }) => {
    expect(() => instant(iso, "time")).toThrow(
      expect.objectContaining({ code: "instant_invalid", field: "time" }),
    );
  });

  test("whatever the numbers in a text are, it is the instant that Temporal reads, or refused as there", () => {
    const two = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, "0"));
    const year = fc.integer({ min: 0, max: 9999 }).map((number) => String(number).padStart(4, "0"));
    const fraction = fc.option(fc.stringMatching(/^\d{1,9}$/), { nil: undefined });
    const offset = fc.oneof(fc.constant("Z"), fc.tuple(fc.constantFrom("+", "-"), two, two));
    const month = fc.oneof(fc.constantFrom("01", "02", "06", "12"), two);
    const day = fc.oneof(fc.constantFrom("00", "01", "28", "29", "30", "31"), two);
    fc.assert(
      fc.property(year, month, day, two, fraction, offset, (year, month, day, minute, fraction, zone) => {
        const dateTime = `${year}-${month}-${day}T23:${minute}:59${fraction === undefined ? "" : `.${fraction}`}`;
        const iso = dateTime + (typeof zone === "string" ? zone : `${zone[0]}${zone[1]}:${zone[2]}`);
        expect(
          orRefused(() => instant(iso)),
          iso,
        ).toBe(orRefused(() => readByTemporal(iso)));
      }),
      { numRuns: 2_000 },
    );
  });

  const orRefused = (read: () => number) => {
    try {
      return read();
    } catch {
      return "refused";
    }
  };

  /** @throws RangeError, also outside of the years 0 to 9999 */
  const readByTemporal = (iso: string) => {
    const { epochMilliseconds } = Temporal.Instant.from(iso);
    const text = Temporal.Instant.fromEpochMilliseconds(epochMilliseconds).toString({
      fractionalSecondDigits: 3,
    });
    if (!/^\d{4}-/.test(text)) throw new RangeError(text);
    expect(isoOf(instantOfEpochMs(epochMilliseconds))).toBe(text);
    return epochMilliseconds;
  };

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, 8.64e15])(
    "%s milliseconds are refused",
    (epochMs) => {
      expect(() => instantOfEpochMs(epochMs)).toThrow(expect.objectContaining({ code: "instant_invalid" }));
    },
  );

  test("INV-6: the text of an instant, read again, is the same instant", () => {
    const years0To9999 = { min: -62_167_219_200_000, max: 253_402_300_799_999 };
    fc.assert(
      fc.property(fc.integer(years0To9999), (epochMs) => {
        expect(instant(isoOf(instantOfEpochMs(epochMs)))).toBe(epochMs);
      }),
    );
  });
});

describe("adding a duration", () => {
  test.each([
    {
      at: "2026-03-28T11:00:00Z",
      add: { days: 1 },
      zone: "Europe/Berlin",
      sum: "2026-03-29T10:00:00.000Z",
      why: "a day of 23 hours",
    },
    {
      at: "2026-03-28T11:00:00Z",
      add: { hours: 24 },
      zone: "Europe/Berlin",
      sum: "2026-03-29T11:00:00.000Z",
      why: "24 hours are 24 hours",
    },
    {
      at: "2026-10-24T10:00:00Z",
      add: { days: 1 },
      zone: "Europe/Berlin",
      sum: "2026-10-25T11:00:00.000Z",
      why: "a day of 25 hours",
    },
    {
      at: "2026-03-28T11:00:00Z",
      add: { days: 1 },
      zone: "UTC",
      sum: "2026-03-29T11:00:00.000Z",
      why: "UTC never changes",
    },
    {
      at: "2026-01-31T00:00:00Z",
      add: { months: 1 },
      zone: "UTC",
      sum: "2026-02-28T00:00:00.000Z",
      why: "a short month",
    },
  ])("$at and $add in $zone is $sum: $why", ({ at, add, zone, sum }) => {
    expect(isoOf(addDuration(instant(at), add, zone))).toBe(sum);
  });

  test.each([{}, { days: 0.5 }, { days: Number.NaN }, { years: 100_000 }])("%j is refused", (duration) => {
    expect(() => addDuration(instant("2026-01-01T00:00:00Z"), duration, "UTC")).toThrow(
      expect.objectContaining({ code: "duration_invalid" }),
    );
  });
});

describe("time zones", () => {
  test.each(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])(
    "%s is known",
    (name) => {
      expect(timeZone(name)).toBe(name);
    },
  );

  test.each(["Mars/Olympus", "+02:00", "2026-01-31T00:00:00Z", "", "constructor"])(
    "%j is refused",
    (name) => {
      expect(() => timeZone(name, "timezone")).toThrow(
        expect.objectContaining({ code: "time_zone_unknown", field: "timezone" }),
      );
    },
  );
});
