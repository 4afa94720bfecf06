import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueCreditPurchase } from "../../src/activities/issue-credit-purchase.ts";
import { book } from "../../src/activities/issue-invoice.ts";
import { BudgetPasses, lookAtBudgets } from "../../src/activities/look-at-budgets.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { insertAlert } from "../../src/db/alerts/alerts.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { setPaymentMethod } from "../../src/db/billing/customer-payment.ts";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { updateInvoice } from "../../src/db/billing/invoices.ts";
import { lockCustomer } from "../../src/db/billing/subscriptions.ts";
import { findTopUpRule, setTopUpRule, stopDeclinedTopUp, topUpsOf } from "../../src/db/billing/top-ups.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { listNotices } from "../../src/db/notices/notices.ts";
import type { Alert } from "../../src/domain/alerts/index.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { prepaidCreditsFunded } from "../../src/domain/ledger/index.ts";
import { money } from "../../src/domain/money/index.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import { BilledCustomers } from "../api/support/billed-customer.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** Credit that is bought by itself, and alerts: once for each crossing, however many look. */

let db: Database;
let billed: BilledCustomers;
let isTemporalAway = false;
const ending: (() => unknown)[] = [];

beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 12 });
  ending.push(drop, () => db.close());
  billed = new BilledCustomers(db);
  await billed.publish();
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

/** The run of a purchase, as far as it issues the invoice. */
const gateway = {
  async purchaseCredits({ grantId }, at) {
    if (isTemporalAway) throw new Error("Temporal is away");
    return await issueCreditPurchase(db, { grantId, at });
  },
} as Pick<TemporalGateway, "purchaseCredits"> as TemporalGateway;

const wall = instant("2026-01-20T00:00:00Z");
const look = (id: string) => lookAtBudgets({ db, gateway }, id, wall);
const lookAtOnce = (id: string, times: number) => Promise.all(Array.from({ length: times }, () => look(id)));

async function rule(customerId: string, terms: object = {}): Promise<string> {
  const id = `tur-${customerId}`;
  const setAt = instant("2026-01-01T00:00:00Z");
  await inTransaction(db, async (tx) => {
    await lockCustomer(tx, customerId);
    await setTopUpRule(tx, {
      ...{ id, customerId, currency: "usd", setBy: "api-key/alice", setAt, priority: 50 },
      ...{ thresholdMinor: 500n, amountMinor: 1_000n, coolDownSeconds: 3_600 },
      ...terms,
    });
  });
  return id;
}

/** As a payment is booked, but for the money's way to us. */
async function paid(customerId: string, grantId: string, at: string): Promise<void> {
  const invoiceId = `inv_${grantId}`;
  const [occurredAt, amount] = [instant(at), money(1_000n, "usd")];
  await inTransaction(db, async (tx) => {
    await updateInvoice(tx, invoiceId, { status: "paid", paidAt: occurredAt, amountPaidMinor: 1_000n });
    const facts = { customerId, currency: amount.currency, occurredAt, effectiveAt: occurredAt };
    const sourceKey = `credit-purchase/${invoiceId}/funded`;
    await book(tx, [
      prepaidCreditsFunded({ ...facts, sourceKey, purchaseId: invoiceId, grantId, invoiceId, amount }),
    ]);
  });
}

const states = async (id: string) =>
  (await topUpsOf(db.orm, id)).map(({ number, state }) => `${number} ${state}`);

async function told(customerId: string): Promise<string[]> {
  const { items } = await listNotices(db.orm, { customerId }, { limit: 100 });
  const inOrder = items.toSorted((one, other) => Number(one.sequence - other.sequence));
  return inOrder.flatMap(({ kind }) => (/^(budget|top_up)\./.test(kind) ? [kind] : []));
}

