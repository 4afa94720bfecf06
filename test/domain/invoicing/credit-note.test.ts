import { describe, expect, test } from "vitest";
import { type CreditableInvoice, planCreditNote } from "../../../src/domain/invoicing/index.ts";
import { currency, money } from "../../../src/domain/money/index.ts";

const usd = (amount: number) => money(BigInt(amount), "usd");
const usual: CreditableInvoice = {
  status: "open",
  currency: currency("usd"),
  total: usd(1000),
  paid: usd(0),
  balanceApplied: usd(0),
  lowered: usd(0),
  payments: [],
  lines: [
    { line: 1, kind: "flat", amount: usd(700), credited: usd(0) },
    { line: 2, kind: "usage", amount: usd(300), credited: usd(0) },
  ],
};

describe("where the money of a note goes", () => {
  test.each([
    { invoice: {}, credit: 400, due: 400, balance: 0, why: "open: less is due" },
    {
      invoice: { paid: usd(800) },
      credit: 400,
      due: 200,
      balance: 200,
      why: "800 of 1,000 paid: 200 were due, 200 are handed back",
    },
    {
      invoice: { status: "paid", paid: usd(1000) },
      credit: 400,
      due: 0,
      balance: 400,
      why: "paid: all of it is handed back",
    },
    {
      invoice: { lowered: usd(900) },
      credit: 400,
      due: 100,
      balance: 300,
      why: "notes took 900 off: 100 were due",
    },
  ] as const)("$why", ({ invoice, credit, due, balance }) => {
    expect(planCreditNote({ ...usual, ...invoice }, [{ line: 1, amount: usd(credit) }])).toEqual({
      total: usd(credit),
      tax: [],
      unusedCredits: [],
      lowersDue: usd(due),
      toBalance: usd(balance),
      toRefund: usd(0),
      refunds: [],
    });
  });
});

describe("what is refused", () => {
  test.each([
    { change: { status: "void" }, code: "invoice_not_creditable" },
    { change: { status: "uncollectible" }, code: "invoice_not_creditable" },
    {
      change: { lines: [{ line: 1, kind: "credit_purchase", amount: usd(700), credited: usd(0) }] },
      code: "credit_purchase_not_creditable",
    },
    { change: { lines: [] }, code: "invoice_line_not_found" },
    {
      change: { lines: [{ line: 1, kind: "flat", amount: usd(700), credited: usd(601) }] },
      code: "credit_note_exceeds_line",
    },
    {
      change: { lines: [{ line: 1, kind: "proration_credit", amount: usd(-700), credited: usd(0) }] },
      code: "credit_note_exceeds_line",
    },
    // 700 on the line, but credits paid all but 50 of the invoice.
    { change: { total: usd(50) }, code: "credit_note_exceeds_invoice" },
  ] as const)("$code", ({ change, code }) => {
    expect(() => planCreditNote({ ...usual, ...change }, [{ line: 1, amount: usd(100) }])).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("money to a card, but only where money was paid", () => {
    const credit = [{ line: 1, amount: usd(100) }];
    const paid = { ...usual, status: "paid", paid: usd(1000) } as const;
    expect(() => planCreditNote(paid, credit, { destination: "refund" })).toThrow(
      expect.objectContaining({ code: "nothing_to_refund" }),
    );
    expect(planCreditNote(usual, credit, { destination: "refund" })).toMatchObject({ lowersDue: usd(100) });
  });
});

test("what was taken from the balance is money too; what a note that waited takes is not counted twice", () => {
  const fromBalance = { ...usual, status: "paid", total: usd(0), balanceApplied: usd(1000) } as const;
  expect(planCreditNote(fromBalance, [{ line: 1, amount: usd(700) }])).toMatchObject({ toBalance: usd(700) });
  const lines = [{ line: 1, kind: "flat", amount: usd(700), credited: usd(700) }] as const;
  expect(
    planCreditNote({ ...usual, lines }, [{ line: 1, amount: usd(700) }], { isAsked: true }),
  ).toMatchObject({
    lowersDue: usd(700),
  });
});

test.each([
  { unused: 700, asked: 400, why: "part of what is unspent goes back" },
  { unused: 300, asked: 300, why: "400 of it are spent: 300 can go back, and no more" },
])("credit that was bought: $why", ({ unused, asked }) => {
  const lines = [{ line: 1, kind: "credit_purchase" as const, amount: usd(700), credited: usd(0) }];
  const paid = { ...usual, status: "paid" as const, total: usd(700), paid: usd(700), lines };
  const invoice = { ...paid, boughtCredit: { grantId: "g1", unused: usd(unused) } };
  const planned = planCreditNote(invoice, [{ line: 1, amount: usd(asked) }]);
  expect(planned.unusedCredits).toEqual([{ grantId: "g1", amount: usd(asked) }]);
  expect(() => planCreditNote(invoice, [{ line: 1, amount: usd(unused + 1) }])).toThrow(
    expect.objectContaining({
      code: unused === 700 ? "credit_note_exceeds_line" : "credit_grant_insufficient",
    }),
  );
});
