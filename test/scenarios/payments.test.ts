import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory } from "../support/system-story.ts";

/**
 * Small stories about how invoices are paid. Prices, in cents: solo 3000 and 2 a call above 100; metered 1 a call. All
 * begin on 1 April; invoices of a month are issued an hour after it.
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

describe("credits", () => {
  test("prepaid credits are bought, spent and used up", async () => {
    const gus = await beginStory(system, { id: "gus", plan: "metered" });
    await gus.buyCredits("500");
    await gus.until("04-21");
    await gus.uses(300, "04-20");
    await gus.until("05-01 02:00");
    expect(await gus.credits()).toEqual(["paid: 200 left, active"]);
    await gus.until("05-21");
    await gus.uses(350, "05-20");
    await gus.until("06-01 02:00");
    expect(await gus.credits()).toEqual(["paid: 0 left, used_up"]);
    expect(await gus.sums()).toEqual([
      "credit_purchase: 500 = 500, paid",
      "cycle: 300 − 300 credits = 0, paid",
      "cycle: 350 − 200 credits = 150, paid",
    ]);
  });

  test("promotional credit is spent before credit that was paid for", async () => {
    const hana = await beginStory(system, { id: "hana", plan: "metered" });
    await hana.buyCredits("500");
    await hana.grantCredits("100");
    await hana.until("04-21");
    await hana.uses(250, "04-20");
    await hana.until("05-01 02:00");
    expect(await hana.sums()).toEqual([
      "credit_purchase: 500 = 500, paid",
      "cycle: 250 − 250 credits = 0, paid",
    ]);
    // 250 = 100 + 150.
    expect(await hana.credits()).toEqual(["paid: 350 left, active", "promotional: 0 left, used_up"]);
  });
});

describe("payments that fail", () => {
  test("a card that is soft-declined recovers on schedule", async () => {
    const ivan = await beginStory(system, { id: "ivan", plan: "solo" });
    await ivan.until("04-02");
    await ivan.declines(ivan.paymentMethod, ["insufficient_funds", "insufficient_funds"]);
    await ivan.until("05-02");
    expect(await ivan.status()).toBe("past_due");
    await ivan.until("05-07");
    expect(await ivan.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
    expect(await ivan.attempts(1)).toEqual([
      "first declined 2026-05-01T01:00",
      "schedule declined 2026-05-04T01:00",
      "schedule paid 2026-05-06T01:00",
    ]);
    expect(await ivan.status()).toBe("active");
  });

  test("a card that is hard-declined waits for another one, which is tried at once", async () => {
    const june = await beginStory(system, { id: "june", plan: "solo" });
    await june.until("04-02");
    await june.declines(june.paymentMethod, ["lost_card"]);
    await june.until("05-05");
    expect((await june.invoices())[1]?.dunning?.state).toBe("awaiting_payment_method");
    await june.newCard("pm_card_mastercard");
    await june.until("05-06");
    expect(await june.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
    expect(await june.attempts(1)).toEqual([
      "first declined 2026-05-01T01:00",
      "new_payment_method paid 2026-05-05T00:00",
    ]);
    expect(await june.status()).toBe("active");
  });

  test("an invoice that is paid by its link needs no further attempt", async () => {
    const kofi = await beginStory(system, { id: "kofi", plan: "solo" });
    await kofi.until("04-02");
    await kofi.declines(kofi.paymentMethod, ["insufficient_funds"]);
    await kofi.until("05-02");
    const [, cycle] = await kofi.invoices();
    await system.surroundings.account.stripe.invoices.pay(cycle?.stripe_invoice ?? "");
    await expect.poll(() => kofi.status(), { timeout: 10_000 }).toBe("active");
    await kofi.until("05-09");
    expect(await kofi.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
    expect(await kofi.attempts(1)).toEqual(["first declined 2026-05-01T01:00"]);
    expect((await kofi.invoices())[1]?.dunning?.state).toBe("recovered");
  });

  test("when nothing helps, the invoice is written off and the subscription canceled", async () => {
    const lena = await beginStory(system, { id: "lena", plan: "metered" });
    await lena.until("04-21");
    await lena.uses(250, "04-20");
    await lena.newCard("pm_card_chargeCustomerFail");
    await lena.until("05-09");
    expect(await lena.sums()).toEqual(["cycle: 250 = 250, uncollectible"]);
    expect(await lena.attempts(0)).toEqual([
      "first declined 2026-05-01T01:00",
      "schedule declined 2026-05-04T01:00",
      "schedule declined 2026-05-06T01:00",
      "schedule declined 2026-05-08T01:00",
    ]);
    const entries = (await lena.invoices())[0]?.entries.map(
      ({ kind, effective_at: time }) => `${kind} ${time}`,
    );
    expect(entries).toContain("invoice_written_off 2026-05-08T01:00:00.000Z");
    expect(await lena.status()).toBe("canceled");
  });

  test("time that was never paid for is not given back when the subscription is canceled for it", async () => {
    const mara = await beginStory(system, { id: "mara", plan: "solo" });
    await mara.until("04-21");
    await mara.newCard("pm_card_chargeCustomerFail");
    await mara.until("05-10");
    // May is charged in advance on 1 May, never paid, and written off on the 8th; no credit for the rest of May follows.
    expect(await mara.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, uncollectible"]);
    expect(await mara.status()).toBe("canceled");
    expect(await mara.balance()).toBe("0");
  });
});
