import { afterAll, beforeAll, expect, test } from "vitest";
import { closeDuePage } from "../../src/activities/close-due-page.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { voidInvoice } from "../../src/activities/void-invoice.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { draftInvoice } from "../../src/db/billing/draft-invoices.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findInvoice, linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { insertTaxChoice } from "../../src/db/billing/tax-choices.ts";
import { keepTaxGiven } from "../../src/db/billing/tax-given.ts";
import { findVoidTaxWanted } from "../../src/db/billing/void-tax.ts";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { GivenTaxLine } from "../../src/domain/invoicing/index.ts";
import { decimal, money } from "../../src/domain/money/index.ts";
import type { BillingCycleInput } from "../../src/workflows/messages.ts";
import { addCustomer, ingest, openUsage, type UsageFixture, usageEvent } from "../db/usage-fixture.ts";
import { expectInvariants } from "../support/invariants.ts";
import { meteredCatalog } from "./metered-plan.ts";
import { pageOptions } from "./page-options.ts";

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage();
  await inTransaction(fixture.db, (tx) => publishCatalog(tx, parseCatalog(meteredCatalog("1"))));
});
afterAll(() => fixture.close());

const periodStart = "2026-01-01T00:00:00.000Z";
const dueAt = "2026-02-01T01:00:00.000Z"; // an hour of grace
let given = 0;

/** A customer whose tax is reckoned outside, with a subscription since January and 1,000 tokens at a cent. */
async function subscriberOf(customerId: string, handling: "external" | "none" | null = "external") {
  await addCustomer(fixture.db, customerId);
  const subscriptionId = `sub-${customerId}`;
  await openSubscription(fixture.db, {
    subscriptionId,
    customerId,
    requestId: "open",
    at: periodStart,
    items: [{ planKey: "metered", seats: 1 }],
  });
  const at = instant(periodStart);
  const by = { reason: null, chosenBy: "test", chosenAt: at, appliesAt: at };
  await insertTaxChoice(fixture.db.orm, {
    ...{ customerId, requestId: "tax", handling, basis: "before_credits" },
    ...by,
  });
  await use(customerId, "first", 1_000);
  return subscriptionId;
}

async function use(customerId: string, id: string, tokens: number) {
  const event = usageEvent({
    id: `${customerId}-${id}`,
    customerId,
    data: { model: "large", class: "input", tokens },
  });
  expect(await ingest(fixture.db, [event])).toEqual(["accepted"]);
}

const close = (subscriptionId: string, at = dueAt) =>
  closePeriodOnce(fixture.db, { subscriptionId, periodStart, at }, { usageWaitMsMax: 0 });

async function draftOf(subscriptionId: string, at = dueAt) {
  const row = await findSubscription(fixture.db.orm, subscriptionId);
  if (row === undefined) throw new Error("there is no such subscription");
  const draft = await inSnapshot(fixture.db, (tx) => draftInvoice(tx, row, instant(at)));
  if (draft === null) throw new Error("there is no draft");
  return draft;
}

const vat = (taxable: bigint, amount: bigint, over: Partial<GivenTaxLine> = {}): GivenTaxLine => ({
  description: "VAT 19 %, Germany",
  jurisdiction: "de",
  rate: decimal("0.19"),
  taxable: money(taxable, "usd"),
  amount: money(amount, "usd"),
  lines: null,
  ...over,
});

async function give(customerId: string, quote: string | null, lines: readonly GivenTaxLine[]) {
  const tax = { id: `given-${++given}`, customerId, quote: quote ?? "", currency: "usd" as never, lines };
  const by = { givenBy: "test", givenAt: instant(dueAt) };
  return await inTransaction(fixture.db, (tx) => keepTaxGiven(tx, { ...tax, ...by }));
}

