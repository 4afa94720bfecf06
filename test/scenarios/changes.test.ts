import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { beginStory } from "../support/system-story.ts";

type Catalog = Schemas["CatalogDefinitionInput"];
type Plan = Catalog["plans"][number];
type Price = Plan["prices"][number];

/**
 * Stories of changes that plans prorate in their own ways; amounts are cents. All begin on 1 April, which has 30 days; the
 * grace for late usage is an hour.
 */
const catalog: Catalog = {
  meters: [{ key: "calls", event_type: "api.calls", aggregation: "sum", property: "calls", dimensions: [] }],
  plans: [
    plan("monthly", [fee("3000"), calls("300")]),
    plan("yearly", [fee("36500"), calls("3650")], { interval: { unit: "year", count: 1 } }),
    plan("yearly_kept", [fee("36500")], {
      interval: { unit: "year", count: 1 },
      proration: { interval_change: "keep_and_prorate" },
    }),
    plan("later", [fee("6000")], { proration: { settle: "next_invoice" } }),
    plan("unprorated", [fee("6000")], { proration: { unit: "none" } }),
    plan("calendar", [fee("3000")], { anchor: { type: "calendar", day: 16 } }),
    plan("seats_after", [
      {
        type: "seat",
        key: "seats",
        name: "Seats",
        product: "seats",
        timing: "in_arrears",
        unit_amount_minor: "900",
        included_seats: 1,
      },
    ]),
    plan("half_price", [fee("2000")], {
      adjustments: [
        {
          type: "percent_discount",
          key: "coupon",
          name: "Half price",
          prices: "all",
          percent: "50",
          periods: null,
        },
      ],
    }),
  ],
};

function plan(key: string, prices: Price[], rest: Partial<Plan> = {}): Plan {
  return {
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month", count: 1 },
    grace_seconds: 3600,
    prices,
    ...rest,
  };
}

function fee(amountMinor: string): Price {
  const name = { key: "base", name: "Base fee", product: "subscription" };
  return { type: "flat", ...name, timing: "in_advance", amount_minor: amountMinor };
}

function calls(included: string): Price {
  const model = { type: "per_unit", unit_price_minor: "1" } as const;
  const name = { key: "calls", name: "Calls", product: "calls" };
  return { type: "usage", ...name, meter: "calls", where: {}, unit_label: "call", included, model };
}

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: catalog });
});
afterAll(async () => {
  const { findings, unknown, derived } = await verifyInvoices(system.db);
  await system.stop();
  expect([findings, unknown]).toEqual([[], []]);
  expect(derived).toBeGreaterThan(10);
});

afterEach(async () => {
  await expectInvariants(system.db);
});

function preview(id: string, body: Schemas["RequestedChangeInput"]) {
  return system.client.post("/v1/subscriptions/{id}/change-preview", { params: { path: { id } }, body });
}

async function currentPeriod(id: string): Promise<string> {
  const { current_period: period } = await system.client.get("/v1/subscriptions/{id}", {
    params: { path: { id } },
  });
  return `${period?.start.slice(0, 10)} to ${period?.end.slice(0, 10)}`;
}

test("a plan by the year begins a new period at once: the month is closed, what is left of it handed back", async () => {
  const ada = await beginStory(system, { id: "ada", plan: "monthly" });
  await ada.until("04-11");
  await ada.uses(150, "04-05");
  await ada.changePlan("yearly", 1);
  expect(await currentPeriod("ada")).toBe("2026-04-11 to 2027-04-11");
  await ada.until("04-12");
  expect(await ada.sums()).toEqual([
    "activation: 3000 = 3000, paid",
    // 20 of 30 days back, and a whole year.
    "proration: −2000 + 36500 = 34500, paid",
    // 150 calls, a third of 300 included; the year is charged already.
    "cycle: 50 = 50, paid",
  ]);
  await ada.until("04-20");
  await ada.changeSeats(2);
  await ada.cancel("now");
  await ada.until("04-21");
  // 356 of 365 days of 365.00, to the balance: the day counts 100 cents.
  expect(await ada.balance()).toBe("35600");
});

test("kept anchors: a plan by the year is charged for what is left of its year", async () => {
  const ben = await beginStory(system, { id: "ben", plan: "monthly" });
  await ben.until("04-11");
  await ben.changePlan("yearly_kept", 1);
  expect(await currentPeriod("ben")).toBe("2026-04-11 to 2027-04-01");
  await ben.until("04-12");
  expect(await ben.sums()).toEqual([
    "activation: 3000 = 3000, paid",
    // 20 of 30 days of a month back; 355 of 365 days of a year.
    "proration: −2000 + 35500 = 33500, paid",
  ]);
});

