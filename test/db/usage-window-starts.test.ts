import { afterAll, beforeAll, expect, test } from "vitest";
import { instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { type WindowSize, windowOf } from "../../src/domain/metering/index.ts";
import { openUsage, type UsageFixture } from "./usage-fixture.ts";

/** The database says where windows begin in a language of its own: it is compared with the domain's definition. */

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
});
afterAll(() => fixture.close());

/** Zones with offsets of 30 and 45 minutes, half-hour and odd changes, changes at midnight, and a day that never was. */
const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Havana",
  "America/Asuncion",
  "America/Sao_Paulo",
  "America/St_Johns",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Asia/Tehran",
  "Asia/Beirut",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Australia/Lord_Howe",
  "Australia/Adelaide",
  "Pacific/Chatham",
  "Pacific/Apia",
  "Pacific/Marquesas",
];

const hourMs = 3_600_000;
const years = { from: instant("2009-01-01T00:00:00Z"), to: instant("2026-01-01T00:00:00Z") };

/** Around every change of the clock of seventeen years, and every few days between them. */
function instantsOf(zone: string): number[] {
  const changes: number[] = [];
  const offsetAt = (at: number) =>
    new Date(new Date(at).toLocaleString("en-US", { timeZone: zone })).getTime() - at;
  for (let day = years.from as number; day < years.to; day += 24 * hourMs) {
    if (Math.abs(offsetAt(day) - offsetAt(day + 24 * hourMs)) < 1_000) continue;
    for (let minutes = -60 * 26; minutes <= 60 * 50; minutes += 15)
      changes.push(day + minutes * 60_000 + 1_234);
  }
  for (let at = years.from + 987_654; at < years.to; at += 5.3 * 24 * hourMs) changes.push(Math.round(at));
  return changes;
}

test.each(zones)("%s: minutes, hours and days begin and end where the domain says", async (zone) => {
  const instants = instantsOf(zone);
  for (const size of ["minute", "hour", "day"] satisfies WindowSize[]) {
    const found = await fixture.db.sql<{ start: bigint; end: bigint }[]>`
      select (extract(epoch from start) * 1000)::int8 as start,
        (extract(epoch from usage.window_end(${size}, start, ${zone})) * 1000)::int8 as end
      from json_array_elements_text(${JSON.stringify(instants)}::text::json) with ordinality as given (ms, place)
      cross join lateral usage.window_start(${size}, to_timestamp(ms::numeric / 1000), ${zone}) as start
      order by place`;
    const wrong = instants.flatMap((at, index) => {
      const expected = windowOf(instantOfEpochMs(at), size, zone);
      const actual = { start: Number(found[index]?.start), end: Number(found[index]?.end) };
      if (actual.start === expected.start && actual.end === expected.end) return [];
      return [{ at: isoOf(instantOfEpochMs(at)), size, expected: shown(expected), actual: shown(actual) }];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  }
});

const shown = ({ start, end }: { start: number; end: number }) =>
  [start, end].map((ms) => new Date(ms).toISOString()).join(" to ");
