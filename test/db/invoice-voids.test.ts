import { randomBytes } from "node:crypto";
import type { Stripe } from "stripe";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mirrorInvoice } from "../../src/activities/collect-invoice.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { voidInvoice, withdrawInvoice } from "../../src/activities/void-invoice.ts";
import { drawsOfInvoice } from "../../src/db/billing/credit-draws.ts";
import { creditableInvoice } from "../../src/db/billing/credit-notes.ts";
import { setStripeCustomer } from "../../src/db/billing/customer-payment.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { findVoid, insertVoidRequest } from "../../src/db/billing/invoice-voids.ts";
import { findInvoice, type StoredInvoice } from "../../src/db/billing/invoices.ts";
import { eventsOfLine, findRatedLine } from "../../src/db/billing/line-events.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { invoice } from "../../src/db/schema/billing.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { planCreditNote } from "../../src/domain/invoicing/index.ts";
import { money } from "../../src/domain/money/index.ts";
import { startStripeSandbox } from "../../src/sandbox/stripe/index.ts";
import { createStripe, stripeRail } from "../../src/stripe/index.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import { expectInvariants } from "../support/invariants.ts";
import { BilledMonths } from "./billed-months.ts";
import { foldAll } from "./usage-fixture.ts";

let months: BilledMonths;
let deps: ActivityDependencies;
let stripe: Stripe;
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  months = await BilledMonths.begin(catalog);
  const sandbox = await startStripeSandbox({ port: 0 });
  stripe = createStripe({ apiKey: `sk_test_${randomBytes(12).toString("hex")}`, apiBase: sandbox.url });
  const { db } = months;
  const gateway = {} as TemporalGateway;
  deps = { db, gateway, rail: stripeRail(stripe, operationLog(db)), now: () => instantOfEpochMs(Date.now()) };
  ending.push(
    () => months.end(),
    () => sandbox.close(),
  );
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

/** Nothing here is collected, so nothing is paid in time: money that is due is not what is looked at. */
afterEach(async () => {
  await foldAll(months.db);
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
  expect((await verifyInvoices(months.db)).findings).toEqual([]);
});

const voidAt = (invoiceId: string, at = "2026-02-10T00:00:00Z") =>
  voidInvoice(deps, {
    invoiceId,
    at,
    reasonCode: "billing_error",
    reason: null,
    voidedBy: "api-key/finance",
  });

/** A customer's invoices of closed periods, as they were issued. */
async function cycles(customerId: string): Promise<StoredInvoice[]> {
  const all = await months.db.orm.select().from(invoice).orderBy(invoice.issuedAt, invoice.number);
  return all.filter((each) => each.customerId === customerId && each.kind === "cycle");
}

const newest = async (customerId: string): Promise<StoredInvoice> =>
  (await cycles(customerId)).at(-1) ?? expect.fail("there is an invoice of a closed period");

const credit = async (customerId: string): Promise<string> => {
  const [row] = await months.db.sql`select balance::text from ledger.balance
    where code = '2010' and dimensions ->> 'grant' = ${`grant-${customerId}`}`;
  return row?.balance ?? "none";
};

test("the period is billed anew with what came since, its credit drawn anew, under the next number", async () => {
  await months.subscribe("acme", "pro");
  await months.give("acme", 300n);
  await months.use("acme", "2026-01-10T00:00:00Z", 1000);
  // 1,000 at 1 cent, of which a gift pays 300; 2,000 for February in advance.
  expect(await months.close("acme", "2026-01-01", "2026-02-01")).toEqual([
    "usage tokens 1000",
    "flat base 2000",
    "credits -300",
    "total 2700",
  ]);
  const old = await newest("acme");
  await months.use("acme", "2026-01-20T00:00:00Z", 50);
  const again = await voidAt(old.id);
  expect(await months.lines(again.invoiceId)).toEqual([
    "usage tokens 1050",
    "flat base 2000",
    "credits -300",
    "total 2750",
  ]);
  const replacement = await newest("acme");
  expect(replacement).toMatchObject({
    id: again.invoiceId,
    replaces: old.id,
    number: "ACME-0003",
    status: "open",
  });
  expect(await findInvoice(months.db.orm, old.id)).toMatchObject({ status: "void", number: "ACME-0002" });
  // Its line bills what the void one had billed, and what came since.
  const line = (await findRatedLine(months.db.orm, replacement.id, 1)) ?? expect.fail("it bills usage");
  const { items } = await eventsOfLine(months.db.orm, line, { limit: 10 });
  expect(items.map(({ quantity, isTakenBack }) => [quantity, isTakenBack])).toEqual([
    ["1000", false],
    ["50", false],
  ]);
  // All of the gift had come back, and was drawn once more.
  expect(
    (await drawsOfInvoice(months.db.orm, old.id, replacement.issuedAt)).map(({ amount }) => amount),
  ).toEqual([0n]);
  expect(await credit("acme")).toBe("0");
});

