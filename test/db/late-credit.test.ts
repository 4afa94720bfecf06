import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { recurringGrantCommands } from "../../src/api/commands/recurring-grant-commands.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { RecurringGrant } from "../../src/domain/credits/index.ts";
import { currency, money } from "../../src/domain/money/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cents } from "./adjusted-story.ts";
import { BilledMonths } from "./billed-months.ts";

/** Credit that pays for nothing from before it took effect, on the 10th of January, and usage that comes after January was billed. */

const tokens = {
  ...{ key: "deep", type: "usage", name: "deep", product: "tokens", meter: "tokens", unitLabel: "token" },
  model: { type: "per_unit", unitPriceMinor: "1" },
};
const plan = {
  ...{ name: "plan", currency: "usd", interval: { unit: "month", count: 1 }, prices: [tokens] },
  credits: { earlierUsage: "none" },
};

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin({
    meters: [{ key: "tokens", eventType: "request", aggregation: "sum", property: "tokens" }],
    plans: [
      { ...plan, key: "metered" },
      { ...plan, key: "thresholds", thresholds: { amountsMinor: ["100"] } },
    ],
  });
});
afterAll(async () => {
  expect(await verifyInvoices(months.db)).toMatchObject({ findings: [], unknown: [] });
  await months.end();
});
afterEach(async () => {
  // Nothing here is collected.
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
});

/** So many cents on the 10th of every month, of which nothing goes over. */
async function creditFromTenth(customerId: string, amount: bigint): Promise<void> {
  const usd = currency("usd");
  const effectiveAt = instant("2026-01-10T00:00:00Z");
  const anchor = { at: effectiveAt, interval: { unit: "month", count: 1 } as const, timeZone: "UTC" };
  const grant: RecurringGrant = {
    ...{ id: `crr-${customerId}`, amount: cents(amount), priority: 50, rollover: null },
    recurrence: { anchor, effectiveAt, expiresAt: instant("2026-05-10T00:00:00Z"), first: "at_once" },
  };
  const commands = recurringGrantCommands({
    ...{ db: months.db, now: () => instant("2026-01-02T00:00:00Z") },
    approvalLimits: new Map([[usd, money(100_000n, usd)]]),
  });
  const request = { customerId, currency: usd, grant, reasonCode: "contract", reason: null } as const;
  await commands.request(request, { correlationId: "test", actor: "api-key/support" });
}

test("of what comes late only what was used from then on is paid by it", async () => {
  await months.subscribe("ada", "metered");
  await creditFromTenth("ada", 100n);
  await months.use("ada", "2026-01-25T00:00:00Z", 40);
  expect(await months.close("ada", "2026-01-01", "2026-02-01")).toEqual([
    "usage deep 40",
    "credits -40",
    "total 0",
  ]);
  await months.use("ada", "2026-01-05T00:00:00Z", 90);
  await months.use("ada", "2026-01-20T00:00:00Z", 20);
  expect(await months.close("ada", "2026-02-01", "2026-03-01")).toEqual([
    "late_usage deep 110",
    "credits -20",
    "total 90",
  ]);
  // January's credit is lost since, with the 40 that were left of it.
  await months.use("ada", "2026-01-21T00:00:00Z", 70);
  expect(await months.close("ada", "2026-03-01", "2026-04-01")).toEqual(["late_usage deep 70", "total 70"]);
});

test("the same of what is left when a threshold has been billed", async () => {
  await months.subscribe("bea", "thresholds");
  await creditFromTenth("bea", 500n);
  await months.use("bea", "2026-01-05T00:00:00Z", 60);
  await months.use("bea", "2026-01-20T00:00:00Z", 100);
  expect(await months.threshold("bea", "2026-01-21T00:00:00Z")).toEqual([
    "usage deep 160",
    "credits -100",
    "total 60",
  ]);
  await months.use("bea", "2026-01-06T00:00:00Z", 70);
  await months.use("bea", "2026-01-25T00:00:00Z", 20);
  expect(await months.close("bea", "2026-01-01", "2026-02-01")).toEqual([
    "usage deep 90",
    "credits -20",
    "total 70",
  ]);
});
