import { describe, expect, test } from "vitest";
import { instant, isoOf } from "../../../src/domain/calendar/index.ts";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import {
  type BookedUsage,
  closePeriod,
  closingEntries,
  type InvoiceLine,
  type PeriodFacts,
  stretchesOf,
} from "../../../src/domain/invoicing/index.ts";
import { accountKey } from "../../../src/domain/ledger/index.ts";
import { currency, decimal, ledgerAmount, money } from "../../../src/domain/money/index.ts";
import { february, january, meters, pro, team, terms } from "./plans.ts";

const start = isoOf(january.start);
const usd = currency("usd");
const closedAt = instant("2026-02-01T01:00:00Z");

function facts(tokens: readonly string[], change: Partial<PeriodFacts> = {}): PeriodFacts {
  const history = change.terms ?? [terms(pro, start)];
  return {
    currency: usd,
    period: january,
    full: january,
    next: february,
    terms: history,
    meters,
    usage: stretchesOf(history, january).map((stretch, index) => ({
      stretch,
      readings: [
        { meterKey: "tokens", dimensions: { model: "deep" }, quantity: decimal(tokens[index] ?? "0") },
        { meterKey: "tokens", dimensions: { model: "swift" }, quantity: decimal("1000000") },
      ],
    })),
    late: [],
    waiting: [],
    grants: [],
    customerBalance: money(0n, "usd"),
    carried: money(0n, "usd"),
    asOf: closedAt,
    ...change,
  };
}

const grant = (id: string, cents: bigint, change: Partial<CreditGrant> = {}): CreditGrant => ({
  id,
  kind: "paid",
  priority: 50,
  remaining: ledgerAmount(cents * 10n ** 8n),
  effectiveAt: january.start,
  expiresAt: null,
  createdAt: january.start,
  currency: usd,
  ...change,
});

