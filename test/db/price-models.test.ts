import { afterAll, beforeAll, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { agreedPeriod } from "../../src/db/billing/agreed-period.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { eventsOfLine, findRatedLine } from "../../src/db/billing/line-events.ts";
import { periodCosts } from "../../src/db/billing/period-cost.ts";
import { periodUsage } from "../../src/db/billing/period-usage.ts";
import { closingRun } from "../../src/db/billing/rating-runs.ts";
import { subscriptionsOfCustomer } from "../../src/db/billing/subscriptions.ts";
import { insertTestClock } from "../../src/db/billing/test-clocks.ts";
import { type Database, inSnapshot, inTransaction, openDatabase } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { invariant } from "../../src/domain/errors.ts";
import { rateStretches } from "../../src/domain/invoicing/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { foldAll } from "./usage-fixture.ts";

/** A month of a customer in New York, on a plan with every price model that needs more of its meter than one number. */

let db: Database;
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  ending.push(drop, () => db.close());
  await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
  await insertTestClock(db.orm, "clock", start);
  await insertCustomer(db.orm, { ...customer, timeZone: "America/New_York", createdAt: start });
  await openSubscription(db, {
    subscriptionId: "sub",
    customerId: "acme",
    requestId: "open",
    at: isoOf(start),
    items: [{ planKey: "models", seats: 1 }],
  });
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const start = instant("2026-01-01T05:00:00Z");
const february = instant("2026-02-01T05:00:00Z");
const customer = {
  id: "acme",
  name: "acme",
  email: "acme@example.com",
  currency: "usd",
  testClockId: "clock",
};

test("a close bills cells, events one by one, maxima of days and hours, and costs of their time", async () => {
  await use([
    ["2026-01-03T10:00:00Z", "tokens", { model: "deep", quantity: 5 }],
    ["2026-01-03T11:00:00Z", "tokens", { model: "swift", quantity: 20 }],
    ["2026-01-03T12:00:00Z", "tokens", { model: "odd", quantity: 4 }],
    ["2026-01-04T10:00:00Z", "payment", { quantity: 1000 }],
    ["2026-01-05T10:00:00Z", "payment", { quantity: 100 }],
    ["2026-01-06T10:00:00Z", "payment", { quantity: 10_000 }],
    ["2026-01-07T10:00:00Z", "payment", { quantity: 50_000 }],
    // Still the fifth in New York, where it is ten in the evening; the next is the sixth.
    ["2026-01-05T15:00:00Z", "connections", { quantity: 8 }],
    ["2026-01-06T03:00:00Z", "connections", { quantity: 12 }],
    ["2026-01-06T15:00:00Z", "connections", { quantity: 3 }],
    ["2026-01-08T10:15:00Z", "sessions", { quantity: 4 }],
    ["2026-01-08T11:15:00Z", "sessions", { quantity: 7 }],
    ["2026-01-08T11:45:00Z", "sessions", { quantity: 2 }],
    ["2026-01-10T10:00:00Z", "provider", { model: "deep", quantity: 100 }],
    ["2026-01-20T10:00:00Z", "provider", { model: "deep", quantity: 100 }],
    ["2026-01-21T10:00:00Z", "provider", { model: "new", quantity: 7 }],
    ["2026-01-21T11:00:00Z", "dust", { quantity: "0.0000000001" }],
    ["2026-01-22T10:00:00Z", "returns", { quantity: 10 }],
    ["2026-01-23T10:00:00Z", "returns", { quantity: -40 }],
  ]);
  const expected = [
    "cost_plus 207 90", // 100 × 0.25 × 1.2 + 100 × 0.5 × 1.2; the new model has no cost
    `dust 0.0000000001 0.${"0".repeat(21)}1`, // more digits than anything may be written with
    "mirrored -30 -60", // what was paid for comes back: −30 × 2
    "matrix 29 19", // 10 of the swift are included: 10 × 0.5 + 5 × 2 + 4 × 1
    "peak_days 15 14", // the fifth 12: 10 × 1 + 2 × 0.5; the sixth 3 × 1
    "peak_hours 11 14", // 4 + 7 = 11: two packages of 10 at 7
    "percentage 61100 870", // the first is free; 2.9 + 30 is below 50; 290 + 30; 1450 + 30 is above 500
  ].toSorted();
  expect(await costNow()).toEqual(expected);
  const invoiceId = await close(start, "2026-02-01T06:00:00Z");
  expect(await billed(invoiceId, "usage")).toEqual(expected);
  expect(await derivedAgain()).toEqual(expected);
  expect(await detailOf(invoiceId, "matrix")).toMatchObject({
    tiers: [
      { cell: { model: "swift" }, quantity: "10", exactMinor: "5" },
      { cell: { model: "deep" }, quantity: "5", exactMinor: "10" },
      { cell: { model: "odd" }, quantity: "4", exactMinor: "4" },
    ],
  });
  expect(await detailOf(invoiceId, "peak_hours")).toMatchObject({
    maxima: [
      { start: "2026-01-08T10:00:00.000Z", quantity: "4" },
      { start: "2026-01-08T11:00:00.000Z", quantity: "7" },
    ],
  });
  expect(await detailOf(invoiceId, "cost_plus")).toMatchObject({
    tiers: [
      { cell: { model: "deep" }, costSince: "2026-01-01T00:00:00.000Z", unitPriceMinor: "0.3" },
      { cell: { model: "deep" }, costSince: "2026-01-16T00:00:00.000Z", unitPriceMinor: "0.6" },
      { cell: { model: "new" }, isNotPriced: true, exactMinor: "0" },
    ],
  });
  expect(await quantitiesOfEvents(invoiceId, "matrix")).toEqual(["5", "20", "4"]);
});

test("what comes late is rated with the rest of its month, and only the difference is billed", async () => {
  await use([
    ["2026-01-30T10:00:00Z", "tokens", { model: "swift", quantity: 2 }],
    // Now this is the first payment and free, and the one of 1000 costs 29 + 30.
    ["2026-01-02T10:00:00Z", "payment", { quantity: 400 }],
    ["2026-01-06T16:00:00Z", "connections", { quantity: 15 }],
    ["2026-01-12T10:00:00Z", "provider", { model: "deep", quantity: 10 }],
  ]);
  const invoiceId = await close(february, "2026-03-01T06:00:00Z");
  expect(await billed(invoiceId, "late_usage")).toEqual([
    "cost_plus 10 3", // 10 × 0.3
    "matrix 2 1", // 2 × 0.5
    "peak_days 12 9.5", // 15 instead of 3: 10 × 1 + 5 × 0.5 − 3
    "percentage 400 59",
  ]);
  expect(await quantitiesOfEvents(invoiceId, "percentage")).toEqual(["400"]);
  await foldAll(db);
  await expectInvariants(db);
});

async function use(events: readonly [time: string, type: string, data: Record<string, string | number>][]) {
  const parsed = events.map(([time, type, data]) => ({
    id: `${type} ${time}`,
    source: "test",
    customerId: "acme",
    type,
    time: instant(time),
    data,
  }));
  await ingestEvents(db, parsed, await publishedMeters(db.orm));
}

async function close(periodStart: typeof start, at: string): Promise<string> {
  const closed = await closePeriodOnce(
    db,
    { subscriptionId: "sub", periodStart: isoOf(periodStart), at },
    { usageWaitMsMax: 0 },
  );
  invariant(
    closed.outcome === "closed" && closed.invoiceId !== null,
    "the period was closed with an invoice",
  );
  return closed.invoiceId;
}

async function billed(invoiceId: string, kind: string): Promise<string[]> {
  const lines = await linesOfInvoice(db.orm, invoiceId);
  return lines
    .filter((line) => line.kind === kind)
    .map(({ priceKey, quantity, exactMinor }) => `${priceKey} ${quantity} ${exactMinor}`)
    .toSorted();
}

async function costNow(): Promise<string[]> {
  const now = instant("2026-01-31T12:00:00Z");
  const [cost] = await inSnapshot(db, (tx) => periodCosts(tx, { customerId: "acme", now }));
  return (cost?.rated ?? [])
    .map(({ price, rated }) => `${price.key} ${rated.quantity} ${rated.exactMinor}`)
    .toSorted();
}

/** From the events that the run saw, as its snapshot keeps them. */
async function derivedAgain(): Promise<string[]> {
  return await inTransaction(db, async (tx) => {
    const run = await closingRun(tx, "sub", start);
    const [row] = await subscriptionsOfCustomer(tx, "acme");
    invariant(run !== undefined && row !== undefined, "the period was closed");
    const agreed = await agreedPeriod(tx, row, start);
    const usage = await periodUsage(tx, { ...agreed, customerId: "acme", visibleIn: run.snapshot });
    return rateStretches(usage, { full: agreed.full, timeZone: "UTC" }, agreed.meters)
      .map(({ price, rated }) => `${price.key} ${rated.quantity} ${rated.exactMinor}`)
      .toSorted();
  });
}

async function detailOf(invoiceId: string, priceKey: string): Promise<unknown> {
  const lines = await linesOfInvoice(db.orm, invoiceId);
  return lines.find((line) => line.priceKey === priceKey)?.detail;
}

async function quantitiesOfEvents(invoiceId: string, priceKey: string): Promise<string[]> {
  const lines = await linesOfInvoice(db.orm, invoiceId);
  const line = lines.find((each) => each.priceKey === priceKey)?.line;
  invariant(line !== undefined, "the price has a line");
  return await inTransaction(db, async (tx) => {
    const rated = await findRatedLine(tx, invoiceId, line);
    invariant(rated !== undefined, "the line bills usage");
    const { items } = await eventsOfLine(tx, rated, { limit: 20 });
    return items.map(({ quantity }) => quantity);
  });
}

const meter = (eventType: string, aggregation: string, dimensions: string[] = []) => ({
  key: eventType,
  eventType,
  aggregation,
  property: "quantity",
  dimensions,
});

const price = (key: string, of: string, model: object, more: object = {}) => ({
  key,
  type: "usage",
  name: key,
  product: "usage",
  meter: of,
  model,
  ...more,
});

const costs = (effectiveAt: string, input: string) => ({
  effectiveAt,
  rows: [{ values: { model: "deep" }, costs: { input } }],
});

const catalog = {
  meters: [
    meter("tokens", "sum", ["model"]),
    meter("payment", "sum"),
    meter("connections", "max"),
    meter("sessions", "max"),
    meter("provider", "sum", ["model"]),
    { ...meter("returns", "sum"), negative: "counted" },
    meter("dust", "sum"),
  ],
  costTables: [
    {
      key: "provider",
      name: "Provider",
      currency: "usd",
      dimensions: ["model"],
      versions: [costs("2026-01-01T00:00:00Z", "0.25"), costs("2026-01-16T00:00:00Z", "0.5")],
    },
  ],
  plans: [
    {
      key: "models",
      name: "Models",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      graceSeconds: 3600,
      prices: [
        price(
          "matrix",
          "tokens",
          {
            type: "matrix",
            dimensions: ["model"],
            cells: [
              { values: { model: "swift" }, unitPriceMinor: "0.5" },
              { values: { model: "deep" }, unitPriceMinor: "2" },
            ],
            defaultUnitPriceMinor: "1",
          },
          { included: "10" },
        ),
        price("percentage", "payment", {
          type: "percentage",
          percent: "2.9",
          feePerEventMinor: "30",
          freeEvents: 1,
          perEventMinMinor: "50",
          perEventMaxMinor: "500",
        }),
        price(
          "peak_days",
          "connections",
          {
            type: "graduated",
            tiers: [
              { upTo: "10", unitPriceMinor: "1" },
              { upTo: null, unitPriceMinor: "0.5" },
            ],
          },
          { buckets: { per: "day", price: "each" } },
        ),
        price(
          "peak_hours",
          "sessions",
          { type: "package", packageSize: "10", packagePriceMinor: "7" },
          { buckets: { per: "hour", price: "sum" } },
        ),
        price("cost_plus", "provider", {
          type: "cost_plus",
          costTable: "provider",
          tokenClass: "input",
          dimensions: ["model"],
          markupPercent: "20",
        }),
        price("dust", "dust", { type: "per_unit", unitPriceMinor: "0.000000000001" }),
        price("mirrored", "returns", { type: "per_unit", unitPriceMinor: "2" }, { negative: "mirrored" }),
      ],
    },
  ],
};
