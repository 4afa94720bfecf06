import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import {
  type EntryFilter,
  type SearchLimits,
  SearchTooBroadError,
  searchEntries,
} from "../../src/db/ledger/entry-search.ts";
import {
  accountBalances,
  entriesOfInvoice,
  findEntryOfCause,
  postEntries,
} from "../../src/db/ledger/ledger.ts";
import { accountsOfCustomer, findAccount, listAccounts } from "../../src/db/ledger/ledger-accounts.ts";
import { trialBalance } from "../../src/db/ledger/ledger-trial-balance.ts";
import { asOf } from "../../src/db/ledger/ledger-turnover.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { acmesQuarter } from "../../src/domain/ledger/examples/index.ts";
import { accountKey, paymentsClearing, receivable, rounding } from "../../src/domain/ledger/index.ts";
import { decimal, ledgerAmountOfExact } from "../../src/domain/money/index.ts";
import {
  admitEverything,
  draft,
  expectInvariants,
  type LedgerFixture,
  move,
  openLedger,
  statement,
  usd,
} from "./ledger-fixture.ts";

// All reads are of acme's quarter in docs/ledger.md, posted one by one.
let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await admitEverything(ledger);
  for (const [index, { entry, event }] of acmesQuarter.entries()) {
    if (!entry) throw new Error(`example ${event} has an entry`);
    const results = await inTransaction(ledger.db, (tx) => postEntries(tx, [entry], "alice"));
    const id = BigInt(index + 1);
    expect(results).toEqual([{ sourceKey: entry.sourceKey, status: "created", entryId: id }]);
  }
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const cents = (minor: string) => ledgerAmountOfExact(decimal(minor));

test("an entry comes back as it was posted", async () => {
  const entry = await findEntryOfCause(ledger.db.orm, "payment_succeeded", { type: "payment", id: "pay_1" });
  const { postings = [], ...draft } = acmesQuarter[2]?.entry ?? {};
  expect(entry).toMatchObject({ ...draft, id: 3n, actor: "alice" });
  expect(entry?.postings).toEqual(postings);
  expect(Math.abs(Date.now() - (entry?.recordedAt ?? 0))).toBeLessThan(60_000);
});

test("all that happened to an invoice, in order", async () => {
  const kinds = async (invoiceId: string) =>
    (await entriesOfInvoice(ledger.db.orm, invoiceId)).map(({ kind }) => kind);
  expect(await kinds("in_1")).toEqual(["invoice_issued", "payment_succeeded", "prepaid_credits_funded"]);
  expect(await kinds("in_3")).toEqual(["invoice_issued", "customer_balance_applied"]);
  expect(await kinds("in_5")).toEqual(["invoice_issued", "invoice_written_off", "write_off_recovered"]);
  expect(await kinds("in_6")).toEqual(["invoice_issued", "invoice_voided"]);
  expect(await kinds("in_x")).toEqual([]);
});

