import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyChange } from "../../src/activities/apply-change.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { type PeriodCost, periodCosts } from "../../src/db/billing/period-cost.ts";
import { lockCustomer } from "../../src/db/billing/subscriptions.ts";
import { insertTestClock } from "../../src/db/billing/test-clocks.ts";
import { type Database, inSnapshot, inTransaction, openDatabase } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { chargeOf } from "../../src/domain/invoicing/index.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { addCustomer } from "./usage-fixture.ts";

let db: Database;
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  ending.push(drop, () => db.close());
  await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
  await insertTestClock(db.orm, "clock", instant("2026-01-01T00:00:00Z"));
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const months = ["2026-01", "2026-02", "2026-03", "2026-04"].map((month) => instant(`${month}-01T00:00:00Z`));
const day = 86_400_000;

interface Used {
  readonly day: number;
  readonly isLate: boolean;
  readonly model: string;
  readonly tokens: number;
}

const anyMonth = fc.record({
  used: fc.array(
    fc.record({
      day: fc.integer({ min: 0, max: 27 }),
      isLate: fc.boolean(),
      model: fc.constantFrom("large", "small"),
      tokens: fc.integer({ min: 0, max: 400 }),
    }),
    { maxLength: 8 },
  ),
  changeOn: fc.option(fc.integer({ min: 1, max: 27 })),
});

let customers = 0;

test("what a period costs so far is what closing it at that moment bills, late usage too", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyMonth, { minLength: 3, maxLength: 3 }), async (story) => {
      const customerId = `customer-${++customers}`;
      await addCustomer(db, customerId, "clock");
      await open(customerId);
      for (const [index, { used, changeOn }] of story.entries()) {
        await use(customerId, index, used);
        if (changeOn !== null) await changePlan(customerId, index, changeOn);
        const shown = await costAt(customerId, index);
        const billed = await close(customerId, index);
        expect(shown).toEqual(billed);
      }
    }),
    { numRuns: 12, seed: 20260101 },
  );
});

test("levels that still hold count until now, and nothing else is cut", async () => {
  const customerId = "levels";
  await addCustomer(db, customerId, "clock");
  await open(customerId);
  await use(customerId, 0, [{ day: 0, isLate: false, model: "large", tokens: 10 }]);
  const quantityAt = async (days: number) => {
    const now = instantOfEpochMs((months[0] ?? 0) + days * day);
    const [cost] = await inSnapshot(db, (tx) => periodCosts(tx, { customerId, now }));
    return Object.fromEntries(
      (cost?.rated ?? []).map(({ price, rated }) => [price.key, rated.quantity.text]),
    );
  };
  expect(await quantityAt(2)).toMatchObject({ stored: "1728000", tokens_large: "10", users: "1" }); // 10 × 2 × 86,400 s
  expect(await quantityAt(5)).toMatchObject({ stored: "4320000", tokens_large: "10", users: "1" });
});

/** What is shown, in the words of an invoice's lines. It is read while somebody else holds the customer's lock. */
async function costAt(customerId: string, index: number) {
  const at = closingAt(index);
  const [cost] = await inTransaction(db, async (tx) => {
    await lockCustomer(tx, customerId);
    return await inSnapshot(db, (read) =>
      periodCosts(read, { customerId, now: at, periodStart: startOf(index) }),
    );
  });
  return cost === undefined ? [] : [...ratedLines(cost), ...lateLines(cost)].toSorted();
}

function ratedLines({ rated }: PeriodCost): string[] {
  return rated
    .filter(({ rated: { quantity, exactMinor } }) => !quantity.isZero() || !exactMinor.isZero())
    .map(({ stretch, plan, price, rated: { quantity, exactMinor } }) =>
      [
        "usage",
        plan.key,
        price.key,
        isoOf(stretch.start),
        quantity.text,
        exactMinor.text,
        chargeOf(plan, exactMinor).amountMinor,
      ].join(" "),
    );
}

