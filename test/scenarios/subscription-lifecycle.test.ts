import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { createClock, isoTime, Story } from "../support/system-story.ts";

type Catalog = Schemas["CatalogDefinitionInput"];
type Plan = Catalog["plans"][number];
type Opening = Record<string, unknown>;

/**
 * Stories of everything that a subscription can live through; amounts are cents. All begin on 1 April, which has 30 days; the
 * grace for late usage is an hour, and a call costs a cent.
 */
const catalog: Catalog = {
  meters: [{ key: "calls", event_type: "api.calls", aggregation: "sum", property: "calls", dimensions: [] }],
  plans: [
    plan("basic", "3000"),
    plan("pro", "6000"),
    plan("tried", "3000", { trial: { length: { unit: "day", count: 14 } } }),
    plan("tried_and_billed", "3000", {
      trial: { length: { unit: "day", count: 14 }, usage: "billed", anchor: "trial_start" },
    }),
    plan("tried_to_the_end", "3000", {
      trial: { length: { unit: "day", count: 14 }, end_action: "cancel" },
    }),
    plan("tried_and_paused", "3000", {
      trial: { length: { unit: "day", count: 14 }, end_action: "pause" },
    }),
    plan("yearly", "36500", { interval: { unit: "year", count: 1 } }),
    plan("support", "1000", { requires: ["basic"], prices: [fee("1000")] }),
  ],
};

function plan(key: string, amount: string, rest: Partial<Plan> = {}): Plan {
  const model = { type: "per_unit", unit_price_minor: "1" } as const;
  const usage = { key: "calls", name: "Calls", product: "calls", meter: "calls", where: {} };
  return {
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month", count: 1 },
    grace_seconds: 3600,
    prices: [fee(amount), { type: "usage", ...usage, unit_label: "call", included: "0", model }],
    ...rest,
  };
}

function fee(amountMinor: string): Plan["prices"][number] {
  const name = { key: "base", name: "Base fee", product: "subscription" };
  return { type: "flat", ...name, timing: "in_advance", amount_minor: amountMinor };
}

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: catalog });
});
afterAll(async () => {
  const { findings, unknown } = await verifyInvoices(system.db);
  await system.stop();
  expect([findings, unknown]).toEqual([[], []]);
});
afterEach(() => expectInvariants(system.db));

async function customer(id: string, { card = "pm_card_visa" as string | null } = {}): Promise<Story> {
  await createClock(system, id);
  const person = { id, name: id, email: `${id}@example.com`, currency: "usd", test_clock: id };
  await system.client.post("/v1/customers", { body: person });
  const story = new Story(system, id, id);
  if (card !== null) await story.newCard(card);
  return story;
}

async function begin(id: string, planKey: string, rest: Opening = {}, options = {}): Promise<Story> {
  const story = await customer(id, options);
  await open(id, planKey, rest);
  return story;
}

const open = (id: string, planKey: string, rest: Opening = {}) =>
  system.client.post("/v1/subscriptions", {
    body: { id, customer: id, items: [{ plan: planKey, seats: 1 }], ...rest },
  });

const read = (id: string) => system.client.get("/v1/subscriptions/{id}", { params: { path: { id } } });

async function periodOf(id: string): Promise<string> {
  const { current_period: period } = await read(id);
  return `${period?.start.slice(0, 10)} to ${period?.end.slice(0, 10)}`;
}

const changePlan = (id: string, body: Record<string, unknown>) =>
  system.client.post("/v1/subscriptions/{id}/change-plan", {
    params: { path: { id } },
    body: body as { plan: string },
  });

async function ahead(id: string): Promise<string[]> {
  const { data } = await system.client.get("/v1/subscriptions/{id}/scheduled-changes", {
    params: { path: { id } },
  });
  return data.map(({ kind, effective_at: at, status }) => `${kind} ${at.slice(5, 10)} ${status}`);
}