test("a customer's entries come newest first, page by page, each once", async () => {
  const ids: bigint[] = [];
  let after: bigint | undefined;
  do {
    const page = await searchEntries(ledger.db, { customerId: "acme" }, { limit: 10, after });
    ids.push(...page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  expect(ids).toEqual(acmesQuarter.map((_, index) => BigInt(acmesQuarter.length - index)));
  const nobodys = await searchEntries(ledger.db, { customerId: "nobody" }, { limit: 10 });
  expect(nobodys.items).toEqual([]);
});

test("the trial balance: each code once, debits equal credits", async () => {
  const lines = await trialBalance(ledger.db.orm, usd);
  const balances = Object.fromEntries(lines.map(({ code, balance }) => [code, balance]));
  expect(balances).toEqual({
    "1000": cents("14535"), // 150.00 − 4.65
    "1010": cents("6000"), // 150 + 30 + 30 received, 150 reached Stripe's balance
    "1100": cents("10535"), // in_3: 110.35 − 5.00
    "1110": cents("50"), // late usage, not invoiced yet
    "1300": 0n, // every gift was used or taken back
    "2000": 0n, // 100 − 100 + 4 − 4
    "2005": 0n,
    "2010": 0n,
    "2100": cents("8000"), // 75 − 75; 100 + 20 − 60 − 10; 30 of in_5
    "2200": cents("5025"), // 5 − 5 + 40 + 0.25 + 10
    "4000": cents("10859.22"), // 112.3456 + 0.50 − 4.2534
    "4010": cents("7800"), // 75 + 3
    "4020": cents("400"),
    "4900": cents("500"),
    "5000": cents("465"),
    "5100": 0n, // 30 − 30
    "5900": cents("-0.78"), // −0.0044 − 0.0034
  });
  const sum = (side: "debit" | "credit") => lines.reduce((total, line) => total + line[side], 0n);
  expect(sum("debit")).toBe(sum("credit"));
  expect(await trialBalance(ledger.db.orm)).toEqual(lines);
  expect(lines[0]).toMatchObject({ currency: "usd", code: "1000", name: "Stripe balance" });
});

test("a customer's balances name their accounts", async () => {
  const balances = await accountsOfCustomer(ledger.db.orm, "acme");
  expect(
    balances.filter(({ balance }) => balance !== 0n).map(({ key, balance }) => ({ key, balance })),
  ).toEqual([
    { key: "1100/usd/customer=acme", balance: cents("10535") },
    { key: "1110/usd/customer=acme", balance: cents("50") },
    { key: "2100/usd/customer=acme/subscription=sub_1", balance: cents("8000") },
    { key: "2200/usd/customer=acme", balance: cents("5025") },
  ]);
  expect(balances[0]).toMatchObject({
    key: accountKey(receivable("acme", usd)),
    name: "Accounts receivable",
  });
});

test("balances are asked for together, also of accounts nobody opened", async () => {
  const refs = [receivable("nobody", usd), rounding(usd), paymentsClearing(usd)];
  expect(await accountBalances(ledger.db.orm, refs)).toEqual([0n, cents("-0.78"), cents("6000")]);
  expect(await accountBalances(ledger.db.orm, [])).toEqual([]);
});

test("the statement of the receivable never goes below zero, and ends at its balance", async () => {
  const { opening, closing, lines } = await statement(ledger.db, { subject: "receivable" });
  expect([opening, closing]).toEqual([0n, cents("10535")]);
  expect(lines.map(({ version }) => version)).toEqual(lines.map((_, index) => BigInt(index + 1)));
  expect(lines.at(-1)).toMatchObject({ kind: "invoice_voided", balance: cents("10535") });
  expect(lines.filter(({ balance }) => balance < 0n)).toEqual([]);
});

describe("an instant names its whole millisecond", () => {
  const second = "2026-05-05T05:05:05";
  const instants = [`${second}.001Z`, `${second}.001999Z`, `${second}.002Z`];
  const account = "9100/usd";

  /** As the database would have written it: only it has microseconds. */
  const writeByHand = (at: string) =>
    ledger.owner.sql.begin(async (sql) => {
      const [entry] = await sql`
        insert into ledger.journal_entry
          (kind, source_key, request_hash, occurred_at, effective_at, recorded_at, actor, cause_type, cause_id, currency)
        values ('by_hand', ${at}, '\\x00', ${at}, ${at}, ${at}, 'alice', 'hand', ${at}, 'usd')
        returning id`;
      await sql`
        insert into ledger.posting (entry_id, line, currency, debit_account, credit_account, amount)
        select ${entry?.id}, 1, 'usd', debited.id, credited.id, 1
        from ledger.account as debited, ledger.account as credited
        where debited.key = ${account} and credited.key = '5900/usd'`;
    });

  beforeAll(async () => {
    await ledger.post(draft("opens", [move({ code: "9100", currency: usd }, rounding(usd), 1n)]));
    for (const at of instants) await writeByHand(at);
  });

  test.each([
    { at: ".000Z", counted: 0n },
    { at: ".001Z", counted: 2n },
    { at: ".002Z", counted: 3n },
  ])("as of $at", async ({ at, counted }) => {
    const of = instant(`${second}${at}`);
    for (const range of [asOf({ effectiveAt: of }), asOf({ recordedAt: of })]) {
      const [found] = (await listAccounts(ledger.db.orm, { key: account }, { limit: 1 })).items;
      const standing = await findAccount(ledger.db.orm, found?.id ?? 0n, range);
      // The entry that opened the account is effective in January, and was recorded when this test ran.
      const opened = range.recordedBefore === undefined ? 1n : 0n;
      expect(standing?.debit).toBe(opened + counted);
    }
  });

  test("and a range begins and ends between milliseconds", async () => {
    const from = instant(`${second}.001Z`);
    const before = instant(`${second}.002Z`);
    for (const range of [
      { effectiveFrom: from, effectiveBefore: before },
      { recordedFrom: from, recordedBefore: before },
    ]) {
      const { items } = await searchEntries(ledger.db, { account, range }, { limit: 10 });
      expect(items.map(({ sourceKey }) => sourceKey)).toEqual([instants[1], instants[0]]);
    }
  });
});

describe("a search that no index leads to", () => {
  const search = (filter: EntryFilter, limits: SearchLimits) =>
    searchEntries(ledger.db, filter, { limit: 10 }, limits);

  test("is refused when it takes too long", async () => {
    const held = ledger.owner.sql.begin(async (sql) => {
      await sql`lock table ledger.journal_entry in access exclusive mode`;
      await expect(search({ kind: "none" }, { statementMs: 50, touchedMax: 100 })).rejects.toThrow(
        SearchTooBroadError,
      );
    });
    await held;
    // The limit is the search's own.
    expect((await search({ kind: "none" }, { statementMs: 10_000, touchedMax: 100 })).items).toEqual([]);
  });

  test("is refused when an account has too many entries and none that fits", async () => {
    const busy = "5300/usd";
    for (let batch = 0; batch < 2; batch++) {
      const drafts = Array.from({ length: 600 }, (_, index) =>
        draft(`busy/${batch}/${index}`, [move({ code: "5300", currency: usd }, rounding(usd), 1n)]),
      );
      await ledger.post(...drafts);
    }
    const limits = { statementMs: 10_000, touchedMax: 1_000 };
    await expect(search({ account: busy, kind: "none" }, limits)).rejects.toThrow(SearchTooBroadError);
    expect((await search({ account: busy, kind: "none" }, { ...limits, touchedMax: 2_000 })).items).toEqual(
      [],
    );
    const newest = (await search({ account: busy, kind: "test" }, limits)).items;
    expect(newest.map(({ sourceKey }) => sourceKey)[0]).toMatch(/^busy\/1\//);
    // The customer leads to fewer entries than the account.
    const { items } = await search({ account: busy, customerId: "nobody" }, limits);
    expect(items).toEqual([]);
  });

  test("pages of a busy account hold each of its entries once", async () => {
    const ids: bigint[] = [];
    for (let after: bigint | undefined; ; ) {
      const page = await searchEntries(ledger.db, { account: "5300/usd" }, { limit: 99, after });
      ids.push(...page.items.map(({ id }) => id));
      if (page.next === undefined) break;
      after = page.next;
    }
    expect(ids).toEqual(ids.toSorted((a, b) => Number(b - a)));
    expect(new Set(ids).size).toBe(1_200);
  });
});
