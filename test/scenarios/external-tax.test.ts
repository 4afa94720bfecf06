import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory, createClock, Story } from "../support/system-story.ts";

/**
 * Customers whose tax somebody outside reckons. Metered costs a cent a call; periods begin on the first, with an hour of
 * grace, and an invoice waits for its tax, however long.
 */
let system: System;
beforeAll(async () => {
  system = await startSystem({ logLevel: "error" });
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system.stop());
afterEach(async () => {
  await expectInvariants(system.db);
  expect(await verifyInvoices(system.db)).toMatchObject({ findings: [], unknown: [] });
});

const external = (id: string) =>
  system.client.put("/v1/customers/{id}/tax", { params: { path: { id } }, body: { handling: "external" } });

async function draftOf(subscription: string): Promise<Schemas["DraftInvoiceDetail"]> {
  const { data } = await system.client.get("/v1/draft-invoices", { params: { query: { subscription } } });
  expect(data).toHaveLength(1);
  const id = data[0]?.id ?? "";
  return await system.client.get("/v1/draft-invoices/{id}", { params: { path: { id } } });
}

/** What a service outside would answer: 10 % of New York, on each line that may be taxed. */
const taxOf = ({ lines, tax: { quote } }: Schemas["DraftInvoiceDetail"]) => {
  const taxed = lines.flatMap(({ line, taxable_minor: taxable }) =>
    taxable === null ? [] : [{ line, taxable: BigInt(taxable), tax: BigInt(taxable) / 10n }],
  );
  const sum = taxed.reduce((all, { tax }) => all + tax, 0n);
  return {
    quote: quote ?? "",
    currency: "usd",
    tax_minor: sum.toString(),
    lines: taxed.map(({ line, taxable, tax }) => ({
      ...{ description: "Sales tax 10 %, New York", jurisdiction: "us-ny", rate: "0.1", lines: [line] },
      ...{ taxable_minor: taxable.toString(), amount_minor: tax.toString() },
    })),
  };
};

const give = (id: string, body: ReturnType<typeof taxOf>) =>
  system.client.put("/v1/draft-invoices/{id}/tax-lines", { params: { path: { id } }, body });

const sums = ({
  status,
  subtotal_minor,
  tax_minor,
  total_minor,
  amount_paid_minor,
}: Schemas["InvoiceDetail"]) =>
  `${subtotal_minor} + ${tax_minor} tax = ${total_minor}, ${status} with ${amount_paid_minor}`;

test("a period waits for its tax; usage that comes late wants other tax; then it is issued, and paid with it", async () => {
  const lia = await beginStory(system, { id: "lia", plan: "metered" });
  await external("lia");
  await lia.until("04-30");
  await lia.uses(1_000, "04-20");
  await lia.until("05-01 00:30");
  const early = await draftOf("lia");
  expect(early).toMatchObject({
    waits_for: "grace",
    subtotal_minor: "1000",
    tax_minor: "0",
    total_minor: "1000",
  });
  await lia.until("05-01 12:00");
  expect(await lia.invoices()).toEqual([]);
  expect(await draftOf("lia")).toMatchObject({
    waits_for: "tax",
    tax: { handling: "external", given: null },
  });

  await lia.uses(500, "04-29");
  await expect(give(early.id, taxOf(early))).rejects.toMatchObject({ code: "tax_quote_outdated" });
  const late = await draftOf("lia");
  expect(late.tax.quote).not.toBe(early.tax.quote);
  await give(late.id, taxOf(late));
  await lia.until("05-01 12:01");
  expect((await lia.invoices()).map(sums)).toEqual(["1500 + 150 tax = 1650, paid with 1650"]);
  const [invoice] = await lia.invoices();
  expect(invoice?.issued_at).toBe("2026-05-01T12:00:00.000Z");
  expect(invoice?.lines.at(-1)).toMatchObject({
    ...{ kind: "tax", description: "Sales tax 10 %, New York", amount_minor: "150" },
    detail: { jurisdiction: "us-ny", rate: "0.1", taxable_minor: "1500", lines: [1], quote: late.tax.quote },
  });
  await expect(give(late.id, taxOf(late))).rejects.toMatchObject({ code: "draft_invoice_closed" });

  const note = await system.client.post("/v1/invoices/{id}/credit-notes", {
    params: { path: { id: invoice?.id ?? "" } },
    body: { lines: [{ line: 1, amount_minor: "600" }], reason_code: "service_outage" },
  });
  expect(note).toMatchObject({ status: "issued", total_minor: "660", to_balance_minor: "660" });
  const owed = await system.db.sql`
    select (balance / 100000000)::int as cents from ledger.balance where code = '2300'`;
  expect(owed).toEqual([{ cents: 90 }]); // 150 less the 60 that went back with 600 of 1500
});

test("it waits beyond the next period, which waits behind it; then both are issued in their order", async () => {
  const max = await beginStory(system, { id: "max", plan: "metered" });
  await external("max");
  await max.until("04-30");
  await max.uses(100, "04-20");
  await max.until("05-31");
  await max.uses(200, "05-20");
  await max.until("06-03");
  expect(await max.invoices()).toEqual([]);
  const april = await draftOf("max");
  expect(april).toMatchObject({ period_start: "2026-04-01T00:00:00.000Z", subtotal_minor: "100" });
  await give(april.id, taxOf(april));
  await max.until("06-03 01:00");
  const may = await draftOf("max");
  expect(may).toMatchObject({
    period_start: "2026-05-01T00:00:00.000Z",
    subtotal_minor: "200",
    tax: { given: null },
  });
  await give(may.id, taxOf(may));
  await max.until("06-05");
  expect((await max.invoices()).map(sums)).toEqual([
    "100 + 10 tax = 110, paid with 110",
    "200 + 20 tax = 220, paid with 220",
  ]);
});

test("a draft is finalised before its grace is over: by its run, once, and never without its tax", async () => {
  const noa = await beginStory(system, { id: "noa", plan: "metered" });
  await external("noa");
  await noa.until("04-30");
  await noa.uses(300, "04-20");
  await noa.until("05-01 00:10");
  const draft = await draftOf("noa");
  const finalise = () =>
    system.client.post("/v1/draft-invoices/{id}/finalise", { params: { path: { id: draft.id } }, body: {} });
  await expect(finalise()).rejects.toMatchObject({ code: "tax_missing" });
  await give(draft.id, taxOf(draft));
  const first = await finalise();
  expect(first).toMatchObject({ status: "closed" });
  expect(await finalise()).toEqual(first);
  await noa.until("05-02");
  const invoices = await noa.invoices();
  expect(invoices.map(sums)).toEqual(["300 + 30 tax = 330, paid with 330"]);
  expect(invoices[0]).toMatchObject({ id: first.invoice, issued_at: "2026-05-01T00:10:00.000Z" });
});

test("what is invoiced at once wants its tax before: a purchase is refused without, and takes what was given once", async () => {
  const ola = await beginStory(system, { id: "ola", plan: "metered" });
  await external("ola");
  const missing = await ola.buyCredits("5000").catch((error: { code: string; message: string }) => error);
  expect(missing).toMatchObject({ code: "tax_missing" });
  const quote = /tax-lines\/([0-9a-f]{24})/.exec((missing as { message: string }).message)?.[1] ?? "";
  await system.client.put("/v1/customers/{id}/tax-lines/{quote}", {
    params: { path: { id: "ola", quote } },
    body: {
      ...{ currency: "usd", tax_minor: "500" },
      lines: [
        {
          ...{ description: "Sales tax 10 %", jurisdiction: "us-ny", rate: "0.1" },
          ...{ taxable_minor: "5000", amount_minor: "500" },
        },
      ],
    },
  });
  await ola.buyCredits("5000");
  await ola.until("04-02");
  expect((await ola.invoices()).map(sums)).toEqual(["5000 + 500 tax = 5500, paid with 5500"]);
  // What was given is for one invoice.
  await expect(ola.buyCredits("5000")).rejects.toMatchObject({ code: "tax_missing" });
});

test("a start that waits for its first payment wants the tax on that first; with it, it begins when it is paid", async () => {
  const { client } = system;
  await createClock(system, "pia");
  const person = { name: "pia", email: "pia@example.com", currency: "usd", test_clock: "pia" };
  await client.post("/v1/customers", { body: { id: "pia", ...person } });
  await external("pia");
  const pia = new Story(system, "pia", "pia");
  await pia.newCard("pm_card_visa");
  const body = { id: "pia", customer: "pia", items: [{ plan: "solo", seats: 1 }], pay_within_seconds: 3600 };
  const start = () => client.post("/v1/subscriptions", { body });
  const missing = await start().catch((error: { code: string; message: string }) => error);
  expect(missing).toMatchObject({ code: "tax_missing" });
  await expect(
    client.get("/v1/subscriptions/{id}", { params: { path: { id: "pia" } } }),
  ).rejects.toMatchObject({
    code: "subscription_not_found",
  });
  const quote = /tax-lines\/([0-9a-f]{24})/.exec((missing as { message: string }).message)?.[1] ?? "";
  const line = { description: "Sales tax 10 %", jurisdiction: "us-ny", rate: "0.1" };
  await client.put("/v1/customers/{id}/tax-lines/{quote}", {
    params: { path: { id: "pia", quote } },
    body: {
      ...{ currency: "usd", tax_minor: "300" },
      lines: [{ ...line, taxable_minor: "3000", amount_minor: "300" }],
    },
  });
  expect(await start()).toMatchObject({ status: "active" });
  expect((await pia.invoices()).map(sums)).toEqual(["3000 + 300 tax = 3300, paid with 3300"]);
});

test("voiding wants the tax of what bills the period anew, and says for which lines", async () => {
  const { client } = system;
  const ned = await beginStory(system, { id: "ned", plan: "metered", card: "pm_card_chargeCustomerFail" });
  await external("ned");
  await ned.until("04-30");
  await ned.uses(1_000, "04-20");
  await ned.until("05-01 12:00");
  const draft = await draftOf("ned");
  await give(draft.id, taxOf(draft));
  await ned.until("05-01 13:00");
  const [invoice] = await ned.invoices();
  const params = { path: { id: invoice?.id ?? "" } };
  const wanted = () => client.get("/v1/invoices/{id}/void/tax", { params });
  const withdrawn = () =>
    client.post("/v1/invoices/{id}/void", { params, body: { reason_code: "billing_error" } });
  await expect(wanted()).rejects.toMatchObject({ code: "invoice_void_tax_not_found" });

  await ned.uses(500, "04-29");
  await expect(withdrawn()).rejects.toMatchObject({ code: "tax_missing" });
  const { quote, ...asked } = await wanted();
  expect(asked).toMatchObject({
    ...{ invoice: invoice?.id, is_given: false, basis: "before_credits", currency: "usd" },
    lines: [{ line: 1, taxable_minor: "1500" }],
  });
  const line = { description: "Sales tax 10 %", jurisdiction: "us-ny", rate: "0.1", lines: [1] };
  await client.put("/v1/customers/{id}/tax-lines/{quote}", {
    params: { path: { id: "ned", quote } },
    body: {
      ...{ currency: "usd", tax_minor: "150" },
      lines: [{ ...line, taxable_minor: "1500", amount_minor: "150" }],
    },
  });
  expect(await wanted()).toMatchObject({ quote, is_given: true });
  const { replaced_by: replacement } = await withdrawn();
  const anew = (await ned.invoices()).find(({ id }) => id === replacement);
  expect(anew === undefined ? undefined : sums(anew)).toBe("1500 + 150 tax = 1650, open with 0");
});