test("done twice it is done once, and a replacement can be voided in its turn", async () => {
  await months.subscribe("bolt", "pro");
  await months.use("bolt", "2026-01-10T00:00:00Z", 10);
  await months.close("bolt", "2026-01-01", "2026-02-01");
  const first = await newest("bolt");
  const second = await voidAt(first.id);
  expect(await voidAt(first.id, "2026-02-11T00:00:00Z")).toEqual(second);
  const third = await voidAt(second.invoiceId ?? "");
  expect(await months.lines(third.invoiceId)).toEqual(["usage tokens 10", "flat base 2000", "total 2010"]);
  expect((await cycles("bolt")).map(({ status }) => status)).toEqual(["void", "void", "open"]);
  // The next month goes on from there: late usage of January is the difference to what the last one billed.
  await months.use("bolt", "2026-01-11T00:00:00Z", 5);
  expect(await months.close("bolt", "2026-02-01", "2026-03-01")).toEqual([
    "late_usage tokens 5",
    "flat base 2000",
    "total 2005",
  ]);
});

test("late usage that was on it is on its replacement, and what had waited for it too", async () => {
  await months.subscribe("cedar", "pro");
  await months.use("cedar", "2026-01-10T00:00:00Z", 100);
  await months.close("cedar", "2026-01-01", "2026-02-01");
  await months.use("cedar", "2026-01-11T00:00:00Z", 7);
  await months.use("cedar", "2026-02-10T00:00:00Z", 20);
  await months.close("cedar", "2026-02-01", "2026-03-01");
  const { id } = await newest("cedar");
  await months.use("cedar", "2026-01-12T00:00:00Z", 1);
  const again = await voidAt(id, "2026-03-02T00:00:00Z");
  // 7 had been seen by the void rating, 1 came after: both are the difference to what January's invoice billed.
  expect(await months.lines(again.invoiceId)).toEqual([
    "usage tokens 20",
    "late_usage tokens 8",
    "flat base 2000",
    "total 2028",
  ]);
  await months.use("cedar", "2026-02-11T00:00:00Z", 3);
  expect(await months.close("cedar", "2026-03-01", "2026-04-01")).toEqual([
    "late_usage tokens 3",
    "flat base 2000",
    "total 2003",
  ]);
});

test("an activation is withdrawn and not billed anew; its time earns nothing", async () => {
  await months.subscribe("dune", "pro");
  const [activation] = (await months.db.orm.select().from(invoice)).filter(
    ({ customerId }) => customerId === "dune",
  );
  expect(await voidAt(activation?.id ?? "", "2026-01-02T00:00:00Z")).toEqual({
    invoiceId: null,
    collect: false,
  });
  expect(await months.close("dune", "2026-01-01", "2026-02-01")).toEqual(["flat base 2000", "total 2000"]);
});

test("at Stripe it is void first", async () => {
  await months.subscribe("elm", "pro");
  await months.close("elm", "2026-01-01", "2026-02-01");
  const { id, issuedAt } = await newest("elm");
  const stripeInvoiceId = await mirrored("elm", id, issuedAt);
  await voidAt(id);
  expect((await stripe.invoices.retrieve(stripeInvoiceId)).status).toBe("void");
});

