import { describe, expect, test } from "vitest";
import {
  type AgreedAnchor,
  type AnchorRule,
  agreedPeriodAt,
  anchorFor,
  type BillingAnchor,
  type BillingInterval,
  boundary,
  contains,
  instant,
  instantOfEpochMs,
  isoOf,
  periodAt,
  periodContaining,
} from "../../../src/domain/calendar/index.ts";

const isNightly = process.env.NIGHTLY !== undefined;

// One of each kind of clock: none, one hour at night or at midnight, half an hour, a day left out, a year of odd changes.
const sampled = [
  "UTC",
  "Europe/Berlin",
  "America/Sao_Paulo",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Africa/Casablanca",
];
const zones = isNightly ? ["UTC", ...Intl.supportedValuesOf("timeZone")] : sampled;

const century = { from: instant("1950-01-01T00:00:00Z"), years: 200 };

const perYear: Record<BillingInterval["unit"], number> = { day: 366, week: 53, month: 12, year: 1 };

const every = (count: number, unit: BillingInterval["unit"]): BillingInterval => ({ unit, count });

// At the days that months disagree on, at hours that clocks skip and repeat.
const anniversaries = [
  "1949-12-31T23:30:00Z",
  "1952-02-29T00:00:00Z",
  "1950-01-30T01:30:00Z",
  "1950-03-29T06:15:00Z",
].flatMap((at) => [every(1, "month"), every(1, "year")].map((interval) => ({ at, interval })));

const rules: { rule: AnchorRule; interval: BillingInterval }[] = [
  { rule: { type: "calendar" }, interval: every(1, "month") },
  { rule: { type: "calendar", day: 31 }, interval: every(1, "month") },
  { rule: { type: "calendar", day: 30, month: 11 }, interval: every(3, "month") },
  { rule: { type: "calendar", day: 29 }, interval: every(5, "month") },
  { rule: { type: "calendar", weekday: 7 }, interval: every(2, "week") },
  { rule: { type: "calendar", day: 29, month: 2 }, interval: every(1, "year") },
];

describe("INV-7: periods tile two centuries without gap or overlap, and each holds its own instants", () => {
  test.each(zones)("by all anchors in %s", { timeout: 120_000 }, (timeZone) => {
    for (const { at, interval } of anniversaries) {
      expectTiling({ at: instant(at), interval, timeZone }, century.years);
    }
    for (const { rule, interval } of rules) {
      expectTiling(anchorFor(rule, { start: century.from, interval, timeZone }), century.years);
    }
  });

  const years = isNightly ? century.years : 4;
  test.each(zones)(`by the day through ${years} years in %s`, { timeout: 120_000 }, (timeZone) => {
    const start = isNightly ? century.from : instant("2009-01-01T00:00:00Z");
    const interval = every(1, "day");
    expectTiling(anchorFor({ type: "calendar" }, { start, interval, timeZone }), years);
  });
});

/** Checks all neighbouring pairs of periods, and where the instants of every twelfth lie. */
function expectTiling(of: BillingAnchor, years: number): void {
  const { unit, count } = of.interval;
  const periods = Math.ceil((years * perYear[unit]) / count);
  let before = periodAt(of, 0);
  expect(before.start).toBe(of.at);
  for (let index = 1; index <= periods; index += 1) {
    const period = { start: before.end, end: boundary(of, index + 1) };
    // Only a day that the local calendar left out has no length.
    if (period.end < period.start || (period.end === period.start && unit !== "day")) {
      expect.fail(`period ${index} in ${of.timeZone} is ${isoOf(period.start)} to ${isoOf(period.end)}`);
    }
    if (index % 12 === 0 && period.end > period.start) {
      const lastMoment = instantOfEpochMs(period.end - 1);
      expect(periodAt(of, index)).toEqual(period);
      expect(contains(period, lastMoment) && !contains(before, period.start)).toBe(true);
      expect(periodContaining(of, period.start)).toEqual({ index, period });
      expect(periodContaining(of, lastMoment).index).toBe(index);
    }
    before = period;
  }
}

test("the periods of a subscription tile its life, whatever anchors it had", () => {
  const timeZone = "America/New_York";
  const at = (iso: string) => instant(`${iso}T05:00:00Z`);
  const history: AgreedAnchor[] = [
    // A first part until 1 February, then months; from 10 March on weeks from there; quarters of the calendar in the end.
    { iso: "2026-01-17", anchor: at("2026-01-01"), interval: every(1, "month") },
    { iso: "2026-03-10", anchor: at("2026-03-10"), interval: every(1, "week") },
    { iso: "2026-03-28", anchor: at("2026-01-01"), interval: every(3, "month") },
  ].map(({ iso, anchor, interval }) => ({
    effectiveAt: at(iso),
    anchor: { at: anchor, interval, timeZone },
  }));
  const starts: string[] = [];
  for (let start = at("2026-01-17"); start < at("2026-09-30"); ) {
    const { period, full } = agreedPeriodAt(history, start);
    expect(period.start).toBe(start);
    expect(full.start <= period.start && period.end <= full.end).toBe(true);
    expect(agreedPeriodAt(history, instantOfEpochMs(period.end - 1)).period).toEqual(period);
    starts.push(isoOf(start).slice(5, "2026-01-17".length));
    start = period.end;
  }
  expect(starts).toEqual(["01-17", "02-01", "03-01", "03-10", "03-17", "03-24", "03-28", "04-01", "07-01"]);
});
