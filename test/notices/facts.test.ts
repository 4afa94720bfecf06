import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyChange } from "../../src/activities/apply-change.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { mirrorInvoice, payInvoice } from "../../src/activities/collect-invoice.ts";
import { moveClock } from "../../src/activities/move-test-clock.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { setPaymentMethod } from "../../src/db/billing/customer-payment.ts";
import { findCustomer } from "../../src/db/billing/customers.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { composeNotices } from "../../src/db/notices/compose-notices.ts";
import { tellDueNotices } from "../../src/db/notices/due-notices.ts";
import { enqueueNotice } from "../../src/db/notices/enqueue-notice.ts";
import { listNotices } from "../../src/db/notices/notices.ts";
import { instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { startStripeSandbox } from "../../src/sandbox/stripe/index.ts";
import { createStripe, stripeRail } from "../../src/stripe/index.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import { BilledCustomers } from "../api/support/billed-customer.ts";
import { Adjusters, gift } from "../db/adjusted-story.ts";
import { cloneDatabase } from "../support/postgres.ts";

let db: Database;
let billed: BilledCustomers;
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 5 });
  billed = new BilledCustomers(db);
  await billed.publish();
  await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(trialCatalog)));
  ending.push(drop, () => db.close());
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

/** What a customer was told, in the order of the facts, as its receivers get it. */
async function told(customerId: string) {
  const options = {
    now: instantOfEpochMs(Date.now()),
    hasMail: false,
    hasOperator: false,
    except: new Set<string>(),
  };
  const { failures } = await composeNotices(db, options, 1_000);
  expect([...failures.values()]).toEqual([]);
  const { items } = await listNotices(db.orm, { customerId }, { limit: 100 });
  return items.toReversed().map(({ kind, occurredAt, body }) => ({
    kind,
    at: isoOf(occurredAt),
    data: JSON.parse(body ?? "").data,
  }));
}

const move = (clockId: string, now: string) => moveClock(db, { clockId, now, target: now, isSettled: true });

describe("on a test clock", () => {
  test("what is ahead is told at its own instant, however far the clock is moved, and once", async () => {
    const id = await billed.subscribe("ahead");
    await billed.use("ahead", "2026-01-10T00:00:00Z", 11_000);
    const card = { id: "pm_1", brand: "visa", last4: "4242", expMonth: 2, expYear: 2026 };
    await setPaymentMethod(db.orm, "ahead", card);
    await move("ahead", "2026-01-25T00:00:00.000Z");
    await move("ahead", "2026-01-31T00:00:00.000Z");
    await move("ahead", "2026-01-31T12:00:00.000Z");
    expect(await told("ahead")).toMatchObject([
      {
        kind: "invoice.issued",
        at: "2025-12-31T23:00:00.000Z",
        data: { invoice_id: id, kind: "activation", total_minor: "6500", is_to_be_paid: true },
      },
      {
        kind: "invoice.upcoming",
        at: "2026-01-25T00:00:00.000Z",
        data: {
          plan: "Team Pro",
          period_start: "2025-12-31T23:00:00.000Z",
          period_end: "2026-01-31T23:00:00.000Z",
          invoice_at: "2026-02-01T00:00:00.000Z",
          currency: "usd",
        },
      },
      {
        kind: "payment_method.expiring",
        at: "2026-01-29T23:00:00.000Z",
        data: { last4: "4242", exp_month: 2, exp_year: 2026 },
      },
    ]);
    await tellDueNotices(db, instant("2026-01-31T12:00:00Z"));
    expect(await told("ahead")).toHaveLength(3);
  });

  test("a clock that jumps over an invoice tells of it all the same", async () => {
    await billed.subscribe("jump");
    await move("jump", "2026-02-01T00:00:00.000Z");
    const upcoming = (await told("jump")).filter(({ kind }) => kind === "invoice.upcoming");
    expect(upcoming).toMatchObject([{ at: "2026-01-25T00:00:00.000Z" }]);
  });
});

test("the end of a trial is told as many days ahead as its plan says", async () => {
  await billed.subscribe("trying", "trial");
  await move("trying", "2026-01-12T00:00:00.000Z");
  const trials = (await told("trying")).filter(({ kind }) => kind === "subscription.trial_ending");
  expect(trials).toMatchObject([
    {
      at: "2026-01-09T23:00:00.000Z",
      data: { plan: "Trial", trial_ends_at: "2026-01-14T23:00:00.000Z", end_action: "cancel" },
    },
  ]);
});

