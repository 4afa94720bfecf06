import { afterAll, beforeAll, expect, test } from "vitest";
import { applyChange } from "../../src/activities/apply-change.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { periodOf } from "../../src/db/billing/agreed-period.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { inTransaction } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { SubscriptionChange } from "../../src/workflows/messages.ts";
import { expectInvariants } from "../support/invariants.ts";
import { addCustomer, foldAll, openUsage, type UsageFixture } from "./usage-fixture.ts";

/**
 * Changes that come while one period before them, or several, are still open: because of grace, of sources that are behind, or of tax
 * that nobody has given. A base fee of 30.00 is charged in advance, calls cost a cent.
 */
let usage: UsageFixture;
beforeAll(async () => {
  usage = await openUsage({ poolSize: 4 });
  await inTransaction(usage.db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
});
afterAll(async () => {
  await foldAll(usage.db);
  await expectInvariants(usage.db, { limits: { billing: 1e9, clearing: 1e9 } });
  expect(await verifyInvoices(usage.db)).toMatchObject({ findings: [], unknown: [] });
  await usage.close();
});

const plan = (key: string, unit: "month" | "year", amountMinor: string, more: object = {}) => ({
  ...{ key, name: key, currency: "usd", interval: { unit, count: 1 }, graceSeconds: 3600 },
  prices: [
    { type: "flat", key: "base", name: "Base", product: "base", timing: "in_advance", amountMinor },
    {
      ...{
        type: "usage",
        key: "calls",
        name: "Calls",
        product: "calls",
        meter: "calls",
        where: {},
        included: "0",
      },
      model: { type: "per_unit", unitPriceMinor: "1" },
    },
  ],
  ...more,
});

const catalog = {
  meters: [{ key: "calls", eventType: "call", aggregation: "sum", property: "quantity", dimensions: [] }],
  plans: [
    plan("monthly", "month", "3000"),
    plan("dearer", "month", "6000"),
    plan("yearly", "year", "36500", { proration: { intervalChange: "reset_and_charge" } }),
  ],
};

type Step = readonly [at: string, change: SubscriptionChange];

const reset = { kind: "change_plan", planKey: "dearer", anchor: "reset" } as const;

async function begin(customerId: string): Promise<void> {
  await addCustomer(usage.db, customerId);
  await openSubscription(usage.db, {
    ...{ subscriptionId: customerId, customerId, requestId: "open", at: "2026-01-01T00:00:00Z" },
    items: [{ planKey: "monthly", seats: 1 }],
  });
  const meters = await publishedMeters(usage.db.orm);
  const days = [10, 33, 36, 45, 62, 70, 80, 100, 130];
  const events = days.map((day) => ({
    ...{ id: `${customerId}-${day}`, source: "test", customerId, type: "call" },
    time: instant(new Date(Date.UTC(2026, 0, day, 6)).toISOString()),
    data: { quantity: day },
  }));
  await ingestEvents(usage.db, events, meters);
}

/** Closes what has ended by `until`: each when its grace is over, or, being late, all of it then. */
async function closeUntil(id: string, until: string, at?: string): Promise<void> {
  for (;;) {
    const row = (await findSubscription(usage.db.orm, id)) ?? expect.fail("it is there");
    if (row.nextCloseAt === null || row.nextCloseAt > instant(until)) return;
    const start = isoOf(periodOf(row, row.billedThrough).period.start);
    const closed = await closePeriodOnce(
      usage.db,
      { subscriptionId: id, periodStart: start, at: at ?? isoOf(row.nextCloseAt) },
      { usageWaitMsMax: 0 },
    );
    expect(closed.outcome).toBe("closed");
  }
}

/** What it comes to by product, what is owed in the end, and the periods that were closed. */
async function cameTo(id: string) {
  const lines = await usage.db.sql`
    select product, sum(amount_minor)::int as cents from billing.invoice_line
    where invoice_id in (select id from billing.invoice where customer_id = ${id}) group by 1 having sum(amount_minor) <> 0 order by 1`;
  // What an invoice hands back is kept for the next one, so the same can be owed by one invoice or by two.
  const [owed] = await usage.db.sql`
    select (sum(case code when '1100' then balance else -balance end) / 100000000)::int as cents from ledger.balance
    where customer_id = ${id} and code in ('1100', '2200')`;
  const periods = await usage.db.sql`
    select period_start, period_end from billing.rating_run where subscription_id = ${id} order by 1`;
  return { lines: [...lines], owed: owed?.cents, periods: [...periods] };
}

const stories: Record<string, readonly Step[]> = {
  "a new period begins with the next one": [["2026-02-01T00:00:00Z", reset]],
  "a new period begins in the grace": [["2026-02-01T00:30:00Z", reset]],
  "a new period begins in the second month": [["2026-02-10T00:00:00Z", reset]],
  "a new period begins in the third month": [["2026-03-10T00:00:00Z", reset]],
  "two new periods begin": [
    ["2026-02-10T00:00:00Z", reset],
    ["2026-02-20T12:00:00Z", { kind: "change_plan", planKey: "monthly", anchor: "reset" }],
  ],
  "a year begins": [["2026-02-10T00:00:00Z", { kind: "change_plan", planKey: "yearly" }]],
  "a dearer plan, and an end": [
    ["2026-02-05T00:00:00Z", { kind: "change_plan", planKey: "dearer" }],
    ["2026-03-10T00:00:00Z", { kind: "cancel", credit: "unused" }],
  ],
  "a pause, and a new period": [
    ["2026-02-05T00:00:00Z", { kind: "pause" }],
    ["2026-02-15T00:00:00Z", { kind: "resume", anchor: "reset" }],
  ],
};

test.each(Object.entries(stories))(
  "%s: closed late it comes to the same as closed in time",
  async (name, steps) => {
    const [prompt, late] = [`${name}-prompt`, `${name}-late`].map((id) => id.replace(/[^a-z]+/g, "-"));
    if (prompt === undefined || late === undefined) return;
    await begin(prompt);
    await begin(late);
    for (const [at, change] of steps) {
      await closeUntil(prompt, at);
      await applyChange(usage.db, { subscriptionId: prompt, changeId: at, at, change });
      await applyChange(usage.db, { subscriptionId: late, changeId: at, at, change });
    }
    const end = "2026-05-20T00:00:00Z";
    await closeUntil(prompt, end);
    await closeUntil(late, end, end);
    expect(await cameTo(late)).toEqual(await cameTo(prompt));
  },
);
