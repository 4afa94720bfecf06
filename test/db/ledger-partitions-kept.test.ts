import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rows, sql, type Tx } from "../../src/db/database.ts";
import { ledgerInvariantQueries } from "../../src/db/invariants/ledger-invariants.ts";
import { privilegeInvariants } from "../../src/db/invariants/privilege-invariants.ts";
import { accountBalance, findEntry, postEntries } from "../../src/db/ledger/ledger.ts";
import { reversalOf } from "../../src/domain/ledger/index.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { lookAt, openAsSuperuser } from "../support/superuser.ts";
import { whileRepeating } from "../support/while-repeating.ts";
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
  refusal,
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

const move1 = (table: string) =>
  ledger.owner.sql.unsafe(`call ledger.move_partition('ledger.${table}', '${table}_1', '${cold}')`);

test("a full range moves to cheaper storage under posting, and everything is as before", async () => {
  const before = await partitionOne();
  let posted = 0;
  const post = async () => {
    expect(await ledger.post(draft(`meanwhile/${posted}`, [move(fees, revenue, 1n)]))).toEqual(["created"]);
    posted++;
  };
  await whileRepeating([post], async () => {
    for (const table of ["journal_entry", "posting"]) await move1(table);
  });
  expect(posted).toBeGreaterThan(0);
  expect(await partitionOne()).toEqual({ ...before, tablespaces: [cold] });

  expect(await ledger.post(old)).toEqual(["exists"]);
  const undone = await findEntry(ledger.db.orm, "old/2");
  if (undone === undefined) throw new Error("old/2 was posted");
  const reversal = reversalOf({ sourceKey: "new/2", occurredAt: at, effectiveAt: at }, undone);
  expect(await ledger.post(reversal)).toEqual(["created"]);
  expect((await statement(ledger.db, { subject: "credits" })).lines).toHaveLength(2);
  for (const statement of ["update ledger.posting_1 set amount = 1", "truncate ledger.journal_entry_1"]) {
    expect(await refusal(ledger.owner.sql.unsafe(statement))).toBe("RK001");
  }
  await expectInvariants(ledger.db);
  for (const { name, sql: query } of privilegeInvariants) {
    expect([...(await ledger.db.sql.unsafe(query))], name).toEqual([]);
  }
});

/** Rows, indexes, constraints and triggers of the first range, and where it lies. */
async function partitionOne() {
  const [found] = await ledger.owner.sql`
    select array_agg(distinct coalesce(spcname, 'pg_default')) as tablespaces,
      array_agg(regexp_replace(pg_get_indexdef(pg_class.oid), '^.* USING ', '')) filter (where relkind = 'i') as indexes,
      (select array_agg(concat_ws(' ', tgrelid::regclass, tgname, tgenabled)) from pg_trigger
        where tgrelid in ('ledger.journal_entry_1'::regclass, 'ledger.posting_1'::regclass)) as triggers,
      (select array_agg(concat_ws(' ', conrelid::regclass, pg_get_constraintdef(oid))) from pg_constraint
        where conrelid in ('ledger.journal_entry_1'::regclass, 'ledger.posting_1'::regclass)) as constraints,
      (select array_agg(entry::text order by id) from ledger.journal_entry_1 as entry) as entries,
      (select array_agg(posting::text order by entry_id, line) from ledger.posting_1 as posting) as postings
    from pg_class left join pg_tablespace on pg_tablespace.oid = reltablespace
    where pg_class.oid in ('ledger.journal_entry_1'::regclass, 'ledger.posting_1'::regclass)
      or pg_class.oid in (select indexrelid from pg_index where indrelid in ('ledger.journal_entry_1'::regclass, 'ledger.posting_1'::regclass))`;
  return Object.fromEntries(Object.entries(found ?? {}).map(([name, values]) => [name, values.toSorted()]));
}

test.each(["posting_2", "journal_entry_2"])("%s does not move: it is written to", async (partition) => {
  const table = partition.replace(/_\d$/, "");
  const moving = `call ledger.move_partition('ledger.${table}', '${partition}', '${cold}')`;
  expect(await refusal(ledger.owner.sql.unsafe(moving))).toBe("RK002");
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
