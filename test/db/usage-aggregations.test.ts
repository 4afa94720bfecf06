import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { foldUsage } from "../../src/db/usage/folding.ts";
import { publishedMeters, type StoredMeter } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { usageByWindow, usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { contains, type Period } from "../../src/domain/calendar/index.ts";
import { aggregations, type Meter, type UsageEvent, windowOf } from "../../src/domain/metering/index.ts";
import { decimalOfUnits } from "../../src/domain/money/index.ts";
import {
  type Accepted,
  accepted,
  anyStory,
  type SentEvent,
  type Story,
} from "../domain/metering/measured-events.ts";
import { naively } from "../domain/metering/naive-quantity.ts";
import { expectInvariants, foldAll, openUsage, publishMeters, type UsageFixture } from "./usage-fixture.ts";

/** Every aggregation as it is stored, folded and read, against the events one by one. */

const definitions: readonly Meter[] = aggregations.map((aggregation) => ({
  key: `the_${aggregation}`,
  eventType: "gauge",
  aggregation,
  ...(aggregation === "count" ? {} : { property: aggregation === "unique_count" ? "value" : "level" }),
  dimensions: ["series"],
  // What is read is in the meter's own measure.
  unit: { name: "thousands", factor: "1/1000" },
}));

let fixture: UsageFixture;
let meters: readonly StoredMeter[];
let customers = 0;
beforeAll(async () => {
  fixture = await openUsage();
  await publishMeters(fixture.db, definitions);
  meters = await publishedMeters(fixture.db.orm);
});
afterAll(() => fixture.close());

const gauges = () => meters.filter(({ eventType }) => eventType === "gauge");

/** How many events come before usage is folded again; the last ones are not folded when they are read. */
const anyFolds = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 });

test("V9: every aggregation reads what a look at each event says, folded or not, in any zone", async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, anyFolds, async (story, folds) => {
      const customerId = await newCustomer(story.zone);
      await takeIn(customerId, story.sent, folds);
      await expectReadings(customerId, story);
    }),
    { numRuns: 40 },
  );
  await foldAll(fixture.db);
  await expectInvariants(fixture.db);
}, 120_000);

test("V9: and reads the same once all of it is folded", async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, anyFolds, async (story, folds) => {
      const customerId = await newCustomer(story.zone);
      await takeIn(customerId, story.sent, folds);
      await foldAll(fixture.db);
      await expectReadings(customerId, story);
    }),
    { numRuns: 20 },
  );
}, 120_000);

async function newCustomer(zone: string): Promise<string> {
  const id = `gauged-${customers++}`;
  await fixture.db.sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values (${id}, ${id}, ${`${id}@example.com`}, 'usd', ${zone}, now())`;
  return id;
}

async function takeIn(
  customerId: string,
  sent: readonly SentEvent[],
  folds: readonly number[],
): Promise<void> {
  let from = 0;
  for (const count of [...folds, sent.length]) {
    const events = sent.slice(from, from + count).map((event) => gaugeEvent(customerId, event));
    if (events.length > 0) await ingestEvents(fixture.db, events, meters);
    from += count;
    if (from < sent.length) await inTransaction(fixture.db, foldUsage);
  }
}

const gaugeEvent = (customerId: string, { id, time, thousandths, value, series }: SentEvent): UsageEvent => ({
  id: `${customerId}/${id}`,
  source: "gauge",
  customerId,
  type: "gauge",
  time,
  data: { level: decimalOfUnits(thousandths, 3).text, value: JSON.parse(value), series },
});

async function expectReadings(customerId: string, { sent, period, size, zone }: Story): Promise<void> {
  const events = accepted(sent);
  for (const meter of gauges()) {
    const bySeries = await usageQuantities(fixture.db.orm, { customerId, meter, period });
    const read = Object.fromEntries(
      bySeries.map(({ dimensions, quantity }) => [dimensions.series, quantity.text]),
    );
    expect(read, meter.key).toEqual(expectedBySeries(meter, events, period));
    const [total] = await usageQuantities(fixture.db.orm, { customerId, meter, period, groupBy: [] });
    expect(total?.quantity.text ?? "0", meter.key).toBe(totalOf(meter, events, period));
    const windows = await usageByWindow(fixture.db.orm, { customerId, meter, period, size });
    for (const { windowStart, dimensions, quantity } of windows) {
      const window = windowOf(windowStart, size, zone);
      const within = { start: max(window.start, period.start), end: min(window.end, period.end) };
      const ofSeries = events.filter(({ series }) => series === dimensions.series);
      expect(quantity.text, `${meter.key} ${windowStart}`).toBe(naively(meter.aggregation, ofSeries, within));
    }
    const counted = windows.reduce((sum, { eventCount }) => sum + eventCount, 0n);
    expect(counted, meter.key).toBe(BigInt(events.filter(({ time }) => contains(period, time)).length));
  }
}

const max = (one: Period["start"], other: Period["start"]) => (one > other ? one : other);
const min = (one: Period["start"], other: Period["start"]) => (one < other ? one : other);

/** Of each series that was used in the period, or whose level holds from before. */
function expectedBySeries({ aggregation }: Meter, events: readonly Accepted[], period: Period) {
  const isHeld = (ofSeries: readonly Accepted[]) =>
    aggregation === "time_weighted_sum" && ofSeries.some(({ time }) => time < period.start);
  return Object.fromEntries(
    [...Map.groupBy(events, ({ series }) => series)]
      .filter(([, ofSeries]) => isHeld(ofSeries) || ofSeries.some(({ time }) => contains(period, time)))
      .map(([series, ofSeries]) => [series, naively(aggregation, ofSeries, period)]),
  );
}

/** Levels of several series hold side by side; all else is read as if there were no series. */
function totalOf({ aggregation }: Meter, events: readonly Accepted[], period: Period): string {
  if (aggregation !== "time_weighted_sum") return naively(aggregation, events, period);
  const areas = [...Map.groupBy(events, ({ series }) => series).values()].map((ofSeries) =>
    naively(aggregation, ofSeries, period),
  );
  return areas.reduce((sum, area) => decimalSum(sum, area), "0");
}

function decimalSum(one: string, other: string): string {
  const units = (text: string) => {
    const [whole = "0", decimals = ""] = text.split(".");
    return BigInt(whole + decimals.padEnd(6, "0"));
  };
  return decimalOfUnits(units(one) + units(other), 6).text;
}
