import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  customerBalance,
  type EntryFacts,
  type JournalEntry,
  JournalEntryInvalidError,
  journalEntry,
  journalEntryIfAny,
  type Posting,
  posting,
  receivable,
  reversalOf,
  signedPosting,
} from "../../../src/domain/ledger/index.ts";
import { currency, ledgerAmount } from "../../../src/domain/money/index.ts";

const usd = currency("usd");
const at = instant("2026-01-01T00:00:00Z");
const facts: EntryFacts = {
  sourceKey: "test/1",
  customerId: "acme",
  currency: usd,
  occurredAt: at,
  effectiveAt: at,
};
const owed = receivable("acme", usd);
const balance = customerBalance("acme", usd);
const content = (...postings: Posting[]) => ({ kind: "test", cause: { type: "test", id: "1" }, postings });

test("a posting of zero is left out, and an entry of zeros is none", () => {
  const one = posting(balance, owed, ledgerAmount(1n));
  const none = posting(balance, owed, ledgerAmount(0n));
  expect(journalEntry(facts, content(none, one)).postings).toEqual([one]);
  expect(journalEntryIfAny(facts, content(none))).toBeNull();
  expect(() => journalEntry(facts, content(none))).toThrow(JournalEntryInvalidError);
  expect(() => journalEntry(facts, content())).toThrow("moves nothing");
});

test.each([
  { bad: posting(balance, owed, ledgerAmount(-1n)), why: "negative" },
  { bad: posting(balance, receivable("acme", currency("eur")), ledgerAmount(1n)), why: "another currency" },
  { bad: posting(owed, owed, ledgerAmount(1n)), why: "to itself" },
  { bad: posting(balance, { code: "1100", currency: usd }, ledgerAmount(1n)), why: "an account of nobody" },
])("a posting is refused that is $why", ({ bad }) => {
  expect(() => journalEntry(facts, content(bad))).toThrow();
});

test("an entry needs a source key", () => {
  const one = posting(balance, owed, ledgerAmount(1n));
  expect(() => journalEntry({ ...facts, sourceKey: "" }, content(one))).toThrow("source key");
});

test("a negative difference moves the other way round", () => {
  expect(signedPosting(balance, owed, ledgerAmount(-3n))).toEqual(posting(owed, balance, ledgerAmount(3n)));
  expect(signedPosting(balance, owed, ledgerAmount(3n))).toEqual(posting(balance, owed, ledgerAmount(3n)));
});

test("a reversal swaps the sides of every posting, and is not reversed itself", () => {
  const draft = journalEntry(facts, content(posting(balance, owed, ledgerAmount(7n))));
  const entry: JournalEntry = { ...draft, id: 42n, actor: "test", recordedAt: at };
  const reversal = reversalOf({ ...facts, sourceKey: "test/1/reversed" }, entry);
  expect(reversal).toMatchObject({
    reverses: 42n,
    cause: { type: "journal_entry", id: "42" },
    postings: [posting(owed, balance, ledgerAmount(7n))],
  });
  const recordedReversal = { ...reversal, id: 43n, actor: "test", recordedAt: at };
  expect(() => reversalOf(facts, recordedReversal)).toThrow(JournalEntryInvalidError);
});
