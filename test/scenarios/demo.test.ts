import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rows, sql } from "../../src/db/database.ts";
import { DemoApi } from "../../src/sandbox/demo/demo-api.ts";
import { demoRun } from "../../src/sandbox/demo/demo-run.ts";
import { type DemoResult, readResult } from "../../src/sandbox/demo/result.ts";
import { tellStory } from "../../src/sandbox/demo/story.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { lateLines, noTokens, usageLines } from "./demo-arithmetic.ts";
import {
  type ExpectedInvoice,
  expectedDeliveries,
  expectedInvoices,
  tokensInTime,
  tokensReportedLate,
  traceTotals,
} from "./demo-expectations.ts";

/** The whole demo, told to a system of its own through the public API, against figures worked out by hand. */

const run = demoRun({ months: 1, customers: 12 });
const stage = { line: () => {}, portion: () => {} };
const storyMsMax = 240_000;

let system: System;
const access = () => ({ baseUrl: system.surroundings.apiUrl, apiKey: system.surroundings.apiKey });
let result: DemoResult;

beforeAll(async () => {
  system = await startSystem();
  await tellStory(run, new DemoApi(access(), run.name, storyMsMax), stage);
  result = await readResult(system.client, run);
}, storyMsMax);

afterAll(() => system?.stop());

describe("every invoice", () => {
  test.each(expectedInvoices)(
    "$customer, $invoice: $sum, credits $creditsMinor, to pay $totalMinor",
    async (expected) => {
      const invoice = invoiceOf(expected);
      const { lines } = await system.client.get("/v1/invoices/{id}", {
        params: { path: { id: invoice.id } },
      });
      expect(lines.map(({ amount_minor }) => amount_minor)).toEqual(amountsIn(expected.sum));
      expect(invoice).toMatchObject({
        credits_applied_minor: expected.creditsMinor.toString(),
        total_minor: expected.totalMinor.toString(),
        amount_paid_minor: expected.totalMinor.toString(),
        status: "paid",
      });
    },
  );

  test("and no other", () => {
    const all = result.customers.flatMap(({ invoices }) => invoices);
    expect(all).toHaveLength(expectedInvoices.length);
  });
});

describe("every state", () => {
  test("everybody is active but the one who canceled", () => {
    const states = Object.fromEntries(result.customers.map(({ id, state }) => [id, state]));
    const { cancels } = run.cast;
    expect(Object.entries(states).filter(([, state]) => state !== "active")).toEqual([[cancels, "canceled"]]);
  });

  test("the failing card went through dunning: declined, tried again after three days, recovered with a new card", async () => {
    const invoice = invoiceOf({ customer: run.cast.cardFails, invoice: "cycle 1" });
    const shown = await system.client.get("/v1/invoices/{id}", { params: { path: { id: invoice.id } } });
    expect(shown.payment_attempts.map(({ cause, outcome }) => `${cause}: ${outcome}`)).toEqual([
      "first: declined",
      "schedule: declined",
      "new_payment_method: paid",
    ]);
    expect(shown.dunning).toMatchObject({ state: "recovered" });
  });
});

describe("every event", () => {
  test("is accepted once and on exactly one invoice", () => {
    const { first, contradiction } = expectedDeliveries;
    const sum = (count: (customer: DemoResult["customers"][number]) => number) =>
      result.customers.reduce((total, customer) => total + count(customer), 0);
    expect(sum(({ accounting }) => accounting.accepted)).toBe(first);
    expect(sum(({ accounting }) => accounting.invoiced)).toBe(first);
    expect(sum(({ accounting }) => accounting.conflicting)).toBe(contradiction);
    expect(sum(({ accounting }) => accounting.not_invoiced)).toBe(0);
    expect(sum(({ accounting }) => accounting.invoiced_more_than_once)).toBe(0);
  });

  test("the tokens are the trace's", () => {
    expect(result.customers.reduce((sum, { inputTokens }) => sum + inputTokens, 0n)).toBe(
      traceTotals.inputTokens,
    );
    expect(result.customers.reduce((sum, { outputTokens }) => sum + outputTokens, 0n)).toBe(
      traceTotals.outputTokens,
    );
  });
});

