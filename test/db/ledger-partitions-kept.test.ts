import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rows, sql, type Tx } from "../../src/db/database.ts";
import { accountBalance, findEntry, postEntries } from "../../src/db/ledger.ts";
import { ledgerInvariantQueries } from "../../src/db/ledger-invariants.ts";
import { reversalOf } from "../../src/domain/ledger/index.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { lookAt, openAsSuperuser } from "../support/superuser.ts";
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
} from "./ledger-fixture.ts";

/** Old ranges of entries: what may be done with them, and what may not. The first range is full. */
let ledger: LedgerFixture;
let admin: postgres.Sql;

const cold = `cold_${process.pid}`;
const old = fund("old/1", "g", 100n);

beforeAll(async () => {
  ledger = await openLedger();
  admin = postgres((await sharedServer("postgres")).adminUrl, { max: 1, onnotice: () => {} });
  // A folder of the server's own stands for a cheaper disk.
  await admin`set allow_in_place_tablespaces = on`;
  await admin.unsafe(`create tablespace ${cold} owner reckoner_owner location ''`);
  await ledger.post(old, draft("old/2", [move(fees, revenue, 1n)]));
  await ledger.owner.sql`select setval('ledger.entry_id', 50000000)`;
  await ledger.post(spend("new/1", "g", 10n));
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
  await admin.unsafe(`drop tablespace ${cold}`);
  await admin.end();
});

test("a full range moves to cheaper storage, and everything goes on as before", async () => {
  for (const table of ["ledger.journal_entry_1", "ledger.posting_1"]) {
    const indexes = await ledger.owner.sql<{ name: string }[]>`
      select indexrelid::regclass::text as name from pg_index where indrelid = ${table}::regclass`;
    await ledger.owner.sql.unsafe(`alter table ${table} set tablespace ${cold}`);
    for (const { name } of indexes)
      await ledger.owner.sql.unsafe(`alter index ${name} set tablespace ${cold}`);
  }
  expect(await ledger.post(old)).toEqual(["exists"]);
  const undone = await findEntry(ledger.db.orm, "old/2");
  if (undone === undefined) throw new Error("old/2 was posted");
  const reversal = reversalOf({ sourceKey: "new/2", occurredAt: at, effectiveAt: at }, undone);
  expect(await ledger.post(reversal)).toEqual(["created"]);
  expect((await statement(ledger.db, { subject: "credits" })).lines).toHaveLength(2);
  await expectInvariants(ledger.db);
});

const detach = async (tx: Tx) => {
  await tx.execute(sql`alter table ledger.posting detach partition ledger.posting_1`);
  await tx.execute(sql`alter table ledger.journal_entry detach partition ledger.journal_entry_1`);
};

test("a range that is taken out keeps its claims and balances, and can no longer be proved", async () => {
  const superuser = await openAsSuperuser(ledger.db);
  const found = await lookAt(superuser, detach, async (tx) => {
    const [again] = await postEntries(tx, [old]);
    const [next] = await postEntries(tx, [spend("new/3", "g", 90n)]);
    const broken: string[] = [];
    for (const invariant of ledgerInvariantQueries) {
      if ((await rows(tx, sql.raw(invariant.sql))).length > 0) broken.push(invariant.name.slice(0, 2));
    }
    const guards = await rows<{ name: string }>(
      tx,
      sql`select tgname as name from pg_trigger where tgrelid = 'ledger.posting_1'::regclass order by 1`,
    );
    return {
      again: again?.status,
      next: next?.status,
      balance: await accountBalance(tx, grantOf("g")),
      broken: [...new Set(broken)],
      guards: guards.map(({ name }) => name),
    };
  });
  expect(found).toEqual({
    again: "exists_different", // taken for ever, and nobody can tell any more whether it was the same
    next: "created",
    balance: 0n,
    broken: ["V2", "V3", "V4"],
    guards: ["append_only_table", "apply_postings"], // the rules for rows were its table's
  });
  await superuser.close();
});
