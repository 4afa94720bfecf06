import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Instant, instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import {
  type ExpectedSource,
  estimatedLag,
  lagBoundMs,
  requireHeartbeatOfThePast,
  watermarkOf,
} from "../../../src/domain/metering/index.ts";

const now = instant("2026-02-01T12:00:00Z");
const ago = (ms: number): Instant => instantOfEpochMs(now - ms);
const minute = 60_000;

function reporting(source: string, ...claims: { behindMs: number; silentMs?: number }[]): ExpectedSource {
  return {
    source,
    arrivals: [],
    claims: claims.map(({ behindMs, silentMs = 0 }, index) => ({
      instance: `pod-${index}`,
      completeUntil: ago(behindMs),
      heardAt: ago(silentMs),
    })),
  };
}

const silent = (source: string, ...arrivals: [bucket: number, events: bigint][]): ExpectedSource => ({
  source,
  claims: [],
  arrivals: arrivals.map(([bucket, events]) => ({ bucket, events })),
});

describe("the watermark", () => {
  test("is now where no source is expected", () => {
    expect(watermarkOf([], now)).toEqual({ kind: "none", completeUntil: now });
  });

  test.each([
    {
      why: "the source that is furthest behind holds it back",
      sources: [reporting("gateway", { behindMs: 5_000 }), reporting("batch", { behindMs: 90_000 })],
      is: { source: "batch", kind: "reported", completeUntil: ago(90_000), heardAt: now },
    },
    {
      why: "of one source, its slowest instance",
      sources: [reporting("gateway", { behindMs: 5_000 }, { behindMs: 7_000, silentMs: 1_000 })],
      is: { source: "gateway", kind: "reported", completeUntil: ago(7_000), heardAt: ago(1_000) },
    },
    {
      why: "an instance that fell silent an hour before the others is not waited for",
      sources: [reporting("gateway", { behindMs: 5_000 }, { behindMs: 70 * minute, silentMs: 61 * minute })],
      is: { source: "gateway", kind: "reported", completeUntil: ago(5_000), heardAt: now },
    },
    {
      why: "a source that is silent as a whole is: what it said last stands",
      sources: [reporting("gateway", { behindMs: 70 * minute, silentMs: 61 * minute })],
      is: {
        source: "gateway",
        kind: "reported",
        completeUntil: ago(70 * minute),
        heardAt: ago(61 * minute),
      },
    },
    {
      why: "a clock that goes fast promises nothing beyond now",
      sources: [reporting("gateway", { behindMs: -2 * minute })],
      is: { source: "gateway", kind: "reported", completeUntil: now, heardAt: now },
    },
    {
      why: "without heartbeats: 999 of 1,000 arrived within 2^7 = 128 s, the last one does not count",
      sources: [silent("batch", [2, 900n], [7, 99n], [15, 1n])],
      is: {
        source: "batch",
        kind: "estimated",
        completeUntil: ago(128_000),
        lagMs: 128_000,
        events: 1_000n,
      },
    },
    {
      why: "of two that are equally far, the first by name",
      sources: [reporting("b", { behindMs: 10 }), reporting("a", { behindMs: 10 })],
      is: { source: "a", kind: "reported", completeUntil: ago(10), heardAt: now },
    },
  ])("$why", ({ sources, is }) => {
    expect(watermarkOf(sources, now)).toEqual(is);
  });
});

test.each([
  { arrivals: [], lagMs: minute, why: "nothing known: the least that is ever taken" },
  { arrivals: [[0, 5n]], lagMs: minute, why: "quick ones: the same" },
  {
    arrivals: [
      [0, 9n],
      [10, 1n],
    ],
    lagMs: 1_024_000,
    why: "of 10 events every one counts: 9.99 are 10",
  },
  {
    arrivals: [
      [10, 1n],
      [0, 998n],
    ],
    lagMs: 1_024_000,
    why: "of 999 too: 998.001 are 999",
  },
  {
    arrivals: [
      [10, 1n],
      [0, 999n],
    ],
    lagMs: minute,
    why: "of 1,000 one may be late",
  },
] as const)("estimated lag of $arrivals: $why", ({ arrivals, lagMs }) => {
  const counts = arrivals.map(([bucket, events]) => ({ bucket, events }));
  expect(estimatedLag(counts).lagMs).toBe(lagMs);
});

test("a heartbeat may be five minutes ahead of our clock, and not a millisecond more", () => {
  requireHeartbeatOfThePast(ago(-5 * minute), now);
  expect(() => requireHeartbeatOfThePast(ago(-5 * minute - 1), now)).toThrow(
    expect.objectContaining({ code: "heartbeat_in_future", field: "complete_until" }),
  );
});

const anyClaim = fc.record({
  instance: fc.string(),
  completeUntil: fc.integer({ min: -86_400_000, max: 300_000 }).map((ms) => instantOfEpochMs(now + ms)),
  heardAt: fc.integer({ min: 0, max: 1_800_000 }).map(ago),
});
const anySource: fc.Arbitrary<ExpectedSource> = fc.record({
  source: fc.string(),
  claims: fc.array(anyClaim, { maxLength: 4 }),
  arrivals: fc.array(fc.record({ bucket: fc.nat(25), events: fc.bigInt(1n, 10_000n) }), { maxLength: 5 }),
});

describe("whatever the sources say", () => {
  test("the watermark is never later than now, nor than what any living instance vouches for", () => {
    fc.assert(
      fc.property(fc.array(anySource), (sources) => {
        const { completeUntil } = watermarkOf(sources, now);
        expect(completeUntil).toBeLessThanOrEqual(now);
        for (const claim of sources.flatMap(({ claims }) => claims)) {
          expect(completeUntil).toBeLessThanOrEqual(claim.completeUntil);
        }
      }),
    );
  });

  test("it is the least of what each source alone would give, in any order", () => {
    fc.assert(
      fc.property(fc.array(anySource, { minLength: 1 }), (sources) => {
        const alone = sources.map((source) => watermarkOf([source], now).completeUntil);
        expect(watermarkOf(sources, now).completeUntil).toBe(Math.min(...alone));
        expect(watermarkOf(sources.toReversed(), now).completeUntil).toBe(Math.min(...alone));
      }),
    );
  });

  test("it goes forward when time does and when a source says more", () => {
    fc.assert(
      fc.property(fc.array(anySource), fc.nat(600_000), (sources, ms) => {
        const before = watermarkOf(sources, now).completeUntil;
        const later = instantOfEpochMs(now + ms);
        const saidMore = sources.map((source) => ({
          ...source,
          claims: source.claims.map((claim) => ({
            ...claim,
            completeUntil: instantOfEpochMs(claim.completeUntil + ms),
          })),
        }));
        expect(watermarkOf(sources, later).completeUntil).toBeGreaterThanOrEqual(before);
        expect(watermarkOf(saidMore, later).completeUntil).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  test("an estimate leaves out at most one event in a thousand", () => {
    fc.assert(
      fc.property(anySource, ({ arrivals }) => {
        const { lagMs, events } = estimatedLag(arrivals);
        const late = arrivals
          .filter(({ bucket }) => lagBoundMs(bucket) > lagMs)
          .reduce((sum, arrived) => sum + arrived.events, 0n);
        expect(late * 1_000n <= events).toBe(true);
      }),
    );
  });
});
