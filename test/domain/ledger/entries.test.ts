import { expect, test } from "vitest";
import { instant, period } from "../../../src/domain/calendar/index.ts";
import {
  balanceTransactionRecorded,
  disputeOpened,
  disputeWon,
  goodwillWithdrawn,
  grantAdjusted,
  grantExpired,
  grantVoided,
  lateUsageAdjusted,
  ledgerAmountText,
  paymentSucceeded,
  prepaidCreditsFunded,
  settledInAnotherCurrency,
  usageRated,
} from "../../../src/domain/ledger/index.ts";
import { currency, ledgerAmountOfMoney, money } from "../../../src/domain/money/index.ts";
import { at, cents, exact, facts, written } from "./facts.ts";

test.each([
  { amount: exact("734.56"), code: "usd", text: "7.3456 USD" },
  { amount: exact("-0.00000001"), code: "usd", text: "-0.0000000001 USD" },
  { amount: ledgerAmountOfMoney(money(1250n, "jpy")), code: "jpy", text: "1250 JPY" },
  { amount: exact("0.5"), code: "jpy", text: "0.5 JPY" },
  { amount: ledgerAmountOfMoney(money(1250n, "kwd")), code: "kwd", text: "1.250 KWD" },
])("a ledger amount reads $text", ({ amount, code, text }) => {
  expect(ledgerAmountText(amount, currency(code))).toBe(text);
});

test.each([
  { received: 100n, due: 250n, postings: ["1010 → 1100:{acme} 1.00 USD"], why: "a part" },
  { received: 250n, due: 0n, postings: ["1010 → 2200:{acme} 2.50 USD"], why: "a void invoice" },
])("$received received of $due due: $why", ({ received, due, postings }) => {
  const payment = { ...facts, paymentId: "p", invoiceId: "in", received: cents(received), due: cents(due) };
  expect(written(paymentSucceeded(payment))).toEqual(postings);
});

test.each([
  { end: grantExpired, kind: "promotional" as const, posting: "2010:{acme, g} → 1300 1.00 USD" },
  { end: grantExpired, kind: "goodwill" as const, posting: "2010:{acme, g} → 5200 1.00 USD" },
  { end: grantVoided, kind: "paid" as const, posting: "2000:{acme, g} → 2200:{acme} 1.00 USD" },
  { end: grantVoided, kind: "goodwill" as const, posting: "2010:{acme, g} → 5200 1.00 USD" },
])("$end.name of a $kind grant: $posting", ({ end, kind, posting }) => {
  expect(written(end({ ...facts, grantId: "g", kind, remaining: exact("100") }))).toEqual([posting]);
  expect(end({ ...facts, grantId: "g", kind, remaining: exact("0") })).toBeNull();
});

test.each([
  { kind: "promotional" as const, change: "100", posting: "1300 → 2010:{acme, g} 1.00 USD" },
  { kind: "promotional" as const, change: "-100", posting: "2010:{acme, g} → 1300 1.00 USD" },
  { kind: "goodwill" as const, change: "-100", posting: "2010:{acme, g} → 5200 1.00 USD" },
  { kind: "paid" as const, change: "-100", posting: "2000:{acme, g} → 2200:{acme} 1.00 USD" },
])("a $kind grant adjusted by $change cents: $posting", ({ kind, change, posting }) => {
  const adjusted = grantAdjusted({
    ...facts,
    adjustmentId: "a",
    grantId: "g",
    kind,
    change: exact(change),
  });
  expect(written(adjusted)).toEqual([posting]);
  expect(adjusted).toMatchObject({
    cause: { type: "adjustment", id: "a" },
    metadata: { adjustment_id: "a", grant_id: "g" },
  });
});

test("goodwill is taken back from the grant it was given as", () => {
  const from = { kind: "grant", grantId: "g" } as const;
  const withdrawn = goodwillWithdrawn({ ...facts, adjustmentId: "a", amount: exact("100"), from });
  expect(written(withdrawn)).toEqual(["2010:{acme, g} → 5200 1.00 USD"]);
});