describe("every ledger balance", () => {
  const paid = expectedInvoices.reduce((sum, { totalMinor }) => sum + totalMinor, 0n);
  // Stripe keeps 2.9 %, rounded half up, and 30 cents of each payment.
  const kept = expectedInvoices.reduce(
    (sum, { totalMinor }) => sum + (totalMinor * 29n + 500n) / 1000n + 30n,
    0n,
  );
  // Base fees and seats: hobby, pro, Harbor, Iris, Juniper, Kestrel, Lumen. Elm starts on pro, and Cleo leaves after April.
  const larger = 9_600n + 6_000n + 15_000n + 77_500n + 45_000n;
  const april = 3n * 500n + 4n * 2_000n + larger + (-1_333n + 4_000n + 1_200n);
  const may = 2n * 500n + 3n * 2_000n + 7_800n + larger;
  const june = may;

  test.each([
    { code: "1000", cents: paid - kept, why: `${paid} paid − ${kept} kept by Stripe` },
    { code: "1010", cents: 0n, why: "every payment has reached the Stripe balance" },
    { code: "1100", cents: 0n, why: "every invoice is paid" },
    { code: "1110", cents: 0n, why: "everything rated is invoiced" },
    { code: "2000", cents: 0n, why: "800 of credits bought − 800 used" },
    { code: "2005", cents: 0n, why: "the credits are paid for" },
    { code: "2100", cents: june, why: "charged in advance for June" },
    { code: "4010", cents: april + may, why: "charged in advance for April and May, Elm's change included" },
    { code: "5000", cents: kept, why: "2.9 % + 30 of each payment" },
  ])("$code is $cents: $why", ({ code, cents }) => {
    expect(balanceOf(code)).toBe(`${cents}`);
  });

  test("usage revenue is exact to the last digit; rounding is what the lines took more or less", () => {
    const exact = exactUsage();
    const invoiced = usageInvoiced();
    expect(ledgerUnits(balanceOf("4000"))).toBe(exact);
    expect(ledgerUnits(balanceOf("5900"))).toBe(exact - invoiced);
  });

  test("debits equal credits", () => {
    expect(result.trialBalance.totals).toEqual([
      expect.objectContaining({ currency: "usd", balanced: true }),
    ]);
  });
});

test("what must always be true is true", async () => {
  await expectInvariants(system.db);
});

test("telling it again changes nothing", async () => {
  const before = await counts();
  const isNew = await tellStory(run, new DemoApi(access(), run.name, storyMsMax), stage);
  expect(isNew).toBe(false);
  expect(await counts()).toEqual(before);
});

function invoiceOf({ customer, invoice }: Pick<ExpectedInvoice, "customer" | "invoice">): Schemas["Invoice"] {
  const [kind = "", number = "1"] = invoice.split(" ");
  const invoices = result.customers.find(({ id }) => id === customer)?.invoices ?? [];
  const ofKind = invoices
    .filter((each) => each.kind === kind)
    .toSorted((a, b) => a.issued_at.localeCompare(b.issued_at));
  const found = ofKind[Number(number) - 1];
  if (found === undefined) throw new Error(`${customer} has no invoice "${invoice}"`);
  return found;
}

/** "−1333 + 4000" → ["-1333", "4000"] */
function amountsIn(sum: string): string[] {
  return sum.split(" + ").map((term) => term.replace("−", "-"));
}

function balanceOf(code: string): string {
  return result.trialBalance.data.find((line) => line.code === code)?.balance_minor ?? "0";
}

function counts() {
  return rows(
    system.db.orm,
    sql`select (select count(*) from ledger.journal_entry)::int as entries,
      (select count(*) from billing.invoice)::int as invoices,
      (select count(*) from usage.event)::int as events,
      (select count(*) from stripe.operation)::int as operations`,
  );
}

/** The exact price of all usage in 10⁻⁸ cents, from the price list alone. */
function exactUsage(): bigint {
  const sum = (lines: readonly { exact: bigint }[]) => lines.reduce((total, { exact }) => total + exact, 0n);
  return tokensInTime.reduce((total, { customer, plan, tokens }) => {
    const share = shareOf(customer, plan);
    const late = tokensReportedLate.find((each) => each.customer === customer && each.plan === plan);
    return (
      total +
      sum(usageLines(plan, tokens, share)) +
      sum(lateLines(plan, tokens, late?.tokens ?? noTokens, share))
    );
  }, 0n);
}

/** Elm changes from pro to team after 10 of April's 30 days. */
function shareOf(customer: string, plan: string): readonly [bigint, bigint] {
  if (customer !== run.cast.upgrades) return [1n, 1n];
  return plan === "pro" ? [10n, 30n] : [20n, 30n];
}

/** What the usage lines of all invoices come to, in 10⁻⁸ cents. */
function usageInvoiced(): bigint {
  const usage = tokensInTime.flatMap(({ customer, plan, tokens }) => {
    const share = shareOf(customer, plan);
    const late = tokensReportedLate.find((each) => each.customer === customer && each.plan === plan);
    return [...usageLines(plan, tokens, share), ...lateLines(plan, tokens, late?.tokens ?? noTokens, share)];
  });
  return usage.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) * 10n ** 8n;
}

/** "10812.07996" cents in 10⁻⁸ cents. */
function ledgerUnits(cents: string): bigint {
  const [whole = "", fraction = ""] = cents.replace("-", "").split(".");
  const units = BigInt(whole) * 10n ** 8n + BigInt(fraction.padEnd(8, "0"));
  return cents.startsWith("-") ? -units : units;
}