test("what is settled with the next invoice waits for it, and is earned in its period", async () => {
  const cleo = await beginStory(system, { id: "cleo", plan: "monthly" });
  await cleo.until("04-11");
  await cleo.changePlan("later", 1);
  await cleo.until("04-21");
  // Says itself that it is settled now, but cannot come before what waits.
  const change = await preview("cleo", {
    kind: "change_plan",
    plan: "monthly",
    proration: { settle: "now" },
  });
  expect([change.settle, change.net_minor]).toEqual(["next_invoice", "-1000"]);
  await cleo.until("05-01 02:00");
  expect(await cleo.sums()).toEqual([
    "activation: 3000 = 3000, paid",
    "cycle: 6000 − 2000 + 4000 = 8000, paid",
  ]);
});

test("without proration a change is charged from the next period on", async () => {
  const dora = await beginStory(system, { id: "dora", plan: "unprorated" });
  await dora.until("04-11");
  await dora.changePlan("monthly", 1);
  await dora.until("05-01 02:00");
  expect(await dora.sums()).toEqual([
    "activation: 6000 = 6000, paid",
    // Nothing is handed back of the plan that has no proration; the other charges 20 of 30 days.
    "proration: 2000 = 2000, paid",
    "cycle: 3000 = 3000, paid",
  ]);
});

test("on a day of the calendar: a first part, then whole months; no other period begins before an agreed end", async () => {
  const eve = await beginStory(system, { id: "eve", plan: "calendar" });
  expect(await currentPeriod("eve")).toBe("2026-04-01 to 2026-04-16");
  await eve.until("04-20");
  await eve.cancel("period_end");
  await expect(eve.changePlan("yearly", 1)).rejects.toMatchObject({ code: "subscription_canceling" });
  await eve.until("05-17");
  expect(await eve.status()).toBe("canceled");
  expect(await eve.sums()).toEqual([
    // 15 of the 31 days from 16 March to 16 April: 3000 × 15/31.
    "activation: 1452 = 1452, paid",
    "cycle: 3000 = 3000, paid",
  ]);
});

test("seats in arrears are charged by their history", async () => {
  const finn = await beginStory(system, { id: "finn", plan: "seats_after", seats: 3 });
  await finn.until("04-11");
  await finn.changeSeats(6);
  await finn.until("05-01 02:00");
  // One is included: 2 × 900 for 10 of 30 days, 5 × 900 for 20.
  expect(await finn.sums()).toEqual(["cycle: 600 + 3000 = 3600, paid"]);
});

test("what was bought with a coupon is handed back at what was paid", async () => {
  const gus = await beginStory(system, { id: "gus", plan: "half_price" });
  await gus.until("04-11");
  await gus.cancel("now");
  await gus.until("04-12");
  expect((await gus.sums()).slice(0, 2)).toEqual([
    "activation: 2000 − 1000 = 1000, paid",
    // 20 of 30 days of the 1000 that were paid.
    "proration: −667 + 667 balance = 0, paid",
  ]);
});

test("a change is made with the lines of its preview, at its instant, or refused", async () => {
  const hal = await beginStory(system, { id: "hal", plan: "monthly" });
  await hal.until("04-11");
  const seen = await preview("hal", { kind: "change_plan", plan: "later", proration: { settle: "now" } });
  expect(seen.lines.map(({ kind, amount_minor: amount }) => [kind, amount])).toEqual([
    ["proration_credit", "-2000"],
    ["proration_charge", "4000"],
  ]);
  await hal.until("04-11 00:30");
  const { effective_at, quote } = seen;
  const commit = () =>
    system.client.post("/v1/subscriptions/{id}/change-plan", {
      params: { path: { id: "hal" } },
      body: { plan: "later", proration: { settle: "now" }, preview: { effective_at, quote } },
    });
  const made = await commit();
  expect(made.effective_at).toBe(effective_at);
  await hal.until("04-11 00:40");
  expect(await hal.sums()).toEqual(["activation: 3000 = 3000, paid", "proration: −2000 + 4000 = 2000, paid"]);
  // Done already, so it would come to other lines.
  await expect(commit()).rejects.toMatchObject({ code: "change_quote_outdated" });
  await hal.until("04-11 02:00");
  await expect(commit()).rejects.toMatchObject({
    code: "change_quote_outdated",
    field: "preview.effective_at",
  });
});

test("a new period can be asked for; an end keeps what is left of it, where that is asked for", async () => {
  const ida = await beginStory(system, { id: "ida", plan: "monthly" });
  const params = { path: { id: "ida" } };
  await ida.until("04-16");
  await system.client.post("/v1/subscriptions/{id}/change-plan", {
    params,
    body: { plan: "monthly", proration: { anchor: "reset" } },
  });
  expect(await currentPeriod("ida")).toBe("2026-04-16 to 2026-05-16");
  await system.client.post("/v1/subscriptions/{id}/cancel", {
    params,
    body: { when: "now", unused: "none" },
  });
  await ida.until("04-17");
  expect(await ida.sums()).toEqual(["activation: 3000 = 3000, paid", "proration: −1500 + 3000 = 1500, paid"]);
  expect(await ida.balance()).toBe("0");
});