test("changes, pauses and the end are told in the transaction that makes them", async () => {
  await billed.subscribe("changing");
  const make = (changeId: string, day: number, change: Parameters<typeof applyChange>[1]["change"]) =>
    applyChange(db, { subscriptionId: "changing", changeId, at: `2026-01-${day}T00:00:00.000Z`, change });
  await make("more", 10, { kind: "change_quantity", seats: 5 });
  await make("more", 10, { kind: "change_quantity", seats: 5 });
  await make("stop", 12, { kind: "pause" });
  await make("go", 14, { kind: "resume" });
  await make("end", 16, { kind: "cancel", credit: "none" });
  const changes = (await told("changing")).filter(({ kind }) => kind.startsWith("subscription."));
  expect(changes).toMatchObject([
    {
      kind: "subscription.changed",
      at: "2026-01-10T00:00:00.000Z",
      data: { change: "change_quantity", seats: 5 },
    },
    {
      kind: "subscription.paused",
      at: "2026-01-12T00:00:00.000Z",
      data: { change_id: "stop", plan: "Team Pro" },
    },
    { kind: "subscription.resumed", at: "2026-01-14T00:00:00.000Z" },
    {
      kind: "subscription.canceled",
      at: "2026-01-16T00:00:00.000Z",
      data: { subscription_id: "changing", effective_at: "2026-01-16T00:00:00.000Z" },
    },
  ]);
});

test("credit is told to run low when it is drawn on, and what is lost when it expires", async () => {
  await billed.subscribe("spending");
  const adjusters = new Adjusters(db);
  await adjusters.begin();
  const expiresAt = instant("2026-02-10T00:00:00Z");
  await adjusters.ask("adj-gift", "spending", { ...gift("gift", 250n), expiresAt });
  // 10,000 beyond what is included, at 0.02 cents: 200 of 250 cents.
  await billed.use("spending", "2026-01-10T00:00:00Z", 11_000);
  await billed.close("spending");
  const february = { periodStart: "2026-01-31T23:00:00Z", at: "2026-03-01T01:00:00Z" };
  await billed.clockAt("spending", february.at);
  await closePeriodOnce(db, { subscriptionId: "spending", ...february }, { usageWaitMsMax: 0 });
  const credits = (await told("spending")).filter(({ kind }) => kind.startsWith("credits."));
  expect(credits).toMatchObject([
    {
      kind: "credits.low",
      at: "2026-02-01T01:00:00.000Z",
      data: { currency: "usd", remaining_minor: "50", granted_minor: "250" },
    },
    {
      kind: "credits.expired",
      at: "2026-02-10T00:00:00.000Z",
      data: { grant_id: "gift", expired_minor: "50" },
    },
  ]);
});

/** Has the first charge of a customer without a card declined, twice over; what is told of that. */
async function toldOfDecline(customerId: string, planKey?: string) {
  const sandbox = await startStripeSandbox({ port: 0 });
  ending.push(() => sandbox.close());
  const apiKey = `sk_test_${randomBytes(12).toString("hex")}`;
  const rail = stripeRail(createStripe({ apiKey, apiBase: sandbox.url }), operationLog(db));
  const deps = { db, rail, gateway: {} as TemporalGateway, now: () => instantOfEpochMs(Date.now()) };
  const invoiceId = await billed.subscribe(customerId, planKey);
  await mirrorInvoice(deps, { invoiceId, at });
  for (let time = 1; time <= 2; time++) {
    const outcome = await payInvoice(deps, { invoiceId, attempt: 1, cause: "first", at });
    expect(outcome.status).toBe("declined");
  }
  const failures = (await told(customerId)).filter(({ kind }) => kind === "invoice.payment_failed");
  return { invoiceId, failures };
}

const at = "2026-01-01T00:00:00.000Z";

test("a declined charge is told once, with why", async () => {
  const { invoiceId, failures } = await toldOfDecline("failing");
  expect(failures).toMatchObject([
    {
      at,
      data: {
        invoice_id: invoiceId,
        attempt: 1,
        decline_code: "no_payment_method",
        total_minor: "6500",
        pay_url: expect.stringContaining("http"),
      },
    },
  ]);
});

test("a declined charge is not told where the policy names no notice for it", async () => {
  expect((await toldOfDecline("unbothered", "quiet")).failures).toEqual([]);
});

test("what is taken back was never told", async () => {
  await billed.subscribe("rolled-back");
  const customer = await findCustomer(db.orm, "rolled-back");
  const before = await told("rolled-back");
  const failing = inTransaction(db, async (tx) => {
    await enqueueNotice(tx, {
      key: "never",
      kind: "credits.expired",
      customerId: customer?.id ?? null,
      subject: { grantId: "none" },
      occurredAt: instant("2026-01-02T00:00:00Z"),
    });
    throw new Error("the fact was refused");
  });
  await expect(failing).rejects.toThrow("refused");
  expect(await told("rolled-back")).toEqual(before);
});

const usual = {
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices: [
    { key: "base", name: "Base", product: "base", type: "flat", timing: "in_advance", amountMinor: "1000" },
  ],
};

const trialCatalog = {
  meters: [],
  plans: [
    {
      key: "trial",
      name: "Trial",
      ...usual,
      trial: { length: { unit: "day", count: 14 }, endAction: "cancel" },
      notices: { trialEndingDays: 5 },
    },
    {
      key: "quiet",
      name: "Quiet",
      ...usual,
      dunning: { retryAfterDays: [3], notices: { attemptFailed: null } },
    },
  ],
};
