import { afterAll, beforeAll, expect, test } from "vitest";
import { applyChange } from "../../src/activities/apply-change.ts";
import { billThreshold } from "../../src/activities/bill-threshold.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { settleActivation } from "../../src/activities/settle-activation.ts";
import { voidInvoice } from "../../src/activities/void-invoice.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findInvoice, linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { plannedChange } from "../../src/db/billing/planned-change.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { taxQuoteAhead } from "../../src/db/billing/tax-ahead.ts";
import { insertTaxChoice } from "../../src/db/billing/tax-choices.ts";
import { keepTaxGiven, taxedAtOnce } from "../../src/db/billing/tax-given.ts";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { currency, decimal, money } from "../../src/domain/money/index.ts";
import { addCustomer, ingest, openUsage, type UsageFixture, usageEvent } from "../db/usage-fixture.ts";
import { expectInvariants } from "../support/invariants.ts";

/** Invoices that are issued at once, of customers whose tax is reckoned outside: what waits, what is refused, what goes on. */
let usage: UsageFixture;
beforeAll(async () => {
  usage = await openUsage();
  await inTransaction(usage.db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
});
afterAll(async () => {
  expect(await verifyInvoices(usage.db)).toMatchObject({ findings: [], unknown: [] });
  await expectInvariants(usage.db, { limits: { billing: 1e9, clearing: 1e9 } });
  await usage.close();
});

const fee = (amountMinor: string) =>
  ({ type: "flat", key: "base", name: "Base", product: "base", timing: "in_advance", amountMinor }) as const;
const tokens = {
  ...{
    type: "usage",
    key: "tokens",
    name: "Tokens",
    product: "tokens",
    meter: "tokens",
    where: {},
    included: "0",
  },
  model: { type: "per_unit", unitPriceMinor: "1" },
} as const;
const month = { currency: "usd", interval: { unit: "month", count: 1 }, graceSeconds: 3600 } as const;
const catalog = {
  meters: [{ key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: [] }],
  plans: [
    {
      key: "solo",
      name: "Solo",
      ...month,
      prices: [fee("3000"), tokens],
      thresholds: { amountsMinor: ["500"] },
    },
    { key: "team", name: "Team", ...month, prices: [fee("6000"), tokens] },
  ],
};

const start = "2026-01-01T00:00:00.000Z";
let given = 0;

async function external(customerId: string): Promise<void> {
  await addCustomer(usage.db, customerId);
  const at = instant(start);
  await insertTaxChoice(usage.db.orm, {
    ...{ customerId, requestId: "tax", handling: "external", basis: "before_credits" },
    ...{ reason: null, chosenBy: "test", chosenAt: at, appliesAt: at },
  });
}

async function give(customerId: string, quote: string, taxable: bigint, amount: bigint): Promise<void> {
  const line = {
    ...{ description: "VAT 10 %", jurisdiction: customerId, rate: decimal("0.1"), lines: null },
    ...{ taxable: money(taxable, "usd"), amount: money(amount, "usd") },
  };
  const kept = { id: `given-${++given}`, customerId, quote, currency: currency("usd"), lines: [line] };
  await inTransaction(usage.db, (tx) =>
    keepTaxGiven(tx, { ...kept, givenBy: "test", givenAt: instant(start) }),
  );
}

const open = (customerId: string, more: object = {}) =>
  openSubscription(usage.db, {
    ...{ subscriptionId: customerId, customerId, requestId: "open", at: start, ...more },
    items: [{ planKey: "solo", seats: 1 }],
  });

/** The quote that a refusal names. */
async function refusedFor(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => expect.fail("it is refused"),
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: "tax_missing" });
  return /tax-lines\/([0-9a-f]{24}), and ask again/.exec(error.message)?.[1] ?? expect.fail(error.message);
}

/** Begun, with 3.00 of tax on its first 30.00. */
async function begun(customerId: string) {
  await external(customerId);
  await give(customerId, await refusedFor(open(customerId)), 3000n, 300n);
  return await open(customerId);
}

const sumsOf = async (id: string | null) => {
  const invoice = (await findInvoice(usage.db.orm, id ?? "")) ?? expect.fail("it was issued");
  return `${invoice.kind} ${invoice.subtotalMinor} + ${invoice.taxMinor} = ${invoice.totalMinor}, ${invoice.status}`;
};

const taxOwed = async (jurisdiction: string) => {
  const [row] = await usage.db.sql`
    select (balance / 100000000)::int as cents from ledger.balance
    where code = '2300' and dimensions ->> 'jurisdiction' = ${jurisdiction}`;
  return row?.cents ?? 0;
};

