import { afterAll, beforeAll, expect, test } from "vitest";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { beginStory, isoTime } from "../support/system-story.ts";

/** Builds are measured in milliseconds and sold by the core hour, begun hours full: 90 cents. Tests are not billed. */
const catalog: Schemas["CatalogDefinitionInput"] = {
  meters: [
    {
      key: "build_time",
      event_type: "build.finished",
      aggregation: "sum",
      value: "duration_ms * cores",
      filter: [{ member: "kind", not_in: ["test"] }],
      dimensions: ["os"],
      unit: { name: "core hours", factor: "1/3600000", decimals: 0, rounding: "up" },
    },
  ],
  plans: [
    {
      key: "builder",
      name: "Builder",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      grace_seconds: 3600,
      prices: [
        {
          type: "usage",
          key: "builds",
          name: "Builds",
          product: "builds",
          meter: "build_time",
          unit_label: "core hour",
          model: { type: "per_unit", unit_price_minor: "90" },
        },
      ],
    },
  ],
};

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: catalog });
});
afterAll(() => system.stop());

async function builds(rows: readonly (readonly [time: string, os: string, hours: number, kind: string])[]) {
  const events = rows.map(([time, os, hours, kind], index) => ({
    id: `${time} ${index}`,
    source: "ci",
    customer: "ada",
    type: "build.finished",
    time: isoTime(time),
    data: { os, kind, duration_ms: hours * 1_800_000, cores: 2 },
  }));
  await system.client.post("/v1/events", { body: { events } });
}

test("what is computed, filtered and converted is billed, late usage by the difference of begun hours", async () => {
  const ada = await beginStory(system, { id: "ada", plan: "builder" });
  await ada.until("04-20");
  await builds([
    ["04-05", "linux", 1.5, "release"],
    ["04-06", "mac", 0.25, "release"],
    ["04-07", "linux", 40, "test"],
  ]);
  await ada.until("05-01 02:00");
  // 1.5 + 0.25 = 1.75 core hours: two have begun, though each system for itself would make 2 + 1.
  expect(await ada.sums()).toEqual(["cycle: 180 = 180, paid"]);
  // 0.25 more fill the second hour, 0.5 more begin a third.
  await builds([["04-08", "mac", 0.25, "release"]]);
  await ada.until("05-10");
  await builds([["04-09", "linux", 0.5, "release"]]);
  await ada.until("06-01 02:00");
  const [, may] = await ada.invoices();
  expect(may?.lines.map(({ quantity, amount_minor }) => [quantity, amount_minor])).toEqual([["1", "90"]]);
  await expectInvariants(system.db);
});
