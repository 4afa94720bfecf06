import { afterAll, beforeAll, expect, test } from "vitest";
import { instant } from "../../src/domain/calendar/index.ts";
import { buyCredit } from "./support/paid-credit.ts";
import type { RunningApi } from "./support/running-api.ts";
import { januaryOver, TaxApi, tax, vat } from "./support/tax-api.ts";

/** Tax from outside, as services give it over HTTP, and where it is read afterwards. */
let taxes: TaxApi;
let api: RunningApi;
beforeAll(async () => {
  taxes = await TaxApi.begin();
  api = taxes.api;
});
afterAll(() => taxes.end());

test("given again, what is given last counts; issued, it is on the documents, in the journal and explained", async () => {
  const id = await taxes.ended("gale");
  const { lines, tax: asked, total_minor: total } = await taxes.draftOf(id);
  expect(lines.map((line: { taxable_minor: string }) => line.taxable_minor)).toEqual(["200", "2000", "4500"]);
  expect(total).toBe("6700");
  await taxes.give(id, tax(asked.quote, vat("6700", "1")));
  const twoLines = tax(
    asked.quote,
    vat("200", "14", { description: "City tax 7 %", jurisdiction: "us-sf", rate: "0.07", lines: [1] }),
    vat("6500", "1235", { lines: [2, 3] }),
  );
  const given = await taxes.give(id, twoLines);
  expect(given).toMatchObject({ status: 200, body: { tax_minor: "1249" } });
  expect((await taxes.give(id, twoLines)).body.given_at).toBe(given.body.given_at);
  expect(await taxes.draftOf(id)).toMatchObject({
    tax_minor: "1249",
    total_minor: "7949",
    waits_for: "grace",
  });
  const finalised = await api.call("POST", `/v1/draft-invoices/${id}/finalise`, {});
  expect(finalised).toMatchObject({ status: 200, body: { status: "closed" } });
  const path = `/v1/invoices/${finalised.body.invoice}`;
  expect((await api.call("GET", path)).body).toMatchObject({
    ...{ subtotal_minor: "6700", tax_minor: "1249", total_minor: "7949" },
    lines: [{}, {}, {}, { kind: "tax", amount_minor: "14" }, { kind: "tax", amount_minor: "1235" }],
  });

  const html = (await api.call("GET", `${path}/document.html`)).text
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");
  expect(html).toContain("City tax 7 %");
  expect(html).toMatch(/VAT 19 %, Germany[^$]*\$12\.35/);
  expect(html).toMatch(/\$79\.49/);
  const pdf = await Promise.all([0, 1].map(() => pdfOf(`${path}/document.pdf`)));
  expect(pdf[0]).toBe(pdf[1]);
  expect(pdf[0]).toMatch(/^%PDF-/);

  const explained = (await api.call("GET", `${path}/explain`)).body;
  expect(explained.lines[4].steps.map(({ text }: { text: string }) => text)).toContainEqual(
    "VAT 19 %, Germany: given from outside for de, on $65.00 of lines 2, 3, at 19 %.",
  );
  const journal = (await api.call("GET", "/v1/ledger/journal?month=2026-01&format=csv")).text;
  const owed = journal.split("\n").filter((row) => row.includes("2300") && row.includes("gale"));
  expect(owed).toHaveLength(2);
  expect(owed.join()).toMatch(/us-sf.*14.*de.*1235|de.*1235.*us-sf.*14/s);
});

async function pdfOf(path: string): Promise<string> {
  const response = await fetch(api.url + path, { headers: { authorization: `Bearer ${api.adminKey}` } });
  expect(response.headers.get("content-type")).toContain("application/pdf");
  return Buffer.from(await response.arrayBuffer()).toString("latin1");
}

test("what is said of a customer counts, else what the seller says, each for what is issued from then on", async () => {
  const seller = (handling: string) =>
    api.call("PUT", "/v1/seller", { name: "Larkspur", tax: { handling, wait_days: 5 } });
  const put = (handling: string | null) => api.call("PUT", "/v1/customers/own-word/tax", { handling });
  const bySeller = await taxes.ended("by-seller", null);
  const ownWord = await taxes.ended("own-word", { handling: "none" });
  await seller("external");
  expect((await taxes.draftOf(bySeller)).tax).toMatchObject({
    handling: "external",
    quote: expect.any(String),
  });
  expect((await taxes.draftOf(ownWord)).tax).toMatchObject({ handling: "none", quote: null });
  expect((await put(null)).body).toMatchObject({
    handling: "external",
    wait_days: 5,
    chosen: { handling: null },
  });
  expect((await put("none")).body).toMatchObject({ handling: "none" });
  const { body: read } = await api.call("GET", "/v1/customers/by-seller/tax");
  expect(read).toEqual({ handling: "external", basis: "before_credits", wait_days: 5, chosen: null });

  expect(await taxes.billed.close("by-seller")).toBe("");
  const untaxed = await taxes.billed.close("own-word");
  expect((await api.call("GET", `/v1/invoices/${untaxed}`)).body).toMatchObject({ tax_minor: "0" });
  await seller("none");
  expect(await taxes.billed.close("by-seller")).toMatch(/^inv_/);
});

test.each([
  { basis: "before_credits", taxable: "200", taxed: "6700", isOther: false },
  { basis: "after_credits", taxable: "50", taxed: "6550", isOther: true },
])(
  "tax $basis is on $taxable of 2.00 that credit pays 1.50 of",
  async ({ basis, taxable, taxed, isOther }) => {
    const customer = basis.replace("_", "-");
    const at = instant("2025-12-31T23:00:00Z");
    await taxes.billed.subscribe(customer);
    await buyCredit(api.db, { grantId: `${customer}-1`, customerId: customer, amountMinor: 150n, at });
    await api.call("PUT", `/v1/customers/${customer}/tax`, { handling: "external", basis });
    await taxes.billed.use(customer, "2026-01-10T00:00:00Z", 11_000);
    await taxes.billed.clockAt(customer, januaryOver);
    const id = taxes.idOf(customer);
    const draft = await taxes.draftOf(id);
    expect(draft).toMatchObject({
      credits_applied_minor: "150",
      lines: [{ taxable_minor: taxable }, {}, {}],
    });
    expect((await taxes.give(id, tax(draft.tax.quote, vat(taxed, "100")))).status).toBe(200);
    const closed = await api.call("POST", `/v1/draft-invoices/${id}/finalise`, {});
    const { body: invoice } = await api.call("GET", `/v1/invoices/${closed.body.invoice}`);
    // 67.00 less 1.50 of credit, and 1.00 of tax that credit does not pay.
    expect(invoice).toMatchObject({
      ...{ subtotal_minor: "6700", credits_applied_minor: "150", tax_minor: "100", total_minor: "6650" },
      lines: [{}, {}, {}, { detail: { taxable_minor: taxed, ...(isOther ? { basis } : {}) } }],
    });
  },
);
