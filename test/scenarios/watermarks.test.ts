import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory, isoTime } from "../support/system-story.ts";

/**
 * Customers whose usage comes from a source that says how far it is. Metered costs a cent a call; periods begin on the
 * first, with an hour of grace; a close waits six hours more at most.
 */
let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system.stop());
afterEach(() => expectInvariants(system.db));

const beat = (customer: string, until: string) =>
  system.client.post("/v1/usage/heartbeats", {
    body: { source: "scenario", customers: [customer], complete_until: isoTime(until) },
  });

async function closed(customer: string) {
  const { data } = await system.client.get("/v1/invoices", { params: { query: { customer } } });
  return data
    .filter(({ kind }) => kind === "cycle")
    .map(({ issued_at, usage_complete_until, usage_known_by, usage_held_back_by, total_minor }) =>
      [issued_at, total_minor, usage_complete_until, usage_known_by, usage_held_back_by].join(" "),
    );
}

test("usage that was held up is on the invoice of its period, because the close has waited for its source", async () => {
  const ida = await beginStory(system, { id: "ida", plan: "metered" });
  await ida.until("04-30");
  await ida.uses(100, "04-20");
  await beat("ida", "04-30");
  await ida.until("05-01 03:00");
  expect(await closed("ida")).toEqual([]);
  await ida.uses(30, "04-30");
  await beat("ida", "05-01 02:00");
  await ida.until("05-01 04:00");
  // Looked at when the grace is over, after 1, 2, 4, 8, 16 minutes, and from then on every 15: at 01:31, …, 02:46, 03:01.
  expect(await closed("ida")).toEqual(["2026-05-01T03:01:00.000Z 130 2026-05-01T00:00:00.000Z reported "]);
});

test("one that never comes holds it up to the limit; the invoice says so, and the next one has the rest", async () => {
  const jon = await beginStory(system, { id: "jon", plan: "metered" });
  await jon.until("04-30");
  await jon.uses(100, "04-20");
  await beat("jon", "04-25");
  await jon.until("05-02");
  await jon.uses(80, "04-28");
  await beat("jon", "05-01 12:00");
  expect(await closed("jon")).toEqual([
    "2026-05-01T07:00:00.000Z 100 2026-04-25T00:00:00.000Z reported scenario",
  ]);
  await jon.until("05-31");
  await beat("jon", "05-31");
  await jon.until("06-01 00:30");
  await beat("jon", "06-01 00:10");
  await jon.until("06-02");
  expect((await closed("jon"))[0]).toBe("2026-06-01T01:00:00.000Z 80 2026-06-01T00:00:00.000Z reported ");
});

test("who has no source that speaks for him is closed after the grace", async () => {
  const kim = await beginStory(system, { id: "kim", plan: "metered" });
  await kim.until("04-30");
  await kim.uses(100, "04-20");
  await kim.until("05-01 02:00");
  expect(await closed("kim")).toEqual(["2026-05-01T01:00:00.000Z 100 2026-05-01T00:00:00.000Z none "]);
});