const january = { periodStart: start, at: "2026-02-01T01:00:00Z" };
const close = (subscriptionId: string) =>
  closePeriodOnce(usage.db, { subscriptionId, ...january }, { usageWaitMsMax: 0 });

async function use(customerId: string, count: number): Promise<void> {
  const event = usageEvent({
    ...{ id: `${customerId}-${count}`, customerId },
    data: { model: "large", class: "input", tokens: count },
  });
  expect(await ingest(usage.db, [event])).toEqual(["accepted"]);
}

test("a start is refused without its tax, and nothing of it is kept; asked for again with it, it has begun", async () => {
  const opened = await begun("ada");
  expect(await sumsOf(opened.invoiceId)).toBe("activation 3000 + 300 = 3300, open");
  expect(opened.standing.status).toBe("active");
  expect(await open("ada")).toEqual(opened);
});

test("one that begins with its first payment has its tax on what is paid; not paid, the tax is owed no more", async () => {
  await external("bea");
  const gated = { payWithinSeconds: 3600 };
  const quote = await refusedFor(open("bea", gated));
  expect(await findSubscription(usage.db.orm, "bea")).toBeUndefined();
  await give("bea", quote, 3000n, 300n);
  const opened = await open("bea", gated);
  expect(opened.standing).toMatchObject({
    status: "incomplete",
    firstPayment: { invoiceId: opened.invoiceId },
  });
  expect(await taxOwed("bea")).toBe(300);
  const invoiceId = opened.invoiceId ?? "";
  const at = "2026-01-01T01:00:00.000Z";
  const deps = { db: usage.db, rail: {} as never, now: () => instant(at) };
  await voidInvoice(deps, {
    invoiceId,
    at,
    reasonCode: "other",
    reason: "not paid in time",
    voidedBy: "run",
  });
  expect(await settleActivation(usage.db, { subscriptionId: "bea", invoiceId, at })).toEqual({
    status: "incomplete_expired",
  });
  expect(await taxOwed("bea")).toBe(0);
});

const toTeam = { kind: "change_plan", planKey: "team" } as const;
const inJanuary = "2026-01-16T12:00:00.000Z";

test("a change is invoiced at once with the tax that was given for its preview", async () => {
  await begun("cleo");
  const row = (await findSubscription(usage.db.orm, "cleo")) ?? expect.fail("it is there");
  const quote = await inSnapshot(usage.db, async (tx) => {
    const { at, lines } = await plannedChange(tx, row, toTeam, instant(inJanuary));
    return await taxQuoteAhead(tx, { customerId: "cleo", of: taxedAtOnce.change("cleo"), lines, at });
  });
  // Half of January is left: 30.00 for the dearer plan, less 15.00.
  await give("cleo", quote ?? "", 1500n, 150n);
  const changed = { subscriptionId: "cleo", changeId: "up", at: inJanuary, change: toTeam };
  const { invoiceId } = await applyChange(usage.db, changed);
  expect(await sumsOf(invoiceId)).toBe("proration 1500 + 150 = 1650, open");
});

test("without its tax a change goes on the invoice of the period, and is taxed there with all the rest", async () => {
  await begun("dora");
  const changed = { subscriptionId: "dora", changeId: "up", at: inJanuary, change: toTeam };
  expect(await applyChange(usage.db, changed)).toMatchObject({ invoiceId: null, collect: false });
  const waits = await close("dora");
  const quote = "waitsFor" in waits ? (waits.quote ?? "") : expect.fail("it waits");
  await give("dora", quote, 7500n, 750n);
  const closed = await close("dora");
  // −15.00, +30.00, and February's 60.00.
  expect(await sumsOf("invoiceId" in closed ? closed.invoiceId : null)).toBe("cycle 7500 + 750 = 8250, open");
});

test("a threshold that is reached is not billed: all of it is on the invoice of the period, taxed once", async () => {
  await begun("eva");
  await use("eva", 700);
  const reached = await billThreshold(usage.db, { subscriptionId: "eva", at: inJanuary });
  expect(reached).toEqual({ invoiceId: null, collect: false });
  const waits = await close("eva");
  await give("eva", "waitsFor" in waits ? (waits.quote ?? "") : "", 3700n, 370n);
  const closed = await close("eva");
  const invoiceId = "invoiceId" in closed ? (closed.invoiceId ?? "") : expect.fail("it is closed");
  expect(await sumsOf(invoiceId)).toBe("cycle 3700 + 370 = 4070, open");
  const lines = await linesOfInvoice(usage.db.orm, invoiceId);
  expect(lines.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`)).toEqual([
    "usage 700",
    "flat 3000",
    "tax 370",
  ]);
});