describe("credit that is bought by itself", () => {
  test("is bought once for a crossing by any number of workers, and again when it was paid and runs low", async () => {
    await billed.subscribe("runs-low");
    await billed.clockAt("runs-low", "2026-01-05T00:00:00Z");
    await rule("runs-low");
    const begun = await lookAtOnce("runs-low", 8);
    expect(begun.filter(({ hasBegun }) => hasBegun)).toHaveLength(1);
    await look("runs-low");
    expect(await states("runs-low")).toEqual(["1 outstanding"]);
    await paid("runs-low", "tur-runs-low.1", "2026-01-05T00:01:00Z");
    await look("runs-low");
    expect(await states("runs-low")).toEqual(["1 paid"]);
    // 30 000 tokens cost 200 + 50 + 190: of 1000 there are 560 left, more than the threshold; 10 000 more cost 100.
    await billed.use("runs-low", "2026-01-05T00:02:00Z", 30_000);
    await billed.clockAt("runs-low", "2026-01-05T00:30:00Z");
    await look("runs-low");
    expect(await states("runs-low")).toEqual(["1 paid"]);
    await billed.use("runs-low", "2026-01-05T00:31:00Z", 10_000);
    await look("runs-low");
    expect(await states("runs-low"), "it cools down for an hour").toEqual(["1 paid"]);
    await billed.clockAt("runs-low", "2026-01-05T01:00:00Z");
    await look("runs-low");
    expect(await states("runs-low")).toEqual(["2 outstanding", "1 paid"]);
  });

  test("stops at the limit of the customer's month, tells it once, and goes on in the next", async () => {
    await billed.subscribe("limited");
    await billed.clockAt("limited", "2026-01-05T00:00:00Z");
    await rule("limited", { monthlyLimitMinor: 1_500n, coolDownSeconds: 0, thresholdMinor: 5_000n });
    await look("limited");
    await paid("limited", "tur-limited.1", "2026-01-05T00:00:00Z");
    await lookAtOnce("limited", 3);
    expect([await states("limited"), await told("limited")]).toEqual([["1 paid"], ["top_up.limit_reached"]]);
    // February begins an hour earlier in Berlin.
    await billed.clockAt("limited", "2026-01-31T23:00:00Z");
    await look("limited");
    expect(await states("limited")).toEqual(["2 outstanding", "1 paid"]);
  });

  test("ends with a declined charge, and its customer is told", async () => {
    await billed.subscribe("declined");
    const id = await rule("declined");
    await look("declined");
    const invoice = { id: `inv_${id}.1`, kind: "credit_purchase", customerId: "declined" };
    const decline = { declineCode: "card_declined", at: wall };
    for (const _ of [1, 2]) await inTransaction(db, (tx) => stopDeclinedTopUp(tx, invoice, decline));
    expect((await findTopUpRule(db.orm, id))?.end).toMatchObject({
      cause: "declined",
      detail: "card_declined",
    });
    await paid("declined", `${id}.1`, "2026-01-05T00:01:00Z");
    await look("declined");
    expect([await states("declined"), await told("declined")]).toEqual([["1 paid"], ["top_up.stopped"]]);
  });

  test("is invoiced by whoever looks next when a worker has begun it and not handed it on", async () => {
    await billed.subscribe("handed-on");
    await rule("handed-on");
    const passes = new BudgetPasses({ db, gateway }, 1);
    isTemporalAway = true;
    await expect(look("handed-on")).rejects.toThrow("Temporal is away");
    isTemporalAway = false;
    let lookedAt = 0;
    for (let hasMore = true; hasMore; ) {
      const page = await passes.next(wall);
      expect(page.failure).toBeUndefined();
      lookedAt += page.lookedAt;
      hasMore = page.hasMore;
    }
    expect(lookedAt).toBeGreaterThan(1);
    expect(await topUpsOf(db.orm, "handed-on")).toMatchObject([{ number: 1, isInvoiced: true }]);
    // Once more, as it was to be handed on; then nothing has changed.
    await passes.next(wall);
    expect(await passes.next(wall)).toMatchObject({ lookedAt: 0, hasMore: false });
    await billed.use("handed-on", "2026-01-06T00:00:00Z", 10);
    expect(await passes.next(wall)).toMatchObject({ lookedAt: 1, hasMore: false });
  });

  test("is refused by the database where somebody else writes it", async () => {
    const beside = (ruleId: string, number: number) => db.sql`
      insert into billing.top_up (rule_id, number, grant_id, credit_left, month_start, begun_at)
      select ${ruleId}, ${number}, grant_id, 0, month_start, begun_at from billing.top_up_standing where state = 'paid' limit 1`;
    await expect(beside("tur-handed-on", 2)).rejects.toMatchObject({ code: "RK049" });
    await expect(beside("tur-declined", 2)).rejects.toMatchObject({ code: "RK049" });
  });
});

