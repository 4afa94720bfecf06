import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type UsageRequest, usageByWindow, usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import {
  contains,
  type Instant,
  instant,
  instantOfEpochMs,
  isoOf,
  period,
} from "../../src/domain/calendar/index.ts";
import {
  aggregate,
  dimensionsKey,
  type Meter,
  measure,
  type UsageEvent,
} from "../../src/domain/metering/index.ts";
import {
  addCustomer,
  ingest,
  meterOf,
  meters,
  openUsage,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
});
afterAll(() => fixture.close());

const hourMs = 3_600_000;
const midnight = instant("2026-03-01T00:00:00Z");
const after = (ms: number): Instant => instantOfEpochMs(midnight + ms);

/** Instants of four hours, often exactly on an hour or one millisecond beside it. */
const anyInstant = fc
  .oneof(
    fc.nat(4 * hourMs),
    fc
      .tuple(fc.nat(4), fc.constantFrom(-1, 0, 1))
      .map(([hours, beside]) => Math.max(0, hours * hourMs + beside)),
  )
  .map(after);
const anyPeriod = fc
  .tuple(anyInstant, anyInstant)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => (a < b ? period(a, b) : period(b, a)));
const anyData = fc.record(
  {
    tokens: fc.oneof(
      fc.nat(1_000_000),
      fc.bigInt({ min: 0n, max: 10n ** 18n }).map(String),
      fc.constant("0.000001"),
    ),
    model: fc.constantFrom("large", "small", "", 'with "quotes" and ü'),
    class: fc.constantFrom("input", "output"),
  },
  { requiredKeys: ["tokens"] },
);

/** What the answer must be: every event of the period looked at, one by one. */
function naively(
  events: readonly UsageEvent[],
  meter: Meter,
  { period: asked }: Pick<UsageRequest, "period">,
) {
  const contributions = events
    .filter(({ time }) => contains(asked, time))
    .flatMap((event) => measure(event, [meter]));
  return [...Map.groupBy(contributions, ({ dimensions }) => dimensionsKey(dimensions))].map(
    ([key, group]) => ({
      key,
      quantity: aggregate(
        meter.aggregation,
        group.map(({ quantity }) => quantity),
      ).text,
      eventCount: BigInt(group.length),
    }),
  );
}

const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);

test("V9: for any instants the quantities are those of the events in the period, one by one", async () => {
  let customers = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ time: anyInstant, data: anyData }), { maxLength: 40 }),
      fc.array(anyPeriod, { minLength: 1, maxLength: 4 }),
      async (contents, periods) => {
        const customerId = `customer-${customers++}`;
        await addCustomer(fixture.db, customerId);
        const events = contents.map((content, n) =>
          usageEvent({ id: `${customerId}/${n}`, customerId, ...content }),
        );
        await ingest(fixture.db, events);
        for (const asked of periods) {
          for (const meter of meters) {
            const request = { customerId, meter, period: asked };
            const quantities = (await usageQuantities(fixture.db.orm, request)).map(
              ({ dimensions, quantity, eventCount }) => ({
                key: dimensionsKey(dimensions),
                quantity: quantity.text,
                eventCount,
              }),
            );
            expect(quantities.sort(byKey)).toEqual(naively(events, meter, request).sort(byKey));
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

describe("a customer's day", () => {
  const customerId = "day";
  const tokens = { customerId, meter: meterOf("tokens") };
  beforeAll(async () => {
    await addCustomer(fixture.db, customerId);
    const rows = [
      ["00:00:00.000", "large", "input", 1],
      ["00:59:59.999", "large", "output", 2],
      ["01:00:00.000", "small", "input", 4],
      ["23:59:59.999", "large", "input", 8],
    ] as const;
    await ingest(
      fixture.db,
      rows.map(([time, model, kind, count]) =>
        usageEvent({
          id: `day/${time}`,
          customerId,
          time: instant(`2026-05-01T${time}Z`),
          data: { model, class: kind, tokens: count },
        }),
      ),
    );
  });

  test.each([
    { from: "00:00:00", to: "23:59:59.999", quantity: "7", why: "1 + 2 + 4: the end is excluded" },
    { from: "00:00:00.001", to: "01:00:00.001", quantity: "6", why: "2 + 4: the start cuts off the first" },
    { from: "01:00:00", to: "02:00:00", quantity: "4", why: "a whole hour" },
    { from: "00:59:59.999", to: "01:00:00", quantity: "2", why: "one millisecond" },
    { from: "00:10:00", to: "00:20:00", quantity: undefined, why: "no events, no row" },
  ])("from $from to $to: $quantity tokens, $why", async ({ from, to, quantity }) => {
    const asked = period(instant(`2026-05-01T${from}Z`), instant(`2026-05-01T${to}Z`));
    const [total] = await usageQuantities(fixture.db.orm, { ...tokens, period: asked, groupBy: [] });
    expect(total?.quantity.text).toBe(quantity);
  });

  test("grouped by some dimensions, the others are summed", async () => {
    const may = period(instant("2026-05-01T00:00:00Z"), instant("2026-06-01T00:00:00Z"));
    const grouped = await usageQuantities(fixture.db.orm, { ...tokens, period: may, groupBy: ["model"] });
    expect(grouped.map(({ dimensions, quantity }) => [dimensions, quantity.text])).toEqual([
      [{ model: "large" }, "11"], // 1 + 2 + 8
      [{ model: "small" }, "4"],
    ]);
  });

  test("by window, the pieces of hours at the ends are cut exactly", async () => {
    const asked = period(instant("2026-05-01T00:00:00.001Z"), instant("2026-05-02T00:00:00Z"));
    const hours = await usageByWindow(fixture.db.orm, {
      ...tokens,
      period: asked,
      groupBy: [],
      size: "hour",
    });
    expect(hours.map(({ windowStart, quantity }) => [isoOf(windowStart), quantity.text])).toEqual([
      ["2026-05-01T00:00:00.000Z", "2"],
      ["2026-05-01T01:00:00.000Z", "4"],
      ["2026-05-01T23:00:00.000Z", "8"],
    ]);
    const days = await usageByWindow(fixture.db.orm, { ...tokens, period: asked, groupBy: [], size: "day" });
    expect(days.map(({ windowStart, quantity }) => [isoOf(windowStart), quantity.text])).toEqual([
      ["2026-05-01T00:00:00.000Z", "14"], // 2 + 4 + 8
    ]);
  });
});