async function invoiceOf(subscriptionId: string) {
  const [row] = await fixture.db.sql<{ id: string }[]>`
    select id from billing.invoice where subscription_id = ${subscriptionId} and kind = 'cycle' and status <> 'void'`;
  return row === undefined ? undefined : await findInvoice(fixture.db.orm, row.id);
}

const taxOwed = async (jurisdiction: string) => {
  const [row] = await fixture.db.sql<{ balance: string }[]>`
    select (balance / 100000000)::bigint::text as balance from ledger.balance
    where code = '2300' and dimensions ->> 'jurisdiction' = ${jurisdiction}`;
  return row?.balance;
};

test("a period waits for its tax, is told once, and is closed with exactly what was given", async () => {
  const subscriptionId = await subscriberOf("waits");
  const waits = { outcome: "waiting", waitsFor: "tax", overdueAt: "2026-02-04T01:00:00.000Z" };
  expect(await close(subscriptionId)).toMatchObject({ ...waits, until: "2026-02-01T02:00:00.000Z" });
  expect(await close(subscriptionId, "2026-02-01T05:00:00Z")).toMatchObject({
    ...waits,
    until: "2026-02-01T09:00:00.000Z", // as long again as it has waited
  });
  expect(await invoiceOf(subscriptionId)).toBeUndefined();
  const { quote } = await draftOf(subscriptionId);
  const told = await fixture.db.sql<{ key: string; subject: { quote: string } }[]>`
    select key, subject from notice.notice where kind = 'invoice.tax_wanted' and customer_id = 'waits'`;
  expect(told.map(({ subject }) => subject.quote)).toEqual([quote]);

  // 5.00 of support and 10.00 of tokens; tax of 2.86, which is not what 15.00 × 0.19 comes to.
  await give("waits", quote, [vat(1500n, 286n)]);
  expect(await close(subscriptionId)).toMatchObject({ outcome: "closed", collect: true });
  const invoice = await invoiceOf(subscriptionId);
  expect(invoice).toMatchObject({ subtotalMinor: 1500n, taxMinor: 286n, totalMinor: 1786n });
  const lines = await linesOfInvoice(fixture.db.orm, invoice?.id ?? "");
  expect(lines.at(-1)).toMatchObject({
    kind: "tax",
    earning: "tax",
    description: "VAT 19 %, Germany",
    amountMinor: 286n,
    detail: { jurisdiction: "de", rate: "0.19", taxableMinor: "1500", quote },
  });
  expect(await taxOwed("de")).toBe("286");
});

test("usage that comes late makes another quote: tax for the one before does not count any more", async () => {
  const subscriptionId = await subscriberOf("late");
  const before = await draftOf(subscriptionId);
  await give("late", before.quote, [vat(1500n, 285n, { jurisdiction: "late-1" })]);
  await use("late", "second", 500);
  const after = await draftOf(subscriptionId);
  expect(after.quote).not.toBe(before.quote);
  expect(after.tax).toBeUndefined();
  expect(await close(subscriptionId)).toMatchObject({
    outcome: "waiting",
    waitsFor: "tax",
    quote: after.quote,
  });
  await give("late", after.quote, [vat(2000n, 380n, { jurisdiction: "late-2" })]);
  expect(await close(subscriptionId)).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toMatchObject({ subtotalMinor: 2000n, taxMinor: 380n });
  expect([await taxOwed("late-1"), await taxOwed("late-2")]).toEqual([undefined, "380"]);
});

test("that there is no tax is said too, and what was given last counts", async () => {
  const subscriptionId = await subscriberOf("exempt");
  const { quote } = await draftOf(subscriptionId);
  await give("exempt", quote, [vat(1500n, 285n)]);
  await give("exempt", quote, []);
  expect(await close(subscriptionId)).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(subscriptionId)).toMatchObject({ taxMinor: 0n, totalMinor: 1500n });
  const [used] = await fixture.db.sql`
    select lines from billing.invoice_tax join billing.tax_given on id = given_id where customer_id = 'exempt'`;
  expect(used).toEqual({ lines: [] });
});

