import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { endDunning, openDunning } from "../../src/activities/dunning-steps.ts";
import { voidInvoice } from "../../src/activities/void-invoice.ts";
import { draftInvoice } from "../../src/db/billing/draft-invoices.ts";
import { explainedInvoice } from "../../src/db/billing/explained-invoice.ts";
import { partsOfInvoice } from "../../src/db/billing/invoice-parts.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findInvoice } from "../../src/db/billing/invoices.ts";
import { eventsOfLine, findRatedLine } from "../../src/db/billing/line-events.ts";
import { printableInvoice } from "../../src/db/billing/printable-invoice.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { insertTaxChoice } from "../../src/db/billing/tax-choices.ts";
import { keepTaxGiven } from "../../src/db/billing/tax-given.ts";
import { upcomingInvoice } from "../../src/db/billing/upcoming-invoice.ts";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { tellDueNotices } from "../../src/db/notices/due-notices.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { documentOfInvoice, type InvoiceDocument } from "../../src/domain/invoicing/document/index.ts";
import { currency, decimal, money } from "../../src/domain/money/index.ts";
import { buyCredit } from "../api/support/paid-credit.ts";
import { expectInvariants } from "../support/invariants.ts";
import { SeveralSubscriptions } from "./several-subscriptions.ts";
import { foldAll, openUsage, type UsageFixture } from "./usage-fixture.ts";

let usage: UsageFixture;
let story: SeveralSubscriptions;
beforeAll(async () => {
  usage = await openUsage({ poolSize: 6 });
  story = new SeveralSubscriptions(usage.db);
  await story.begin();
});
afterAll(() => usage.close());

/** Nothing here is collected: money that is due is not what is looked at. */
afterEach(async () => {
  await foldAll(usage.db);
  await expectInvariants(usage.db, { limits: { billing: 1e9, clearing: 1e9 } });
  expect(await verifyInvoices(usage.db)).toMatchObject({ findings: [], unknown: [] });
});

const january = "2026-01-01T00:00:00Z";
const february = "2026-02-01T00:00:00Z";
const allDue = "2026-02-01T02:00:00Z";

/** A customer who wants one invoice, with all three subscriptions: support since the middle of the month. */
async function threeOf(customerId: string): Promise<void> {
  await story.customer(customerId);
  await story.choose(customerId, "consolidated", january);
  await story.subscribe(customerId, "storage");
  await story.subscribe(customerId, "api");
  await story.subscribe(customerId, "support", "2026-01-17T00:00:00Z");
}

const invoiceOf = (outcome: object): string =>
  "invoiceId" in outcome && typeof outcome.invoiceId === "string"
    ? outcome.invoiceId
    : expect.fail(JSON.stringify(outcome));

test("what ends together is on one invoice, part by part in the order of the subscriptions, whoever comes first", async () => {
  await threeOf("ash");
  await story.use("ash", "call", "2026-01-10T00:00:00Z", 1000);
  await story.use("ash", "store", "2026-01-11T00:00:00Z", 333);
  // The longest grace, that of storage, counts for all.
  const early = await story.close("ash-api", january, "2026-02-01T01:00:00Z");
  expect(early).toEqual({ outcome: "waiting", until: "2026-02-01T02:00:00.000Z", grantedTo: "ash-storage" });
  const closed = await story.close("ash-support", "2026-01-17T00:00:00Z", allDue);
  const invoiceId = invoiceOf(closed);
  // 1,000 at 1 cent, 333 at half a cent rounded with the net of its part to 166, and 15 of 31 days of 3.10.
  expect(await story.lines(invoiceId)).toEqual([
    "api: usage calls 1000",
    "api: flat base 2000",
    "storage: usage bytes 166",
    "support: flat hours 150",
    "total 3316",
  ]);
  const again = { outcome: "closed_before", invoiceId, collect: true };
  expect(await story.close("ash-api", january, allDue)).toEqual(again);
  expect(await story.close("ash-storage", january, allDue)).toEqual(again);
  expect(await findInvoice(usage.db.orm, invoiceId)).toMatchObject({
    subscriptionId: null,
    periodStart: instant(january),
    periodEnd: instant(february),
    number: "ASH-0002",
  });
  expect(
    (await partsOfInvoice(usage.db.orm, invoiceId)).map(({ subscriptionId, periodStart }) => [
      subscriptionId,
      periodStart,
    ]),
  ).toEqual([
    ["ash-api", instant(january)],
    ["ash-storage", instant(january)],
    ["ash-support", instant("2026-01-17T00:00:00Z")],
  ]);
});

