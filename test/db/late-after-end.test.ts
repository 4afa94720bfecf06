import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { LateUsageWatch } from "../../src/activities/notice-late-usage.ts";
import { voidInvoice } from "../../src/activities/void-invoice.ts";
import { correctEvents, decideUsageCorrection } from "../../src/api/commands/usage-correction-commands.ts";
import { draftInvoice } from "../../src/db/billing/draft-invoices.ts";
import { explainedInvoice } from "../../src/db/billing/explained-invoice.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findInvoice } from "../../src/db/billing/invoices.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { insertTaxChoice } from "../../src/db/billing/tax-choices.ts";
import { keepTaxGiven } from "../../src/db/billing/tax-given.ts";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { currency, decimal, money } from "../../src/domain/money/index.ts";
import type { BillingCycleInput } from "../../src/workflows/messages.ts";
import { expectInvariants } from "../support/invariants.ts";
import { SeveralSubscriptions } from "./several-subscriptions.ts";
import { foldAll, openUsage, type UsageFixture } from "./usage-fixture.ts";

/** Usage that comes when its subscription has ended and its last period is closed. API calls cost a cent each, with an hour of grace. */
let usage: UsageFixture;
let story: SeveralSubscriptions;
let watch: LateUsageWatch;
let cycles: BillingCycleInput[] = [];
beforeAll(async () => {
  usage = await openUsage({ poolSize: 6 });
  story = new SeveralSubscriptions(usage.db);
  await story.begin();
  const gateway = { startBillingCycle: async (input: BillingCycleInput) => void cycles.push(input) };
  watch = new LateUsageWatch({ db: usage.db, gateway } as unknown as ActivityDependencies);
});
afterAll(() => usage.close());
afterEach(async () => {
  cycles = [];
  await foldAll(usage.db);
  await expectInvariants(usage.db, { limits: { billing: 1e9, clearing: 1e9 } });
  expect(await verifyInvoices(usage.db)).toMatchObject({ findings: [], unknown: [] });
});

const january = "2026-01-01T00:00:00Z";
const february = "2026-02-01T00:00:00.000Z";
const ended = "2026-02-15T00:00:00.000Z";

/** A customer whose API subscription ended on 15 February, billed to its end. */
async function left(customerId: string): Promise<string> {
  await story.customer(customerId);
  await story.subscribe(customerId, "api");
  await story.use(customerId, "call", "2026-01-10T00:00:00Z", 100);
  const id = `${customerId}-api`;
  await story.close(id, january, "2026-02-01T01:00:00Z");
  await story.use(customerId, "call", "2026-02-10T00:00:00Z", 50);
  await story.change(id, ended, { kind: "cancel", credit: "none" });
  await story.close(id, february, "2026-02-15T01:00:00Z");
  expect(await rowOf(id)).toMatchObject({ status: "canceled", nextCloseAt: null });
  return id;
}

const rowOf = async (id: string) => (await findSubscription(usage.db.orm, id)) ?? expect.fail("it is there");
const invoiceOf = (outcome: object): string =>
  "invoiceId" in outcome && typeof outcome.invoiceId === "string"
    ? outcome.invoiceId
    : expect.fail(JSON.stringify(outcome));
const look = async (at: string): Promise<number> => {
  const { noticed, failure } = await watch.look(instant(at));
  expect(failure).toBeUndefined();
  return noticed;
};

