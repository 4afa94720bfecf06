import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { billThreshold } from "../../src/activities/bill-threshold.ts";
import { voidInvoice } from "../../src/activities/void-invoice.ts";
import { explainedInvoice } from "../../src/db/billing/explained-invoice.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { eventsOfLine, findRatedLine } from "../../src/db/billing/line-events.ts";
import { periodCosts } from "../../src/db/billing/period-cost.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { upcomingInvoice } from "../../src/db/billing/upcoming-invoice.ts";
import { inSnapshot } from "../../src/db/database.ts";
import { invoice } from "../../src/db/schema/billing.ts";
import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import type { StripeRail } from "../../src/stripe/rail.ts";
import { expectInvariants } from "../support/invariants.ts";
import { BilledMonths } from "./billed-months.ts";
import { foldAll } from "./usage-fixture.ts";

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalog());
});
afterAll(() => months.end());

/** Nothing here is collected, so nothing is paid in time: money that is due is not what is looked at. */
afterEach(async () => {
  await foldAll(months.db);
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
  expect((await verifyInvoices(months.db)).findings).toEqual([]);
});

const january = ["2026-01-01", "2026-02-01"] as const;
const february = ["2026-02-01", "2026-03-01"] as const;

async function invoicesOf(customerId: string) {
  const all = await months.db.orm.select().from(invoice).orderBy(invoice.issuedAt, invoice.number);
  return all.filter((each) => each.customerId === customerId);
}

describe("thresholds at 100.00 and 200.00, a token for a cent", () => {
  test("120.00, then 205.00, and 250.00 at the end are invoices of 120.00, 85.00 and 45.00; no event is on two", async () => {
    await months.subscribe("acme", "twice");
    await months.use("acme", "2026-01-05T00:00:00Z", 9_900);
    expect(await months.threshold("acme", "2026-01-05T01:00:00Z")).toEqual([]);
    await months.use("acme", "2026-01-06T00:00:00Z", 2_100);
    expect(await months.threshold("acme", "2026-01-06T01:00:00Z")).toEqual([
      "usage deep 12000",
      "total 12000",
    ]);
    expect(await months.threshold("acme", "2026-01-06T01:00:00Z")).toEqual([]);
    await months.use("acme", "2026-01-10T00:00:00Z", 8_500);
    expect(await months.threshold("acme", "2026-01-10T01:00:00Z")).toEqual(["usage deep 8500", "total 8500"]);
    await months.use("acme", "2026-01-20T00:00:00Z", 4_500);
    expect(await months.threshold("acme", "2026-01-20T01:00:00Z")).toEqual([]);
    // Rated before it ends, a period is not closed: nothing of it is late.
    expect(await months.close("acme", ...january)).toEqual(["usage deep 4500", "total 4500"]);

    const billed = await invoicesOf("acme");
    expect(billed.map(({ kind, totalMinor }) => [kind, totalMinor])).toEqual([
      ["threshold", 12_000n],
      ["threshold", 8_500n],
      ["cycle", 4_500n],
    ]);
    const events = await Promise.all(
      billed.map(async ({ id }) => {
        const line = (await findRatedLine(months.db.orm, id, 1)) ?? expect.fail("it bills usage");
        return (await eventsOfLine(months.db.orm, line, { limit: 9 })).items.map(({ quantity }) => quantity);
      }),
    );
    expect(events).toEqual([["9900", "2100"], ["8500"], ["4500"]]);
  });

  test("the lines say what was billed before, and late usage of the period is billed with the next", async () => {
    const last = (await invoicesOf("acme")).at(-1) ?? expect.fail("the period is closed");
    const { lines } = await explainedInvoice(months.db.orm, last);
    expect(lines[0]?.said.description).toBe("twice: deep, less what was billed at thresholds");
    expect(lines[0]?.said.detail).toMatchObject({
      cumulativeQuantity: "25000",
      billedAtThresholds: { quantity: "20500", exactMinor: "20500", amountMinor: "20500" },
    });
    expect(lines[0]?.steps.find(({ kind }) => kind === "billed_before")?.figures).toEqual({
      quantity: "20500",
      exact_minor: "20500",
      rest_minor: "4500",
    });
    await months.use("acme", "2026-01-21T00:00:00Z", 60);
    await months.use("acme", "2026-02-03T00:00:00Z", 10_000);
    expect(await months.threshold("acme", "2026-02-04T00:00:00Z")).toEqual([
      "usage deep 10000",
      "total 10000",
    ]);
    expect(await months.close("acme", ...february)).toEqual(["late_usage deep 60", "total 60"]);
  });

  test("whoever comes second, at the same time, finds nothing to bill, and a close bills the rest only", async () => {
    await months.subscribe("mint", "twice");
    await months.use("mint", "2026-01-05T00:00:00Z", 12_000);
    const at = "2026-01-05T01:00:00Z";
    const billed = await Promise.all(
      [1, 2, 3].map(() => billThreshold(months.db, { subscriptionId: "mint", at })),
    );
    expect(billed.filter(({ invoiceId }) => invoiceId !== null)).toHaveLength(1);
    await months.use("mint", "2026-01-06T00:00:00Z", 9_000);
    const [closed] = await Promise.all([
      months.close("mint", ...january),
      billThreshold(months.db, { subscriptionId: "mint", at: "2026-01-06T01:00:00Z" }),
    ]);
    expect(["usage deep 9000", undefined]).toContain(closed[0]);
    expect((await invoicesOf("mint")).map(({ subtotalMinor }) => subtotalMinor)).toEqual([12_000n, 9_000n]);
  });

  test("several thresholds at once make one invoice, and after the last one each further 50 makes another", async () => {
    await months.subscribe("bolt", "stepped");
    await months.use("bolt", "2026-01-05T00:00:00Z", 210);
    expect(await months.threshold("bolt", "2026-01-05T01:00:00Z")).toEqual(["usage deep 210", "total 210"]);
    await months.use("bolt", "2026-01-06T00:00:00Z", 39); // 249
    expect(await months.threshold("bolt", "2026-01-06T01:00:00Z")).toEqual([]);
    await months.use("bolt", "2026-01-07T00:00:00Z", 1); // 250
    expect(await months.threshold("bolt", "2026-01-07T01:00:00Z")).toEqual([
      "usage deep 40",
      "carried_forward - -40",
      "total 0",
    ]);
    expect(await months.close("bolt", ...january)).toEqual([
      "carried_over - 40",
      "carried_forward - -40",
      "total 0",
    ]);
  });

  test("credit pays for what a threshold bills, then for what the close does", async () => {
    await months.subscribe("cedar", "stepped");
    await months.give("cedar", 150n);
    await months.use("cedar", "2026-01-05T00:00:00Z", 110);
    expect(await months.threshold("cedar", "2026-01-05T01:00:00Z")).toEqual([
      "usage deep 110",
      "credits -110",
      "total 0",
    ]);
    await months.use("cedar", "2026-01-06T00:00:00Z", 200); // 310
    expect(await months.threshold("cedar", "2026-01-06T01:00:00Z")).toEqual([
      "usage deep 200",
      "credits -40",
      "total 160",
    ]);
    await months.use("cedar", "2026-01-20T00:00:00Z", 30);
    await months.use("cedar", "2026-01-30T00:00:00Z", 60); // 400
    expect(await months.close("cedar", ...january)).toEqual(["usage deep 90", "total 90"]);
  });
});