const shown = (lines: readonly InvoiceLine[]) =>
  lines.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`);

describe("the invoice of a period", () => {
  test.each([
    {
      why: "usage above what is included, and the next month's fee: (1310 − 310) × 0.5 = 500",
      given: facts(["1310"]),
      lines: ["usage 500", "flat 3100"],
      total: 3600n,
    },
    {
      why: "usage within what is included is on the invoice, for nothing",
      given: facts(["310"]),
      lines: ["usage 0", "flat 3100"],
      total: 3100n,
    },
    {
      why: "half a cent is rounded once, to even: (311 − 310) × 0.5 = 0.5 → 0",
      given: facts(["311"]),
      lines: ["usage 0", "flat 3100"],
      total: 3100n,
    },
    {
      why: "after the end there is usage only",
      given: facts(["1310"], { next: null }),
      lines: ["usage 500"],
      total: 500n,
    },
    {
      why: "10 of 31 days on pro: included 100; (1100 − 100) × 0.5; team's support 21/31 of 3.10; no seat to pay",
      given: facts(["1100"], { terms: [terms(pro, start), terms(team, "2026-01-11T00:00:00Z")] }),
      lines: ["usage 500", "flat 210"],
      total: 710n,
    },
    {
      why: "credits pay usage only: 500 of 5.00, then the fee is left",
      given: facts(["1310"], { grants: [grant("g", 800n)] }),
      lines: ["usage 500", "flat 3100"],
      total: 3100n,
    },
    {
      why: "credits that do not suffice: 500 − 200",
      given: facts(["1310"], { grants: [grant("g", 200n)] }),
      lines: ["usage 500", "flat 3100"],
      total: 3400n,
    },
    {
      why: "the customer's balance pays what is left: 3600 − 1000",
      given: facts(["1310"], { customerBalance: money(1000n, "usd") }),
      lines: ["usage 500", "flat 3100"],
      total: 2600n,
    },
  ])("$why", ({ given, lines, total }) => {
    const closed = closePeriod(given);
    expect(shown(closed.lines)).toEqual(lines);
    expect(closed.totals.total.amountMinor).toBe(total);
  });

  test("an amount too small to be charged is carried forward, and over", () => {
    const paused = { terms: [terms(pro, start, 1, true)] };
    const small = closePeriod(facts(["390"], paused)); // (390 − 310) × 0.5 = 40 cents
    expect(shown(small.lines)).toEqual(["usage 40", "carried_forward -40"]);
    expect(small.totals.total.amountMinor).toBe(0n);
    const next = closePeriod(facts(["350"], { ...paused, carried: money(40n, "usd") })); // 20 + 40 cents
    expect(shown(next.lines)).toEqual(["usage 20", "carried_over 40"]);
    expect(next.totals.total.amountMinor).toBe(60n);
  });
});

describe("usage that came after its period was closed", () => {
  const booked = (quantity: string, exactMinor: string): BookedUsage[] => [
    {
      termsStart: january.start,
      planKey: "pro",
      priceKey: "deep",
      quantity: decimal(quantity),
      exactMinor: decimal(exactMinor),
    },
  ];
  const late = (quantity: string, before: BookedUsage[]) => ({
    period: january,
    full: january,
    meters: facts([quantity]).meters,
    booked: before,
    usage: facts([quantity]).usage,
  });

  test.each([
    { now: "1510", before: booked("1310", "500"), cents: 100n, why: "(1510 − 310) × 0.5 − 500" },
    { now: "310", before: booked("300", "0"), cents: 0n, why: "still within what is included" },
    { now: "312", before: booked("311", "0.5"), cents: 1n, why: "1 − 0.5 exactly, 1 − 0 as it was rounded" },
  ])("only the difference is billed: $why", ({ now, before, cents }) => {
    const closed = closePeriod(
      facts(["0"], { period: february, full: february, usage: [], late: [late(now, before)], next: null }),
    );
    expect(shown(closed.lines).at(0)).toBe(`late_usage ${cents}`);
    expect(closed.lines.slice(1).every(({ kind }) => kind === "carried_forward")).toBe(true);
    expect(closed.lines[0]?.period).toMatchObject(january);
  });

  test("what was too much goes to the customer's balance and pays the same invoice", () => {
    const closed = closePeriod(facts(["310"], { late: [late("310", booked("1310", "500"))] }));
    expect(shown(closed.lines)).toEqual(["usage 0", "late_usage 0", "flat 3100"]);
    expect(closed.totals.balanceApplied.amountMinor).toBe(500n);
    expect(closed.totals.total.amountMinor).toBe(2600n); // 3100 − 500
  });
});

describe("the entries of a closed period", () => {
  test("their receivable is the invoice's total, and credits are earned as they are used", () => {
    const given = facts(["1311"], { grants: [grant("g", 200n)] }); // exact 500.5
    const closed = closePeriod(given);
    const entries = closingEntries(
      {
        invoiceId: "inv_1",
        customerId: "acme",
        subscriptionId: "sub_1",
        currency: usd,
        issuedAt: closedAt,
        period: january,
        grantKinds: new Map([["g", "paid"]]),
        revisionOf: () => 1,
        advance: [{ productKey: "pro", amount: money(3100n, "usd") }],
      },
      closed,
    );
    const moved = new Map<string, bigint>();
    for (const { debit, credit, amount } of entries.flatMap(({ postings }) => postings)) {
      moved.set(accountKey(debit), (moved.get(accountKey(debit)) ?? 0n) + amount);
      moved.set(accountKey(credit), (moved.get(accountKey(credit)) ?? 0n) - amount);
    }
    const inCents = Object.fromEntries(
      [...moved]
        .filter(([, amount]) => amount !== 0n)
        .map(([key, amount]) => [key.slice(0, 4), Number(amount) / 1e8]),
    );
    // Usage 500.5 → line 500, credits 200, to pay 300; with the fee 3400. 2100 is back at zero.
    expect(inCents).toEqual({
      "1100": 3400,
      "2000": 200,
      "4000": -500.5,
      "4010": -3100,
      "5900": 0.5,
    });
  });
});
