import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { BilledCustomers } from "./support/billed-customer.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
let billed: BilledCustomers;
let invoiceId: string;

const seller = {
  name: "Larkspur Software GmbH",
  address_lines: ["Lindenallee 12", "10115 Berlin"],
  tax_id: "DE123456789",
  numbering: { series: "year", prefix: "LK" },
};

beforeAll(async () => {
  api = await startApi();
  billed = new BilledCustomers(api.db);
  await billed.publish();
  await api.call("PUT", "/v1/seller", seller);
  await billed.subscribe("acme");
  await billed.use("acme", "2026-01-10T00:00:00Z", 21_000);
});
afterAll(() => api.stop());

const get = (path: string, accept = "application/json") =>
  api.call("GET", path, undefined, { headers: { accept } });

test("the coming invoice is what closing then issues; the one after it charges the month after", async () => {
  await billed.clockAt("acme", "2026-02-01T01:00:00Z");
  const upcoming = await get("/v1/subscriptions/acme/upcoming-invoice");
  const page = await get("/v1/subscriptions/acme/upcoming-invoice.html");
  const after = await get("/v1/subscriptions/acme/upcoming-invoice?period=next");
  invoiceId = await billed.close("acme");
  const { body } = await get(`/v1/invoices/${invoiceId}`);
  const said = ({ kind, description, quantity, amount_minor, exact_minor }: Record<string, unknown>) => ({
    kind,
    description,
    quantity,
    amount_minor,
    exact_minor,
  });
  expect(upcoming.body.lines.map(said)).toEqual(body.lines.map(said));
  expect(upcoming.body.total_minor).toBe(body.total_minor);
  // 10,000 at 0.02, 10,000 at 0.01 and 50 for the tier; February in advance.
  expect(body.lines.map(({ amount_minor }: { amount_minor: string }) => amount_minor)).toEqual([
    "350",
    "2000",
    "4500",
  ]);
  expect(page.text).toContain("Preview of an invoice");
  // What is charged for what, word by word.
  const issued = await get(`/v1/invoices/${invoiceId}/document`, "text/html");
  const groups = ({ text }: { readonly text: string }) => text.match(/<table.*?<\/table>/gs);
  expect(groups(page)?.slice(0, -1)).toEqual(groups(issued)?.slice(0, -1));
  expect(page.text).toContain("$0.0001 + $0.50");
  expect(after.body).toMatchObject({ period_start: "2026-01-31T23:00:00.000Z", total_minor: "6500" });
});

describe("documents", () => {
  test("HTML: who sells and who buys, days of the customer, tiers, and nothing that is fetched or runs", async () => {
    const { status, headers, text } = await get(`/v1/invoices/${invoiceId}/document`, "text/html");
    expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    for (const said of [
      "Larkspur Software GmbH",
      "DE123456789",
      "acme &lt;Robotics&gt; &amp; Co",
      "LK-2026-000001",
      "1 January – 31 January 2026",
      "1,000 tokens included free of charge",
      "Above 10,000",
      "$0.0001 + $0.50",
      "$68.50",
    ]) {
      expect(text).toContain(said);
    }
    expect(text).not.toMatch(/<script|src=|href=|@import|url\(/);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("PDF: the same bytes every time, by suffix or by Accept", async () => {
    const path = `${api.url}/v1/invoices/${invoiceId}/document`;
    const read = async (url: string, accept = "*/*") => {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${api.adminKey}`, accept } });
      return { type: answer.headers.get("content-type"), bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    const [one, other] = [await read(`${path}.pdf`), await read(path, "application/pdf")];
    expect(one.type).toBe("application/pdf");
    expect(one.bytes.subarray(0, 5).toString()).toBe("%PDF-");
    expect(one.bytes.equals(other.bytes)).toBe(true);
  });

  const chromiumPath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  test.skipIf(!existsSync(chromiumPath))(
    "a phone has room for it, and a browser takes its style",
    async () => {
      const args = ["--headless", "--no-sandbox", "--disable-gpu"];
      const browser = await chromium.launch({ executablePath: chromiumPath, args });
      try {
        const page = await browser.newPage({
          viewport: { width: 390, height: 844 },
          extraHTTPHeaders: { authorization: `Bearer ${api.adminKey}` },
        });
        const faults: string[] = [];
        page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
        await page.goto(`${api.url}/v1/invoices/${invoiceId}/document.html`);
        expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
        expect(
          await page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor"),
        ).toBe("rgb(255, 255, 255)");
        // Nothing answers for an icon, and nothing else may be asked for.
        expect(faults.filter((fault) => !fault.includes("favicon") && !fault.includes("404"))).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );

  test("there is none of an invoice that does not exist", async () => {
    expect((await get("/v1/invoices/inv_none/document")).body).toMatchObject({ code: "invoice_not_found" });
  });
});

test("an invoice explains each line: usage, price, what was free, tiers, and the one rounding", async () => {
  const { body } = await get(`/v1/invoices/${invoiceId}/explain`);
  const [tokens, base] = body.lines;
  expect(tokens.steps.map(({ kind }: { kind: string }) => kind)).toEqual([
    "usage",
    "price",
    "included",
    "tier",
    "tier",
    "exact",
    "rounding",
  ]);
  const [usage, price, included, first, second, exact] = tokens.steps;
  expect(usage.text).toBe(
    "21,000 tokens counted by meter tokens, version 1, in 1 January – 31 January 2026.",
  );
  expect(usage.figures).toMatchObject({
    quantity: "21000",
    from: "2025-12-31T23:00:00.000Z",
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    snapshot: expect.stringMatching(/^\d+:\d+:/),
  });
  expect(price.text).toBe("Price tokens of plan pro, version 1, graduated.");
  expect(included.figures).toEqual({ quantity: "1000" });
  expect(first.text).toBe("Above 0 up to 10,000: 10,000 × $0.0002 = $2.00.");
  expect(second.text).toBe("Above 10,000: 10,000 × $0.0001 and $0.50 for the tier = $1.50.");
  expect(exact.figures).toEqual({ exact_minor: "350" });
  expect(base.steps.at(-1).figures).toMatchObject({ mode: "half-even", amount_minor: "2000" });
  expect(body.sum.map(({ text }: { text: string }) => text)).toEqual([
    "The 3 lines add up to $68.50.",
    "The total is $68.50.",
    "$68.50 is left to be paid.",
  ]);
});

describe("who sells", () => {
  test("is said by versions, and issued documents keep theirs", async () => {
    const changed = await api.call("PUT", "/v1/seller", { ...seller, name: "Larkspur AG" });
    expect(changed.body).toMatchObject({
      version: 2,
      name: "Larkspur AG",
      set_by: expect.stringContaining("api-key/"),
    });
    expect((await get("/v1/seller")).body).toMatchObject({ version: 2 });
    expect((await get(`/v1/invoices/${invoiceId}/document.html`)).text).toContain("Larkspur Software GmbH");
  });

  test.each([
    { prefix: "lower", code: "request_invalid" },
    { prefix: "", code: "request_invalid" },
  ])("a prefix $prefix is refused", async ({ prefix, code }) => {
    const { body } = await api.call("PUT", "/v1/seller", {
      ...seller,
      numbering: { series: "year", prefix },
    });
    expect(body).toMatchObject({ code });
  });
});

test("every invoice follows from its facts", async () => {
  expect(await verifyInvoices(api.db)).toMatchObject({ findings: [], unknown: [] });
});
