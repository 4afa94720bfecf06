import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory } from "../support/system-story.ts";

/**
 * Small stories of one customer each. Prices, in cents: solo 3000 and 2 a call above 100; team 6000, 900 a seat above 2
 * and 1 a call above 300; metered 1 a call. All begin on 1 April; the grace for late usage is an hour.
 */
let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system.stop());

afterEach(async () => {
  const { totals } = await system.client.get("/v1/ledger/trial-balance");
  expect(totals.map(({ balanced }) => balanced)).toEqual([true]);
  await expectInvariants(system.db);
});

describe("changes inside a period", () => {
  test("an upgrade credits the unused time and charges the rest at the new plan", async () => {
    const ada = await beginStory(system, { id: "ada", plan: "solo" });
    await ada.until("04-11");
    await ada.uses(50, "04-05");
    await ada.changePlan("team", 4);
    await ada.until("04-20");
    await ada.uses(250, "04-15");
    await ada.until("05-01 02:00");
    expect(await ada.sums()).toEqual([
      "activation: 3000 = 3000, paid",
      // 20 of 30 days: of 3000, of 6000, of two seats above the included at 900.
      "proration: −2000 + 4000 + 1200 = 3200, paid",
      // 50 calls, 100 × 10/30 ≈ 33 of them included: 17 × 2. Then 250, 300 × 20/30 = 200 included: 50 × 1.
      "cycle: 34 + 50 + 6000 + 1800 = 7884, paid",
    ]);
    expect(await ada.attempts(1)).toEqual(["first paid 2026-04-11T00:00"]);
  });

  test("fewer seats are credited to the balance, which pays the next invoice", async () => {
    const ben = await beginStory(system, { id: "ben", plan: "team", seats: 5 });
    await ben.until("04-11");
    await ben.changeSeats(7);
    await ben.until("04-21");
    await ben.changeSeats(3);
    await ben.until("04-22");
    expect(await ben.balance()).toBe("1200");
    await ben.until("05-01 02:00");
    expect(await ben.sums()).toEqual([
      "activation: 6000 + 2700 = 8700, paid",
      // 20 of 30 days: of 3 seats, of 5 seats.
      "proration: −1800 + 3000 = 1200, paid",
      // 10 of 30 days: of 5 seats, of 1 seat.
      "proration: −1500 + 300 + 1200 balance = 0, paid",
      "cycle: 6000 + 900 − 1200 balance = 5700, paid",
    ]);
    expect(await ben.balance()).toBe("0");
  });

  test("while paused nothing is charged in advance, and usage goes on being billed", async () => {
    const cleo = await beginStory(system, { id: "cleo", plan: "solo" });
    await cleo.until("04-16");
    await cleo.uses(40, "04-05");
    await cleo.pause();
    expect(await cleo.status()).toBe("paused");
    await cleo.until("04-25");
    await cleo.uses(80, "04-20");
    await cleo.until("05-11");
    await cleo.resume();
    expect(await cleo.status()).toBe("active");
    await cleo.until("06-01 02:00");
    expect(await cleo.sums()).toEqual([
      "activation: 3000 = 3000, paid",
      // 15 of 30 days.
      "proration: −1500 + 1500 balance = 0, paid",
      // Half a month includes 50 calls: 40 are free, of 80 there are 30 × 2 to pay.
      "cycle: 0 + 60 − 60 balance = 0, paid",
      // 3000 × 21/31, the 10 days before being 968 (967.7…).
      "proration: 2032 − 1440 balance = 592, paid",
      "cycle: 3000 = 3000, paid",
    ]);
  });

  test("a change in the grace of the period before waits for that period's invoice", async () => {
    const dara = await beginStory(system, { id: "dara", plan: "team", seats: 4 });
    await dara.until("05-01 00:30");
    const { invoice } = await dara.changeSeats(6);
    expect(invoice).toBeNull();
    await dara.until("05-01 02:00");
    expect(await dara.sums()).toEqual([
      "activation: 6000 + 1800 = 7800, paid",
      // May as it was agreed at its start; then, after half an hour of its 744: 1800 less 1 (1.2…), 3600 less 2 (2.4…).
      "cycle: 6000 + 1800 − 1799 + 3598 = 9599, paid",
    ]);
  });
});

