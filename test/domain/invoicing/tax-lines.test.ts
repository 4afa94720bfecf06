import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  addUpInvoice,
  type CreditableLine,
  type GivenTax,
  type GivenTaxLine,
  type InvoiceLine,
  invoiceEntries,
  requireTaxFits,
  taxableLines,
  taxOfLine,
  taxQuoteText,
  waitForTax,
  withTaxGivenBack,
} from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, money } from "../../../src/domain/money/index.ts";

const usd = (cents: number | bigint) => money(BigInt(cents), "usd");
const january = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };
const asOf = instant("2026-02-01T01:00:00Z");

const fee = (cents: number | bigint, over: Partial<InvoiceLine> = {}): InvoiceLine => ({
  ...{ kind: "flat", earning: "earned", description: "Support", product: "support" },
  ...{
    source: null,
    period: january,
    quantity: null,
    exactMinor: decimal(String(cents)),
    amount: usd(cents),
  },
  detail: {},
  ...over,
});

const taxLine = (
  taxable: number | bigint,
  amount: number | bigint,
  over: Partial<GivenTaxLine> = {},
): GivenTaxLine => ({
  ...{ description: "VAT 19 %", jurisdiction: "de", rate: decimal("0.19"), lines: null },
  ...{ taxable: usd(taxable), amount: usd(amount) },
  ...over,
});

const given = (...lines: GivenTaxLine[]): GivenTax => ({
  id: "t",
  quote: "q",
  basis: "before_credits",
  lines,
});
const means = (tax: GivenTax | undefined, balance = 0) => ({
  ...{ grants: [], customerBalance: usd(balance), currency: currency("usd"), asOf },
  ...(tax === undefined ? {} : { tax }),
});
const identity = {
  ...{
    invoiceId: "inv",
    customerId: "acme",
    subscriptionId: "sub",
    currency: currency("usd"),
    issuedAt: asOf,
  },
};

describe("adding up", () => {
  test.each([
    { fees: [1000], tax: [190], balance: 0, total: 1190, why: "1000 + 190" },
    { fees: [1000], tax: [191], balance: 0, total: 1191, why: "as it was given, whatever the rate comes to" },
    { fees: [1000], tax: [], balance: 0, total: 1000, why: "there is none" },
    { fees: [1000], tax: [190], balance: 1100, total: 90, why: "the balance pays tax: 1190 − 1100" },
    { fees: [1000], tax: [100, 90], balance: 0, total: 1190, why: "two authorities" },
    {
      fees: [1000, -400],
      tax: [190, -76],
      balance: 0,
      total: 714,
      why: "600 + 114: tax goes back with time",
    },
    { fees: [20], tax: [4], balance: 0, total: 0, why: "24 is too small: it is carried, tax with it" },
  ])("$fees with tax of $tax comes to $total: $why", ({ fees, tax, balance, total }) => {
    const lines = fees.map((cents) =>
      cents < 0 ? fee(cents, { kind: "proration_credit", earning: "deferred" }) : fee(cents),
    );
    const added = addUpInvoice(
      lines,
      means(given(...tax.map((cents) => taxLine(cents * 5, cents))), balance),
    );
    expect(added.totals.total).toEqual(usd(total));
    expect(added.totals.tax).toEqual(usd(tax.reduce((sum, cents) => sum + cents, 0)));
  });

  test("tax is booked to its authority, what goes back as well, and the rest as without it", () => {
    const back = fee(-400, { kind: "proration_credit", earning: "deferred" });
    const added = addUpInvoice([fee(1000), back], means(given(taxLine(1000, 190), taxLine(-400, -76))));
    const part = { subscriptionId: "sub_1", lines: added.lines };
    const [issued] = invoiceEntries(identity, [part], added.totals);
    const ofTax = issued?.postings.filter(
      ({ debit, credit }) => debit.code === "2300" || credit.code === "2300",
    );
    expect(
      ofTax?.map(({ debit, credit, amount }) => [debit.code, credit.code, amount / 100_000_000n]),
    ).toEqual([
      ["1100", "2300", 190n],
      ["2300", "1100", 76n],
    ]);
  });
});

test("INV: tax is on the invoice as it was given, in its order, and the total is the sum of it all", () => {
  const cents = fc.integer({ min: 100, max: 100_000 });
  fc.assert(
    fc.property(
      fc.array(cents, { minLength: 1, maxLength: 5 }),
      fc.array(cents, { maxLength: 5 }),
      (fees, taxes) => {
        const tax = given(...taxes.map((amount) => taxLine(amount * 3, amount)));
        const { lines, totals } = addUpInvoice(
          fees.map((amount) => fee(amount)),
          means(tax),
        );
        expect(lines.filter(({ kind }) => kind === "tax").map(({ amount }) => amount)).toEqual(
          tax.lines.map(({ amount }) => amount),
        );
        const sum = [...fees, ...taxes].reduce((all, amount) => all + amount, 0);
        expect(totals.total).toEqual(usd(sum));
      },
    ),
  );
});

describe("a quote", () => {
  const quote = (...lines: InvoiceLine[]) => taxQuoteText("cycle/sub", "before_credits", taxableLines(lines));
  const one = fee(1000);
  test.each([
    { what: "another amount", line: fee(1001) },
    { what: "another product", line: fee(1000, { product: "seats" }) },
    { what: "another period", line: fee(1000, { period: { ...january, end: asOf } }) },
    { what: "another price", line: fee(1000, { source: { planKey: "p", planVersion: 2, priceKey: "k" } }) },
  ])("is another with $what", ({ line }) => {
    expect(quote(line)).not.toBe(quote(one));
  });
  test("is the same whatever is not taxed: what was taxed before, and words", () => {
    const carried = fee(77, { kind: "carried_over", earning: "unbilled" });
    expect(quote(one, carried)).toBe(quote({ ...one, description: "Support, gold" }));
  });
});

