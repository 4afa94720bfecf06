import { describe, expect, test } from "vitest";
import { creditableLines, isCreditable, previewCreditNote } from "../../src/console/invoice/creditable.ts";
import { acmeInvoice } from "./support/records.ts";

const [line] = acmeInvoice.lines;
const lineOf = (number: number, amount_minor: string) => {
  if (line === undefined) throw new Error("the invoice has a line");
  return { ...line, line: number, amount_minor };
};
/** $100.00 and $20.00, less $5.00: of $115.00 credit grants paid $30.00, so the customer's own money is $85.00. */
const invoice = {
  ...acmeInvoice,
  status: "open" as const,
  lines: [lineOf(1, "10000"), lineOf(2, "2000"), lineOf(3, "-500")],
  total_minor: "8500",
  amount_paid_minor: "0",
  credited_minor: "0",
};
const note = (status: "issued" | "pending_approval" | "rejected", amount_minor: string) => ({
  status,
  lines: [{ line: 1, amount_minor }],
});

test.each([
  { notes: [], left: "10000", why: "nothing is credited yet" },
  { notes: [note("issued", "4000")], left: "6000", why: "10,000 − 4,000" },
  { notes: [note("pending_approval", "4000")], left: "6000", why: "what waits has taken its part" },
  { notes: [note("rejected", "4000")], left: "10000", why: "what was refused takes nothing" },
])("$left is left of a line: $why", ({ notes, left }) => {
  const lines = creditableLines(invoice, notes);
  expect(lines.map(({ line: number, leftMinor }) => [number, leftMinor])).toEqual([
    [1, left],
    [2, "2000"],
  ]);
});

test("a line that is wholly credited is not offered, nor one below zero", () => {
  const lines = creditableLines(invoice, [note("issued", "10000")]);
  expect(lines.map(({ line: number }) => number)).toEqual([2]);
});

describe("a note", () => {
  test.each([
    { of: "an open one", paid: {}, amounts: ["1000", "500"], due: "7000", balance: "0", tooMuch: "0" }, // 8,500 − 1,500
    {
      of: "one that was paid in part",
      paid: { amount_paid_minor: "8000" },
      amounts: ["1500"],
      due: "0", // 8,500 − 8,000 − 500
      balance: "1000", // 1,500 − 500
      tooMuch: "0",
    },
    {
      of: "a paid one",
      paid: { status: "paid" as const, amount_paid_minor: "8500" },
      amounts: ["1500"],
      due: null,
      balance: "1500",
      tooMuch: "0",
    },
    {
      of: "one that grants paid in part",
      paid: { status: "paid" as const, amount_paid_minor: "8500" },
      amounts: ["10000"],
      due: null,
      balance: "10000",
      tooMuch: "1500", // 10,000 − 8,500
    },
    {
      of: "one that the balance paid in part",
      paid: { status: "paid" as const, balance_applied_minor: "1000" },
      amounts: ["10000"],
      due: null,
      balance: "10000",
      tooMuch: "500", // 10,000 − 8,500 − 1,000
    },
  ])("of $of: $balance to the balance, $due due, $tooMuch too much", ({ paid, amounts, ...expected }) => {
    const preview = previewCreditNote({ ...invoice, ...paid }, [], amounts);
    expect(preview).toMatchObject({
      dueMinor: expected.due,
      toBalanceMinor: expected.balance,
      tooMuchMinor: expected.tooMuch,
    });
  });

  test("what notes took before is money that is gone", () => {
    const preview = previewCreditNote({ ...invoice, status: "paid" }, [note("issued", "8000")], ["1000"]);
    expect(preview.tooMuchMinor).toBe("500"); // 1,000 − (8,500 − 8,000)
  });
});

test.each([
  ["open", "cycle", true],
  ["paid", "activation", true],
  ["void", "cycle", false],
  ["uncollectible", "cycle", false],
  ["paid", "credit_purchase", false],
] as const)("an invoice that is %s, of the kind %s, may be credited: %s", (status, kind, expected) => {
  expect(isCreditable({ status, kind })).toBe(expected);
});