test("credit pays one part after the other, and the balance their sum", async () => {
  await threeOf("bolt");
  await story.use("bolt", "call", "2026-01-10T00:00:00Z", 1000);
  await story.use("bolt", "store", "2026-01-11T00:00:00Z", 1000);
  await buyCredit(usage.db, {
    ...{ grantId: "bolt-credit", customerId: "bolt", amountMinor: 1200n },
    at: instant("2026-01-02T00:00:00Z"),
  });
  const invoiceId = invoiceOf(await story.close("bolt-storage", january, allDue));
  // The 1,000 of the API, then 200 of the 500 of storage.
  expect(await story.lines(invoiceId)).toEqual([
    "api: usage calls 1000",
    "api: flat base 2000",
    "storage: usage bytes 500",
    "support: flat hours 150",
    "credits -1200",
    "total 2450",
  ]);
  const draws = await usage.db.sql`
    select line, amount::text from billing.credit_draw where invoice_id = ${invoiceId} order by position`;
  expect([...draws]).toEqual([
    { line: 1, amount: "100000000000" },
    { line: 3, amount: "20000000000" },
  ]);
});

test("each line is explained by its own part's usage, and its events are found", async () => {
  await threeOf("cedar");
  await story.use("cedar", "call", "2026-01-10T00:00:00Z", 7);
  await story.use("cedar", "store", "2026-01-11T00:00:00Z", 100);
  const invoiceId = invoiceOf(await story.close("cedar-api", january, allDue));
  const invoice = (await findInvoice(usage.db.orm, invoiceId)) ?? expect.fail("it was issued");
  const { lines } = await explainedInvoice(usage.db.orm, invoice);
  const usageSteps = lines.flatMap(({ line, steps }) =>
    steps.flatMap((step) => (step.kind === "usage" ? [[line, step.text]] : [])),
  );
  expect(usageSteps).toEqual([
    [1, expect.stringContaining("7 unit counted by meter calls")],
    [3, expect.stringContaining("100 unit counted by meter bytes")],
  ]);
  const line = (await findRatedLine(usage.db.orm, invoiceId, 3)) ?? expect.fail("it bills usage");
  expect(line.subscriptionId).toBe("cedar-storage");
  const { items } = await eventsOfLine(usage.db.orm, line, { limit: 10 });
  expect(items.map(({ quantity }) => quantity)).toEqual(["100"]);
});

test("voided, its periods are billed anew together, with what came since, whatever was chosen meanwhile", async () => {
  await threeOf("dune");
  await story.use("dune", "call", "2026-01-10T00:00:00Z", 100);
  await story.use("dune", "store", "2026-01-10T00:00:00Z", 40);
  const first = invoiceOf(await story.close("dune-api", january, allDue));
  await story.choose("dune", "separate", "2026-02-02T00:00:00Z");
  await story.use("dune", "store", "2026-01-20T00:00:00Z", 60);
  const again = await voidInvoice(
    // It never was at Stripe, so nothing there is asked.
    { db: usage.db, rail: {}, now: () => instant(allDue) } as Parameters<typeof voidInvoice>[0],
    {
      ...{ invoiceId: first, at: "2026-02-03T00:00:00Z" },
      ...{ reasonCode: "billing_error", reason: null, voidedBy: "alice" },
    },
  );
  expect(await story.lines(again.invoiceId)).toEqual([
    "api: usage calls 100",
    "api: flat base 2000",
    "storage: usage bytes 50",
    "support: flat hours 150",
    "total 2300",
  ]);
  expect(await findInvoice(usage.db.orm, invoiceOf(again))).toMatchObject({ replaces: first });
  // From now on each has its own.
  const closed = await story.close("dune-api", february, "2026-03-01T02:00:00Z");
  expect(await story.lines(invoiceOf(closed))).toEqual(["api: flat base 2000", "total 2000"]);
});

