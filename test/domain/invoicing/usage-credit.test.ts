import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlanVersion, UsagePrice } from "../../../src/domain/catalog/index.ts";
import { type CreditGrant, usualCreditPolicy } from "../../../src/domain/credits/index.ts";
import {
  creditBoundaries,
  creditFor,
  givenBack,
  type InvoiceLine,
  invoiceTotals,
  type RatedUntil,
  type RecordedDraw,
} from "../../../src/domain/invoicing/index.ts";
import {
  currency,
  decimal,
  exactOfLedgerAmount,
  ledgerAmountOfMoney,
  money,
} from "../../../src/domain/money/index.ts";
import { day, grant, start } from "../credits/grants.ts";

const usd = currency("usd");
const cents = (amount: number) => ledgerAmountOfMoney(money(BigInt(amount), usd));
const january = { start, end: day(31) };

/** A line of so many cents, for tokens in January. */
function line(amount: number, over: Partial<InvoiceLine> = {}): InvoiceLine {
  return {
    kind: "usage",
    earning: "unbilled",
    description: "",
    product: "tokens",
    source: { planKey: "pro", planVersion: 1, priceKey: "large" },
    period: january,
    quantity: null,
    exactMinor: decimal(BigInt(amount)),
    amount: money(BigInt(amount), usd),
    detail: {},
    ...over,
  };
}

const creditOf = (amount: number, over: Partial<CreditGrant> = {}) =>
  grant("g", { remaining: cents(amount), ...over });

const drawn = (lines: InvoiceLine[], grants: CreditGrant[]) =>
  creditFor(lines, { grants, asOf: day(32), billed: [january] }).draws.map(
    (draw) => `${draw.line}: ${draw.grantId} ${exactOfLedgerAmount(draw.amount).text}`,
  );

describe("what credit pays for", () => {
  test.each([
    { lines: [line(100)], draws: ["0: g 100"], why: "usage" },
    { lines: [line(100, { kind: "late_usage" })], draws: ["0: g 100"], why: "late usage" },
    {
      lines: [line(100, { kind: "overage" })],
      draws: ["0: g 100"],
      why: "what it costs beyond a commitment",
    },
    { lines: [line(100, { kind: "true_up" })], draws: [], why: "not what is missing to a minimum" },
    { lines: [line(100, { kind: "flat", earning: "deferred" })], draws: [], why: "not a fee" },
    { lines: [line(100, { kind: "carried_over" })], draws: [], why: "not what was carried over" },
    { lines: [line(100), line(-20, { kind: "discount" })], draws: ["0: g 80"], why: "after a discount" },
    {
      lines: [line(30), line(100, { product: "storage" }), line(-50, { kind: "cap", product: "storage" })],
      draws: ["0: g 30", "1: g 50"],
      why: "after a cap, which is of its product first",
    },
    {
      lines: [line(30), line(100, { product: "storage" }), line(-50, { kind: "discount", product: "all" })],
      draws: ["1: g 80"],
      why: "or else of all, in their order",
    },
    {
      lines: [line(100), line(-100, { kind: "discount" })],
      draws: [],
      why: "nothing of what is free already",
    },
    {
      lines: [line(100), line(-20, { kind: "discount", earning: "deferred" })],
      draws: ["0: g 100"],
      why: "a discount on a fee is not for usage",
    },
  ])("$why: $draws", ({ lines, draws }) => {
    expect(drawn(lines, [creditOf(1_000)])).toEqual(draws);
  });

  test("what is left to be paid, with draws, is always what the usage comes to, and never less than nothing", () => {
    const anyLine = fc.record({
      amount: fc.integer({ min: -50, max: 90 }),
      product: fc.constantFrom("tokens", "storage"),
    });
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 6 }), fc.integer({ min: 0, max: 300 }), (made, amount) => {
        const lines = made.map((each) =>
          line(each.amount, { kind: each.amount < 0 ? "discount" : "usage", product: each.product }),
        );
        const { draws, uncovered } = creditFor(lines, { grants: [creditOf(amount)], asOf: day(32) });
        const paid = draws.reduce((sum, draw) => sum + draw.amount, 0n);
        const used = lines.reduce((sum, { amount: of }) => sum + of.amountMinor, 0n);
        expect(uncovered + paid).toBe(used * 100_000_000n);
        expect(paid === 0n || uncovered >= 0n).toBe(true);
      }),
    );
  });
});

