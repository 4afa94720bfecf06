import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inSnapshot, inTransaction } from "../../src/db/database.ts";
import { searchEntries } from "../../src/db/ledger/entry-search.ts";
import { journalPages, journalTotals } from "../../src/db/ledger/journal-export.ts";
import { accountBalance, entriesOfInvoice, findEntry, postEntries } from "../../src/db/ledger/ledger.ts";
import { trialBalance } from "../../src/db/ledger/ledger-trial-balance.ts";
import { asOf } from "../../src/db/ledger/ledger-turnover.ts";
import { fileSealStore, type SealStore, verifySeals } from "../../src/db/seals/ledger-seals.ts";
import { verifySealsIn } from "../../src/db/seals/seal-verification.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { accountingMonth } from "../../src/domain/ledger/accounting-month.ts";
import { accountKey, reversalOf } from "../../src/domain/ledger/index.ts";
import { sealAll } from "../support/seals.ts";
import { lookAt, openAsSuperuser, withoutGuards } from "../support/superuser.ts";
import {
  at,
  draft,
  expectInvariants,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  revenue,
  spend,
  statement,
  usd,
} from "./ledger-fixture.ts";

/** The ledger beside the border of two partitions: five entries lie before it, all the others behind. */
let ledger: LedgerFixture;
let folder: string;
let store: SealStore;

const border = 50_000_001n;
const before = ["funded", "spent/1", "spent/2", "spent/3", "spent/4"];
const behind = ["spent/5", "spent/6", "spent/7", "fee"];
const batch = [
  fund("funded", "g", 100n),
  ...[1, 2, 3, 4, 5, 6, 7].map((n) => ({
    ...spend(`spent/${n}`, "g", BigInt(n)),
    effectiveAt: instant(`2026-01-0${n}T00:00:00Z`),
    metadata: { invoice_id: `in-${n % 2}` },
  })),
  draft("fee", [move(fees, revenue, 5n)]),
];

beforeAll(async () => {
  ledger = await openLedger();
  folder = mkdtempSync(join(tmpdir(), "seals-"));
  store = fileSealStore(join(folder, "seals.jsonl"));
  await ledger.owner.sql`select setval('ledger.entry_id', ${border - 6n})`;
  expect(new Set(await ledger.post(...batch))).toEqual(new Set(["created"]));
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
  rmSync(folder, { recursive: true });
});

test("a batch lies on both sides of a border, each entry with its postings", async () => {
  const found = await ledger.owner.sql`
    select entry.source_key as key, entry.tableoid::regclass::text as entries, posting.tableoid::regclass::text as postings
    from ledger.journal_entry as entry join ledger.posting as posting on entry_id = id order by id`;
  expect([...found]).toEqual([
    ...before.map((key) => ({ key, entries: "ledger.journal_entry_1", postings: "ledger.posting_1" })),
    ...behind.map((key) => ({ key, entries: "ledger.journal_entry_2", postings: "ledger.posting_2" })),
  ]);
  expect(await accountBalance(ledger.db.orm, grantOf("g"))).toBe(72n); // 100 − (1 + … + 7)
  await expectInvariants(ledger.db);
});

describe("what is unique is unique across the border", () => {
  test("the same entries exist, in one batch with new ones", async () => {
    const results = await inTransaction(ledger.db, (tx) =>
      postEntries(tx, [...batch, draft("fee/2", [move(fees, revenue, 1n)])]),
    );
    expect(results.map(({ status }) => status)).toEqual([...batch.map(() => "exists"), "created"]);
    expect(results[0]?.entryId).toBe(border - 5n);
    expect(results[8]?.entryId).toBe(border + 3n);
  });

  test("a key, and a business event under another key, are taken on the other side", async () => {
    const [first] = batch;
    if (first === undefined) throw new Error("the batch has a first entry");
    expect(await ledger.post(fund("funded", "g", 7n))).toEqual(["exists_different"]);
    expect(await ledger.post({ ...first, sourceKey: "funded again" })).toEqual(["exists"]);
    expect(await ledger.post({ ...fund("funded again", "g", 7n), cause: first.cause })).toEqual([
      "exists_different",
    ]);
  });

  test("an entry is reversed once from the other side", async () => {
    const spent = await findEntry(ledger.db.orm, "spent/4");
    if (spent === undefined) throw new Error("spent/4 was posted");
    const reversal = reversalOf({ sourceKey: "undone", occurredAt: at, effectiveAt: at }, spent);
    expect(await ledger.post(reversal)).toEqual(["created"]);
    expect(await accountBalance(ledger.db.orm, grantOf("g"))).toBe(76n);
    const again = { ...reversal, sourceKey: "undone again", cause: { type: "test", id: "undone again" } };
    expect(await ledger.post(again)).toEqual(["exists_different"]);
  });
});