test("the next period waits behind one that waits for tax; nobody else does", async () => {
  const subscriptionId = await subscriberOf("behind");
  await close(subscriptionId);
  const next = { subscriptionId, periodStart: "2026-02-01T00:00:00.000Z", at: "2026-03-01T01:00:00.000Z" };
  expect(await closePeriodOnce(fixture.db, next, { usageWaitMsMax: 0 })).toMatchObject({
    ...{ outcome: "waiting", waitsFor: "tax", quote: null },
    until: "2026-03-01T02:00:00.000Z",
  });
  const untaxed = await subscriberOf("untaxed", null);
  expect(await close(untaxed)).toMatchObject({ outcome: "closed" });
  expect(await invoiceOf(untaxed)).toMatchObject({ taxMinor: 0n });
});

test("a page hands a period that waits for tax over to a run of its own, and comes back to it at the limit", async () => {
  const subscriptionId = await subscriberOf("paged");
  const started: BillingCycleInput[] = [];
  const gateway = { startBillingCycle: async (input: BillingCycleInput) => void started.push(input) };
  const deps = { db: fixture.db, gateway } as unknown as ActivityDependencies;
  const page = async (now: string) => {
    started.length = 0;
    await closeDuePage(deps, { lane: 0, lanes: 1, after: null, limit: 100 }, pageOptions(now));
    return started.some((input) => input.subscriptionId === subscriptionId);
  };
  expect(await page(dueAt)).toBe(true);
  expect(await page("2026-02-03T00:00:00Z")).toBe(false);
  expect(await page("2026-02-04T01:00:00Z")).toBe(true);
});

test("an invoice with tax is voided, and billed anew with the same tax, or not at all", async () => {
  const subscriptionId = await subscriberOf("anew");
  const { quote } = await draftOf(subscriptionId);
  await give("anew", quote, [vat(1500n, 285n, { jurisdiction: "anew" })]);
  await close(subscriptionId);
  const first = await invoiceOf(subscriptionId);
  const deps = { db: fixture.db, rail: {} as never, now: () => instant(dueAt) };
  const asked = { reasonCode: "billing_error" as const, reason: null, voidedBy: "test", at: dueAt };
  await voidInvoice(deps, { ...asked, invoiceId: first?.id ?? "" });
  const second = await invoiceOf(subscriptionId);
  expect(second).toMatchObject({ replaces: first?.id, taxMinor: 285n, totalMinor: 1785n });
  expect(await taxOwed("anew")).toBe("285");

  await use("anew", "since", 100);
  await expect(voidInvoice(deps, { ...asked, invoiceId: second?.id ?? "" })).rejects.toMatchObject({
    code: "tax_missing",
  });
  expect((await invoiceOf(subscriptionId))?.id).toBe(second?.id);

  // What it wanted is kept, though all else was taken back: given, the invoice is voided.
  const wanted = await findVoidTaxWanted(fixture.db.orm, second?.id ?? "");
  expect(wanted?.lines.map(({ line, taxableMinor }) => [line.kind, taxableMinor])).toEqual([
    ["usage", "1100"],
    ["flat", "500"],
  ]);
  await give("anew", wanted?.quote ?? "", [vat(1600n, 304n, { jurisdiction: "anew" })]);
  await voidInvoice(deps, { ...asked, invoiceId: second?.id ?? "" });
  expect(await invoiceOf(subscriptionId)).toMatchObject({
    replaces: second?.id,
    taxMinor: 304n,
    totalMinor: 1904n,
  });
});

test("all of it derives again, byte for byte, and breaks no rule", async () => {
  const verified = await verifyInvoices(fixture.db);
  expect(verified).toMatchObject({ findings: [], unknown: [] });
  expect(verified.derived).toBeGreaterThan(4);
  await expectInvariants(fixture.db, { limits: { billing: 100 * 366 * 86_400 } } as never);
});
