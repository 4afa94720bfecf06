import { describe, expect, test } from "vitest";
import { assignRequests } from "../../src/sandbox/demo/assignment.ts";
import { demoCustomers, roles } from "../../src/sandbox/demo/customers.ts";
import { planDeliveries } from "../../src/sandbox/demo/delivery.ts";
import { creditsBoughtMinor, upgrade } from "../../src/sandbox/demo/story.ts";
import { moments, timelineOf } from "../../src/sandbox/demo/timeline.ts";
import { readTrace } from "../../src/sandbox/demo/trace.ts";
import { add, lateLines, noTokens, unusedPart, usageLines } from "../scenarios/demo-arithmetic.ts";
import {
  type ExpectedInvoice,
  expectedInvoices,
  type StretchTokens,
  type Tokens,
  tokensInTime,
  tokensReportedLate,
  traceTotals,
} from "../scenarios/demo-expectations.ts";

const customers = demoCustomers(12);

describe("the tokens", () => {
  const all = [...tokensInTime, ...tokensReportedLate].map(({ tokens }) => tokens).reduce(add, noTokens);

  test("sum to the trace's", () => {
    expect(all.swiftIn + all.deepIn).toBe(traceTotals.inputTokens);
    expect(all.swiftOut + all.deepOut).toBe(traceTotals.outputTokens);
  });

  test("are those that the rule assigns", () => {
    const { inTime, late } = tokensByRule();
    expect(inTime).toEqual(tokensInTime);
    expect(late).toEqual(tokensReportedLate);
  });
});

describe("the invoices", () => {
  test.each(expectedInvoices)("$customer, $invoice: $sum", (expected) => {
    expect(linesOf(expected).join(" + ").replace("-", "−")).toBe(expected.sum);
    expect(linesOf(expected).reduce((sum, line) => sum + line, 0n) - expected.creditsMinor).toBe(
      expected.totalMinor,
    );
  });

  test("none is too small to be charged", () => {
    expect(expectedInvoices.filter(({ totalMinor }) => totalMinor > 0n && totalMinor < 50n)).toEqual([]);
  });

  test("all usage of whoever buys credits is more than the credits, which pay usage only", () => {
    const usage = linesOf({ customer: roles.prepays, invoice: "cycle 1" }).slice(0, -1);
    expect(usage.reduce((sum, line) => sum + line, 0n)).toBeGreaterThan(BigInt(creditsBoughtMinor));
  });
});

const monthly = {
  hobby: [500n, 0n, 0n],
  pro: [2_000n, 0n, 0n],
  team: [6_000n, 1_800n, 3n],
  enterprise: [40_000n, 2_500n, 10n],
} as const;

/** Base fee and seats for a month in advance. */
function advance(plan: keyof typeof monthly, seats: number): bigint[] {
  const [base, perSeat, included] = monthly[plan];
  const paidSeats = BigInt(seats) - included;
  return perSeat === 0n || paidSeats <= 0n ? [base] : [base, perSeat * paidSeats];
}

/** The lines of an invoice of the standard demo, worked out on paper. */
function linesOf({ customer: id, invoice }: Pick<ExpectedInvoice, "customer" | "invoice">): bigint[] {
  const customer = customers.find((each) => each.id === id);
  if (customer === undefined) throw new Error(`${id} is not in the cast`);
  const changes = id === roles.upgrades;
  const after = changes
    ? advance(upgrade.plan, upgrade.seats)
    : id === roles.cancels
      ? []
      : advance(customer.plan, customer.seats);
  const of = (list: readonly StretchTokens[]) => list.filter((each) => each.customer === id);
  switch (invoice) {
    case "activation":
      return advance(customer.plan, customer.seats);
    case "credit_purchase":
      return [BigInt(creditsBoughtMinor)];
    case "proration":
      return [-unusedPart(2_000n, 10n, 30n), ...after.map((amount) => unusedPart(amount, 10n, 30n))];
    case "cycle 1":
      return [
        ...of(tokensInTime).flatMap(({ plan, tokens }) =>
          usageLines(plan, tokens, shareOf(changes, plan)).map(({ amountMinor }) => amountMinor),
        ),
        ...after,
      ];
    case "cycle 2":
      return [
        ...of(tokensReportedLate).flatMap(({ plan, tokens }) => {
          const billed = of(tokensInTime).find((each) => each.plan === plan)?.tokens ?? noTokens;
          return lateLines(plan, billed, tokens, shareOf(changes, plan)).map(
            ({ amountMinor }) => amountMinor,
          );
        }),
        ...after,
      ];
  }
}

/** The upgrade comes after 10 of April's 30 days. */
function shareOf(changes: boolean, plan: string): readonly [bigint, bigint] {
  if (!changes) return [1n, 1n];
  return plan === "pro" ? [10n, 30n] : [20n, 30n];
}

/** The tables of tokens, added up from the trace. */
function tokensByRule(): { inTime: StretchTokens[]; late: StretchTokens[] } {
  const { months, stops } = timelineOf(1);
  const [april] = months;
  if (april === undefined) throw new Error("the standard demo has a month of usage");
  const requests = assignRequests(readTrace(), customers, april.month);
  const sums = { inTime: new Map<string, Tokens>(), late: new Map<string, Tokens>() };
  for (const { kind, at, request } of planDeliveries(requests, { ...april, stops, leaving: roles.cancels })) {
    if (kind !== "first") continue;
    const { customerId, model, time, inputTokens, outputTokens } = request;
    const plan = customers.find(({ id }) => id === customerId)?.plan;
    const planThen = customerId === roles.upgrades && time >= moments.upgraded ? upgrade.plan : plan;
    const list = at === april.afterClose ? sums.late : sums.inTime;
    const key = JSON.stringify([customerId, planThen]);
    const used = { ...noTokens, [`${model}In`]: BigInt(inputTokens), [`${model}Out`]: BigInt(outputTokens) };
    list.set(key, add(list.get(key) ?? noTokens, used));
  }
  const table = (list: Map<string, Tokens>) =>
    [...list].toSorted().map(([key, tokens]) => {
      const [customer, plan] = JSON.parse(key);
      return { customer, plan, tokens };
    });
  return { inTime: table(sums.inTime), late: table(sums.late) };
}
