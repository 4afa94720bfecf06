import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sharedServer } from "../support/shared-servers.ts";
import { accessFaults } from "./support/axe.ts";
import { hasChromium, launchChromium, skipReason } from "./support/chromium.ts";
import { startStubApi, stubKey } from "./support/stub-api.ts";

describe.skipIf(!hasChromium)(`the built console in Chromium${skipReason}`, () => {
  let browser: Browser;
  let api: Awaited<ReturnType<typeof startStubApi>>;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    const { folder } = await sharedServer("console");
    api = await startStubApi(folder);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  beforeEach(async () => {
    faults.length = 0;
    page = await browser.newPage({
      viewport: { width: 390, height: 844 },
      colorScheme: "dark",
      reducedMotion: "reduce",
    });
    page.on("pageerror", (error) => faults.push(String(error)));
    // Among them what the content security policy refuses.
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  });
  afterEach(() => page.close());

  test("from a link with a key to an invoice and how it is booked, by keyboard", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.getByRole("link", { name: "Acme" }).focus();
    expect(page.url()).toBe(`${api.url}/console/customers`);
    await page.keyboard.press("Enter");
    await page.getByText("Acme is on Pro with 5 seats, active").waitFor();
    await page.getByRole("link", { name: "ACME-0002" }).press("Enter");
    await page.getByText("How this was priced").click();
    const tiers = page.getByRole("table", { name: "Tiers" });
    expect(await tiers.getByRole("row").last().innerText()).toMatch(
      /41,822,135\.25\s+\$0\.000002\s+\$83\.6442705/,
    );
    const postings = page.getByRole("table", { name: "Postings of entry 7" });
    expect(await postings.getByRole("cell").allInnerTexts()).toEqual([
      "1100 Accounts receivable",
      "1110 Unbilled receivable",
      "$113.6442705",
    ]);
    expect(faults).toEqual([]);
  });

  test.each([
    "",
    "/invoices",
    "/invoices/in_1",
    "/invoices/in_1/lines/1",
    "/event?source=gateway&id=1",
    "/usage",
    "/corrections",
    "/credits",
    "/entries",
    "/timeline?about=invoice",
  ])("the address of a customer's page%s opens it, and a phone has room for it", async (path) => {
    await opens(`/customers/acme${path}`);
  });

  test.each([
    "/customers",
    "/approvals",
    "/anomalies?state=open",
    "/anomalies/ano_1",
    "/anomalies/rules",
    "/finance?from=2026-01&to=2026-02",
    "/product",
    "/operations?runs=running",
  ])("the address %s opens its page, and a phone has room for it", async (path) => {
    await opens(path);
  });

  /** In the dark on a phone, and in the light on a laptop: nothing overflows, and nobody is kept out. */
  async function opens(path: string) {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.getByRole("heading", { name: "Customers" }).waitFor();
    await page.goto(`${api.url}/console${path}`);
    await page.locator("#content").getByText(/./).first().waitFor();
    await page.waitForLoadState("networkidle");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await accessFaults(page)).toEqual([]);
    await picture(`phone${path}`);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
    await page.waitForLoadState("networkidle");
    expect(await accessFaults(page)).toEqual([]);
    await picture(`laptop${path}`);
    expect(faults).toEqual([]);
  }

  /** For whoever wants to see what is tested: `CONSOLE_PICTURES` is a folder. */
  async function picture(name: string) {
    const folder = process.env.CONSOLE_PICTURES;
    if (folder === undefined) return;
    await page.screenshot({ path: `${folder}/${name.replaceAll(/[^a-z0-9]+/g, "-")}.png`, fullPage: true });
  }

  test("anything is found and gone to by keyboard", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.getByRole("heading", { name: "Customers" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder(/^A name, an e-mail/).waitFor();
    await page.keyboard.type("ACME-0002");
    await page.getByRole("button", { name: /ACME-0002/ }).waitFor();
    await expect.poll(() => api.reads.at(-1)).toBe("/v1/search?q=ACME-0002");
    expect(await accessFaults(page)).toEqual([]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${api.url}/console/customers/acme/invoices/in_1`);
    expect(faults).toEqual([]);
  });

  test("all four kinds of requests that wait are on one page, for which a phone has room", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.getByRole("link", { name: "Approvals" }).click();
    for (const what of [
      "Debit the balance by $700.00",
      "Grant $100.00 every 2 weeks",
      "Credit $600.00 of an invoice",
      "Amend 1 usage event",
    ]) {
      await page.getByRole("button", { name: `Approve: ${what}` }).waitFor();
    }
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(faults).toEqual([]);
  });

  test("from a line of an invoice to its events, and from an event back to the line", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.goto(`${api.url}/console/customers/acme/invoices/in_1`);
    await page.getByRole("link", { name: "Events of this line" }).click();
    await page.getByRole("link", { name: "req/1 ?&" }).click();
    await page.getByRole("heading", { name: "req/1 ?&" }).waitFor();
    await expect.poll(() => api.reads.at(-1)).toContain("id=req%2F1%20%3F%26");
    await page.getByRole("link", { name: "ACME-0002, line 1" }).click();
    await page.getByRole("heading", { name: "Pro: Input tokens" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("an invoice says how each line came about and what was credited, and is saved as the customer gets it", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.goto(`${api.url}/console/customers/acme/invoices/in_1`);
    await page.getByText("How this line came about").click();
    const steps = page.getByRole("list", { name: "Steps of line 1" });
    await steps.getByText("rounded once, half to even: $113.64").waitFor();
    const notes = page.getByRole("table", { name: "Credit notes" });
    expect(await notes.getByRole("row").last().innerText()).toMatch(
      /ACME-CN-0001[\s\S]*Issued[\s\S]*\$5\.00/,
    );
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download ACME-0002 as PDF" }).click();
    expect((await saved).suggestedFilename()).toBe("ACME-0002.pdf");
    expect(faults).toEqual([]);
  });

  test("usage shows exact figures by model, and a chart", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.goto(`${api.url}/console/customers/acme/usage?by=model`);
    await page.getByRole("heading", { name: "Total: 9,007,199,254,741,064.5 in 5 events" }).waitFor();
    const costs = page.getByRole("table", { name: "Cost so far" });
    expect(await costs.getByRole("row").allInnerTexts()).toEqual([
      expect.stringMatching(/Price\s+Quantity\s+Free\s+Cost so far/),
      expect.stringMatching(/Input tokens[\s\S]*5,000,000 tokens\s+2,000,000\s+\$9\.00/),
      expect.stringMatching(/Input, reported late[\s\S]*7[\s\S]*\$0\.00/),
    ]);
    expect(await page.locator(".recharts-bar-rectangle path").count()).toBeGreaterThan(0);
  });

  test("a search is in the address, and leaving it empties the field", async () => {
    await page.goto(`${api.url}/console/#key=${stubKey}`);
    await page.getByRole("heading", { name: "Customers" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("42");
    await page.waitForURL(`${api.url}/console/customers?search=42`);
    await expect.poll(() => api.reads.at(-1)).toBe("/v1/customers?limit=50&search=42");
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Customers" }).click();
    await page.waitForURL(`${api.url}/console/customers`);
    expect(await page.getByRole("searchbox").inputValue()).toBe("");
  });

  test("a wrong key leads back to the way in, with the reason", async () => {
    await page.goto(`${api.url}/console/customers`);
    await page.getByLabel("API key").fill("rk_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("this API key does not exist").waitFor();
    await page.getByLabel("API key").fill(stubKey);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Acme" }).waitFor();
  });
});
