import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import {
  accountBalance,
  carryClosedMonth,
  closeAccountingPeriod,
  findEntry,
  foldHotBalances,
} from "../../src/db/ledger/ledger.ts";
import { listAccounts } from "../../src/db/ledger/ledger-accounts.ts";
import { trialBalance } from "../../src/db/ledger/ledger-trial-balance.ts";
import { openLedgerWriter } from "../../src/db/ledger/ledger-writer.ts";
import {
  type AccountRef,
  accountKey,
  JournalEntryInvalidError,
  prepaidCredits,
  receivable,
  reversalOf,
  usageRevenue,
} from "../../src/domain/ledger/index.ts";
import {
  AmountInvalidError,
  currency,
  type LedgerAmount,
  ledgerAmount,
  majorText,
  minorText,
} from "../../src/domain/money/index.ts";
import { hold, holdsOf, line } from "./holds-fixture.ts";
import {
  draft,
  expectInvariants,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  owed,
  revenue,
  spend,
  statement,
} from "./ledger-fixture.ts";

/** The most a posting can move: 38 digits of 10⁻⁸, which is 10³⁰ minor units less 10⁻⁸. */
const most = 10n ** 38n - 1n;
/** The least: a hundred-millionth of a cent. */
const least = 1n;

let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
});

afterEach(() => expectInvariants(ledger.db));

afterAll(() => ledger.close());

/** What the ledger says an account has, however much that is. */
async function balanceOf(ref: AccountRef): Promise<bigint | undefined> {
  const { items } = await inSnapshot(ledger.db, (tx) =>
    listAccounts(tx, { key: accountKey(ref) }, { limit: 1 }),
  );
  return items[0]?.balance;
}

describe.each([
  {
    code: "jpy",
    leastText: "0.00000001",
    mostText: "999999999999999999999999999999.99999999",
    decimals: "none",
  },
  {
    code: "usd",
    leastText: "0.0000000001",
    mostText: "9999999999999999999999999999.9999999999",
    decimals: "two",
  },
  {
    code: "kwd",
    leastText: "0.00000000001",
    mostText: "999999999999999999999999999.99999999999",
    decimals: "three",
  },
])("in $code, which has $decimals decimals", ({ code, leastText, mostText }) => {
  const of = currency(code);
  const debtor = receivable(`amounts-${code}`, of);
  const grant = prepaidCredits(`amounts-${code}`, "g", of);
  const entry = (key: string, debit: AccountRef, credit: AccountRef, amount: bigint) =>
    draft(`${code}/${key}`, [move(debit, credit, amount)], { currency: of, customerId: `amounts-${code}` });

  test("the least and the most are exact, together and apart", async () => {
    expect(await ledger.post(entry("least", debtor, grant, least))).toEqual(["created"]);
    expect(await balanceOf(grant)).toBe(least);
    expect(majorText(ledgerAmount(least), of)).toBe(leastText);
    expect(await ledger.post(entry("most", debtor, grant, most - least))).toEqual(["created"]);
    expect(await accountBalance(ledger.db.orm, grant)).toBe(most);
    expect(majorText(ledgerAmount(most), of)).toBe(mostText);
    expect(minorText(ledgerAmount(most))).toBe(`${"9".repeat(30)}.99999999`);
    expect(
      await ledger.post(
        entry("all", grant, usageRevenue(code, of), most),
        entry("one more", grant, usageRevenue(code, of), least),
      ),
    ).toEqual(["created", "insufficient"]);
    expect(await balanceOf(grant)).toBe(0n);
  });

  test("a thousand of the least and of the most add up, on every kind of account", async () => {
    const product = usageRevenue(`sums-${code}`, of);
    const entries = Array.from({ length: 1_000 }, (_, n) =>
      entry(`sums/${n}`, debtor, product, n % 2 === 0 ? least : most),
    );
    const before = (await balanceOf(debtor)) ?? 0n;
    expect(new Set(await ledger.post(...entries))).toEqual(new Set(["created"]));
    const sum = 500n * (least + most);
    expect(await balanceOf(product)).toBe(sum);
    await inTransaction(ledger.db, foldHotBalances);
    expect(await balanceOf(product)).toBe(sum);
    expect(await balanceOf(debtor)).toBe(before + sum);
    const lines = await inSnapshot(ledger.db, (tx) => trialBalance(tx, of));
    expect(lines.find(({ code: account }) => account === "4000")).toMatchObject({ balance: sum + most });
  });
});

