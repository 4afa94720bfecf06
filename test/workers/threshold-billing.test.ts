import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { updateInvoice } from "../../src/db/billing/invoices.ts";
import { moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { createLogger } from "../../src/logger.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import { startThresholdBilling } from "../../src/workers/threshold-billing.ts";
import { BilledMonths } from "../db/billed-months.ts";

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalog);
});
afterAll(() => months.end());

test("two workers bill each threshold once, by the customer's clock, and have every invoice collected", async () => {
  const { db } = months;
  await months.subscribe("acme", "stepped");
  await months.subscribe("bolt", "plain");
  const started: { invoiceId: string; now: string | undefined }[] = [];
  let fails = true;
  const gateway = {
    async startCollection({ invoiceId, clock }) {
      // Whoever issued it may die before its collection is started: the next turn starts it.
      if (fails) {
        fails = false;
        throw new Error("Temporal is away");
      }
      started.push({ invoiceId, now: clock?.now });
      await updateInvoice(db.orm, invoiceId, { collectedBy: `collection/${invoiceId}` });
    },
  } as Pick<TemporalGateway, "startCollection"> as TemporalGateway;
  const logger = createLogger({ level: "fatal", format: "json" }, "worker");
  const registries = [new Registry(), new Registry()];
  const workers = registries.map((metrics) =>
    startThresholdBilling({
      deps: { db, gateway, now: () => instant("2026-01-20T00:00:00Z") },
      logger,
      metrics,
      everyMs: 5,
    }),
  );
  const until = async (collected: number) => {
    const seen = () => new Set(started.map(({ invoiceId }) => invoiceId)).size;
    while (seen() < collected) await delay(5);
  };
  await clockTo("2026-01-05T00:00:00Z");
  for (const customerId of ["acme", "bolt"]) await months.use(customerId, "2026-01-04T00:00:00Z", 12_000);
  await until(1);
  await clockTo("2026-01-10T00:00:00Z");
  await months.use("acme", "2026-01-09T00:00:00Z", 8_500);
  await until(2);
  await Promise.all(workers.map((worker) => worker.stop()));
  const billed =
    await db.sql`select kind, customer_id, total_minor, issued_at::text from billing.invoice order by issued_at`;
  expect(billed.map((row) => [row.kind, row.customer_id, row.total_minor])).toEqual([
    ["threshold", "acme", 12_000n],
    ["threshold", "acme", 8_500n],
  ]);
  expect(started.map(({ now }) => now).toSorted()).toContain("2026-01-10T00:00:00.000Z");
  const texts = await Promise.all(registries.map((metrics) => metrics.metrics()));
  const issued = texts.map((text) =>
    Number(/^reckoner_threshold_invoices_total (\d+)$/m.exec(text)?.[1] ?? 0),
  );
  expect(issued.reduce((sum, count) => sum + count, 0)).toBe(2);
});

async function clockTo(time: string): Promise<void> {
  const at = instant(time);
  for (const id of ["acme", "bolt"]) {
    await moveTestClock(months.db.orm, id, { currentAt: at, targetAt: at, isSettled: true });
  }
}

const plan = (key: string, rest: object) => ({
  key,
  name: key,
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices: [
    {
      ...{ key: "deep", name: "deep", product: "tokens", type: "usage", meter: "tokens" },
      model: { type: "per_unit", unitPriceMinor: "1" },
    },
  ],
  ...rest,
});

const catalog = {
  meters: [
    { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
  ],
  plans: [plan("stepped", { thresholds: { amountsMinor: ["10000", "20000"] } }), plan("plain", {})],
};
