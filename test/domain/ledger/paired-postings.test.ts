import fc from "fast-check";
import { expect, test } from "vitest";
import {
  customerBalance,
  deferredRevenue,
  JournalEntryInvalidError,
  pairedPostings,
  postingText,
  receivable,
  taxPayable,
} from "../../../src/domain/ledger/index.ts";
import { netDebit } from "../../../src/domain/ledger/posted-through.ts";
import { type LedgerAmount, ledgerAmount, money } from "../../../src/domain/money/index.ts";
import { cents, usd } from "./facts.ts";

const deferred = deferredRevenue("acme", "s", usd);
const tax = taxPayable("us-ny", usd);
const owed = receivable("acme", usd);
const balance = customerBalance("acme", usd);

test.each([
  {
    debits: [20n, 4n],
    credits: [24n, 0n],
    postings: ["2100:{acme, s} → 1100:{acme} 0.20 USD", "2300:{us-ny} → 1100:{acme} 0.04 USD"],
    why: "one takes all",
  },
  {
    debits: [20n, 4n],
    credits: [15n, 9n],
    postings: [
      "2100:{acme, s} → 1100:{acme} 0.15 USD",
      "2100:{acme, s} → 2200:{acme} 0.05 USD",
      "2300:{us-ny} → 2200:{acme} 0.04 USD",
    ],
    why: "the first is parted where the other side changes",
  },
  { debits: [0n, 0n], credits: [0n, 0n], postings: [], why: "nothing moves" },
])("$debits against $credits: $why", ({ debits, credits, postings }) => {
  const [a = 0n, b = 0n] = debits;
  const [c = 0n, d = 0n] = credits;
  const paired = pairedPostings(
    [
      { account: deferred, amount: cents(a) },
      { account: tax, amount: cents(b) },
    ],
    [
      { account: owed, amount: cents(c) },
      { account: balance, amount: cents(d) },
    ],
  );
  expect(paired.map(postingText)).toEqual(postings);
});

test.each([
  { debit: cents(5n), credit: cents(4n), says: "0.05 USD on one side, 0.04 USD on the other" },
  { debit: cents(-5n), credit: cents(-5n), says: "-0.05 USD of 2100 is negative" },
  { debit: money(5n, "eur"), credit: cents(5n), says: "0.05 EUR is not an amount of an entry in usd" },
])("$says", ({ debit, credit, says }) => {
  const pair = () =>
    pairedPostings([{ account: deferred, amount: debit }], [{ account: balance, amount: credit }]);
  expect(pair).toThrow(JournalEntryInvalidError);
  expect(pair).toThrow(says);
});

test("every share is posted in full, in at most one posting fewer than there are shares", () => {
  const anyShares = fc.array(fc.bigInt(0n, 10n ** 20n), { maxLength: 6 });
  fc.assert(
    fc.property(anyShares, anyShares, (left, right) => {
      const [debits, credits] = balanced(left, right);
      const debitShares = debits.map((amount, index) => ({
        account: deferredRevenue("d", `${index}`, usd),
        amount,
      }));
      const creditShares = credits.map((amount, index) => ({
        account: deferredRevenue("c", `${index}`, usd),
        amount,
      }));
      const postings = pairedPostings(debitShares, creditShares);
      for (const { account, amount } of debitShares) expect(netDebit({ postings }, account)).toBe(amount);
      for (const { account, amount } of creditShares) expect(netDebit({ postings }, account)).toBe(-amount);
      expect(postings.every(({ amount }) => amount > 0n)).toBe(true);
      expect(postings.length).toBeLessThan(Math.max(1, debits.length + credits.length));
    }),
  );
});

/** Adds what is missing to the smaller side. */
function balanced(left: readonly bigint[], right: readonly bigint[]): [LedgerAmount[], LedgerAmount[]] {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  const missing = sum(left) - sum(right);
  const more = (amounts: readonly bigint[], amount: bigint) =>
    (amount > 0n ? [...amounts, amount] : amounts).map(ledgerAmount);
  return [more(left, -missing), more(right, missing)];
}