describe("more than the most", () => {
  test("is no amount, in the domain", () => {
    expect(() => move(owed, revenue, most + 1n)).toThrow(AmountInvalidError);
  });

  test("past the domain it refuses the batch, and nothing is done", async () => {
    const tooMuch = { debit: owed, credit: revenue, amount: (most + 1n) as LedgerAmount };
    const posting = ledger.post(fund("beyond/1", "beyond", 1n), draft("beyond/2", [tooMuch]));
    await expect(posting).rejects.toMatchObject({ cause: { code: "RK002" } });
    expect(await findEntry(ledger.db.orm, "beyond/1")).toBeUndefined();
    expect(await balanceOf(grantOf("beyond"))).toBeUndefined();
  });

  test("through the writer it is refused alone, and its neighbours are posted", async () => {
    const writer = openLedgerWriter({ url: ledger.appUrl });
    const tooMuch = { debit: owed, credit: revenue, amount: (most + 1n) as LedgerAmount };
    const outcomes = await Promise.allSettled([
      writer.post(fund("neighbour/1", "neighbour", 1n)),
      writer.post(draft("neighbour/2", [tooMuch])),
      writer.post(fund("neighbour/3", "neighbour", 1n)),
    ]);
    await writer.close();
    expect(outcomes).toMatchObject([
      { status: "fulfilled", value: { status: "created" } },
      { status: "rejected", reason: expect.any(JournalEntryInvalidError) },
      { status: "fulfilled", value: { status: "created" } },
    ]);
  });
});

describe("sums of amounts have no limit, so that no entry fails because of those before it", () => {
  test("two of the most go into one account beside their neighbours, and come out again", async () => {
    const statuses = await ledger.post(
      fund("twice/1", "twice", most),
      fund("twice/2", "neighbour", 5n),
      fund("twice/3", "twice", most),
      spend("twice/4", "neighbour", 5n),
    );
    expect(statuses).toEqual(["created", "created", "created", "created"]);
    expect(await balanceOf(grantOf("twice"))).toBe(2n * most);
    await expect(accountBalance(ledger.db.orm, grantOf("twice")), "more than can be posted").rejects.toThrow(
      AmountInvalidError,
    );
    const { lines, closing } = await statement(ledger.db, { subject: "credits", grantId: "twice" });
    expect(lines.map(({ change, balance }) => ({ change, balance }))).toEqual([
      { change: most, balance: most },
      { change: most, balance: 2n * most },
    ]);
    expect(closing).toBe(2n * most);
    const spends = [1, 2, 3].map((n) => spend(`twice/spent/${n}`, "twice", most));
    expect(await ledger.post(...spends)).toEqual(["created", "created", "insufficient"]);
    expect(await accountBalance(ledger.db.orm, grantOf("twice"))).toBe(0n);
  });

  test("two of the most are held at once", async () => {
    await ledger.post(fund("held/1", "held", most), fund("held/2", "held", most));
    const { place, release, standing } = holdsOf(ledger);
    const all = [1, 2, 3].map((n) => hold(`held/by/${n}`, [line(grantOf("held"), most, most)]));
    expect(await place(...all)).toEqual(["created", "created", "insufficient"]);
    expect(await standing(grantOf("held"))).toEqual({ balance: 2n * most, held: 2n * most });
    await release("held/by/1");
    await release("held/by/2");
    expect(await standing(grantOf("held"))).toEqual({ balance: 2n * most, held: 0n });
  });

  test("an entry of the most is undone", async () => {
    await ledger.post(fund("undone/1", "undone", most));
    const entry = await findEntry(ledger.db.orm, "undone/1");
    if (entry === undefined) throw new Error("undone/1 was posted");
    const { occurredAt, effectiveAt } = entry;
    const reversal = reversalOf({ sourceKey: "undone/2", occurredAt, effectiveAt }, entry);
    expect(await ledger.post(reversal)).toEqual(["created"]);
    expect(await balanceOf(grantOf("undone"))).toBe(0n);
  });

  test("a month with all of that is closed and carried", async () => {
    await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2026-01-01", "alice"));
    expect(await inTransaction(ledger.db, carryClosedMonth)).toBe("2026-01-01");
    const [carried] = await ledger.db.sql`
      select debit::text from ledger.period_balance join ledger.account on account.id = account_id where key = ${accountKey(owed)}`;
    expect(BigInt(carried?.debit)).toBeGreaterThan(4n * most);
  });
});