describe("a trial", () => {
  test("costs nothing, its usage neither, and is followed by what is paid", async () => {
    const ada = await begin("ada", "tried");
    expect(await read("ada")).toMatchObject({ status: "trialing", access: { level: "granted" } });
    await ada.until("04-10");
    await ada.uses(40, "04-05");
    await ada.until("04-16");
    await ada.uses(7, "04-15");
    expect(await ada.status()).toBe("active");
    expect(await periodOf("ada")).toBe("2026-04-15 to 2026-05-15");
    await ada.until("05-15 02:00");
    expect(await ada.sums()).toEqual(["cycle: 0 + 3000 = 3000, paid", "cycle: 7 + 3000 = 3007, paid"]);
  });

  test("may bill its usage, and have periods count from its start", async () => {
    const ben = await begin("ben", "tried_and_billed");
    await ben.until("04-10");
    await ben.uses(40, "04-05");
    await ben.until("04-16");
    expect(await periodOf("ben")).toBe("2026-04-15 to 2026-05-01");
    // 16 of 30 days.
    expect(await ben.sums()).toEqual(["cycle: 40 + 1600 = 1640, paid"]);
  });

  test("may end it all, or in a pause", async () => {
    const cleo = await begin("cleo", "tried_to_the_end");
    const dora = await begin("dora", "tried_and_paused");
    await cleo.until("04-16");
    await dora.until("04-16");
    expect([await cleo.status(), await dora.status()]).toEqual(["canceled", "paused"]);
    await dora.resume();
    await dora.until("04-17");
    // 29 of 30 days of a period from 15 April to 15 May.
    expect(await dora.sums()).toEqual(["proration: 2900 = 2900, paid"]);
    expect(await cleo.sums()).toEqual([]);
  });

  test("is ended before its time, and another plan may be chosen in it", async () => {
    const eva = await begin("eva", "tried");
    await eva.until("04-06");
    await changePlan("eva", { plan: "pro" });
    expect(await eva.status()).toBe("trialing");
    await eva.until("04-07");
    await system.client.post("/v1/subscriptions/{id}/end-trial", {
      params: { path: { id: "eva" } },
      body: {},
    });
    expect(await periodOf("eva")).toBe("2026-04-07 to 2026-05-07");
    await eva.until("04-16");
    expect(await eva.sums()).toEqual(["proration: 6000 = 6000, paid"]);
    expect(await ahead("eva")).toEqual(["end_trial 04-15 superseded"]);
  });

  test("without a payment method is followed by what was agreed for that; one may be required", async () => {
    const finn = await begin("finn", "tried", { trial_without_payment_method: "cancel" }, { card: null });
    await finn.until("04-16");
    expect(await finn.status()).toBe("canceled");
    const required = open("finn", "tried", { id: "finn2", payment_method: "required" });
    await expect(required).rejects.toMatchObject({ code: "payment_method_missing" });
  });
});

