import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { clearingInvariants } from "../../src/db/invariants/clearing-invariants.ts";
import { postEntries } from "../../src/db/ledger/ledger.ts";
import { trialBalance } from "../../src/db/ledger/ledger-trial-balance.ts";
import { netDebits } from "../../src/domain/ledger/document/trial-balance-section.ts";
import { workedExamples } from "../../src/domain/ledger/examples/index.ts";
import type { JournalEntryDraft } from "../../src/domain/ledger/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import { admitEverything, expectInvariants, type LedgerFixture, openLedger } from "./ledger-fixture.ts";

// What docs/ledger.md says of its examples: they can be posted in their order, and end where it says they end.
let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await admitEverything(ledger);
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const entries = workedExamples.map(({ entry, event }): JournalEntryDraft => {
  if (!entry) throw new Error(`example ${event} has an entry`);
  return entry;
});

test("every example is created, one by one, under the number that the document gives it", async () => {
  for (const [index, entry] of entries.entries()) {
    const results = await inTransaction(ledger.db, (tx) => postEntries(tx, [entry]));
    const entryId = BigInt(index + 1);
    expect(results).toEqual([{ sourceKey: entry.sourceKey, status: "created", entryId }]);
  }
});

test("posted again, all in one batch, they exist", async () => {
  const results = await inTransaction(ledger.db, (tx) => postEntries(tx, entries));
  expect(results.filter(({ status }) => status !== "exists")).toEqual([]);
});

test.each(["usd", "eur", "jpy", "kwd"])("the trial balance in %s is the document's", async (code) => {
  const expected = netDebits(workedExamples, currency(code));
  const lines = await trialBalance(ledger.db.orm, currency(code));
  const netted = lines.map(({ code: account, debit, credit }) => [account, debit - credit]);
  expect(Object.fromEntries(netted)).toEqual(Object.fromEntries(expected));
});

test("nothing stays in clearing or suspense, whoever an explanation belongs to", async () => {
  // As if the examples had been over for a hundred years, whatever the date is.
  const century = 100 * 365 * 24 * 60 * 60;
  const passing = clearingInvariants({ clearing: -century }).filter(({ name }) => /1010|9100/.test(name));
  expect(passing).toHaveLength(2);
  for (const { name, sql } of passing) {
    expect([...(await ledger.db.sql.unsafe(sql))], name).toEqual([]);
  }
});
