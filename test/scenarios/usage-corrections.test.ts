import { afterAll, beforeAll, expect, test } from "vitest";
import { createReckonerClient, type ReckonerClient, type Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { beginStory, isoTime } from "../support/system-story.ts";

/** The first hundred calls at two dollars each, further ones at one. */
const catalog: Schemas["CatalogDefinitionInput"] = {
  meters: [{ key: "calls", event_type: "api.calls", aggregation: "sum", property: "calls" }],
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
          key: "calls",
          name: "Calls",
          product: "calls",
          meter: "calls",
          unit_label: "call",
          model: {
            type: "graduated",
            tiers: [
              { up_to: "100", unit_price_minor: "200" },
              { up_to: null, unit_price_minor: "100" },
            ],
          },
        },
      ],
    },
  ],
};

let system: System;
let finance: ReckonerClient;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: catalog });
  const key = await system.client.post("/v1/api-keys", { body: { name: "finance", scopes: ["approve"] } });
  finance = createReckonerClient({ baseUrl: system.surroundings.apiUrl, apiKey: key.secret ?? "" });
});
afterAll(() => system.stop());

type Correction = Schemas["UsageCorrection"];
const eventOf = (customer: string, time: string) => ({ source: "scenario", id: `${customer} ${time}` });

const amend = (customer: string, time: string, calls: number): Promise<Correction> =>
  system.client.post("/v1/usage/corrections", {
    body: {
      kind: "amend",
      events: [{ ...eventOf(customer, time), data: { calls } }],
      reason_code: "wrong_quantity",
    },
  });
const voidOne = (customer: string, time: string): Promise<Correction> =>
  system.client.post("/v1/usage/corrections", {
    body: { kind: "void", events: [eventOf(customer, time)], reason_code: "duplicate" },
  });
const approve = ({ id }: Correction) =>
  finance.post("/v1/usage/corrections/{id}/approve", { params: { path: { id } }, body: {} });

test("what is corrected before the close is billed as it is then, by one key alone", async () => {
  const eve = await beginStory(system, { id: "eve", plan: "metered" });
  await eve.until("04-20");
  await eve.uses(90, "04-05");
  await eve.uses(60, "04-06");
  expect((await amend("eve", "04-05", 20)).status).toBe("executed");
  expect((await voidOne("eve", "04-06")).status).toBe("executed");
  await eve.until("05-01 02:00");
  // 20 × 200
  expect(await eve.sums()).toEqual(["cycle: 4000 = 4000, paid"]);
});

test("what is corrected in a period that was invoiced waits for a second key, and changes the next invoice by the difference", async () => {
  const ada = await beginStory(system, { id: "ada", plan: "metered" });
  await ada.until("04-20");
  await ada.uses(90, "04-05");
  await ada.uses(60, "04-06");
  await ada.until("05-01 02:00");
  // 100 × 200 + 50 × 100
  expect(await ada.sums()).toEqual(["cycle: 25000 = 25000, paid"]);

  const voided = await voidOne("ada", "04-06");
  expect([voided.status, voided.approval.changes_billed]).toEqual(["pending_approval", true]);
  expect((await approve(voided)).status).toBe("executed");
  await ada.until("05-20");
  await ada.uses(10, "05-05");
  await ada.until("06-01 02:00");
  // April is now 90 × 200 = 18000, which is 7000 less: May's 10 × 200 is paid from that, and 5000 are left.
  expect(await ada.sums()).toEqual([
    "cycle: 25000 = 25000, paid",
    "cycle: 2000 + 0 − 2000 balance = 0, paid",
  ]);
  expect(await ada.balance()).toBe("5000");

  expect((await approve(await amend("ada", "04-05", 120))).status).toBe("executed");
  await ada.until("07-01 02:00");
  // April is now 100 × 200 + 20 × 100 = 22000, which is 4000 more.
  const [, , june] = await ada.invoices();
  expect(
    june?.lines.map(({ kind, period_start, amount_minor }) => [kind, period_start, amount_minor]),
  ).toEqual([["late_usage", isoTime("04-01").replace("Z", ".000Z"), "4000"]]);
  expect(await ada.balance()).toBe("1000");
});

test("a backfill of an invoiced period is billed with the next invoice, and taken back with the one after", async () => {
  const ben = await beginStory(system, { id: "ben", plan: "metered" });
  await ben.until("04-20");
  await ben.uses(90, "04-05");
  await ben.until("05-10");
  const backfill = await system.client.post("/v1/usage/backfills", {
    body: { name: "lost calls", reason: "the gateway was down" },
  });
  const events = [
    {
      ...eventOf("ben", "04-07"),
      customer: "ben",
      type: "api.calls",
      time: isoTime("04-07"),
      data: { calls: 30 },
    },
  ];
  await system.client.post("/v1/events", { params: { query: { backfill: backfill.id } }, body: { events } });
  await ben.until("06-01 02:00");
  // 10 × 200 + 20 × 100 more in April
  expect(await ben.sums()).toEqual(["cycle: 18000 = 18000, paid", "cycle: 4000 = 4000, paid"]);

  const path = { id: backfill.id };
  const revert = await system.client.post("/v1/usage/backfills/{id}/revert", {
    params: { path },
    body: { reason_code: "service_fault", note: "they were there" },
  });
  expect(revert.status).toBe("pending_approval");
  await approve(revert);
  expect((await system.client.get("/v1/usage/backfills/{id}", { params: { path } })).state).toBe("reverted");
  await ben.until("07-01 02:00");
  expect(await ben.balance()).toBe("4000");
  await expectInvariants(system.db);
});
