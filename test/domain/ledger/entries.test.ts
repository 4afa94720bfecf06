import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant, period } from "../../../src/domain/calendar/index.ts";
import { workedExamples } from "../../../src/domain/ledger/examples/index.ts";
import {
  accountKey,
  grantExpired,
  grantVoided,
  invoiceIssued,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  lateUsageAdjusted,
  ledgerAmountText,
  netInvoice,
  paymentSucceeded,
  postingText,
  usageRated,
} from "../../../src/domain/ledger/index.ts";
import { ledgerDocument } from "../../../src/domain/ledger/document/ledger-document.ts";
import {
  currency,
  decimal,
  ledgerAmount,
  ledgerAmountOfExact,
  ledgerAmountOfMoney,
  money,
} from "../../../src/domain/money/index.ts";

const usd = currency("usd");
const at = instant("2026-01-31T00:00:00Z");
const facts = { sourceKey: "test", customerId: "acme", currency: usd, occurredAt: at, effectiveAt: at };
const cents = (amount: bigint) => money(amount, "usd");
const exact = (minor: string) => ledgerAmountOfExact(decimal(minor));
const written = (draft: JournalEntryDraft | null) => draft?.postings.map(postingText) ?? null;

test.each(workedExamples.map((example, index) => ({ position: index + 1, ...example })))(
  "example $position, $event: $story",
  ({ entry, postings }) => {
    expect(written(entry)).toEqual(postings);
  },
);

test("docs/ledger.md is what the code says", () => {
  const committed = readFileSync(new URL("../../../docs/ledger.md", import.meta.url), "utf8");
  expect(committed, "run: node src/cli/write-ledger-doc.ts").toBe(ledgerDocument());
});

test.each([
  { amount: exact("734.56"), code: "usd", text: "7.3456 USD" },
  { amount: exact("-0.00000001"), code: "usd", text: "-0.0000000001 USD" },
  { amount: ledgerAmountOfMoney(money(1250n, "jpy")), code: "jpy", text: "1250 JPY" },
  { amount: exact("0.5"), code: "jpy", text: "0.5 JPY" },
  { amount: ledgerAmountOfMoney(money(1250n, "kwd")), code: "kwd", text: "1.250 KWD" },
])("a ledger amount reads $text", ({ amount, code, text }) => {
  expect(ledgerAmountText(amount, currency(code))).toBe(text);
});

describe("an invoice nets", () => {
  const lines = (accrued: bigint, inAdvance: bigint, credits: bigint[]) => ({
    accrued: { billed: cents(accrued), booked: ledgerAmountOfMoney(cents(accrued)) },
    inAdvance: [{ subscriptionId: "s", amount: cents(inAdvance) }],
    prorationCredits: credits.map((amount, index) => ({
      subscriptionId: `s${index}`,
      amount: cents(amount),
    })),
    creditPurchases: [],
  });

  test.each([
    { charges: 500n, credits: [], total: 500n, carried: 0n, why: "no credits" },
    { charges: 500n, credits: [200n, 100n], total: 200n, carried: 0n, why: "500 − 300" },
    { charges: 500n, credits: [500n], total: 0n, carried: 0n, why: "500 − 500" },
    { charges: 500n, credits: [400n, 400n], total: 0n, carried: 300n, why: "800 − 500 is carried" },
    { charges: 0n, credits: [100n], total: 0n, carried: 100n, why: "nothing to set it against" },
  ])("$charges less $credits is $total, $carried carried: $why", ({ charges, credits, total, carried }) => {
    expect(netInvoice(lines(charges, 0n, credits), usd)).toEqual({
      charges: cents(charges),
      credits: cents(credits.reduce((sum, amount) => sum + amount, 0n)),
      total: cents(total),
      carriedToBalance: cents(carried),
    });
  });

  test("the credit that crosses the end of the charges is parted", () => {
    const entry = invoiceIssued({ ...facts, invoiceId: "in", ...lines(0n, 500n, [400n, 400n]) });
    expect(written(entry)).toEqual([
      "1100:{acme} → 2100:{acme, s} 5.00 USD",
      "2100:{acme, s0} → 1100:{acme} 4.00 USD",
      "2100:{acme, s1} → 1100:{acme} 1.00 USD",
      "2100:{acme, s1} → 2200:{acme} 3.00 USD",
    ]);
  });

  test("its entry adds exactly its total to the receivable, and clears what was booked as unbilled", () => {
    const anyCents = fc.bigInt(0n, 10_000n);
    fc.assert(
      fc.property(
        anyCents,
        anyCents,
        fc.array(anyCents, { maxLength: 4 }),
        fc.bigInt(-99_999_999n, 99_999_999n),
        (...drawn) => {
          const [accrued, inAdvance, credits, fraction] = drawn;
          const amounts = lines(accrued, inAdvance, credits);
          const booked = ledgerAmount(amounts.accrued.booked + fraction);
          const issued = { ...amounts, accrued: { ...amounts.accrued, booked } };
          const entry = invoiceIssued({ ...facts, invoiceId: "in", ...issued });
          const { total } = netInvoice(issued, usd);
          expect(total.amountMinor).toBeGreaterThanOrEqual(0n);
          expect(netDebit(entry, "1100/usd/customer=acme")).toBe(ledgerAmountOfMoney(total));
          expect(netDebit(entry, "1110/usd/customer=acme")).toBe(-booked);
        },
      ),
    );
  });

  test("a negative amount is refused", () => {
    expect(() => invoiceIssued({ ...facts, invoiceId: "in", ...lines(0n, 0n, [-1n]) })).toThrow(
      JournalEntryInvalidError,
    );
  });
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
  { end: grantVoided, kind: "paid" as const, posting: "2000:{acme, g} → 2200:{acme} 1.00 USD" },
])("$end.name of a $kind grant: $posting", ({ end, kind, posting }) => {
  expect(written(end({ ...facts, grantId: "g", kind, remaining: exact("100") }))).toEqual([posting]);
  expect(end({ ...facts, grantId: "g", kind, remaining: exact("0") })).toBeNull();
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

/** What an entry adds to an account, debits less credits. */
function netDebit(entry: JournalEntryDraft | null, key: string): bigint {
  return (entry?.postings ?? []).reduce((sum, { debit, credit, amount }) => {
    if (accountKey(debit) === key) return sum + amount;
    return accountKey(credit) === key ? sum - amount : sum;
  }, 0n);
}
