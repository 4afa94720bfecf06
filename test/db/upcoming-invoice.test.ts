import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { recurringGrantCommands } from "../../src/api/commands/recurring-grant-commands.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findSubscription, updateSubscription } from "../../src/db/billing/subscriptions.ts";
import { type UpcomingPeriod, upcomingInvoice } from "../../src/db/billing/upcoming-invoice.ts";
import { inSnapshot } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { RecurringGrant, Rollover } from "../../src/domain/credits/index.ts";
import { currency, money } from "../../src/domain/money/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cents } from "./adjusted-story.ts";
import { BilledMonths } from "./billed-months.ts";

/** The two invoices that come next, asked for in January, are what closing January and February then issues. */

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalog());
});
afterAll(async () => {
  expect(await verifyInvoices(months.db)).toMatchObject({ findings: [], unknown: [] });
  await months.end();
});

afterEach(async () => {
  // Nothing here is collected, and nobody gives what is due.
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
});

const january = ["2026-01-01", "2026-02-01"] as const;
const february = ["2026-02-01", "2026-03-01"] as const;
const middle = "2026-01-15T00:00:00Z";

/** As {@link BilledMonths.lines} says it of an invoice; null when nothing comes. */
async function preview(id: string, which: UpcomingPeriod, now = middle): Promise<string[] | null> {
  const row = await findSubscription(months.db.orm, id);
  if (row === undefined) throw new Error(`there is no subscription ${id}`);
  const said = await inSnapshot(months.db, (tx) => upcomingInvoice(tx, row, instant(now), which));
  if (said === null) return null;
  const paid = [
    ["credits", said.creditsApplied.amountMinor],
    ["balance", said.balanceApplied.amountMinor],
  ].flatMap(([what, amount]) => (amount ? [`${what} ${-amount}`] : []));
  return [
    ...said.lines.map(
      ({ kind, source, amount }) => `${kind} ${source?.priceKey ?? "-"} ${amount.amountMinor}`,
    ),
    ...paid,
    `total ${said.total.amountMinor}`,
  ];
}

/** Credit again and again, of so many cents, until the middle of the year. */
async function recur(
  customerId: string,
  amount: bigint,
  rollover: Rollover | null = null,
  at = "2026-01-01T00:00:00Z",
) {
  const usd = currency("usd");
  const effectiveAt = instant(at);
  const anchor = { at: effectiveAt, interval: { unit: "month", count: 1 } as const, timeZone: "UTC" };
  const grant: RecurringGrant = {
    id: `crr-${customerId}`,
    amount: cents(amount),
    priority: 50,
    recurrence: { anchor, effectiveAt, expiresAt: instant("2026-07-01T00:00:00Z"), first: "at_once" },
    rollover,
  };
  const commands = recurringGrantCommands({
    db: months.db,
    now: () => instant(at),
    approvalLimits: new Map([[usd, money(100_000n, usd)]]),
  });
  const request = { customerId, currency: usd, grant, reasonCode: "contract", reason: null } as const;
  await commands.request(request, { correlationId: "test", actor: "api-key/support" });
}

async function expectAsForeseen(id: string): Promise<{ first: string[]; second: string[] }> {
  const [first, second] = [await preview(id, "current"), await preview(id, "next")];
  expect(await months.close(id, ...january)).toEqual(first);
  expect(await preview(id, "current", "2026-02-01T01:00:00Z")).toEqual(second);
  expect(await months.close(id, ...february)).toEqual(second);
  return { first: first ?? [], second: second ?? [] };
}