test("what comes late is on an invoice of its own, once its grace is over, with the period that it is of", async () => {
  const id = await left("ash");
  await story.use("ash", "call", "2026-01-20T00:00:00Z", 700);
  await story.use("ash", "call", "2026-02-12T00:00:00Z", 3000);
  // After its end nothing is its usage.
  await story.use("ash", "call", "2026-02-15T00:00:00Z", 9);
  expect(await look("2026-02-20T00:00:00Z")).toBe(1);
  expect((await rowOf(id)).nextCloseAt).toBe(instant("2026-02-20T01:00:00Z"));
  const late = { subscriptionId: id, customerId: "ash", graceSeconds: 3600, periodStart: ended, clock: null };
  expect(cycles).toEqual([{ ...late, periodEnd: "2026-02-20T00:00:00.000Z" }]);
  // Until it is billed, all of it is noticed once.
  await story.use("ash", "call", "2026-02-13T00:00:00Z", 100);
  expect(await look("2026-02-20T00:30:00Z")).toBe(0);
  expect(cycles).toHaveLength(1);

  const closed = await story.close(id, ended, "2026-02-20T01:00:00Z");
  expect(closed).toMatchObject({ outcome: "closed", collect: true });
  const invoiceId = invoiceOf(closed);
  expect(await story.lines(invoiceId)).toEqual([
    "api: late_usage calls 700",
    "api: late_usage calls 3100",
    "total 3800",
  ]);
  const invoice = (await findInvoice(usage.db.orm, invoiceId)) ?? expect.fail("it was issued");
  expect(invoice).toMatchObject({
    kind: "late_usage",
    periodStart: instant(january),
    periodEnd: instant(ended),
    usageCompleteUntil: null,
  });
  const { lines } = await explainedInvoice(usage.db.orm, invoice);
  expect(lines.map(({ steps }) => steps.find(({ kind }) => kind === "usage")?.text)).toEqual([
    "800 unit counted by meter calls, version 1, in 1 January – 31 January 2026.",
    expect.stringContaining("3,150 unit counted by meter calls"),
  ]);
  expect(await story.close(id, ended, "2026-02-20T02:00:00Z")).toEqual({
    ...closed,
    outcome: "closed_before",
  });

  await story.use("ash", "call", "2026-02-14T00:00:00Z", 60);
  expect(await look("2026-03-01T00:00:00Z")).toBe(1);
  expect(cycles.slice(1)).toEqual([{ ...late, periodEnd: "2026-03-01T00:00:00.000Z", again: 1 }]);
  const again = await story.close(id, ended, "2026-03-01T01:00:00Z");
  expect(await story.lines(invoiceOf(again))).toEqual(["api: late_usage calls 60", "total 60"]);
});

test("of several who look at once one notices it, and what is late of nobody is noticed by nobody", async () => {
  await left("bolt");
  await story.use("bolt", "call", "2026-03-10T00:00:00Z", 70);
  expect(await look("2026-03-20T00:00:00Z")).toBe(0);
  await story.use("bolt", "call", "2026-02-10T00:00:00Z", 70);
  const noticed = await Promise.all([look("2026-03-21T00:00:00Z"), look("2026-03-21T00:00:00Z")]);
  expect(noticed.toSorted()).toEqual([0, 1]);
});

test("usage that is taken back after the end goes back to who paid for it", async () => {
  await left("fir");
  const taken = await story.use("fir", "call", "2026-02-11T00:00:00Z", 400);
  await look("2026-02-20T00:00:00Z");
  await story.close("fir-api", ended, "2026-02-20T01:00:00Z");
  const deps = { db: usage.db, now: () => instant("2026-02-21T00:00:00Z"), unapprovedCorrectionsMax: 10 };
  const by = (key: string) => ({ actor: `api-key/${key}`, correlationId: "test" });
  // It changes what was billed, so another one has to agree.
  await correctEvents(
    deps,
    {
      ...{ id: "taken-back", kind: "void", reasonCode: "wrong_quantity", note: null },
      events: [{ source: "test", id: taken, data: null }],
    },
    by("key"),
  );
  expect(await look("2026-02-21T00:00:00Z")).toBe(0);
  await decideUsageCorrection(
    deps,
    { correctionId: "taken-back", outcome: "approved", note: null },
    by("other"),
  );
  expect(await look("2026-02-21T00:00:00Z")).toBe(1);
  const closed = await story.close("fir-api", ended, "2026-02-21T01:00:00Z");
  expect(closed).toMatchObject({ outcome: "closed", collect: false });
  expect(await story.lines(invoiceOf(closed))).toEqual(["api: late_usage calls 0", "total 0"]);
  const kept = await usage.db.sql`
    select (balance / 100000000)::int as cents from ledger.balance where customer_id = 'fir' and code = '2200'`;
  expect(kept).toEqual([{ cents: 400 }]);
});