describe("what is voided", () => {
  const voidIt = (invoiceId: string, at: string) =>
    voidInvoice(
      { db: months.db, rail: {} as StripeRail, now: () => instantOfEpochMs(Date.now()) },
      { invoiceId, at, reasonCode: "billing_error", reason: null, voidedBy: "api-key/finance" },
    );

  test("comes back with the next threshold, credit and all; the older one cannot be voided before the newer", async () => {
    await months.subscribe("dune", "stepped");
    await months.give("dune", 30n);
    await months.use("dune", "2026-01-05T00:00:00Z", 120);
    await months.threshold("dune", "2026-01-05T01:00:00Z");
    const [first] = await invoicesOf("dune");
    expect(await voidIt(first?.id ?? "", "2026-01-06T00:00:00Z")).toEqual({
      invoiceId: null,
      collect: false,
    });
    expect(await months.threshold("dune", "2026-01-06T01:00:00Z")).toEqual([]);
    await months.use("dune", "2026-01-07T00:00:00Z", 85);
    expect(await months.threshold("dune", "2026-01-07T01:00:00Z")).toEqual([
      "usage deep 205",
      "credits -30",
      "total 175",
    ]);
    await months.use("dune", "2026-01-08T00:00:00Z", 60);
    expect(await months.threshold("dune", "2026-01-08T01:00:00Z")).toEqual(["usage deep 60", "total 60"]);
    const [, second, third] = await invoicesOf("dune");
    await expect(voidIt(second?.id ?? "", "2026-01-09T00:00:00Z")).rejects.toMatchObject({
      code: "invoice_is_built_on",
    });
    await voidIt(third?.id ?? "", "2026-01-09T00:00:00Z");
    await voidIt(second?.id ?? "", "2026-01-09T00:00:00Z");
    expect(await months.close("dune", ...january)).toEqual(["usage deep 265", "credits -30", "total 235"]);
  });

  test("the period's own invoice is billed anew, still less what stands of its thresholds", async () => {
    await months.subscribe("elm", "stepped");
    await months.use("elm", "2026-01-05T00:00:00Z", 120);
    await months.threshold("elm", "2026-01-05T01:00:00Z");
    await months.use("elm", "2026-01-06T00:00:00Z", 70);
    expect(await months.close("elm", ...january)).toEqual(["usage deep 70", "total 70"]);
    const [threshold, closing] = await invoicesOf("elm");
    await expect(voidIt(threshold?.id ?? "", "2026-02-02T00:00:00Z")).rejects.toMatchObject({
      code: "invoice_is_built_on",
    });
    await months.use("elm", "2026-01-07T00:00:00Z", 5);
    const again = await voidIt(closing?.id ?? "", "2026-02-02T00:00:00Z");
    expect(await months.lines(again.invoiceId)).toEqual(["usage deep 75", "total 75"]);
    await months.use("elm", "2026-01-08T00:00:00Z", 50);
    expect(await months.close("elm", ...february)).toEqual(["late_usage deep 50", "total 50"]);
  });
});