test("tax is of the whole: one quote, whichever draft it is asked of; voided, it is billed anew with the same", async () => {
  await threeOf("larch");
  const applies = { chosenAt: instant("2026-01-20T00:00:00Z"), appliesAt: instant("2026-01-20T00:00:00Z") };
  await insertTaxChoice(usage.db.orm, {
    ...{ customerId: "larch", requestId: "tax", handling: "external", basis: "before_credits" },
    ...{ reason: null, chosenBy: "alice", ...applies },
  });
  await story.use("larch", "call", "2026-01-10T00:00:00Z", 1000);
  const drafts = ["api", "storage", "support"].map(async (key) => {
    const row = (await findSubscription(usage.db.orm, `larch-${key}`)) ?? expect.fail("it is there");
    return await inSnapshot(usage.db, (tx) => draftInvoice(tx, row, instant(allDue)));
  });
  const quotes = (await Promise.all(drafts)).map((draft) => draft?.quote ?? expect.fail("it is a draft"));
  const waits = await story.close("larch-support", "2026-01-17T00:00:00Z", allDue);
  expect(waits).toMatchObject({ outcome: "waiting", waitsFor: "tax", quote: quotes[0] });
  expect(new Set(quotes).size).toBe(1);
  const line = {
    ...{ description: "VAT 10 %", jurisdiction: "de", rate: decimal("0.1"), lines: null },
    ...{ taxable: money(3150n, "usd"), amount: money(315n, "usd") },
  };
  const by = { givenBy: "alice", givenAt: instant(allDue), id: "tax-larch", customerId: "larch" };
  await inTransaction(usage.db, (tx) =>
    keepTaxGiven(tx, { ...by, quote: quotes[0] ?? "", currency: currency("usd"), lines: [line] }),
  );
  const first = invoiceOf(await story.close("larch-api", january, allDue));
  const said = [
    "api: usage calls 1000",
    "api: flat base 2000",
    "support: flat hours 150",
    "support: tax - 315",
    "total 3465",
  ];
  expect(await story.lines(first)).toEqual(said);
  const again = await voidInvoice(
    { db: usage.db, rail: {}, now: () => instant(allDue) } as Parameters<typeof voidInvoice>[0],
    {
      ...{ invoiceId: first, at: "2026-02-03T00:00:00Z" },
      ...{ reasonCode: "billing_error", reason: null, voidedBy: "alice" },
    },
  );
  expect(await story.lines(again.invoiceId)).toEqual(said);
});

test("periods that ended before it was chosen are closed each by itself; late usage of them is on the one invoice", async () => {
  await story.customer("elm");
  await story.subscribe("elm", "storage");
  await story.subscribe("elm", "support");
  await story.use("elm", "store", "2026-01-10T00:00:00Z", 200);
  await story.choose("elm", "consolidated", "2026-02-01T00:30:00Z");
  expect(await story.lines(invoiceOf(await story.close("elm-storage", january, allDue)))).toEqual([
    "storage: usage bytes 100",
    "total 100",
  ]);
  expect(await story.lines(invoiceOf(await story.close("elm-support", january, allDue)))).toEqual([
    "support: flat hours 310",
    "total 310",
  ]);
  await story.use("elm", "store", "2026-01-12T00:00:00Z", 20);
  const both = await story.close("elm-support", february, "2026-03-01T02:00:00Z");
  expect(await story.lines(invoiceOf(both))).toEqual([
    "storage: late_usage bytes 10",
    "support: flat hours 310",
    "total 320",
  ]);
});

test("one that ends earlier is closed by itself, and what it gives back lowers the one invoice of the others", async () => {
  await threeOf("fir");
  await story.change("fir-api", "2026-01-20T00:00:00Z", { kind: "cancel", credit: "unused" });
  const ended = await story.close("fir-api", january, "2026-01-20T01:00:00Z");
  expect(ended).toMatchObject({ outcome: "closed", invoiceId: null });
  await story.use("fir", "store", "2026-01-21T00:00:00Z", 2000);
  const others = await story.close("fir-storage", january, allDue);
  expect(await story.lines(invoiceOf(others))).toEqual([
    "storage: usage bytes 1000",
    "support: flat hours 150",
    "balance -774",
    "total 376",
  ]);
});

test("whether it is too small to be charged is a question of the sum, and a part with nothing is left out", async () => {
  await story.customer("gale");
  await story.choose("gale", "consolidated", january);
  await story.subscribe("gale", "storage");
  await story.subscribe("gale", "support", "2026-01-31T00:00:00Z");
  await story.use("gale", "store", "2026-01-10T00:00:00Z", 50);
  const small = await story.close("gale-storage", january, allDue);
  expect(await story.lines(invoiceOf(small))).toEqual([
    "storage: usage bytes 25",
    "support: flat hours 10",
    "support: carried_forward - -35",
    "total 0",
  ]);
  const next = await story.close("gale-support", february, "2026-03-01T02:00:00Z");
  expect(await story.lines(invoiceOf(next))).toEqual([
    "storage: carried_over - 35",
    "support: flat hours 310",
    "total 345",
  ]);
});