test("credits that are paid for again after a returned payment are funded once for it", () => {
  const funded = (afterReturnOf?: string) =>
    prepaidCreditsFunded({
      ...facts,
      purchaseId: "buy",
      grantId: "g",
      invoiceId: "in",
      amount: exact("30.5"),
      ...(afterReturnOf === undefined ? {} : { afterReturnOf }),
    });
  expect(funded().cause.id).toBe("buy");
  expect(funded("pay_1").cause.id).toBe("buy/after/pay_1");
});

test("a fee of more than the payment is taken from the Stripe balance", () => {
  const recorded = balanceTransactionRecorded({
    ...facts,
    balanceTransactionId: "t",
    paymentId: "p",
    gross: cents(20n),
    fee: cents(30n),
  });
  expect(written(recorded)).toEqual(["1010 → 1000 0.10 USD", "5000 → 1010 0.30 USD"]);
});

test("a dispute is won without its fee where Stripe keeps it", () => {
  const won = disputeWon({
    ...facts,
    disputeId: "dp",
    paymentId: "p",
    balanceTransactionId: "t",
    amount: cents(100n),
  });
  expect(written(won)).toEqual(["1000 → 1120:{acme, dp} 1.00 USD"]);
});

test("a dispute's fee in another currency is a dispute fee there, taken or given back", () => {
  const opened = disputeOpened({
    ...facts,
    disputeId: "dp",
    paymentId: "p",
    balanceTransactionId: "t",
    amount: cents(100n),
    fee: cents(0n),
  });
  const settled = settledInAnotherCurrency(opened, { gross: money(-90n, "eur"), fee: money(15n, "eur") });
  expect(settled.map(written)).toEqual([
    ["1120:{acme, dp} → 9000 1.00 USD"],
    ["9000 → 1000 0.90 EUR", "5010 → 1000 0.15 EUR"],
  ]);
  const won = disputeWon({
    ...facts,
    disputeId: "dp",
    paymentId: "p",
    balanceTransactionId: "t2",
    amount: cents(100n),
  });
  const back = settledInAnotherCurrency(won, { gross: money(90n, "eur"), fee: money(-15n, "eur") });
  expect(back.map(written)).toEqual([
    ["9000 → 1120:{acme, dp} 1.00 USD"],
    ["1000 → 9000 0.90 EUR", "1000 → 5010 0.15 EUR"],
  ]);
});

test("usage that comes to nothing is no entry", () => {
  const nothing = [{ productKey: "tokens", amount: exact("0") }];
  expect(usageRated({ ...facts, cycleId: "c", usage: nothing })).toBeNull();
});

test.each([
  {
    amount: "-25.5",
    postings: ["0.26 USD", "5900 → 4000:{tokens} 0.005 USD"],
    why: "25.5 rounds to the even 26",
  },
  { amount: "-0.4", postings: ["4000:{tokens} → 5900 0.004 USD"], why: "less than a cent is all rounding" },
])("late usage of $amount cents: $why", ({ amount, postings }) => {
  const entry = lateUsageAdjusted({
    ...facts,
    correctionId: "c",
    period: period(instant("2026-01-01T00:00:00Z"), at),
    differences: [{ productKey: "tokens", amount: exact(amount) }],
  });
  expect(written(entry)).toEqual(postings.map((text) => expect.stringContaining(text)));
});

test("late usage given back to a goodwill grant touches no discount", () => {
  const entry = lateUsageAdjusted({
    ...facts,
    correctionId: "c",
    period: period(instant("2026-01-01T00:00:00Z"), at),
    differences: [],
    restored: [{ grantId: "g", kind: "goodwill", productKey: "tokens", amount: exact("100") }],
  });
  expect(written(entry)).toEqual(["4000:{tokens} → 2010:{acme, g} 1.00 USD"]);
});

test("late usage given back to a promotional grant takes its discount back too", () => {
  const entry = lateUsageAdjusted({
    ...facts,
    correctionId: "c",
    period: period(instant("2026-01-01T00:00:00Z"), at),
    differences: [],
    restored: [{ grantId: "g", kind: "promotional", productKey: "tokens", amount: exact("100") }],
  });
  expect(written(entry)).toEqual(["4000:{tokens} → 2010:{acme, g} 1.00 USD", "1300 → 4900 1.00 USD"]);
});
