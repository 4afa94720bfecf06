import { describe, expect, test } from "vitest";
import {
  type CreditableInvoice,
  linesOfRefund,
  planCreditNote,
  planRefunds,
  type RefundablePayment,
  type RefundProgress,
  refundStepTo,
} from "../../../src/domain/invoicing/index.ts";
import { currency, money } from "../../../src/domain/money/index.ts";

const usd = (amount: number) => money(BigInt(amount), "usd");
const paid = (paymentId: string, left: number, isChargedBack = false): RefundablePayment => ({
  paymentId,
  left: usd(left),
  isChargedBack,
});

describe("which payments an amount goes back to", () => {
  test.each([
    { payments: [paid("b", 600), paid("a", 400)], amount: 500, back: ["b 500"], why: "the newest first" },
    { payments: [paid("b", 600), paid("a", 400)], amount: 900, back: ["b 600", "a 300"], why: "then others" },
    { payments: [paid("b", 600), paid("a", 400)], amount: 1200, back: ["b 600", "a 400"], why: "no more" },
    { payments: [paid("b", 600, true), paid("a", 400)], amount: 500, back: ["a 400"], why: "b is disputed" },
  ])("$amount: $back, $why", ({ payments, amount, back }) => {
    const planned = planRefunds(payments, usd(amount));
    expect(planned.map((each) => `${each.paymentId} ${each.amount.amountMinor}`)).toEqual(back);
  });

  test.each([
    { payments: [paid("a", 400, true)], code: "payment_disputed" },
    { payments: [paid("a", 0)], code: "nothing_to_refund" },
    { payments: [], code: "nothing_to_refund" },
  ])("$code", ({ payments, code }) => {
    expect(() => planRefunds(payments, usd(100))).toThrow(expect.objectContaining({ code }));
  });

  test("only what Stripe can send: of 12.349 KWD, 12.340 go back", () => {
    const left = money(12_349n, "kwd");
    const [planned] = planRefunds([{ paymentId: "a", left, isChargedBack: false }], left);
    expect(planned?.amount).toEqual(money(12_340n, "kwd"));
  });
});

const invoice: CreditableInvoice = {
  status: "paid",
  currency: currency("usd"),
  total: usd(1000),
  paid: usd(1000),
  balanceApplied: usd(0),
  lowered: usd(0),
  payments: [paid("a", 1000)],
  lines: [
    { line: 1, kind: "flat", amount: usd(700), credited: usd(0) },
    { line: 2, kind: "usage", amount: usd(400), credited: usd(100) },
    { line: 3, kind: "proration_credit", amount: usd(-100), credited: usd(0) },
  ],
};

describe("an amount of an invoice", () => {
  test("is credited from its lines in proportion to what is left of each", () => {
    // 700 and 300 are left: of 501 the first has 350.7, the second 150.3.
    expect(linesOfRefund(invoice, usd(501))).toEqual([
      { line: 1, amount: usd(351) },
      { line: 2, amount: usd(150) },
    ]);
  });

  test("is at most what is left of invoice and payments, which is all when nothing is said", () => {
    const all = linesOfRefund(invoice, null);
    // 1000 − 100 credited before.
    expect(all.reduce((sum, { amount }) => sum + amount.amountMinor, 0n)).toBe(900n);
    expect(() => linesOfRefund(invoice, usd(901))).toThrow(
      expect.objectContaining({ code: "refund_exceeds_payment" }),
    );
    expect(() => linesOfRefund({ ...invoice, status: "open" }, null)).toThrow(
      expect.objectContaining({ code: "nothing_to_refund" }),
    );
  });

  test("goes back to the payments, and what was paid from the balance goes there", () => {
    const mixed = {
      ...invoice,
      total: usd(600),
      paid: usd(600),
      balanceApplied: usd(400),
      payments: [paid("a", 600)],
    };
    const planned = planCreditNote(mixed, [{ line: 1, amount: usd(700) }], { destination: "refund" });
    expect(planned).toMatchObject({ toRefund: usd(600), toBalance: usd(100), lowersDue: usd(0) });
  });
});

describe("a refund's state only goes forward", () => {
  test.each<{ from: RefundProgress; said: string; to: RefundProgress | null }>([
    { from: "requested", said: "pending", to: "pending" },
    { from: "requested", said: "succeeded", to: "succeeded" },
    { from: "pending", said: "requires_action", to: "requires_action" },
    { from: "pending", said: "something_new", to: null },
    { from: "succeeded", said: "pending", to: null },
    { from: "succeeded", said: "failed", to: "failed" },
    { from: "failed", said: "succeeded", to: null },
    { from: "canceled", said: "pending", to: null },
  ])("$from, and Stripe says $said: $to", ({ from, said, to }) => {
    expect(refundStepTo(from, said)).toBe(to);
  });
});
