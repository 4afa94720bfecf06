import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { correctEvents } from "../../src/api/commands/usage-correction-commands.ts";
import { inTransaction } from "../../src/db/database.ts";
import { foldUsage } from "../../src/db/usage/folding.ts";
import { publishedMeters, type StoredMeter } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { usageByWindow, usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { contains, instant, type Period } from "../../src/domain/calendar/index.ts";
import { aggregations, type Meter, windowOf } from "../../src/domain/metering/index.ts";
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

/** Every aggregation after events were voided and amended, against the events as they are then, one by one. */

const definitions: readonly Meter[] = aggregations.map((aggregation) => ({
  key: `the_${aggregation}`,
  eventType: "gauge",
  aggregation,
  ...(aggregation === "count" ? {} : { property: aggregation === "unique_count" ? "value" : "level" }),
  dimensions: ["series"],
}));

let fixture: UsageFixture;
let meters: readonly StoredMeter[];
let [customers, requests] = [0, 0];
beforeAll(async () => {
  fixture = await openUsage();
  await publishMeters(fixture.db, definitions);
  meters = await publishedMeters(fixture.db.orm);
});
afterAll(() => fixture.close());

/** What is done to the event at a place among those accepted: voided, or amended to say something else. */
interface Change {
  readonly place: number;
  readonly to: Pick<SentEvent, "thousandths" | "value" | "series"> | null;
  readonly foldsBefore: boolean;
}
const anyChanges = fc.array(
  fc.record({
    place: fc.nat(40),
    to: fc.option(
      fc.record({
        thousandths: fc.bigInt({ min: 0n, max: 10n ** 6n }),
        value: fc.constantFrom('"a"', '"c"', "5"),
        series: fc.constantFrom("large", "small", "new"),
      }),
    ),
    foldsBefore: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

test("V9: what was voided counts nowhere and what was amended counts as it is now, before and after it is folded", async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, anyChanges, async (story, changes) => {
      const customerId = await newCustomer(story.zone);
      const sent = accepted(story.sent);
      await takeIn(customerId, story.sent);
      const now = await change(customerId, sent, changes);
      await expectReadings(customerId, now, story);
      await foldAll(fixture.db);
      await expectReadings(customerId, now, story);
    }),
    { numRuns: 40 },
  );
  await expectInvariants(fixture.db);
}, 180_000);

async function newCustomer(zone: string): Promise<string> {
  const id = `corrected-${customers++}`;
  await fixture.db.sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values (${id}, ${id}, ${`${id}@example.com`}, 'usd', ${zone}, now())`;
  return id;
}

const dataOf = ({ thousandths, value, series }: Pick<SentEvent, "thousandths" | "value" | "series">) => ({
  level: decimalOfUnits(thousandths, 3).text,
  value: JSON.parse(value) as string | number | boolean,
  series,
});

async function takeIn(customerId: string, sent: readonly SentEvent[]): Promise<void> {
  const events = sent.map((event) => ({
    id: `${customerId}/${event.id}`,
    source: "gauge",
    customerId,
    type: "gauge",
    time: event.time,
    data: dataOf(event),
  }));
  if (events.length > 0) await ingestEvents(fixture.db, events, meters);
}

/** Does it to the database and to the list alike; what the rules refuse is left as it is in both. */
async function change(customerId: string, sent: readonly Accepted[], changes: readonly Change[]) {
  const now: (Accepted | null)[] = [...sent];
  for (const { place, to, foldsBefore } of changes) {
    if (foldsBefore) await inTransaction(fixture.db, foldUsage);
    const index = place % Math.max(1, sent.length);
    const event = now[index] ?? null;
    const done = await correct(`${customerId}/${sent[index]?.id}`, to && dataOf(to));
    const isSame =
      event !== null && to !== null && JSON.stringify(dataOf(to)) === JSON.stringify(dataOf(event));
    expect(done).toBe(event === null || isSame ? "usage_correction_refused" : "done");
    if (event !== null) now[index] = to && { ...event, ...to };
  }
  return now.filter((event) => event !== null);
}

const correct = (id: string, data: unknown): Promise<string> =>
  correctEvents(
    { db: fixture.db, now: () => instant("2026-06-01T00:00:00Z"), unapprovedCorrectionsMax: 1_000_000 },
    {
      id: `ucor-${requests++}`,
      kind: data === null ? "void" : "amend",
      reasonCode: "wrong_quantity",
      note: null,
      events: [{ source: "gauge", id, data }],
    },
    { actor: "api-key/key", correlationId: "test" },
  ).then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );

async function expectReadings(
  customerId: string,
  events: readonly Accepted[],
  { period, size, zone }: Story,
): Promise<void> {
  for (const meter of meters.filter(({ eventType }) => eventType === "gauge")) {
    const bySeries = await usageQuantities(fixture.db.orm, { customerId, meter, period });
    const read = Object.fromEntries(
      bySeries.map(({ dimensions, quantity }) => [dimensions.series, quantity.text]),
    );
    expect(withoutZeros(read), meter.key).toEqual(withoutZeros(expectedBySeries(meter, events, period)));
    const windows = await usageByWindow(fixture.db.orm, { customerId, meter, period, size });
    for (const { windowStart, dimensions, quantity } of windows) {
      const window = windowOf(windowStart, size, zone);
      const within = {
        start: window.start > period.start ? window.start : period.start,
        end: window.end < period.end ? window.end : period.end,
      };
      const ofSeries = events.filter(({ series }) => series === dimensions.series);
      expect(quantity.text, `${meter.key} ${windowStart}`).toBe(naively(meter.aggregation, ofSeries, within));
    }
    const counted = windows.reduce((sum, { eventCount }) => sum + eventCount, 0n);
    expect(counted, meter.key).toBe(BigInt(events.filter(({ time }) => contains(period, time)).length));
  }
}

/** A series of which nothing is left may be shown with zero or not at all. */
const withoutZeros = (quantities: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(quantities).filter(([, quantity]) => quantity !== "0"));

const expectedBySeries = ({ aggregation }: Meter, events: readonly Accepted[], period: Period) =>
  Object.fromEntries(
    [...Map.groupBy(events, ({ series }) => series)].map(([series, ofSeries]) => [
      series,
      naively(aggregation, ofSeries, period),
    ]),
  );
