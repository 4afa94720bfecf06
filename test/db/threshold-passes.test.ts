import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ThresholdPasses } from "../../src/activities/bill-thresholds.ts";
import { updateInvoice } from "../../src/db/billing/invoices.ts";
import { moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import { BilledMonths } from "./billed-months.ts";

/** Only what something has changed for is rated again, and nothing that has changed is left out. */

let months: BilledMonths;
let passes: ThresholdPasses;
let isTemporalAway = false;

const gateway = {
  async startCollection({ invoiceId }) {
    if (isTemporalAway) throw new Error("Temporal is away");
    await updateInvoice(months.db.orm, invoiceId, { collectedBy: `collection/${invoiceId}` });
  },
} as Pick<TemporalGateway, "startCollection"> as TemporalGateway;

beforeAll(async () => {
  months = await BilledMonths.begin(catalog);
});
afterAll(() => months.end());

beforeEach(() => {
  isTemporalAway = false;
  passes = new ThresholdPasses({ db: months.db, gateway }, 2);
});

/** A whole pass, by pages of two. */
async function pass(): Promise<{ lookedAt: number; issued: number }> {
  const sum = { lookedAt: 0, issued: 0 };
  for (;;) {
    const { lookedAt, issued, hasMore, failure } = await passes.next(instant("2026-01-20T00:00:00Z"));
    if (!isTemporalAway) expect(failure).toBeUndefined();
    sum.lookedAt += lookedAt;
    sum.issued += issued;
    if (!hasMore) return sum;
  }
}

const clockTo = (id: string, time: string) => {
  const at = instant(time);
  return moveTestClock(months.db.orm, id, { currentAt: at, targetAt: at, isSettled: true });
};

test("at first all are looked at, then those with usage since, whatever the time of the usage", async () => {
  for (const id of ["ash", "elm", "fir"]) await months.subscribe(id, "stepped");
  await months.subscribe("bare", "plain");
  expect(await pass()).toEqual({ lookedAt: 3, issued: 0 });
  expect(await pass()).toEqual({ lookedAt: 0, issued: 0 });
  await months.use("elm", "2026-01-01T00:00:00Z", 60);
  await months.use("bare", "2026-01-01T00:00:00Z", 600);
  expect(await pass()).toEqual({ lookedAt: 1, issued: 0 });
  await months.use("elm", "2026-01-01T00:00:00Z", 50);
  expect(await pass()).toEqual({ lookedAt: 1, issued: 1 });
  // Its own invoice is a change too: once more it is looked at, and no more.
  expect([await pass(), await pass()]).toEqual([
    { lookedAt: 1, issued: 0 },
    { lookedAt: 0, issued: 0 },
  ]);
});

test("usage that was written before a pass and commits after it is seen by the next", async () => {
  for (const id of ["slow", "quick"]) await months.subscribe(id, "stepped");
  for (const id of ["slow", "quick"]) await months.use(id, "2026-01-02T00:00:00Z", 10);
  let commit = () => {};
  const wait = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let isWritten = () => {};
  const written = new Promise<void>((resolve) => {
    isWritten = resolve;
  });
  const meters = await publishedMeters(months.db.orm);
  const event = (id: string, tokens: number) => ({
    ...{ id, source: "late", customerId: "slow", type: "request", data: { tokens } },
    time: instant("2026-01-02T00:00:00Z"),
  });
  // So that the month is known to be open: whoever asks for it locks it until he commits.
  await ingestEvents(months.db, [event("early", 1)], meters);
  await pass();
  const late = months.db.sql.begin(async (sql) => {
    await ingestEvents({ sql }, [event("late", 500)], meters);
    isWritten();
    await wait;
  });
  await written;
  // Later transactions commit, and are seen, before it does.
  await months.use("quick", "2026-01-02T00:00:00Z", 20);
  expect(await pass()).toEqual({ lookedAt: 1, issued: 0 });
  expect(await pass()).toEqual({ lookedAt: 0, issued: 0 });
  commit();
  await late;
  expect(await pass()).toEqual({ lookedAt: 1, issued: 1 });
});

test("usage of a month whose predecessor is still open is looked at when that is closed", async () => {
  await months.subscribe("next", "stepped");
  await pass();
  await months.use("next", "2026-02-02T00:00:00Z", 500);
  await clockTo("next", "2026-02-01T00:30:00Z");
  expect(await pass()).toEqual({ lookedAt: 1, issued: 0 });
  await months.close("next", "2026-01-01", "2026-02-01");
  expect(await pass()).toEqual({ lookedAt: 1, issued: 1 });
});

test("a change to a plan with thresholds is noticed, and what is held over time changes by itself", async () => {
  await months.subscribe("moved", "plain");
  await months.use("moved", "2026-01-02T00:00:00Z", 500);
  await pass();
  await months.change("moved", "2026-01-03T00:00:00Z", { kind: "change_plan", planKey: "stepped" });
  expect(await pass()).toEqual({ lookedAt: 1, issued: 1 });
  await months.subscribe("holder", "levels");
  await pass();
  expect((await pass()).lookedAt).toBe(1);
});

test("what failed is looked at again, and so is everything when asked to forget", async () => {
  await pass();
  await months.use("ash", "2026-01-05T00:00:00Z", 500);
  isTemporalAway = true;
  expect(await pass()).toMatchObject({ issued: 1 });
  isTemporalAway = false;
  const again = await pass();
  expect(again.lookedAt).toBeGreaterThanOrEqual(1);
  passes.forget();
  const all = await months.db.sql`select from billing.subscription where id not in ('bare')`;
  expect((await pass()).lookedAt).toBe(all.length);
});

test("no threshold is missed while usage comes in from several sides at once", async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `busy-${index}`);
  for (const id of ids) await months.subscribe(id, "stepped");
  const useFrom = async (writer: number) => {
    for (let round = 0; round < 5; round++) {
      for (const id of ids) await months.use(id, `2026-01-0${1 + writer}T00:00:00Z`, 6);
    }
  };
  await whileRepeating([pass], () => Promise.all([0, 1, 2, 3].map(useFrom)));
  await pass();
  // 4 × 5 × 6 = 120 of each: past the threshold of 100.
  const billed = await months.db.sql<{ id: string }[]>`
    select distinct subscription_id as id from billing.invoice where kind = 'threshold' and subscription_id like 'busy-%' order by 1`;
  expect(billed.map(({ id }) => id)).toEqual(ids);
});

const plan = (key: string, meter: string, rest: object) => ({
  ...{ key, name: key, currency: "usd", interval: { unit: "month", count: 1 } },
  prices: [
    {
      ...{ key: "deep", name: "deep", product: "tokens", type: "usage", meter },
      model: { type: "per_unit", unitPriceMinor: "1" },
    },
  ],
  ...rest,
});

const thresholds = { amountsMinor: ["100"] };
const meter = { eventType: "request", property: "tokens" };
const catalog = {
  meters: [
    { ...meter, key: "tokens", aggregation: "sum" },
    { ...meter, key: "held", aggregation: "time_weighted_sum" },
  ],
  plans: [
    plan("stepped", "tokens", { thresholds }),
    plan("plain", "tokens", {}),
    plan("levels", "held", { thresholds }),
  ],
};