describe("reads go across the border", () => {
  const allOf = async (filter: Parameters<typeof searchEntries>[1], limit: number) => {
    const keys: string[] = [];
    let after: bigint | undefined;
    do {
      const page = await searchEntries(ledger.db, filter, { limit, after });
      keys.push(...page.items.map(({ sourceKey }) => sourceKey));
      after = page.next;
    } while (after !== undefined);
    return keys;
  };
  const newestFirst = ["undone", "fee/2", ...[...before, ...behind].reverse()];

  test.each([1, 2, 3, 100])("entries of a customer, newest first, %d at a time", async (limit) => {
    expect(await allOf({ customerId: "acme" }, limit)).toEqual(newestFirst);
  });

  test.each([1, 4])("entries on an account, %d at a time", async (limit) => {
    const account = accountKey(grantOf("g"));
    expect(await allOf({ account }, limit)).toEqual(newestFirst.filter((key) => !key.startsWith("fee")));
  });

  test("entries of an invoice", async () => {
    const found = await entriesOfInvoice(ledger.db.orm, "in-1");
    expect(found.map(({ sourceKey }) => sourceKey)).toEqual(["spent/1", "spent/3", "spent/5", "spent/7"]);
  });

  test("a statement, by either clock", async () => {
    const recorded = await statement(ledger.db, { subject: "credits", clock: "recorded" });
    expect(recorded.lines.map(({ change }) => change)).toEqual([100n, -1n, -2n, -3n, -4n, -5n, -6n, -7n, 4n]);
    const [from, to] = [instant("2026-01-03T00:00:00Z"), instant("2026-01-07T00:00:00Z")];
    const effective = await statement(ledger.db, { subject: "credits", from, to });
    expect(effective).toMatchObject({ opening: -3n, closing: -21n });
  });

  test("sums as of a day, and the journal of the month with its totals", async () => {
    const upTo = asOf({ effectiveAt: instant("2026-01-06T00:00:00Z") });
    const lines = await inSnapshot(ledger.db, (tx) => trialBalance(tx, usd, upTo));
    expect(lines.find(({ code }) => code === "4000")?.balance).toBe(21n); // 1 + … + 6
    const january = accountingMonth("2026-01");
    const { keys, totals } = await inSnapshot(ledger.db, async (tx) => {
      const keys: string[] = [];
      for await (const page of journalPages(tx, january, 3))
        keys.push(...page.map(({ sourceKey }) => sourceKey));
      return { keys, totals: await journalTotals(tx, january) };
    });
    expect(keys).toEqual([...newestFirst].reverse());
    expect(totals).toMatchObject({ entries: 11n, postings: 11n });
  });
});

describe("seals", () => {
  test("cover both sides, and name what was changed on either", async () => {
    await sealAll(ledger.db, store);
    expect((await verifySeals(ledger.db, store)).findings).toEqual([]);
    const superuser = await openAsSuperuser(ledger.db);
    for (const id of [border - 1n, border]) {
      const { findings } = await lookAt(
        superuser,
        (tx) => withoutGuards(tx, `update ledger.posting set amount = amount + 1 where entry_id = ${id}`),
        (tx) => verifySealsIn(tx, { store }),
      );
      expect(findings).toMatchObject([{ table: "posting", key: `${id}/1`, problem: "was changed" }]);
    }
    await superuser.close();
  });
});