describe("asked for in the middle of January", () => {
  test("phases, discounts of the first periods and minimums are those of each period", async () => {
    await months.subscribe("ada", "ramped");
    await months.use("ada", "2026-01-05T00:00:00Z", 300);
    const { first, second } = await expectAsForeseen("ada");
    // 300 of usage and 500 in advance: 100 are missing to 900. Half of all but what was charged before is taken off.
    expect(first).toEqual([
      "usage deep 300",
      "true_up - 100",
      "discount deep -150",
      "discount - -50",
      "flat base 1000",
      "discount base -500",
      "total 700",
    ]);
    // February was charged 1000, so nothing is missing; March is the third period, without a discount.
    expect(second).toEqual(["flat base 1000", "total 1000"]);
  });

  test("credit that is given until then pays, and what is left of it goes over", async () => {
    await months.subscribe("bea", "metered");
    await recur("bea", 200n, { min: cents(0n), max: cents(50n), cap: null, lifetimeMonths: null });
    await months.use("bea", "2026-01-05T00:00:00Z", 120);
    await months.use("bea", "2026-02-03T00:00:00Z", 400);
    const { first, second } = await expectAsForeseen("bea");
    expect(first).toEqual(["usage deep 120", "credits -120", "total 0"]);
    // 80 were left of January's, of which 50 went over.
    expect(second).toEqual(["usage deep 400", "credits -250", "total 150"]);
  });

  test("a time that comes inside the period pays for what was used before it", async () => {
    await months.subscribe("cleo", "metered");
    await recur("cleo", 100n, null, "2026-01-20T00:00:00Z");
    await months.use("cleo", "2026-01-05T00:00:00Z", 400);
    await months.use("cleo", "2026-02-25T00:00:00Z", 400);
    const { first, second } = await expectAsForeseen("cleo");
    expect(first).toEqual(["usage deep 400", "credits -100", "total 300"]);
    expect(second).toEqual(["usage deep 400", "credits -100", "total 300"]);
  });

  test("a grant that the first invoice spends is not spent again by the second", async () => {
    await months.subscribe("dora", "metered");
    await months.give("dora", 500n);
    await months.use("dora", "2026-01-05T00:00:00Z", 400);
    await months.use("dora", "2026-02-05T00:00:00Z", 400);
    const { second } = await expectAsForeseen("dora");
    expect(second).toEqual(["usage deep 400", "credits -100", "total 300"]);
  });

  test("what is too small is on the second invoice", async () => {
    await months.subscribe("eve", "metered");
    await months.use("eve", "2026-01-05T00:00:00Z", 20);
    await months.use("eve", "2026-02-05T00:00:00Z", 60);
    const { first, second } = await expectAsForeseen("eve");
    expect(first).toEqual(["usage deep 20", "carried_forward - -20", "total 0"]);
    expect(second).toEqual(["usage deep 60", "carried_over - 20", "total 80"]);
  });

  test("a change that waits is on the first invoice, and charges the second by what it agreed", async () => {
    await months.subscribe("fay", "seats");
    await months.change("fay", "2026-01-11T00:00:00Z", { kind: "change_quantity", seats: 3 });
    const { first, second } = await expectAsForeseen("fay");
    expect(first).toContain("seats seats 3000");
    expect(first.filter((line) => line.startsWith("proration"))).toHaveLength(2);
    expect(second).toEqual(["seats seats 3000", "total 3000"]);
  });

  test("what is included is shared by days where the plan says so, and goes on whole where it is not divided", async () => {
    for (const plan of ["daily", "undivided"]) {
      await months.subscribe(plan, plan);
      await months.use(plan, "2026-01-05T00:00:00Z", 50);
      await months.use(plan, "2026-01-20T00:00:00Z", 400);
      await months.use(plan, "2026-02-20T00:00:00Z", 400);
      await months.change(plan, "2026-01-11T12:00:00Z", { kind: "change_quantity", seats: 2 });
    }
    // Of 310 ten days have 100, the other 21 have 210.
    expect((await expectAsForeseen("daily")).first).toEqual(["usage deep 0", "usage deep 190", "total 190"]);
    // 50 of 310 are used before: 260 are left.
    const { first, second } = await expectAsForeseen("undivided");
    expect(first).toEqual(["usage deep 0", "usage deep 140", "total 140"]);
    expect(second).toEqual(["usage deep 90", "total 90"]);
  });

  test("an end that is agreed leaves no invoice behind it", async () => {
    await months.subscribe("gwen", "ramped");
    await updateSubscription(months.db.orm, "gwen", { cancelAt: instant("2026-02-01T00:00:00Z") });
    expect(await preview("gwen", "current")).toEqual(["true_up - 400", "discount - -200", "total 200"]);
    expect(await preview("gwen", "next")).toBeNull();
  });

  test("an end inside the next period cuts it short, and nothing is charged after it", async () => {
    await months.subscribe("hal", "metered");
    await months.use("hal", "2026-02-05T00:00:00Z", 400);
    await updateSubscription(months.db.orm, "hal", { cancelAt: instant("2026-02-03T00:00:00Z") });
    expect(await preview("hal", "next")).toEqual(["total 0"]);
  });
});

function catalog() {
  const base = {
    key: "base",
    type: "flat",
    name: "base",
    product: "p",
    timing: "in_advance",
    amountMinor: "1000",
  };
  const seats = {
    key: "seats",
    type: "seat",
    name: "seats",
    product: "p",
    timing: "in_advance",
    unitAmountMinor: "1000",
  };
  const deep = {
    ...{ key: "deep", type: "usage", name: "deep", product: "tokens", meter: "tokens", unitLabel: "token" },
    model: { type: "per_unit", unitPriceMinor: "1" },
  };
  const plan = (key: string, prices: object[], rest: object = {}) => ({
    ...{ key, name: key, currency: "usd", interval: { unit: "month", count: 1 }, prices },
    ...rest,
  });
  return {
    meters: [{ key: "tokens", eventType: "request", aggregation: "sum", property: "tokens" }],
    plans: [
      plan("metered", [deep]),
      plan("daily", [{ ...deep, included: "310" }], { proration: { unit: "day" } }),
      plan("undivided", [{ ...deep, included: "310" }], { proration: { unit: "none" } }),
      plan("seats", [seats], { proration: { settle: "next_invoice" } }),
      plan("ramped", [base, deep], {
        phases: [
          {
            ...{ key: "begin", name: "begin", periods: 1 },
            overrides: [{ prices: ["base"], effect: { type: "overwrite", price: { amountMinor: "500" } } }],
          },
          { key: "then", name: "then", periods: null, overrides: [] },
        ],
        adjustments: [
          { key: "minimum", name: "minimum", type: "minimum", amountMinor: "900", product: "p" },
          { key: "welcome", name: "welcome", type: "percent_discount", percent: "50", periods: 2 },
        ],
      }),
    ],
  };
}
