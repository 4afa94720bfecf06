import fc from "fast-check";
import { type Instant, instant, instantOfEpochMs, type Period } from "../../../src/domain/calendar/index.ts";
import type { Aggregation, Measurement } from "../../../src/domain/metering/index.ts";
import { decimalOfUnits } from "../../../src/domain/money/index.ts";

/** One event as it was sent; quantities are in thousandths. Events with one id are one event, the first of them. */
export interface SentEvent {
  readonly id: number;
  readonly time: Instant;
  readonly thousandths: bigint;
  readonly value: string;
  readonly series: string;
}

/** What was accepted, `seq` being the order in which it was. */
export type Accepted = SentEvent & { readonly seq: bigint };

export function accepted(sent: readonly SentEvent[]): Accepted[] {
  const first = sent.filter(({ id }, index) => sent.findIndex((other) => other.id === id) === index);
  return first.map((event, index) => ({ ...event, seq: BigInt(index) }));
}

/** As the contribution of a meter with this aggregation would be. */
export function measurementOf(
  aggregation: Aggregation,
  { time, seq, thousandths, value }: Accepted,
): Measurement {
  const quantity = decimalOfUnits(aggregation === "count" ? 1000n : thousandths, 3);
  return { time, seq, quantity, ...(aggregation === "unique_count" ? { value } : {}) };
}

/** Two days in which the clock is changed, or the time around the change of a year; for each zone. */
const stretches: readonly { readonly zone: string; readonly from: string }[] = [
  { zone: "UTC", from: "2025-12-31T00:00:00Z" },
  { zone: "Europe/Berlin", from: "2026-03-28T12:00:00Z" }, // a day of 23 hours
  { zone: "Europe/Berlin", from: "2026-10-24T12:00:00Z" }, // of 25
  { zone: "Australia/Lord_Howe", from: "2026-04-04T00:00:00Z" }, // half an hour back
  { zone: "Asia/Kathmandu", from: "2026-01-01T00:00:00Z" }, // 5:45 ahead
  { zone: "America/Sao_Paulo", from: "2018-11-03T12:00:00Z" }, // a day without midnight
  { zone: "America/St_Johns", from: "2010-11-06T12:00:00Z" }, // back over midnight
];

export interface Story {
  readonly zone: string;
  readonly size: "minute" | "hour" | "day";
  readonly sent: readonly SentEvent[];
  readonly period: Period;
}

const hourMs = 3_600_000;
const stretchMs = 48 * hourMs;

/** Events in any order, some sent again or contradicted, many at or beside full hours; a period among them. */
export const anyStory: fc.Arbitrary<Story> = fc
  .record({ stretch: fc.constantFrom(...stretches), size: fc.constantFrom("minute", "hour", "day") })
  .chain(({ stretch: { zone, from }, size }) => {
    const anyTime = fc
      .oneof(
        fc.nat(stretchMs),
        fc
          .tuple(fc.nat(191), fc.constantFrom(-1, 0, 1))
          .map(([quarters, beside]) => quarters * 900_000 + beside),
        // Close together, so that windows of minutes have several.
        fc.nat(180_000).map((ms) => 20 * hourMs + ms),
      )
      .map((ms) => instantOfEpochMs(instant(from) + ms));
    const anySent = fc.record({
      id: fc.nat(40),
      time: anyTime,
      thousandths: fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 6n }), fc.constantFrom(0n, 10n ** 18n)),
      value: fc.constantFrom('"a"', '"b"', '"5"', "5", "true"),
      series: fc.constantFrom("large", "small"),
    });
    return fc.record({
      zone: fc.constant(zone),
      size: fc.constant(size),
      sent: fc.array(anySent, { maxLength: 30 }),
      period: fc
        .tuple(anyTime, anyTime)
        .filter(([one, other]) => one !== other)
        .map(([one, other]) => ({
          start: one < other ? one : other,
          end: one < other ? other : one,
        })),
    });
  });
