import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  invoiceIssued,
  JournalEntryInvalidError,
  netInvoice,
  receivable,
  unbilledReceivable,
} from "../../../src/domain/ledger/index.ts";
import { netDebit } from "../../../src/domain/ledger/posted-through.ts";
import { ledgerAmount, ledgerAmountOfMoney } from "../../../src/domain/money/index.ts";
import { cents, facts, usd, written } from "./facts.ts";

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
          const added = entry ?? { postings: [] };
          expect(netDebit(added, receivable("acme", usd))).toBe(ledgerAmountOfMoney(total));
          expect(netDebit(added, unbilledReceivable("acme", usd))).toBe(-booked);
        },
      ),
    );
  });

  test("tax is charged, and handed back, with what it is on", () => {
    const taxed = {
      ...lines(0n, 500n, [700n]),
      tax: [{ jurisdiction: "us-ny", amount: cents(100n) }],
      taxCredits: [{ jurisdiction: "us-ny", amount: cents(140n) }],
    };
    expect(netInvoice(taxed, usd)).toEqual({
      charges: cents(600n),
      credits: cents(840n),
      total: cents(0n),
      carriedToBalance: cents(240n),
    });
    expect(written(invoiceIssued({ ...facts, invoiceId: "in", ...taxed }))).toEqual([
      "1100:{acme} → 2100:{acme, s} 5.00 USD",
      "1100:{acme} → 2300:{us-ny} 1.00 USD",
      "2100:{acme, s0} → 1100:{acme} 6.00 USD",
      "2100:{acme, s0} → 2200:{acme} 1.00 USD",
      "2300:{us-ny} → 2200:{acme} 1.40 USD",
    ]);
  });

  test("a negative amount is refused", () => {
    expect(() => invoiceIssued({ ...facts, invoiceId: "in", ...lines(0n, 0n, [-1n]) })).toThrow(
      JournalEntryInvalidError,
    );
  });
});