test("whoever dies between Stripe and us is gone on with: until then nothing comes that it could not be voided with", async () => {
  await months.subscribe("fig", "pro");
  await months.give("fig", 300n);
  await months.use("fig", "2026-01-10T00:00:00Z", 1000);
  await months.close("fig", "2026-01-01", "2026-02-01");
  const { id, issuedAt } = await newest("fig");
  const stripeInvoiceId = await mirrored("fig", id, issuedAt);
  const rail = {
    ...deps.rail,
    voidInvoice: async (of: Parameters<typeof deps.rail.voidInvoice>[0]) => {
      await deps.rail.voidInvoice(of);
      throw new Error("the worker died");
    },
  };
  const asked = {
    invoiceId: id,
    at: "2026-02-10T00:00:00Z",
    reasonCode: "billing_error" as const,
    reason: null,
  };
  const dying = voidInvoice({ ...deps, rail }, { ...asked, voidedBy: "api-key/finance" });
  await expect(dying).rejects.toThrow("the worker died");
  expect((await stripe.invoices.retrieve(stripeInvoiceId)).status).toBe("void");
  expect(await findInvoice(months.db.orm, id)).toMatchObject({ status: "open" });

  // February ends: its closing would build on what is being voided, and so would the end of the grant and a credit note.
  await expect(months.close("fig", "2026-02-01", "2026-03-01")).rejects.toThrow();
  const end = months.db.sql`insert into billing.credit_grant_end (grant_id, cause, held, ended_at, settled_at)
    values ('grant-fig', 'expired', 0, '2026-03-01', '2026-03-01')`;
  await expect(end).rejects.toMatchObject({ code: "40001" });
  const stored = await findInvoice(months.db.orm, id);
  const creditable = stored && (await creditableInvoice(months.db.orm, stored));
  const line = { line: 1, amount: money(100n, "usd") };
  expect(() => creditable && planCreditNote(creditable, [line])).toThrow("being voided");

  const { invoiceId } = await voidAt(id);
  expect(await months.lines(invoiceId)).toEqual([
    "usage tokens 1000",
    "flat base 2000",
    "credits -300",
    "total 2700",
  ]);
  expect((await findInvoice(months.db.orm, id))?.status).toBe("void");
  expect(await months.close("fig", "2026-02-01", "2026-03-01")).toEqual(["flat base 2000", "total 2000"]);
});

test("what was paid at Stripe meanwhile is not voided", async () => {
  await months.subscribe("fir", "pro");
  await months.close("fir", "2026-01-01", "2026-02-01");
  const { id, issuedAt } = await newest("fir");
  const stripeInvoiceId = await mirrored("fir", id, issuedAt);
  await stripe.invoices.pay(stripeInvoiceId, { paid_out_of_band: true });
  await expect(voidAt(id)).rejects.toMatchObject({ code: "invoice_not_voidable" });
  expect(await findInvoice(months.db.orm, id)).toMatchObject({ status: "open", voidingSince: null });
});

test("what a later closing builds on is not voided", async () => {
  await months.subscribe("gum", "pro");
  await months.close("gum", "2026-01-01", "2026-02-01");
  const { id } = await newest("gum");
  await months.close("gum", "2026-02-01", "2026-03-01");
  await expect(voidAt(id)).rejects.toMatchObject({ code: "invoice_is_built_on" });
});

test("a run is told the request alone: who and why is what was written down first", async () => {
  await months.subscribe("hazel", "pro");
  await months.close("hazel", "2026-01-01", "2026-02-01");
  const { id: invoiceId, issuedAt } = await newest("hazel");
  const told = { invoiceId, requestId: "void-1", at: "2026-02-10T00:00:00Z" };
  await expect(withdrawInvoice(deps, told)).rejects.toThrow("was written before a run was told");
  const by = { reasonCode: "other", requestedBy: "api-key/finance", requestedAt: issuedAt } as const;
  const request = { invoiceId, requestId: told.requestId, ...by };
  await insertVoidRequest(months.db.orm, { ...request, reason: "as Ms Quandt asked" });
  // The same request again stays what it was.
  await insertVoidRequest(months.db.orm, { ...request, reason: "another word" });
  await withdrawInvoice(deps, told);
  expect(await findVoid(months.db.orm, invoiceId)).toMatchObject({
    reasonCode: "other",
    reason: "as Ms Quandt asked",
    voidedBy: "api-key/finance",
  });
});

async function mirrored(customerId: string, invoiceId: string, at: Instant): Promise<string> {
  const { id } = await stripe.customers.create({ email: `${customerId}@example.com` });
  await setStripeCustomer(months.db.orm, customerId, id);
  await mirrorInvoice(deps, { invoiceId, at: isoOf(at) });
  return (await findInvoice(months.db.orm, invoiceId))?.stripeInvoiceId ?? expect.fail("it is at Stripe");
}

const catalog = {
  meters: [{ key: "tokens", eventType: "request", aggregation: "sum", property: "tokens" }],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      graceSeconds: 3600,
      prices: [
        {
          key: "base",
          type: "flat",
          name: "Base",
          product: "platform",
          timing: "in_advance",
          amountMinor: "2000",
        },
        {
          key: "tokens",
          type: "usage",
          name: "Tokens",
          product: "tokens",
          meter: "tokens",
          model: { type: "per_unit", unitPriceMinor: "1" },
        },
      ],
    },
  ],
};