describe("credit for a feature", () => {
  const price = (key: string, feature?: string) =>
    ({ key, ...(feature === undefined ? {} : { feature }) }) as UsagePrice;
  const version = (number: number, prices: UsagePrice[]) => ({
    effectiveAt: day(number),
    paused: false,
    items: [{ seats: 1, plan: { key: "pro", version: number, prices } as unknown as PlanVersion }],
  });
  // Version 2 took the large models out of the feature.
  const terms = [
    version(1, [price("large", "models"), price("storage")]),
    version(2, [price("large"), price("small", "models")]),
  ];
  const of = (planVersion: number, priceKey: string) =>
    line(100, { source: { planKey: "pro", planVersion, priceKey } });

  test.each([
    { line: of(1, "large"), pays: true, why: "a price that belongs to it" },
    { line: of(1, "storage"), pays: false, why: "a price that belongs to none" },
    { line: of(2, "large"), pays: false, why: "a price that belonged to it in another version" },
    { line: of(2, "small"), pays: true, why: "one that belongs to it since" },
    { line: { ...of(1, "large"), kind: "late_usage" as const }, pays: true, why: "late usage of its price" },
    { line: line(100, { source: null }), pays: false, why: "what has no price" },
  ])("$why: $pays", ({ line: of, pays }) => {
    const grants = [creditOf(1_000, { scope: [{ type: "feature", feature: "models" }] })];
    const { draws } = creditFor([of], { grants, asOf: day(32), billed: [january], terms });
    expect(draws).toHaveLength(pays ? 1 : 0);
  });
});

describe("a period of which 30 were used by the 10th and 45 after", () => {
  const price = { key: "large" } as UsagePrice;
  const plan = { key: "pro" } as PlanVersion;
  const until = (at: number, amount: number): RatedUntil => ({
    at: day(at),
    rated: [
      {
        ...{ stretch: january, plan, price },
        rated: {
          quantity: decimal("1"),
          includedQuantity: decimal("0"),
          billableQuantity: decimal("1"),
          exactMinor: decimal(BigInt(amount)),
          tiers: [],
        },
      },
    ],
  });
  const paidOf = (
    over: Partial<CreditGrant>,
    ratedUntil: RatedUntil[],
    earlierUsage = usualCreditPolicy.earlierUsage,
  ) => {
    const creditPolicy = { ...usualCreditPolicy, earlierUsage };
    const credit = {
      grants: [creditOf(1_000, over)],
      asOf: day(32),
      creditPolicy,
      billed: [january],
      ratedUntil,
    };
    return (
      creditFor([line(75)], credit).draws.map(({ amount }) => exactOfLedgerAmount(amount).text)[0] ?? "0"
    );
  };

  test.each([
    { over: {}, cuts: [until(10, 30)], paid: "75", why: "all, by one in force all the time" },
    { over: { expiresAt: day(10) }, cuts: [until(10, 30)], paid: "30", why: "until its end" },
    {
      over: { effectiveAt: day(10) },
      cuts: [until(10, 30)],
      paid: "75",
      why: "what was before too, as usual",
    },
    {
      over: { expiresAt: day(10) },
      cuts: [until(5, 50), until(10, 30)],
      paid: "50",
      why: "what fell again stays paid",
    },
    { over: { expiresAt: day(10) }, cuts: [until(10, 90)], paid: "75", why: "never more than the line" },
  ])("pays $paid: $why", ({ over, cuts, paid }) => {
    expect(paidOf(over, cuts)).toBe(paid);
  });

  test("with earlier_usage none, only what was used from its beginning on", () => {
    expect(paidOf({ effectiveAt: day(10) }, [until(10, 30)], "none")).toBe("45");
    expect(paidOf({ effectiveAt: day(10), expiresAt: day(20) }, [until(10, 30), until(20, 50)], "none")).toBe(
      "20",
    );
  });

  test("is cut where a grant with something left ends, or with none takes effect", () => {
    const grants = [
      creditOf(1, { effectiveAt: day(5), expiresAt: day(20) }),
      creditOf(1, { effectiveAt: day(5), expiresAt: day(31) }),
      creditOf(0, { expiresAt: day(7) }),
    ];
    expect(creditBoundaries(grants, january)).toEqual([day(20)]);
    expect(creditBoundaries(grants, january, { ...usualCreditPolicy, earlierUsage: "none" })).toEqual([
      day(5),
      day(20),
    ]);
  });
});

