import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { type System, startSystem } from "../support/system.ts";
import { hasChromium, launchChromium, skipReason } from "./support/chromium.ts";
import { startConsoleFront } from "./support/console-front.ts";
import { invoiceOf, noraInJune, type Operators, operatorsOf } from "./support/operators.ts";

/** What operators do at the console, in Chromium, with the real API, workers and database behind it. */
describe.skipIf(!hasChromium)(`operating${skipReason}`, () => {
  let system: System;
  let keys: Operators;
  let front: Awaited<ReturnType<typeof startConsoleFront>>;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    system = await startSystem();
    keys = await operatorsOf(system);
    await noraInJune(system);
    const { folder } = await sharedServer("console");
    front = await startConsoleFront(folder, system.surroundings.apiUrl);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await expectInvariants(system.db);
    await browser?.close();
    await front?.close();
    await system?.stop();
  });
  beforeEach(async () => {
    front.writes.length = 0;
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await signIn(keys.support);
  });
  afterEach(() => page.close());

  const signIn = async (key: string) => {
    await page.goto(`${front.url}/console/#key=${key}`);
    await page.getByRole("link", { name: "nora", exact: true }).waitFor();
  };
  const open = (path: string) => page.goto(`${front.url}/console${path}`);
  const press = (name: string | RegExp) =>
    page
      .getByRole("button", { name, exact: typeof name === "string" })
      .first()
      .click();
  const dialog = () => page.getByRole("dialog");
  const submit = (name: string) => dialog().getByRole("button", { name, exact: true }).click();
  const choose = async (label: string, option: string) => {
    await dialog().getByRole("combobox", { name: label }).click();
    await page.getByRole("option", { name: option, exact: true }).click();
  };
  /** What the dialog says when it is done. */
  const said = async (title: string) => {
    await dialog().getByText(title, { exact: true }).waitFor();
    const text = await dialog().getByRole("status").innerText();
    await submit("Done");
    return text.replaceAll(/\s+/g, " ");
  };
  const balance = async () => {
    const { data } = await system.client.get("/v1/customers/{id}/balances", {
      params: { path: { id: "nora" } },
    });
    return data.find(({ account }) => account.startsWith("2200/"))?.balance_minor ?? "0";
  };

  test("credit is granted once, though the form is sent twice and the first answers are lost", async () => {
    await open("/customers/nora/credits");
    await press("Grant credit");
    await submit("Grant");
    await dialog().getByText("Enter an amount above zero, such as 12.50.").waitFor();
    await dialog().getByLabel("Amount").fill("25");
    await choose("Reason", "Other");
    await submit("Grant");
    await dialog().getByText('Is required with the reason code "other".').waitFor();
    await dialog().getByLabel("In words").fill("slow answers in April");
    front.writes.length = 0;
    front.loseAnswers(true);
    await submit("Grant");
    await dialog().getByText("It is not known whether this was done").waitFor();
    front.loseAnswers(false);
    await dialog().getByRole("button", { name: "Grant", exact: true }).dblclick();
    expect(await said("Granted")).toContain("nora has $25.00 of credit more.");
    expect(new Set(front.writes.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    const grants = await system.client.get("/v1/customers/{id}/credit-grants", {
      params: { path: { id: "nora" } },
    });
    expect(grants.data.map(({ amount_minor }) => amount_minor)).toEqual(["2500"]);
    const row = page.getByRole("table", { name: "Credit grants" }).getByRole("row").last();
    await row.getByText("slow answers in April").waitFor();
  });

  test("a credit note above the limit is issued when another key agrees, and not when the same does", async () => {
    const paid = await invoiceOf(system, "paid", "cycle");
    await open(`/customers/nora/invoices/${paid.id}`);
    await press("Credit lines");
    await dialog()
      .getByLabel(/^Credit of line \d+, team: Seats/)
      .fill("541");
    await choose("Reason", "Billing error");
    await submit("Credit");
    await dialog()
      .getByText(/At most .*540\.00 is left of line/)
      .waitFor();
    await dialog()
      .getByLabel(/^Credit of line \d+, team: Seats/)
      .fill("520");
    await dialog().getByText("$520.00 goes to the customer’s balance").waitFor();
    await submit("Credit");
    await said("It waits for approval");

    await press(/^Approve: Credit \$520\.00/);
    await dialog().getByLabel("Key of who decides").fill(keys.support);
    await submit("Approve");
    await dialog()
      .getByText(/it needs the scope "approve"/)
      .waitFor();
    await dialog().getByLabel("Key of who decides").fill(keys.finance);
    await submit("Approve");
    await said("Approved");
    const row = page.getByRole("table", { name: "Credit notes" }).getByRole("row").nth(1);
    await expect.poll(() => row.innerText()).toMatch(/NORA-CN-0001[\s\S]*Issued[\s\S]*\$520\.00/);
    expect(await balance()).toBe("52000");
  });

  test("what waits is decided on one page: refused by another key, withdrawn by one's own", async () => {
    await open("/customers/nora/credits");
    await press("Grant again and again");
    await dialog().getByLabel("Amount each time").fill("100");
    await choose("Reason", "Retention");
    await submit("Grant");
    await said("It waits for approval");
    await press("Adjust the balance");
    await dialog().getByLabel("Amount").fill("700");
    await choose("Reason", "Service outage");
    await submit("Credit the balance");
    await said("It waits for approval");

    await page.getByRole("link", { name: "Approvals" }).click();
    await press("Withdraw: Credit the balance with $700.00");
    await submit("Withdraw");
    await said("Withdrawn");
    await page.close();
    page = await browser.newPage();
    await signIn(keys.finance);
    await open("/approvals");
    await press("Refuse: Grant $100.00 every month");
    await submit("Refuse");
    await dialog().getByText("Say why it is refused.").waitFor();
    await dialog().getByLabel("Note").fill("ask sales first");
    await submit("Refuse");
    await said("Refused");
    await page.getByText("Nothing waits for a decision").waitFor();
    await open("/customers/nora/credits");
    await page.getByText("ask sales first").waitFor();
    expect(await balance()).toBe("52000");
  });

  test("an event of an open period is amended at once, one that was billed when another key agrees", async () => {
    await open("/customers/nora/corrections");
    await page.getByLabel("Source of an event").fill("scenario");
    await page.getByLabel("Its id").fill("nora 06-01 12:00");
    await press("Find it");
    await press("Amend");
    await dialog().getByLabel("What it says from now on").fill('{ "calls": -1 }');
    await choose("Reason", "Wrong quantity");
    await submit("Amend");
    await dialog()
      .getByText(/cannot be corrected, so none is/)
      .waitFor();
    await dialog().getByLabel("What it says from now on").fill('{ "calls": 350 }');
    await submit("Amend");
    expect(await said("Corrected")).toContain("1 event corrected");
    await page.getByRole("heading", { name: "Corrections" }).waitFor();

    await open("/customers/nora/event?source=scenario&id=nora%2004-10");
    await press("Void");
    await choose("Reason", "Test traffic");
    await submit("Void");
    expect(await said("It waits for approval")).toContain("It changes what was billed");
    await page.getByRole("link", { name: "Corrections" }).click();
    const rows = page.getByRole("table", { name: "Corrections" }).getByRole("row");
    await expect.poll(() => rows.filter({ hasText: "Executed" }).count()).toBe(1);
    expect(await rows.filter({ hasText: "Waits for approval" }).count()).toBe(1);
    await press("Withdraw: Void 1 usage event");
    await submit("Withdraw");
    await said("Withdrawn");
  });

  test("a backfill is closed, and reverted", async () => {
    const { id } = await system.client.post("/v1/usage/backfills", {
      body: { name: "Outage of May", reason: "the gateway was down" },
    });
    const event = { id: "b1", source: "backfill", customer: "nora", type: "api.calls" };
    await system.client.post("/v1/events", {
      params: { query: { backfill: id } },
      body: { events: [{ ...event, time: "2026-06-01T10:00:00Z", data: { calls: 12 } }] },
    });
    await open("/customers/nora/corrections");
    await press("Close Outage of May");
    await submit("Close it");
    await said("It is closed");
    await press("Revert Outage of May");
    await dialog().getByText("These are 1 event of 1 customer.").waitFor();
    await choose("Reason", "Service fault");
    await submit("Revert");
    await said("Corrected");
    const row = page.getByRole("table", { name: "Backfills" }).getByRole("row").last();
    await expect.poll(() => row.innerText()).toMatch(/Outage of May[\s\S]*Reverted/);
  });

  test("a change is made with the lines that were shown, and coming invoices follow", async () => {
    await open("/customers/nora");
    await press("Change plan or seats");
    await dialog().getByText("Seats", { exact: true }).first().click();
    await dialog().getByRole("textbox", { name: "Seats" }).fill("92");
    await submit("Show what it comes to");
    // 30 seats × $9.00 × 29 of 30 days
    await dialog().getByText("$261.00 is charged").waitFor();
    await submit("Make the change");
    await said("The change is made");
    const subscription = page.getByRole("table", { name: "Subscriptions" }).getByRole("row").nth(1);
    await expect.poll(() => subscription.innerText()).toContain("92");
    const coming = page.getByRole("table", { name: "Lines of the coming invoice" });
    // Until the change 10 of 350 calls are included, for one day of 30: 340 at one cent. And July's 90 seats.
    await expect
      .poll(() => coming.innerText())
      .toMatch(/Calls[\s\S]*350[\s\S]*\$3\.40[\s\S]*Seats × 90[\s\S]*\$810\.00/);
    await page.getByText("Next", { exact: true }).click();
    await page.getByText("the one after it, with what is known by now").waitFor();
  });

  test("an open invoice is voided and its period billed anew, which the page says", async () => {
    const invoice = await invoiceOf(system, "open", "cycle");
    await open(`/customers/nora/invoices/${invoice.id}`);
    await press("Void and bill anew");
    await dialog().getByText("Its period is billed anew at once").waitFor();
    await submit("Void and bill anew");
    await dialog().getByText("Choose a reason.").waitFor();
    await choose("Reason", "Billing error");
    front.loseAnswers(true);
    await submit("Void and bill anew");
    await dialog().getByText("It is not known whether this was done").waitFor();
    front.loseAnswers(false);
    await submit("Cancel");
    await page.getByText("Withdrawn", { exact: true }).waitFor();
    await page.getByRole("link", { name: "The invoice that bills its period anew" }).click();
    await page.getByText("It bills anew what").waitFor();
    const { replaced_by } = await system.client.get("/v1/invoices/{id}/void", {
      params: { path: { id: invoice.id } },
    });
    expect(page.url()).toContain(`/invoices/${replaced_by}`);
  });

  test("a key that may only read is offered nothing to do", async () => {
    const { secret } = await system.client.post("/v1/api-keys", {
      body: { name: "auditor", scopes: ["read"] },
    });
    await page.close();
    page = await browser.newPage();
    await signIn(secret ?? "");
    await open("/customers/nora/credits");
    await page.getByRole("table", { name: "Credit grants" }).waitFor();
    expect(await page.getByRole("button", { name: /^(Grant|Adjust|Void|Approve)/ }).count()).toBe(0);
  });
});