describe("changes in mid-period", () => {
  test("another plan: what it costs is what both cost for their time, and its thresholds hold from then on", async () => {
    await months.subscribe("fern", "tiered");
    await months.use("fern", "2026-01-05T00:00:00Z", 100);
    expect(await months.threshold("fern", "2026-01-05T01:00:00Z")).toEqual(["usage deep 300", "total 300"]);
    await months.change("fern", "2026-01-16T12:00:00Z", { kind: "change_plan", planKey: "stepped" });
    await months.use("fern", "2026-01-20T00:00:00Z", 40);
    // 300 had reached its fourth threshold, 200 + 2 × 50, and 340 has not reached the fifth.
    expect(await months.threshold("fern", "2026-01-20T01:00:00Z")).toEqual([]);
    await months.use("fern", "2026-01-21T00:00:00Z", 20);
    expect(await months.threshold("fern", "2026-01-21T01:00:00Z")).toEqual(["usage deep 60", "total 60"]);
    await months.use("fern", "2026-01-10T00:00:00Z", 10);
    expect(await months.close("fern", ...january)).toEqual([
      "usage deep 30",
      "carried_forward - -30",
      "total 0",
    ]);
  });

  test("a share of what is included that is lost by an early end is billed, and the end bills the rest", async () => {
    await months.subscribe("gum", "included");
    await months.use("gum", "2026-01-05T00:00:00Z", 410);
    expect(await months.threshold("gum", "2026-01-05T01:00:00Z")).toEqual(["usage deep 100", "total 100"]);
    await months.change("gum", "2026-01-11T00:00:00Z", { kind: "cancel", credit: "unused" });
    // Of 310 that are free in January 100 are so in its first ten days.
    expect(await months.close("gum", "2026-01-01", "2026-01-11")).toEqual(["usage deep 210", "total 210"]);
  });
});

describe("adjustments and amounts that fall", () => {
  test("a discount and a cap count at thresholds, a minimum and fees at the close only", async () => {
    await months.subscribe("hazel", "adjusted");
    await months.use("hazel", "2026-01-05T00:00:00Z", 120); // less 10 %: 108
    expect(await months.threshold("hazel", "2026-01-05T01:00:00Z")).toEqual([
      "usage deep 120",
      "discount deep -12",
      "total 108",
    ]);
    await months.use("hazel", "2026-01-06T00:00:00Z", 300, "swift");
    expect(await months.threshold("hazel", "2026-01-06T01:00:00Z")).toEqual([
      "usage swift 300",
      "discount swift -30",
      "cap swift -6",
      "cap deep 0", // 2 of the 108 go back: the cap is shared now
      "balance -2",
      "total 262",
    ]);
    // 500 less 10 %, and no more than 370, which were billed: what is missing to the minimum takes its share of the cap.
    expect(await months.close("hazel", ...january)).toEqual([
      "true_up - 80",
      "discount - -8",
      "cap - -13",
      "cap deep 0",
      "cap swift 0",
      "balance -59",
      "total 0",
    ]);
  });

  test("a volume price that falls gives back what thresholds billed too much, to the credit that paid it", async () => {
    await months.subscribe("ivy", "volume");
    await months.give("ivy", 50n);
    await months.use("ivy", "2026-01-05T00:00:00Z", 120);
    expect(await months.threshold("ivy", "2026-01-05T01:00:00Z")).toEqual([
      "usage deep 240",
      "credits -50",
      "total 190",
    ]);
    await months.use("ivy", "2026-01-06T00:00:00Z", 80); // 200 at 0.5: 100
    expect(await months.close("ivy", ...january)).toEqual(["usage deep 0", "total 0"]);
    const [row] = await months.db.sql`select balance::text from ledger.balance
      where code = '2010' and dimensions ->> 'grant' = 'grant-ivy'`;
    expect(row?.balance).toBe("5000000000"); // 140 too much: 50 to the grant, 90 to the balance
  });

  test("levels are billed as far as they have held", async () => {
    await months.subscribe("juno", "levels");
    await months.use("juno", "2026-01-01T00:00:00Z", 2);
    expect(await months.threshold("juno", "2026-01-02T00:00:00Z")).toEqual([]); // 2 × 86,400 s at 0.001: 172.8
    expect(await months.threshold("juno", "2026-01-03T00:00:00Z")).toEqual(["usage held 346", "total 346"]);
    expect(await months.close("juno", ...january)).toEqual(["usage held 5011", "total 5011"]); // 5,356.8
  });
});