describe("the end", () => {
  test("canceled now: unused time is credited, and pays for the last usage", async () => {
    const elif = await beginStory(system, { id: "elif", plan: "solo" });
    await elif.until("04-11");
    await elif.uses(130, "04-05");
    await elif.cancel("now");
    await elif.until("05-02");
    expect(await elif.sums()).toEqual([
      "activation: 3000 = 3000, paid",
      // 20 of 30 days.
      "proration: −2000 + 2000 balance = 0, paid",
      // Ten days include 33 calls: 97 × 2.
      "cycle: 194 − 194 balance = 0, paid",
    ]);
    expect(await elif.balance()).toBe("1806");
    expect(await elif.status()).toBe("canceled");
  });

  test("canceled at the period's end: the last invoice is for usage only", async () => {
    const finn = await beginStory(system, { id: "finn", plan: "solo" });
    await finn.until("04-11");
    await finn.uses(130, "04-05");
    await finn.cancel("period_end");
    expect(await finn.status()).toBe("active");
    await finn.until("06-02");
    expect(await finn.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 60 = 60, paid"]);
    expect(await finn.status()).toBe("canceled");
  });
});

describe("what is carried", () => {
  test("an amount too small to be charged is carried to the next invoice", async () => {
    const milo = await beginStory(system, { id: "milo", plan: "metered" });
    await milo.until("04-21");
    await milo.uses(30, "04-20");
    await milo.until("05-21");
    await milo.uses(40, "05-20");
    await milo.until("06-01 02:00");
    expect(await milo.sums()).toEqual([
      // Less than 50 cents cannot be charged.
      "cycle: 30 − 30 = 0, paid",
      "cycle: 40 + 30 = 70, paid",
    ]);
  });

  test("usage that is reported after the close is billed on the next invoice, as what it is", async () => {
    const nora = await beginStory(system, { id: "nora", plan: "solo" });
    await nora.until("04-21");
    await nora.uses(150, "04-20");
    await nora.until("05-05");
    await nora.uses(25, "04-22");
    await nora.until("06-01 02:00");
    expect(await nora.sums()).toEqual([
      "activation: 3000 = 3000, paid",
      "cycle: 100 + 3000 = 3100, paid",
      // (175 − 100) × 2 less the 100 that were billed.
      "cycle: 50 + 3000 = 3050, paid",
    ]);
    const late = (await nora.invoices())[2]?.lines[0];
    expect(late).toMatchObject({
      kind: "late_usage",
      quantity: "25",
      period_start: "2026-04-01T00:00:00.000Z",
      period_end: "2026-05-01T00:00:00.000Z",
    });
  });
});

test("a request that is repeated is answered again and changes nothing", async () => {
  const olga = await beginStory(system, { id: "olga", plan: "solo" });
  await olga.until("04-11");
  const path = { id: "olga" };
  const twice = async (key: string, ask: (header: { "Idempotency-Key": string }) => Promise<unknown>) => {
    const first = await ask({ "Idempotency-Key": key });
    expect(await ask({ "Idempotency-Key": key })).toEqual(first);
  };
  const { client } = system;
  await twice("olga/upgrade", (header) =>
    client.post("/v1/subscriptions/{id}/change-plan", {
      params: { path, header },
      body: { plan: "team", seats: 4 },
    }),
  );
  await twice("olga/credits", (header) =>
    client.post("/v1/customers/{id}/credit-purchases", {
      params: { path, header },
      body: { amount_minor: "500" },
    }),
  );
  await twice("olga/gift", (header) =>
    client.post("/v1/customers/{id}/credit-grants", {
      params: { path, header },
      body: { amount_minor: "100", reason_code: "promotion" },
    }),
  );
  await olga.until("04-12");
  expect(await olga.sums()).toEqual([
    "activation: 3000 = 3000, paid",
    "proration: −2000 + 4000 + 1200 = 3200, paid",
    "credit_purchase: 500 = 500, paid",
  ]);
  expect(await olga.credits()).toEqual(["paid: 500 left, active", "promotional: 100 left, active"]);
});
