import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instant } from "../../src/domain/calendar/index.ts";
import { createLogger } from "../../src/logger.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import { startLateUsageWatching } from "../../src/workers/late-usage-watching.ts";
import type { BillingCycleInput } from "../../src/workflows/messages.ts";
import { SeveralSubscriptions } from "../db/several-subscriptions.ts";
import { openUsage, type UsageFixture } from "../db/usage-fixture.ts";

let usage: UsageFixture;
let story: SeveralSubscriptions;
beforeAll(async () => {
  usage = await openUsage({ poolSize: 4 });
  story = new SeveralSubscriptions(usage.db);
  await story.begin();
});
afterAll(() => usage.close());

/** Ended on 15 January, and billed to its end. */
async function left(customerId: string): Promise<void> {
  await story.customer(customerId);
  await story.subscribe(customerId, "storage");
  await story.change(`${customerId}-storage`, "2026-01-15T00:00:00Z", { kind: "cancel", credit: "none" });
  await story.close(`${customerId}-storage`, "2026-01-01T00:00:00Z", "2026-01-15T02:00:00Z");
}

test("two workers notice late usage once, and have a run started for it though Temporal was away", async () => {
  for (const customerId of ["ash", "bolt"]) await left(customerId);
  const started: BillingCycleInput[] = [];
  let fails = true;
  const gateway = {
    async startBillingCycle(input) {
      if (fails) {
        fails = false;
        throw new Error("Temporal is away");
      }
      started.push(input);
    },
  } as Pick<TemporalGateway, "startBillingCycle"> as TemporalGateway;
  const registries = [new Registry(), new Registry()];
  const workers = registries.map((metrics) =>
    startLateUsageWatching({
      deps: { db: usage.db, gateway, now: () => instant("2026-01-20T00:00:00Z") },
      logger: createLogger({ level: "fatal", format: "json" }, "worker"),
      metrics,
      everyMs: 5,
    }),
  );
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await delay(5);
  };
  await story.use("ash", "store", "2026-01-10T00:00:00Z", 500);
  await until(() => started.some(({ customerId }) => customerId === "ash"));
  await story.use("bolt", "store", "2026-01-11T00:00:00Z", 500);
  await until(() => started.some(({ customerId }) => customerId === "bolt"));
  await Promise.all(workers.map((worker) => worker.stop()));
  // Each worker starts a run at most once; that of one id is one in any case.
  expect(started.length).toBeLessThanOrEqual(4);
  expect(new Set(started.map((input) => JSON.stringify(input))).size).toBe(2);
  const texts = await Promise.all(registries.map((metrics) => metrics.metrics()));
  const noticed = texts.map((text) =>
    Number(/^reckoner_late_usage_after_end_total (\d+)$/m.exec(text)?.[1] ?? 0),
  );
  expect(noticed.reduce((sum, count) => sum + count, 0)).toBe(2);
});