describe("tax that does not fit", () => {
  const parts = taxableLines([fee(1000), fee(-400)]);
  test.each([
    { line: taxLine(1001, 190), field: "lines[0].taxable_minor", why: "on more than the lines come to" },
    { line: taxLine(-401, -76), field: "lines[0].taxable_minor", why: "on more than goes back" },
    { line: taxLine(400, 76, { lines: [2] }), field: "lines[0].taxable_minor", why: "line 2 goes back" },
    { line: taxLine(1000, 190, { lines: [3] }), field: "lines[0].lines", why: "there is no line 3" },
    { line: taxLine(1000, -190), field: "lines[0].amount_minor", why: "another sign" },
    {
      line: { ...taxLine(0, 0), taxable: money(10n, "eur"), amount: money(1n, "eur") },
      field: "currency",
      why: "euros",
    },
  ])("is refused: $why", ({ line, field }) => {
    expect(() => requireTaxFits([line], parts)).toThrowError(
      expect.objectContaining({ code: "tax_line_invalid", field }),
    );
  });
  test("what fits is taken: on a part of a line, and without any tax", () => {
    expect(() =>
      requireTaxFits([taxLine(800, 152, { lines: [1] }), taxLine(-400, -76, { lines: [2] })], parts),
    ).not.toThrow();
    expect(() => requireTaxFits([taxLine(0, 0)], parts)).not.toThrow();
  });
});

describe("what goes back with a credit note", () => {
  const line = (number: number, amount: number, credited: number, of: InvoiceLine): CreditableLine => ({
    ...{ line: number, kind: of.kind, amount: usd(amount), credited: usd(credited) },
    tax: taxOfLine(of),
  });
  const tax = (on: number[] | null) =>
    fee(0, {
      kind: "tax",
      earning: "tax",
      detail: { jurisdiction: "de", ...(on === null ? {} : { lines: on }) },
    });
  test.each([
    { credit: 500, before: 0, taxBefore: 0, back: 95, why: "half of 190" },
    { credit: 1000, before: 0, taxBefore: 0, back: 190, why: "all of it" },
    { credit: 333, before: 0, taxBefore: 0, back: 63, why: "63.27" },
    { credit: 333, before: 333, taxBefore: 63, back: 64, why: "126.54 less 63" },
    { credit: 334, before: 666, taxBefore: 127, back: 63, why: "the last cent with the last part" },
    { credit: 1, before: 0, taxBefore: 0, back: 0, why: "0.19 is none yet" },
  ])("of 1000 with 190 of tax, $credit takes $back with it: $why", ({ credit, before, taxBefore, back }) => {
    const lines = [line(1, 1000, before, fee(1000)), line(2, 190, taxBefore, tax(null))];
    const asked = withTaxGivenBack(lines, [{ line: 1, amount: usd(credit) }]);
    expect(asked.slice(1)).toEqual(back === 0 ? [] : [{ line: 2, amount: usd(back) }]);
  });
  test("only tax on the lines that are credited, and none beside what is asked of it by itself", () => {
    const lines = [
      line(1, 1000, 0, fee(1000)),
      line(2, 500, 0, fee(500)),
      line(3, 190, 0, tax([1])),
      line(4, 50, 0, tax([2])),
    ];
    expect(withTaxGivenBack(lines, [{ line: 2, amount: usd(500) }]).slice(1)).toEqual([
      { line: 4, amount: usd(50) },
    ]);
    const alone = [
      { line: 3, amount: usd(20) },
      { line: 1, amount: usd(1000) },
    ];
    expect(withTaxGivenBack(lines, alone)).toEqual(alone);
  });
  test("INV: however a line is credited in parts, its tax goes back wholly, and never more", () => {
    const shares = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(shares, fc.integer({ min: 1, max: 500 }), (parts, amount) => {
        const whole = parts.reduce((sum, part) => sum + part, 0);
        let [credited, back] = [0, 0n];
        for (const part of parts) {
          const lines = [line(1, whole, credited, fee(whole)), line(2, amount, Number(back), tax(null))];
          const [, ofTax] = withTaxGivenBack(lines, [{ line: 1, amount: usd(part) }]);
          credited += part;
          back += ofTax?.amount.amountMinor ?? 0n;
          expect(back <= BigInt(amount)).toBe(true);
        }
        expect(back).toBe(BigInt(amount));
      }),
    );
  });
});

test.each([
  { at: "2026-02-01T01:00:00Z", until: "2026-02-01T02:00:00Z", why: "an hour at least" },
  { at: "2026-02-01T07:00:00Z", until: "2026-02-01T13:00:00Z", why: "as long again as it has waited" },
  { at: "2026-02-09T01:00:00Z", until: "2026-02-10T01:00:00Z", why: "a day at most, for ever" },
])("at $at tax is looked for again at $until: $why", ({ at, until }) => {
  const wait = waitForTax(asOf, instant(at), { waitDays: 3 });
  expect(wait).toEqual({ until: instant(until), overdueAt: instant("2026-02-04T01:00:00Z") });
});
