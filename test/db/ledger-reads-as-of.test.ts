import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { searchEntries } from "../../src/db/ledger/entry-search.ts";
import { journalPages, journalTotals } from "../../src/db/ledger/journal-export.ts";
import { carryClosedMonth, closeAccountingPeriod, postEntries } from "../../src/db/ledger/ledger.ts";
import { accountsOfCustomer } from "../../src/db/ledger/ledger-accounts.ts";
import type { StatementRequest, StatementSubject } from "../../src/db/ledger/ledger-statements.ts";
import { monthlyTrialBalance, trialBalance } from "../../src/db/ledger/ledger-trial-balance.ts";
import { asOf, type EntryRange } from "../../src/db/ledger/ledger-turnover.ts";
import { type Instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import type { JournalRow } from "../../src/domain/export/journal-rows.ts";
import { accountingMonth, periodOfMonth } from "../../src/domain/ledger/accounting-month.ts";
import { type AccountRef, accountKey } from "../../src/domain/ledger/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import { expectInvariants, type LedgerFixture, openLedger, statement } from "./ledger-fixture.ts";
import { anyBatches, type Batches, draftsOf, instants } from "./random-entries.ts";
import { byAccountOf, byCode, RecomputedLedger } from "./recomputed-ledger.ts";

let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

/** All that this file has posted: what is asked of the whole ledger counts every run. */
const recomputed = new RecomputedLedger();
let runs = 0;

/** Posts batches for a customer of their own; the model takes what came of them, with the instants of the database. */
async function post(batches: Batches): Promise<string> {
  const customerId = `run-${++runs}`;
  for (const [number, batch] of batches.entries()) {
    await inTransaction(ledger.db, (tx) => postEntries(tx, draftsOf(batch, customerId, number)));
  }
  const { items } = await searchEntries(ledger.db, { customerId }, { limit: 1_000 });
  recomputed.add(...items.toReversed());
  return customerId;
}

const before = (at: Instant) => instantOfEpochMs(at - 1);
const around = (all: readonly Instant[]) => [...new Set(all.flatMap((at) => [before(at), at]))];

/** Every instant at which something changes, and the millisecond before each, by one clock, the other, and both. */
function questions(customerId: string): EntryRange[] {
  const own = recomputed.entries.filter((entry) => entry.customerId === customerId);
  const recorded = around(own.map(({ recordedAt }) => recordedAt));
  const effective = around(instants);
  return [
    {},
    ...effective.map((effectiveAt) => asOf({ effectiveAt })),
    ...recorded.map((recordedAt) => asOf({ recordedAt })),
    ...recorded
      .filter((_, index) => index % 3 === 0)
      .flatMap((recordedAt) => instants.map((effectiveAt) => asOf({ effectiveAt, recordedAt }))),
  ];
}

test("balances as of every instant are what a recomputation says", async () => {
  await fc.assert(
    fc.asyncProperty(anyBatches, async (batches) => expectBalances(await post(batches))),
    { numRuns: 20 },
  );
});

async function expectBalances(customerId: string): Promise<void> {
  const keys = (await accountsOfCustomer(ledger.db.orm, customerId)).map(({ key }) => key);
  for (const range of questions(customerId)) {
    const sums = recomputed.sums(range, byAccountOf(customerId));
    const expected = keys.map((key) => {
      const { postings = 0, debit = 0n, credit = 0n, balance = 0n } = sums.get(key) ?? {};
      // Postings are counted in the order in which they were recorded.
      const version = range.effectiveBefore === undefined ? BigInt(postings) : null;
      return { key, debit, credit, balance, version };
    });
    const accounts = await accountsOfCustomer(ledger.db.orm, customerId, range);
    expect(
      accounts.map(({ key, debit, credit, balance, version }) => ({
        key,
        debit,
        credit,
        balance,
        version,
      })),
    ).toEqual(expected);
  }
}

test("the trial balance of every instant and of every month is what a recomputation says", async () => {
  await fc.assert(
    fc.asyncProperty(anyBatches, async (batches) => expectTrialBalances(await post(batches))),
    { numRuns: 5 },
  );
});

async function expectTrialBalances(customerId: string): Promise<void> {
  for (const range of questions(customerId)) {
    const lines = await trialBalance(ledger.db.orm, undefined, range);
    expect(lines.map((line) => byCode(line))).toEqual(lines.map((line) => byCode(line)).toSorted());
    const found = lines.map(({ debit, credit, balance, ...line }) => [
      byCode(line),
      { debit, credit, balance },
    ]);
    expect(Object.fromEntries(found)).toEqual(sumsByCode(range));
  }
  for (const month of months) {
    const { start, end } = periodOfMonth(month);
    const lines = await inSnapshot(ledger.db, (tx) => monthlyTrialBalance(tx, month));
    const column = (name: "opening" | "movements" | "closing") =>
      Object.fromEntries(
        lines
          .filter((line) => line[name].debit !== 0n || line[name].credit !== 0n)
          .map((line) => [byCode(line), line[name]]),
      );
    expect(column("opening")).toEqual(sumsByCode({ effectiveBefore: start }));
    expect(column("movements")).toEqual(sumsByCode({ effectiveFrom: start, effectiveBefore: end }));
    expect(column("closing")).toEqual(sumsByCode({ effectiveBefore: end }));
  }
}

function sumsByCode(range: EntryRange) {
  const sums = [...recomputed.sums(range, byCode)];
  return Object.fromEntries(
    sums.map(([key, { debit, credit, balance }]) => [key, { debit, credit, balance }]),
  );
}

const months = ["2025-12", "2026-01", "2026-02", "2026-03"].map((text) => accountingMonth(text));

test("the rows of a month's export are its postings, and come to its totals and the trial balance's movements", async () => {
  await fc.assert(
    fc.asyncProperty(anyBatches, fc.integer({ min: 1, max: 5 }), async (batches, pageSize) => {
      await post(batches);
      for (const month of months) {
        const { start, end } = periodOfMonth(month);
        const { rows, totals, movements } = await inSnapshot(ledger.db, async (tx) => {
          const rows: JournalRow[] = [];
          for await (const page of journalPages(tx, month, pageSize)) {
            expect(page.length).toBeLessThanOrEqual(pageSize);
            rows.push(...page);
          }
          const lines = await monthlyTrialBalance(tx, month);
          return { rows, totals: await journalTotals(tx, month), movements: lines };
        });
        const expected = recomputed.entries
          .filter(({ effectiveAt }) => effectiveAt >= start && effectiveAt < end)
          .toSorted((a, b) => Number(a.id - b.id))
          .flatMap(({ id, postings }) =>
            postings.map((posting, index) => ({ id, line: index + 1, posting })),
          );
        expect(
          rows.map(({ entryId, line, debit, credit, amount }) => ({ entryId, line, debit, credit, amount })),
        ).toEqual(
          expected.map(({ id, line, posting: { debit, credit, amount } }) => {
            return { entryId: id, line, debit: accountKey(debit), credit: accountKey(credit), amount };
          }),
        );
        expect(totals.postings).toBe(BigInt(rows.length));
        expect(totals.entries).toBe(BigInt(new Set(rows.map(({ entryId }) => entryId)).size));
        const moved = movements.filter(({ movements: { debit, credit } }) => debit !== 0n || credit !== 0n);
        expect(totals.totals).toEqual(
          moved.map(({ currency, code, name, movements: { debit, credit } }) => {
            return { currency, code, name, debit, credit };
          }),
        );
      }
    }),
    { numRuns: 10 },
  );
});

const codes: Readonly<Record<StatementSubject, readonly string[]>> = {
  receivable: ["1100"],
  balance: ["2200"],
  credits: ["2000", "2010"],
};

test("a statement's opening balance and lines come to its closing balance, by both clocks, for any period", async () => {
  const anyEnd = fc.option(fc.constantFrom(...around(instants)), { nil: undefined });
  const anyCurrency = fc.constantFrom("jpy", "usd", "kwd").map((code) => currency(code));
  await fc.assert(
    fc.asyncProperty(anyBatches, anyEnd, anyEnd, anyCurrency, async (batches, one, other, currency) => {
      const customerId = await post(batches);
      const [from, to] =
        one !== undefined && other !== undefined && other < one ? [other, one] : [one, other];
      const recorded = recomputed.entries
        .filter((entry) => entry.customerId === customerId)
        .toSorted(byRecording);
      const [second, last] = [recorded.at(1)?.recordedAt, recorded.at(-1)?.recordedAt];
      for (const subject of ["receivable", "balance", "credits"] as const) {
        await expectStatement({ customerId, currency, subject, clock: "effective", from, to });
        await expectStatement({ customerId, currency, subject, clock: "recorded", from: second, to: last });
        await expectStatement({ customerId, currency, subject, clock: "recorded" });
      }
    }),
    { numRuns: 20 },
  );
});

const byRecording = (a: { recordedAt: Instant }, b: { recordedAt: Instant }) => a.recordedAt - b.recordedAt;

async function expectStatement(request: StatementRequest): Promise<void> {
  const { customerId, currency, subject, clock, from, to } = request;
  const { opening, closing, lines } = await statement(ledger.db, request);
  const belongs = (account: AccountRef) =>
    account.customerId === customerId &&
    account.currency === currency &&
    codes[subject].includes(account.code);
  const within = (start: Instant | undefined, end: Instant | undefined): EntryRange =>
    clock === "effective"
      ? { effectiveFrom: start, effectiveBefore: end }
      : { recordedFrom: start, recordedBefore: end };
  const balanceAt = (at: Instant | undefined) =>
    recomputed.sums(within(undefined, at), (account) => (belongs(account) ? "it" : undefined)).get("it")
      ?.balance ?? 0n;
  expect(opening).toBe(from === undefined ? 0n : balanceAt(from));
  expect(closing).toBe(balanceAt(to));

  const sides = recomputed.sides(within(from, to)).filter(({ account }) => belongs(account));
  expect(lines.map(({ entryId, line, account }) => `${entryId}/${line}/${account}`).toSorted()).toEqual(
    sides.map(({ entry, line, account }) => `${entry.id}/${line}/${accountKey(account)}`).toSorted(),
  );
  let running: bigint = opening;
  for (const { change, balance } of lines) {
    running += change;
    expect(balance).toBe(running);
  }
  expect(running).toBe(closing);
  const order = lines.map((line) => (clock === "effective" ? line.effectiveAt : line.recordedAt));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  if (clock === "recorded") expectNoGaps(lines);
}

function expectNoGaps(lines: readonly { account: string; version: bigint }[]): void {
  for (const [account, ofAccount] of Map.groupBy(lines, (line) => line.account)) {
    const first = ofAccount[0]?.version ?? 0n;
    expect(
      ofAccount.map(({ version }) => version),
      account,
    ).toEqual(ofAccount.map((_, index) => first + BigInt(index)));
  }
}

// The last one: what is closed stays closed.
test("closed months change nothing about that, carried or not yet, with late entries after them", async () => {
  const generated = fc.sample(anyBatches, { numRuns: 8, seed: 4 });
  const [first = [], second = [], third = [], ...rest] = generated;
  const customers = [await post(first)];
  const close = (month: string) =>
    inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, `${month}-01`, "alice"));
  const carry = () => inTransaction(ledger.db, carryClosedMonth);
  const expectAll = async () => {
    for (const customerId of customers) {
      await expectBalances(customerId);
      await expectTrialBalances(customerId);
    }
  };

  expect(await close("2025-12")).toBe(true);
  await expectAll();
  expect(await carry()).toBe("2025-12-01");
  customers.push(await post(second));
  await expectAll();
  expect(await close("2026-02")).toBe(true);
  customers.push(await post(third));
  await expectAll();
  expect(await carry()).toBe("2026-02-01");
  expect(await carry()).toBeNull();
  for (const batches of rest) customers.push(await post(batches));
  await expectAll();
});