test("when credit pays all usage nothing is left of the rounding; a draw of half a cent pays none of it", () => {
  const half = { exactMinor: decimal("0.5"), amount: money(0n, usd) };
  const means = { asOf: day(32), customerBalance: money(0n, usd), currency: usd };
  const twoHalves = [line(0, half), line(0, half)];
  expect(invoiceTotals(twoHalves, { ...means, grants: [creditOf(1)] })).toMatchObject({
    creditsApplied: money(0n, usd),
    uncoveredUsage: 0n,
  });
});

describe("a price that was billed at 100 and comes to 60", () => {
  const draw = (amount: number, over: Partial<RecordedDraw> = {}): RecordedDraw => ({
    ...{
      grantId: "g",
      kind: "paid",
      isEnded: false,
      amount: cents(amount),
      invoiceId: "inv",
      position: 1,
      line: 1,
    },
    ...{ product: "tokens", planKey: "pro", priceKey: "large", lineStart: start },
    ...over,
  });
  const booked = [
    {
      termsStart: start,
      planKey: "pro",
      priceKey: "large",
      quantity: decimal("1"),
      exactMinor: decimal("100"),
    },
  ];
  const less = line(-40, { kind: "late_usage" });

  test.each([
    { draws: [], detail: { creditedToBalanceMinor: "40" }, balance: 40n, why: "money" },
    {
      draws: [draw(100)],
      detail: { creditedToBalanceMinor: "0", returnedToGrantsMinor: "40", lapsedWithGrantsMinor: "0" },
      balance: 0n,
      why: "credit",
    },
    {
      draws: [draw(30)],
      detail: { creditedToBalanceMinor: "10", returnedToGrantsMinor: "30", lapsedWithGrantsMinor: "0" },
      balance: 10n,
      why: "both",
    },
    {
      draws: [draw(30, { isEnded: true }), draw(5, { isEnded: true, kind: "promotional" })],
      detail: { creditedToBalanceMinor: "35", returnedToGrantsMinor: "0", lapsedWithGrantsMinor: "5" },
      balance: 5n,
      why: "grants that have ended",
    },
    {
      draws: [draw(100, { priceKey: "small" }), draw(100, { lineStart: day(10) })],
      detail: { creditedToBalanceMinor: "40" },
      balance: 40n,
      why: "money, while credit paid other lines",
    },
  ])("was paid with $why", ({ draws, detail, balance }) => {
    const back = givenBack(less, draws, booked);
    expect(back.line).toMatchObject({ amount: money(0n, usd), detail });
    expect(back.line.exactMinor.isZero()).toBe(true);
    expect(back.moneyToBalance).toEqual(money(balance, usd));
  });

  test("gives money back first where that is the policy", () => {
    const back = givenBack(less, [draw(70)], booked, { ...usualCreditPolicy, giveBack: "money_first" });
    expect(back.line.detail).toMatchObject({ creditedToBalanceMinor: "30", returnedToGrantsMinor: "10" });
  });
});
