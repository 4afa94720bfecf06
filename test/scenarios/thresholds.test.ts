import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { createLogger } from "../../src/logger.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { TemporalGateway } from "../../src/temporal/gateway.ts";
import type { RepeatedWork } from "../../src/workers/repeated-work.ts";
import { startThresholdBilling } from "../../src/workers/threshold-billing.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { beginStory, isoTime } from "../support/system-story.ts";

const catalog: Schemas["CatalogDefinitionInput"] = {
  meters: [{ key: "tokens", event_type: "used", aggregation: "sum", property: "tokens" }],
  plans: [
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      grace_seconds: 3600,
      prices: [
        {
          type: "usage",
          key: "tokens",
          name: "Tokens",
          product: "tokens",
          meter: "tokens",
          unit_label: "token",
          model: { type: "per_unit", unit_price_minor: "1" },
        },
      ],
      thresholds: { amounts_minor: ["10000", "20000"] },
    },
  ],
};

let system: System;
let billing: RepeatedWork;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: catalog });
  const { db, surroundings } = system;
  const gateway = new TemporalGateway(surroundings.temporalClient, surroundings.temporal.taskQueue);
  billing = startThresholdBilling({
    deps: { db, gateway, now: () => instantOfEpochMs(Date.now()) },
    logger: createLogger({ level: "silent", format: "json" }, "test"),
    metrics: new Registry(),
    everyMs: 50,
  });
});
afterAll(async () => {
  await billing.stop();
  await system.stop();
});

async function use(day: string, tokens: number) {
  const event = {
    id: day,
    source: "app",
    customer: "ada",
    type: "used",
    time: isoTime(day),
    data: { tokens },
  };
  await system.client.post("/v1/events", { body: { events: [event] } });
}

test("each threshold is billed and collected while the month goes on, and the month's own invoice bills the rest", async () => {
  const ada = await beginStory(system, { id: "ada", plan: "metered" });
  const until = async (...sums: string[]) => {
    let found = await ada.sums();
    for (
      const end = Date.now() + 60_000;
      found.join() !== sums.join() && Date.now() < end;
      found = await ada.sums()
    )
      await delay(100);
    expect(found).toEqual(sums);
  };
  await ada.until("04-05 12:00");
  await use("04-05", 12_000);
  await until("threshold: 12000 = 12000, paid");
  await ada.until("04-10 12:00");
  await use("04-10", 8_500);
  await until("threshold: 12000 = 12000, paid", "threshold: 8500 = 8500, paid");
  await ada.until("04-20 12:00");
  await use("04-20", 4_500);
  await ada.until("05-01 02:00");
  await until("threshold: 12000 = 12000, paid", "threshold: 8500 = 8500, paid", "cycle: 4500 = 4500, paid");
  await expectInvariants(system.db);
}, 180_000);