describe("what is agreed for later", () => {
  test("with the next period is its terms: nothing is prorated", async () => {
    const gus = await begin("gus", "basic");
    await gus.until("04-11");
    const { scheduled, effective_at: at } = await changePlan("gus", { plan: "pro", when: "period_end" });
    expect(at).toBe("2026-05-01T00:00:00.000Z");
    expect(await ahead("gus")).toEqual(["change_plan 05-01 pending"]);
    expect(scheduled).not.toBeNull();
    await gus.until("05-02");
    expect(await gus.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 6000 = 6000, paid"]);
    expect(await ahead("gus")).toEqual(["change_plan 05-01 applied"]);
  });

  test("at a date is prorated then; withdrawn, it does not come", async () => {
    const hal = await begin("hal", "basic");
    await hal.until("04-02");
    await changePlan("hal", { plan: "pro", when: { at: isoTime("04-16") } });
    const withdrawn = await changePlan("hal", { plan: "yearly", when: { at: isoTime("04-20") } });
    const path = { id: "hal", change: withdrawn.scheduled ?? "" };
    await system.client.delete("/v1/subscriptions/{id}/scheduled-changes/{change}", { params: { path } });
    await hal.until("04-21");
    expect(await hal.sums()).toEqual([
      "activation: 3000 = 3000, paid",
      "proration: −1500 + 3000 = 1500, paid",
    ]);
    expect(await ahead("hal")).toEqual(["change_plan 04-16 applied", "change_plan 04-20 withdrawn"]);
  });

  test("of another interval begins with the boundary; what is not allowed then is refused, and said", async () => {
    const ida = await begin("ida", "basic");
    await ida.until("04-11");
    await changePlan("ida", { plan: "yearly", when: "period_end" });
    await system.client.post("/v1/subscriptions/{id}/add-ons", {
      params: { path: { id: "ida" } },
      body: { plan: "support", when: { at: isoTime("05-10") } },
    });
    await ida.until("05-11");
    expect(await periodOf("ida")).toBe("2026-05-01 to 2027-05-01");
    expect(await ida.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 36500 = 36500, paid"]);
    expect(await ahead("ida")).toEqual(["change_plan 05-01 applied", "add_add_on 05-10 refused"]);
  });

  test("an end can be taken back, and come inside a period", async () => {
    const jo = await begin("jo", "basic");
    await jo.cancel("period_end");
    const path = { id: "jo" };
    await system.client.post("/v1/subscriptions/{id}/uncancel", { params: { path }, body: {} });
    await jo.until("05-02");
    expect(await jo.status()).toBe("active");
    await system.client.post("/v1/subscriptions/{id}/cancel", {
      params: { path },
      body: { when: { at: isoTime("05-11 12:00") } },
    });
    await jo.until("05-12");
    expect(await jo.status()).toBe("canceled");
    // 20.5 of 31 days of 3000, half-even.
    expect(await jo.balance()).toBe("1984");
  });
});

test("an add-on is sold beside the plan that it requires, and removed before that", async () => {
  const kim = await begin("kim", "basic");
  const path = { id: "kim" };
  await system.client.post("/v1/subscriptions/{id}/add-ons", { params: { path }, body: { plan: "support" } });
  await kim.until("04-16");
  await expect(changePlan("kim", { plan: "pro" })).rejects.toMatchObject({ code: "plan_required" });
  await system.client.post("/v1/subscriptions/{id}/remove-add-on", {
    params: { path },
    body: { plan: "support" },
  });
  expect(await kim.balance()).toBe("500");
});

test("a pause refuses usage, and ends by itself with a new period", async () => {
  const leo = await begin("leo", "basic");
  await leo.until("04-11");
  await system.client.post("/v1/subscriptions/{id}/pause", {
    params: { path: { id: "leo" } },
    body: { usage: "refused", resumes_at: isoTime("04-21"), resume_anchor: "reset" },
  });
  await leo.until("04-15");
  await leo.uses(50, "04-14");
  await leo.until("04-22");
  expect(await leo.status()).toBe("active");
  expect(await periodOf("leo")).toBe("2026-04-21 to 2026-05-21");
  expect(await leo.sums()).toEqual([
    "activation: 3000 = 3000, paid",
    "proration: −2000 + 2000 balance = 0, paid",
    "proration: 3000 − 2000 balance = 1000, paid",
    "cycle: 0 = 0, paid",
  ]);
});

test("begun in the past, its periods are billed as they close; from elsewhere, from where that left off", async () => {
  const mia = await customer("mia");
  await mia.until("06-11");
  await open("mia", "basic", { start_at: isoTime("04-01") });
  await mia.until("06-12");
  expect(await mia.sums()).toEqual([
    "activation: 3000 = 3000, paid",
    "cycle: 3000 = 3000, paid",
    "cycle: 3000 = 3000, paid",
  ]);
  expect(await periodOf("mia")).toBe("2026-06-01 to 2026-07-01");

  const ned = await customer("ned");
  await ned.until("04-16");
  await open("ned", "basic", { start_at: isoTime("04-01"), billed_through: isoTime("04-16"), trial: "none" });
  await ned.until("04-17");
  expect(await periodOf("ned")).toBe("2026-04-16 to 2026-05-01");
  expect(await ned.sums()).toEqual(["activation: 1500 = 1500, paid"]);
});

describe("a first payment that is waited for", () => {
  test("is made: it is active", async () => {
    const oda = await begin("oda", "basic", { pay_within_seconds: 86_400 });
    expect(await oda.status()).toBe("active");
    await oda.until("05-02");
    expect(await oda.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
  });

  test("is not made in time: it never begins, and is not charged", async () => {
    const pia = await begin("pia", "basic", { pay_within_seconds: 3_600 }, { card: null });
    expect(await read("pia")).toMatchObject({ status: "incomplete", access: { level: "ended" } });
    await expect(changePlan("pia", { plan: "pro" })).rejects.toMatchObject({
      code: "subscription_incomplete",
    });
    await pia.until("04-02");
    expect(await read("pia")).toMatchObject({ status: "incomplete_expired", access: { level: "ended" } });
    expect(await pia.sums()).toEqual(["activation: 3000 = 3000, void"]);
  });

  test("is made with another card before the time is over", async () => {
    const quin = await begin("quin", "basic", { pay_within_seconds: 86_400 }, { card: null });
    await quin.until("04-01 02:00");
    await quin.newCard("pm_card_visa");
    await quin.until("04-03");
    expect(await quin.status()).toBe("active");
  });
});

test("what has ended goes on in another subscription, which refers to it", async () => {
  const rea = await begin("rea", "basic");
  await expect(open("rea", "basic", { id: "rea2", reactivates: "rea" })).rejects.toMatchObject({
    code: "subscription_not_canceled",
  });
  await rea.cancel("now");
  await rea.until("04-02");
  await open("rea", "basic", { id: "rea2", reactivates: "rea" });
  expect(await read("rea2")).toMatchObject({ status: "active", reactivates: "rea" });
});