test("what is coming says the same beforehand, for whichever of them it is asked", async () => {
  await threeOf("iris");
  await story.use("iris", "call", "2026-01-10T00:00:00Z", 10);
  const coming = async (subscriptionId: string) => {
    const row = (await findSubscription(usage.db.orm, subscriptionId)) ?? expect.fail("it is there");
    const at = instant("2026-01-31T00:00:00Z");
    return await inSnapshot(usage.db, (tx) => upcomingInvoice(tx, row, at));
  };
  const [api, support] = [await coming("iris-api"), await coming("iris-support")];
  expect(api?.parts.map(({ subscriptionId }) => subscriptionId)).toEqual([
    "iris-api",
    "iris-storage",
    "iris-support",
  ]);
  expect(support).toEqual(api);
  const document = documentOfInvoice(api ?? expect.fail("there is one"));
  const sections = [
    ["Subscription iris-api · 1 January – 31 January 2026", "API", "$20.10"],
    ["Subscription iris-support · 17 January – 31 January 2026", "Support", "$1.50"],
  ];
  const shown = ({ groups }: InvoiceDocument) =>
    groups.map(({ heading, title, sum }) => [heading, title, sum]);
  expect(shown(document)).toEqual(sections);
  const closed = invoiceOf(await story.close("iris-storage", january, allDue));
  const issued = await findInvoice(usage.db.orm, closed);
  expect(issued?.totalMinor).toBe(api?.total.amountMinor);
  const printed = await printableInvoice(usage.db.orm, issued ?? expect.fail("it was issued"));
  expect(shown(documentOfInvoice(printed))).toEqual(sections);
});

test("that it is coming is told once, for when the longest grace is over", async () => {
  await threeOf("kauri");
  await tellDueNotices(usage.db, instant("2026-01-25T01:59:59Z"));
  await tellDueNotices(usage.db, instant("2026-01-25T02:00:00Z"));
  await tellDueNotices(usage.db, instant("2026-01-26T00:00:00Z"));
  const told = await usage.db.sql`
    select subject, occurred_at from notice.notice where customer_id = 'kauri' and kind = 'invoice.upcoming'`;
  // Seven days before two in the morning of 1 February, though the API itself could be invoiced at one.
  expect([...told]).toEqual([
    {
      occurred_at: "2026-01-25 02:00:00+00",
      subject: {
        subscriptionId: "kauri-api",
        periodStart: "2026-01-01T00:00:00.000Z",
        periodEnd: "2026-02-01T00:00:00.000Z",
        invoiceAt: "2026-02-01T02:00:00.000Z",
      },
    },
  ]);
});

test("when it is not paid, all its subscriptions are past due, and go on when it is", async () => {
  await threeOf("juniper");
  const invoiceId = invoiceOf(await story.close("juniper-api", january, allDue));
  const told: string[] = [];
  const gateway = {
    tellPaymentStanding: async (subscriptionId: string, _clock: unknown, isPastDue: boolean) => {
      told.push(`${subscriptionId} ${isPastDue ? "past due" : "goes on"}`);
    },
  };
  const deps = { db: usage.db, gateway } as unknown as Parameters<typeof openDunning>[0];
  const statuses = async () => {
    const rows = await usage.db.sql`
      select status from billing.subscription where customer_id = 'juniper' order by id`;
    return rows.map(({ status }) => status);
  };
  await openDunning(deps, { invoiceId, startedAt: allDue });
  // Storage had nothing to bill, so it is not on the invoice.
  expect(await statuses()).toEqual(["past_due", "active", "past_due"]);
  await endDunning(deps, {
    invoiceId,
    outcome: "closed",
    attempts: 1,
    at: "2026-02-03T00:00:00Z",
    sayings: [],
  });
  expect(await statuses()).toEqual(["active", "active", "active"]);
  expect(told).toEqual([
    "juniper-api past due",
    "juniper-support past due",
    "juniper-api goes on",
    "juniper-support goes on",
  ]);
});

test("one with an earlier period to close is waited for; several at once come to one invoice", async () => {
  await story.customer("hill");
  await story.choose("hill", "consolidated", january);
  await story.subscribe("hill", "support", "2026-05-01T00:00:00Z");
  await story.subscribe("hill", "weekly", "2026-05-18T00:00:00Z");
  const atEnd = "2026-06-01T00:00:00Z";
  // The weekly one ends with May too, but its third week of May is still open.
  await expect(story.close("hill-support", "2026-05-01T00:00:00Z", atEnd)).rejects.toThrow(
    "hill-weekly has an earlier period to close first",
  );
  await story.close("hill-weekly", "2026-05-18T00:00:00Z", atEnd);
  const [one, other] = await Promise.all([
    story.close("hill-support", "2026-05-01T00:00:00Z", atEnd),
    story.close("hill-weekly", "2026-05-25T00:00:00Z", atEnd),
  ]);
  expect(new Set([one.outcome, other.outcome])).toEqual(new Set(["closed", "closed_before"]));
  expect(invoiceOf(one)).toBe(invoiceOf(other));
  expect(await story.lines(invoiceOf(one))).toEqual([
    "support: flat hours 310",
    "weekly: flat week 700",
    "total 1010",
  ]);
});