/** What is less than nothing goes to the customer's balance, and its line asks for nothing. */
function lateLines({ late }: PeriodCost): string[] {
  return late.flatMap(({ lines }) =>
    lines.map(({ source, period, quantity, exactMinor, amount }) => {
      const isCredited = amount.amountMinor < 0n;
      return [
        "late_usage",
        source?.planKey,
        source?.priceKey,
        isoOf(period.start),
        quantity?.text,
        isCredited ? "0" : exactMinor.text,
        isCredited ? 0n : amount.amountMinor,
      ].join(" ");
    }),
  );
}

async function close(customerId: string, index: number): Promise<string[]> {
  const closed = await closePeriodOnce(
    db,
    {
      subscriptionId: `sub-${customerId}`,
      periodStart: isoOf(startOf(index)),
      at: isoOf(closingAt(index)),
    },
    { usageWaitMsMax: 0 },
  );
  if (closed.outcome === "waiting" || closed.invoiceId === null) return [];
  const lines = await linesOfInvoice(db.orm, closed.invoiceId);
  return lines
    .filter(({ kind }) => kind === "usage" || kind === "late_usage")
    .map(({ kind, planKey, priceKey, periodStart, quantity, exactMinor, amountMinor }) =>
      [kind, planKey, priceKey, isoOf(periodStart), quantity, exactMinor, amountMinor].join(" "),
    )
    .toSorted();
}

const startOf = (index: number): Instant => months[index] ?? instantOfEpochMs(0);
const closingAt = (index: number): Instant => instantOfEpochMs(startOf(index + 1) + 3_600_000);

async function open(customerId: string): Promise<void> {
  await openSubscription(db, {
    subscriptionId: `sub-${customerId}`,
    customerId,
    requestId: "open",
    at: isoOf(startOf(0)),
    items: [{ planKey: "starter", seats: 1 }],
  });
}

async function changePlan(customerId: string, index: number, days: number): Promise<void> {
  await applyChange(db, {
    subscriptionId: `sub-${customerId}`,
    changeId: `change-${index}`,
    at: isoOf(instantOfEpochMs(startOf(index) + days * day)),
    change: { kind: "change_plan", planKey: index % 2 === 0 ? "growth" : "starter" },
  });
}

/** Late: in the month before, which is closed already. */
async function use(customerId: string, index: number, used: readonly Used[]): Promise<void> {
  const events = used.map(({ day: days, isLate, model, tokens }, place) => ({
    id: `${customerId}/${index}/${place}`,
    source: "test",
    customerId,
    type: "request",
    time: instantOfEpochMs(startOf(isLate ? Math.max(index - 1, 0) : index) + days * day),
    data: { model, tokens, user: `user-${tokens % 3}` },
  }));
  await ingestEvents(db, events, await publishedMeters(db.orm));
}

const request = { eventType: "request", property: "tokens" };

const price = (meter: string, where: Record<string, string>, model: object, included = "0") => ({
  key: [meter, ...Object.values(where)].join("_"),
  type: "usage",
  name: meter,
  product: "usage",
  meter,
  where,
  unitLabel: "unit",
  model,
  included,
});

const volume = {
  type: "volume",
  tiers: [
    { upTo: "300", unitPriceMinor: "0.7" },
    { upTo: null, unitPriceMinor: "0.3" },
  ],
};

const prices = (unitPriceMinor: string) => {
  const perUnit = { type: "per_unit", unitPriceMinor };
  return [
    price("tokens", { model: "small" }, volume),
    price("tokens", { model: "large" }, perUnit, "100"),
    price("longest", {}, perUnit),
    price("users", {}, perUnit),
    price("stored", {}, perUnit, "50"),
  ];
};

const plan = (key: string, unitPriceMinor: string) => ({
  key,
  name: key,
  currency: "usd",
  interval: { unit: "month", count: 1 },
  graceSeconds: 3600,
  prices: prices(unitPriceMinor),
});

const catalog = {
  meters: [
    { key: "tokens", aggregation: "sum", dimensions: ["model"], ...request },
    { key: "longest", aggregation: "max", ...request },
    { key: "users", eventType: "request", aggregation: "unique_count", property: "user" },
    {
      key: "stored",
      aggregation: "time_weighted_sum",
      ...request,
    },
  ],
  plans: [plan("starter", "0.12345"), plan("growth", "0.0321")],
};