test("voided, its usage is late again, and is billed by another one", async () => {
  const id = await left("cedar");
  await story.use("cedar", "call", "2026-02-12T00:00:00Z", 500);
  await look("2026-02-20T00:00:00Z");
  const first = invoiceOf(await story.close(id, ended, "2026-02-20T01:00:00Z"));
  await voidInvoice(
    // It never was at Stripe, so nothing there is asked.
    { db: usage.db, rail: {}, now: () => instant(ended) } as Parameters<typeof voidInvoice>[0],
    {
      ...{ invoiceId: first, at: "2026-02-21T00:00:00Z" },
      ...{ reasonCode: "billing_error", reason: null, voidedBy: "alice" },
    },
  );
  expect(await look("2026-02-21T00:00:00Z")).toBe(0);
  expect(cycles.at(-1)).toMatchObject({
    subscriptionId: id,
    again: 1,
    periodEnd: "2026-02-20T23:00:00.000Z",
  });
  const second = invoiceOf(await story.close(id, ended, "2026-02-21T00:00:00Z"));
  expect(second).not.toBe(first);
  expect(await story.lines(second)).toEqual(["api: late_usage calls 500", "total 500"]);
});

test("it waits for tax that is reckoned outside, and is issued with it", async () => {
  const id = await left("dune");
  const at = instant("2026-02-16T00:00:00Z");
  const chosen = { reason: null, chosenBy: "test", chosenAt: at, appliesAt: at };
  await insertTaxChoice(usage.db.orm, {
    ...{ customerId: "dune", requestId: "tax", handling: "external", basis: "before_credits", ...chosen },
  });
  await story.use("dune", "call", "2026-02-12T00:00:00Z", 1000);
  await look("2026-02-20T00:00:00Z");
  const waits = { outcome: "waiting", waitsFor: "tax", overdueAt: "2026-02-23T01:00:00.000Z" };
  expect(await story.close(id, ended, "2026-02-20T01:00:00Z")).toMatchObject({
    ...{ ...waits, until: "2026-02-20T02:00:00.000Z" },
  });
  const later = "2026-02-20T05:00:00Z";
  const waiting = await story.close(id, ended, later);
  expect(waiting).toMatchObject({ ...waits, until: "2026-02-20T09:00:00.000Z" });
  const row = await rowOf(id);
  const draft = await inSnapshot(usage.db, (tx) => draftInvoice(tx, row, instant(later)));
  expect(waiting).toMatchObject({ quote: draft?.quote });
  expect(draft?.taxable.map(({ taxable }) => taxable.amountMinor)).toEqual([1000n]);
  const tax = {
    ...{ description: "VAT", jurisdiction: "de", rate: decimal("0.19"), lines: null },
    ...{ taxable: money(1000n, "usd"), amount: money(190n, "usd") },
  };
  await inTransaction(usage.db, (tx) =>
    keepTaxGiven(tx, {
      ...{ id: "tax-dune", customerId: "dune", quote: draft?.quote ?? "", currency: currency("usd") },
      ...{ lines: [tax], givenBy: "test", givenAt: instant(later) },
    }),
  );
  const closed = await story.close(id, ended, later);
  expect(await story.lines(invoiceOf(closed))).toEqual([
    "api: late_usage calls 1000",
    "api: tax - 190",
    "total 1190",
  ]);
});

test("invoiced together with others or not, it is by itself: theirs goes on as it was", async () => {
  await story.customer("elm");
  await story.choose("elm", "consolidated", january);
  await story.subscribe("elm", "storage");
  await story.subscribe("elm", "support");
  await story.use("elm", "store", "2026-01-05T00:00:00Z", 200);
  await story.close("elm-storage", january, "2026-02-01T02:00:00Z");
  await story.change("elm-storage", ended, { kind: "cancel", credit: "none" });
  await story.close("elm-storage", february, "2026-02-15T02:00:00Z");
  await story.use("elm", "store", "2026-01-06T00:00:00Z", 400);
  await look("2026-02-28T00:00:00Z");
  const support = await story.close("elm-support", february, "2026-03-01T00:00:00Z");
  expect(await story.lines(invoiceOf(support))).toEqual(["support: flat hours 310", "total 310"]);
  const late = await story.close("elm-storage", ended, "2026-03-01T00:00:00Z");
  expect(await story.lines(invoiceOf(late))).toEqual(["storage: late_usage bytes 200", "total 200"]);
});