test("what a period costs so far is what thresholds have billed and what its own invoice would bill", async () => {
  await months.subscribe("lark", "adjusted");
  await months.use("lark", "2026-01-05T00:00:00Z", 120);
  await months.threshold("lark", "2026-01-05T01:00:00Z");
  await months.use("lark", "2026-01-06T00:00:00Z", 80);
  const now = instant("2026-01-07T00:00:00Z");
  const [cost] = await inSnapshot(months.db, (tx) => periodCosts(tx, { customerId: "lark", now }));
  expect(cost?.billedAtThresholds.amountMinor).toBe(108n);
  expect(cost?.adjusted.map(({ kind, charge, amount }) => `${kind} ${charge} ${amount.amountMinor}`)).toEqual(
    [
      "true_up minimum 300",
      "discount deep/2026-01-01T00:00:00.000Z -20",
      "discount minimum -30",
      "cap deep/2026-01-01T00:00:00.000Z -32",
      "cap minimum -48",
    ],
  ); // 200 + 300 less 10 %, and no more than 370
  const row = (await findSubscription(months.db.orm, "lark")) ?? expect.fail("it is there");
  const upcoming = await inSnapshot(months.db, (tx) => upcomingInvoice(tx, row, now));
  expect(upcoming?.total.amountMinor).toBe(262n);
  expect(await months.close("lark", ...january)).toEqual([
    "usage deep 80",
    "discount deep -8",
    "cap deep -32",
    "true_up - 300",
    "discount - -30",
    "cap - -48",
    "total 262", // 370 - 108
  ]);
});

test("a period that has ended waits for its close, and one without thresholds is never looked at", async () => {
  await months.subscribe("kale", "stepped");
  await months.use("kale", "2026-01-05T00:00:00Z", 500);
  const at = "2026-02-01T00:00:00Z";
  expect(await billThreshold(months.db, { subscriptionId: "kale", at })).toEqual({
    invoiceId: null,
    collect: false,
  });
  expect(await months.close("kale", ...january)).toEqual(["usage deep 500", "total 500"]);
});

function catalog() {
  const usage = (key: string, rest: object = {}) => ({
    key,
    name: key,
    product: "tokens",
    type: "usage",
    meter: "tokens",
    where: { model: key },
    model: { type: "per_unit", unitPriceMinor: "1" },
    ...rest,
  });
  const plan = (key: string, prices: readonly object[], rest: object) => ({
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month", count: 1 },
    prices,
    ...rest,
  });
  const tiers = (first: string, rest: string) => [
    { upTo: "150", unitPriceMinor: first },
    { upTo: null, unitPriceMinor: rest },
  ];
  const meter = { eventType: "request", property: "tokens" };
  return {
    meters: [
      { ...meter, key: "tokens", aggregation: "sum", dimensions: ["model"] },
      { ...meter, key: "held", aggregation: "time_weighted_sum" },
    ],
    plans: [
      plan("twice", [usage("deep")], { thresholds: { amountsMinor: ["10000", "20000"] } }),
      plan("stepped", [usage("deep")], {
        thresholds: { amountsMinor: ["100", "200"], recurringMinor: "50" },
      }),
      plan("tiered", [usage("deep", { model: { type: "per_unit", unitPriceMinor: "3" } })], {
        thresholds: { amountsMinor: ["250"] },
      }),
      plan("included", [usage("deep", { included: "310" })], { thresholds: { amountsMinor: ["100"] } }),
      plan("volume", [usage("deep", { model: { type: "volume", tiers: tiers("2", "0.5") } })], {
        thresholds: { amountsMinor: ["100"] },
      }),
      plan(
        "levels",
        [
          {
            ...usage("held"),
            meter: "held",
            where: {},
            model: { type: "per_unit", unitPriceMinor: "0.001" },
          },
        ],
        {
          thresholds: { amountsMinor: ["200"] },
        },
      ),
      plan("adjusted", [usage("deep"), usage("swift")], {
        thresholds: { amountsMinor: ["100", "360"] },
        adjustments: [
          { key: "minimum", name: "minimum", type: "minimum", amountMinor: "500", product: "platform" },
          { key: "loyal", name: "loyal", type: "percent_discount", percent: "10" },
          { key: "cap", name: "cap", type: "maximum", amountMinor: "370" },
        ],
      }),
    ],
  };
}