describe("an alert", () => {
  const spending = { type: "spending", amountMinor: "1000", window: { type: "billing_cycle" } } as const;
  const setAlert = async (customerId: string, { subject, condition }: Omit<Alert, "id">, name = "a") => {
    const set = { setBy: "api-key/alice", setAt: instant("2026-01-01T00:00:00Z") };
    await insertAlert(db.orm, { id: `${customerId}-${name}`, customerId, subject, condition, ...set });
  };

  test("tells a crossing once, however many look, and again in the next window", async () => {
    await billed.subscribe("share");
    await setAlert("share", { subject: spending, condition: { type: "share", percent: 50 } }, "half");
    await setAlert("share", { subject: spending, condition: { type: "share", percent: 100 } }, "all");
    await billed.clockAt("share", "2026-01-10T00:00:00Z");
    // 1000 are included, 10 000 cost 200, and 50 + 24 900 × 0.01 = 299: one cent less than half.
    await billed.use("share", "2026-01-09T00:00:00Z", 35_900);
    await look("share");
    expect(await told("share")).toEqual([]);
    await billed.use("share", "2026-01-09T00:00:00Z", 200);
    await lookAtOnce("share", 5);
    expect(await told("share")).toEqual(["budget.share_reached"]);
    await billed.use("share", "2026-01-09T00:00:00Z", 60_000);
    await lookAtOnce("share", 5);
    expect(await told("share")).toEqual(["budget.share_reached", "budget.limit_reached"]);
    await billed.clockAt("share", "2026-02-02T00:00:00Z");
    await billed.use("share", "2026-02-01T00:00:00Z", 50_000);
    await lookAtOnce("share", 2);
    expect(await told("share")).toEqual([
      "budget.share_reached",
      "budget.limit_reached",
      "budget.share_reached",
    ]);
  });

  test("at a forecast tells it before it happens, and that it is over", async () => {
    await billed.subscribe("forecast");
    await setAlert("forecast", { subject: spending, condition: { type: "forecast" } });
    await billed.clockAt("forecast", "2026-01-02T00:00:00Z");
    await billed.use("forecast", "2026-01-01T12:00:00Z", 36_000);
    await look("forecast");
    expect(await told("forecast"), "too little of the month has passed").toEqual([]);
    await billed.clockAt("forecast", "2026-01-11T00:00:00Z");
    await look("forecast");
    // 500 in ten days and an hour is 1543 in a month.
    expect(await told("forecast")).toEqual(["budget.overrun_forecast"]);
    const passes = new BudgetPasses({ db, gateway });
    await passes.next(wall);
    await billed.clockAt("forecast", "2026-01-18T00:00:00Z");
    expect((await passes.next(wall)).lookedAt, "time alone may have ended it").toBe(1);
    expect(await told("forecast")).toEqual(["budget.overrun_forecast", "budget.recovered"]);
  });

  test("of credit is armed again when credit is bought", async () => {
    await billed.subscribe("prepaid");
    await rule("prepaid", { coolDownSeconds: 0 });
    await billed.clockAt("prepaid", "2026-01-05T00:00:00Z");
    await look("prepaid");
    await paid("prepaid", "tur-prepaid.1", "2026-01-05T00:00:00Z");
    await setAlert("prepaid", { subject: { type: "credit" }, condition: { type: "share", percent: 80 } });
    await billed.use("prepaid", "2026-01-05T00:00:00Z", 70_000);
    await look("prepaid");
    expect(await told("prepaid")).toEqual(["budget.share_reached"]);
    await paid("prepaid", "tur-prepaid.2", "2026-01-05T00:00:00Z");
    await look("prepaid");
    expect(await told("prepaid")).toEqual(["budget.share_reached", "budget.recovered"]);
  });
});

test("a trial is had once by a customer, and once by a card", async () => {
  const plan = { key: "try", name: "Try", currency: "usd", interval: { unit: "month", count: 1 } };
  const trial = { length: { unit: "week", count: 2 } };
  const price = {
    key: "base",
    name: "Base",
    product: "base",
    type: "flat",
    timing: "in_advance",
    amountMinor: "1",
  };
  const catalog = parseCatalog({ meters: [], plans: [{ ...plan, trial, prices: [price] }] });
  await inTransaction(db, (tx) => publishCatalog(tx, catalog));
  const [first, other] = ["trying", "trying-again"];
  const card = {
    id: "pm_1",
    brand: "visa",
    last4: "4242",
    expMonth: 2,
    expYear: 2030,
    fingerprint: "same-card",
  };
  for (const id of [first, other]) {
    const terms = { currency: "usd", timeZone: "UTC", testClockId: null, createdAt: wall };
    await insertCustomer(db.orm, { id, name: id, email: `${id}@example.com`, ...terms });
    await setPaymentMethod(db.orm, id, card);
  }
  const opened = ["a", "b", "c", "d"].map((name, index) =>
    openSubscription(db, {
      ...{ subscriptionId: `trial-${name}`, customerId: index % 2 === 0 ? first : other, requestId: name },
      ...{ at: "2026-01-20T00:00:00.000Z", items: [{ planKey: "try", seats: 1 }] },
    }).then(
      () => "begun",
      (error: { readonly code: string }) => error.code,
    ),
  );
  const refused = "trial_refused";
  expect((await Promise.all(opened)).toSorted()).toEqual(["begun", refused, refused, refused]);
});
