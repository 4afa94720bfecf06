import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  diffMeters,
  type Meter,
  meterFingerprint,
  type PublishedMeter,
  versionInForce,
  versionsInForce,
} from "../../../src/domain/metering/index.ts";

const tokens: Meter = {
  key: "tokens",
  eventType: "model.request",
  aggregation: "sum",
  property: "tokens",
  filter: [{ member: "cached", in: [false] }],
  dimensions: ["model"],
};

describe("publishing", () => {
  test.each([
    { next: { ...tokens, key: "words" }, change: "new", version: 1, why: "another key" },
    {
      next: Object.fromEntries(Object.entries(tokens).toReversed()) as Meter,
      change: "unchanged",
      version: 2,
      why: "written in another order",
    },
    { next: { ...tokens, property: "output" }, change: "changed", version: 3, why: "another property" },
    {
      next: { ...tokens, filter: [{ member: "cached", in: [true] }] },
      change: "changed",
      version: 3,
      why: "another filter",
    },
    {
      next: { ...tokens, unit: { name: "kilotoken", factor: "1/1000" } },
      change: "changed",
      version: 3,
      why: "another unit",
    },
  ] as const)("$why: $change, version $version", ({ next, change, version }) => {
    const versions = [
      { ...tokens, version: 2 },
      { ...tokens, property: "input", version: 1 },
    ];
    expect(diffMeters(versions, [next])).toEqual([{ meterKey: next.key, change, version }]);
  });

  test("what a meter says does not depend on when or as which version it was published", () => {
    const published: PublishedMeter = { ...tokens, version: 2, publishedAt: instant("2026-03-10T00:00:00Z") };
    expect(meterFingerprint(published)).toBe(meterFingerprint(tokens));
  });
});

describe("what measures a period", () => {
  const published = (version: number, day: string): PublishedMeter => ({
    ...tokens,
    version,
    publishedAt: instant(`2026-${day}T00:00:00Z`),
  });
  const versions = [published(3, "04-01"), published(1, "02-10"), published(2, "03-10")];

  test.each([
    { start: "2026-02-01T00:00:00Z", version: 1, why: "before the first there was none: the first" },
    { start: "2026-03-01T00:00:00Z", version: 1, why: "the second came while it ran" },
    { start: "2026-03-10T00:00:00Z", version: 2, why: "in force from the instant on" },
    { start: "2026-03-31T23:59:59.999Z", version: 2, why: "a moment before the third" },
    { start: "2026-12-01T00:00:00Z", version: 3, why: "the newest" },
  ])("that begins at $start: version $version, $why", ({ start, version }) => {
    expect(versionInForce(versions, instant(start))?.version).toBe(version);
  });

  test("nothing, when there is no version", () => {
    expect(versionInForce([], instant("2026-03-01T00:00:00Z"))).toBeUndefined();
  });

  test.each([
    { from: "2026-02-01", to: "2026-02-09", versions: [1], why: "before the first" },
    { from: "2026-02-20", to: "2026-03-10", versions: [1], why: "the end is not within" },
    { from: "2026-02-20", to: "2026-03-11", versions: [1, 2], why: "from one to the next" },
    { from: "2026-03-10", to: "2026-05-01", versions: [2, 3], why: "the first is of earlier periods" },
    { from: "2026-01-01", to: "2026-05-01", versions: [1, 2, 3], why: "all" },
  ])("periods that begin from $from to $to are measured by $versions: $why", (row) => {
    const starts = { start: instant(`${row.from}T00:00:00Z`), end: instant(`${row.to}T00:00:00Z`) };
    const found = versionsInForce(versions, starts).map(({ version }) => version);
    expect(found.sort()).toEqual(row.versions);
  });
});
