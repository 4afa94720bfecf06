import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { postEntries } from "../../src/db/ledger/ledger.ts";
import type { LedgerFinding } from "../../src/db/seals/ledger-finding.ts";
import {
  fileSealStore,
  LedgerSealBrokenError,
  type SealStore,
  sealLedger,
  verifySeals,
} from "../../src/db/seals/ledger-seals.ts";
import { type PublishedSeal, readDigestList } from "../../src/db/seals/seal-encoding.ts";
import { verifySealsIn } from "../../src/db/seals/seal-verification.ts";
import { type SealedTableName, sealedTableNames, sealedTables } from "../../src/db/seals/sealed-tables.ts";
import { sealAll } from "../support/seals.ts";
import { lookAt, withoutGuards } from "../support/superuser.ts";
import { draft, fees, fund, move, refusal, revenue } from "./ledger-fixture.ts";
import { openSealedLedger, type SealedLedger, tellSealedStory } from "./sealed-ledger.ts";

let ledger: SealedLedger;
const findingsNow = async (copy = ledger.store) => (await verifySeals(ledger.db, copy)).findings;
const newStore = () => fileSealStore(ledger.file);

describe("what was changed after it was sealed is found and named", () => {
  let ids: Map<string, bigint>;
  beforeAll(async () => {
    ledger = await openSealedLedger();
    await tellSealedStory(ledger);
    const entries = await ledger.owner.sql<{ id: bigint; source_key: string }[]>`
      select id, source_key from ledger.journal_entry union all select id, source_key from ledger.hold`;
    ids = new Map(entries.map(({ id, source_key }) => [source_key, id]));
  });
  afterAll(async () => {
    expect(await findingsNow()).toEqual([]);
    await ledger.close();
  });

  async function findingsAfter(
    damage: string,
    copy: SealStore | null = ledger.store,
  ): Promise<readonly LedgerFinding[]> {
    const store = copy ?? undefined;
    const published = (await store?.last())?.number;
    const verified = await lookAt(
      ledger.superuser,
      (tx) => withoutGuards(tx, damage),
      (tx) => verifySealsIn(tx, { store, published }),
    );
    return verified.findings;
  }

  test("untouched, everything verifies, with the copy and without", async () => {
    const whole = { findings: [], seals: 4, unsealed: {} };
    expect(await verifySeals(ledger.db, ledger.store)).toMatchObject(whole);
    expect(await verifySeals(ledger.db)).toMatchObject(whole);
  });

  test("every column of every fact is under the seal", async () => {
    const columns = await ledger.owner.sql<{ table: SealedTableName; column: string; type: string }[]>`
      select table_name as table, column_name as column, data_type as type from information_schema.columns
      where table_schema = 'ledger' and table_name in ${ledger.owner.sql(sealedTableNames)} order by ordinal_position`;
    for (const table of sealedTableNames) {
      const inCatalog = columns.filter((each) => each.table === table).map(({ column }) => column);
      expect(inCatalog.toSorted()).toEqual(sealedTables[table].columns.toSorted());
    }
    for (const { table, column, type } of columns) {
      const key = sealedTables[table].key.join(" || '/' || ");
      const [row] = await ledger.owner.sql.unsafe(
        `select (${key})::text as key from ledger.${table} order by random() limit 1`,
      );
      const checks = await ledger.owner.sql<{ name: string }[]>`
        select conname as name from pg_constraint
        where conrelid = ${`ledger.${table}`}::regclass and contype = 'c'`;
      const identity =
        `${table}/${column}` === "account/id" ? "alter table ledger.account alter id drop identity;" : "";
      const damage = `${identity}${checks.map(({ name }) => `alter table ledger.${table} drop constraint "${name}";`).join("")}
        update ledger.${table} set ${column} = ${otherValue(column, type)} where (${key})::text = '${row?.key}'`;
      expect(await findingsAfter(damage), damage).toContainEqual(
        expect.objectContaining({
          table,
          key: row?.key,
          problem: expect.stringMatching(/^was (changed|deleted)$/),
        }),
      );
      expect(await findingsAfter(damage, null), `${damage}, without a copy`).not.toEqual([]);
    }
  });

  test.each([
    {
      what: "a posting added to an entry",
      damage:
        () => `insert into ledger.posting select entry_id, 9, currency, credit_account, debit_account, amount
        from ledger.posting where entry_id = ${ids.get("g/spent")}`,
      found: () => [
        { table: "posting", key: `${ids.get("g/spent")}/9`, of: "g/spent", problem: "was inserted", seal: 1 },
      ],
    },
    {
      what: "a posting taken away",
      damage: () => `delete from ledger.posting where entry_id = ${ids.get("two lines")} and line = 2`,
      found: () => [
        {
          table: "posting",
          key: `${ids.get("two lines")}/2`,
          of: "two lines",
          problem: "was deleted",
          seal: 1,
        },
      ],
    },
    {
      what: "two amounts exchanged within an entry",
      damage: () => `update ledger.posting set amount = 3 - amount where entry_id = ${ids.get("two lines")}`,
      found: () =>
        [1, 2].map((line) => ({
          table: "posting",
          key: `${ids.get("two lines")}/${line}`,
          of: "two lines",
          problem: "was changed",
          seal: 1,
        })),
    },
    {
      what: "an entry slipped in among sealed ones",
      damage: () => `insert into ledger.journal_entry
        select 1000, kind, 'slipped', request_hash, occurred_at, effective_at, recorded_at, recorded_xid, actor, cause_type,
          'slipped', customer_id, currency, null, metadata
        from ledger.journal_entry where source_key = 'g/spent'`,
      found: () => [{ table: "journal_entry", key: "1000", of: "slipped", problem: "was inserted", seal: 1 }],
    },
    {
      what: "an entry deleted",
      damage: () => `delete from ledger.posting where entry_id = ${ids.get("fee")};
        delete from ledger.journal_entry where id = ${ids.get("fee")}`,
      found: () => [
        { table: "journal_entry", key: `${ids.get("fee")}`, problem: "was deleted", seal: 4 },
        { table: "posting", key: `${ids.get("fee")}/1`, problem: "was deleted", seal: 4 },
      ],
    },
    {
      what: "the newest entry and period cut off, and their seal with them",
      damage: () => `delete from ledger.posting where entry_id = ${ids.get("fee")};
        delete from ledger.journal_entry where id = ${ids.get("fee")};
        delete from ledger.accounting_period where month = '2026-02-01';
        delete from ledger.seal where number = 4`,
      found: () => [
        { table: "seal", key: "4", problem: "is published and not in the database", seal: 4 },
        { table: "journal_entry", key: `${ids.get("fee")}`, problem: "was deleted", seal: 4 },
        { table: "posting", key: `${ids.get("fee")}/1`, problem: "was deleted", seal: 4 },
        { table: "accounting_period", key: "2026-02-01", problem: "was deleted", seal: 4 },
      ],
    },
    {
      what: "an account given to somebody else",
      damage: () => `update ledger.account set key = '2000/usd/customer=eve/grant=g', customer_id = 'eve',
        dimensions = '{"customer": "eve", "grant": "g"}' where key = '2000/usd/customer=acme/grant=g'`,
      found: () => [
        expect.objectContaining({
          table: "account",
          of: "2000/usd/customer=eve/grant=g",
          problem: "was changed",
          seal: 1,
        }),
      ],
    },
    {
      what: "a hold that was for less, and its resolution undone",
      damage: () => `update ledger.hold_line set amount = 1 where hold_id = ${ids.get("request/2")};
        delete from ledger.hold_resolution where hold_id = ${ids.get("request/2")}`,
      found: () => [
        {
          table: "hold_line",
          key: `${ids.get("request/2")}/1`,
          of: "request/2",
          problem: "was changed",
          seal: 2,
        },
        {
          table: "hold_resolution",
          key: `${ids.get("request/2")}`,
          of: "request/2",
          problem: "was deleted",
          seal: 2,
        },
      ],
    },
    {
      what: "a seal",
      damage: () => "update ledger.seal set row_count = row_count + 1 where number = 2",
      found: () => [
        expect.objectContaining({ table: "seal", key: "2", column: "row_count", problem: "was changed" }),
      ],
    },
    {
      what: "an entry of a transaction to come, which no seal would ever cover",
      damage: () => "update ledger.journal_entry set recorded_xid = '9000000000' where source_key = 'fee'",
      found: () => [
        { table: "journal_entry", key: `${ids.get("fee")}`, of: "fee", problem: "was deleted", seal: 4 },
        { table: "posting", key: `${ids.get("fee")}/1`, of: "fee", problem: "was deleted", seal: 4 },
        {
          table: "journal_entry",
          key: `${ids.get("fee")}`,
          of: "fee",
          problem: "names a transaction that has not happened",
        },
      ],
    },
  ])("$what", async ({ damage, found }) => {
    expect(await findingsAfter(damage())).toEqual(found());
  });

  test("a forger who seals everything anew satisfies the database, and not the copy", async () => {
    const forge = `update ledger.posting set amount = 6 where entry_id = ${ids.get("fee")};
      delete from ledger.seal;
      do $$ begin for i in 1..20 loop perform ledger.seal_closed_range(1); end loop; end $$`;
    expect(await findingsAfter(forge, null)).toEqual([]);
    const findings = await findingsAfter(forge);
    expect(findings[0]).toMatchObject({ table: "seal", key: "1", problem: "was changed" });
    expect(findings).toContainEqual(
      expect.objectContaining({ table: "posting", key: `${ids.get("fee")}/1`, problem: "was changed" }),
    );
  });

  test("a copy that was tampered with is noticed too, and is not taken for a damage to the ledger", async () => {
    const lines = readFileSync(ledger.file, "utf8").split("\n");
    const tamperedFile = `${ledger.file}.tampered`;
    const findingsWith = async (changed: readonly string[]) => {
      writeFileSync(tamperedFile, changed.join("\n"));
      return await findingsNow(fileSealStore(tamperedFile));
    };
    const [first = "", second = "", ...others] = lines;
    expect(await findingsWith([second, ...others])).toEqual([
      { table: "seal", key: "1", problem: "is missing in the copy", seal: 1 },
    ]);
    const rowCount = /"rowCount":(\d+)/.exec(second)?.[1];
    expect(await findingsWith([first, second.replace(/"rowCount":\d+/, '"rowCount":1'), ...others])).toEqual([
      {
        table: "seal",
        key: "2",
        problem: "was changed",
        column: "row_count",
        found: rowCount,
        expected: "1",
        seal: 2,
      },
    ]);
    const otherDigests = second.replace(/"hold":"(\d+)\.[\w-]{4}/, '"hold":"$1.AAAA');
    expect(await findingsWith([first, otherDigests, ...others])).toEqual([
      { table: "seal", key: "2", problem: "has digests in the copy that are not its rows'", seal: 2 },
    ]);
  });
});

describe("sealing", () => {
  beforeEach(async () => {
    ledger = await openSealedLedger();
  });
  afterEach(() => ledger.close());

  const postFee = (sourceKey: string) => ledger.post(draft(sourceKey, [move(fees, revenue, 1n)]));
  const postAndSeal = async (sourceKey: string) => {
    await postFee(sourceKey);
    await sealAll(ledger.db, ledger.store);
  };

  test("an entry that commits late is in the next seal, not between two", async () => {
    await postAndSeal("before");
    const begun = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const late = ledger.db.orm.transaction(async (tx) => {
      await postEntries(tx, [draft("late", [move(fees, revenue, 1n)])]);
      begun.resolve();
      await commit.promise;
    });
    await begun.promise;
    await postFee("early");
    expect(await sealLedger(ledger.db, ledger.store)).toBe(0); // "early" has the later transaction: it must wait
    expect((await verifySeals(ledger.db)).unsealed).toEqual({ journal_entry: 1, posting: 1 });
    commit.resolve();
    await late;
    await sealAll(ledger.db, ledger.store);
    expect(await verifySeals(ledger.db, ledger.store)).toMatchObject({ findings: [], seals: 2 });
    expect(readDigestList(published()[1]?.rows.journal_entry ?? "").size).toBe(2);
  });

  test("seals are cut where a transaction ends", async () => {
    await ledger.post(...["a", "b", "c"].map((key) => draft(key, [move(fees, revenue, 1n)])));
    for (const key of ["d", "e", "f"]) await postFee(key);
    await expect
      .poll(async () => {
        await ledger.db.sql`select ledger.seal_closed_range(2)`;
        return (await verifySeals(ledger.db)).unsealed;
      })
      .toEqual({});
    const counts = await ledger.db.sql<
      { row_count: bigint }[]
    >`select row_count from ledger.seal order by number`;
    expect(counts[0]?.row_count).toBe(8n); // two accounts and three entries with a posting each
    expect(counts.reduce((sum, { row_count }) => sum + row_count, 0n)).toBe(14n);
    expect((await verifySeals(ledger.db)).findings).toEqual([]);
  });

  test("with nothing new there is no seal", async () => {
    await postAndSeal("only");
    expect(await sealLedger(ledger.db, ledger.store)).toBe(0);
    expect(published()).toHaveLength(1);
  });

  test("a session that speaks another encoding seals the same", async () => {
    await ledger.post(fund("übung", "größe", 1n));
    await expect
      .poll(() =>
        ledger.db.sql.begin(async (sql) => {
          await sql`set local client_encoding = 'LATIN1'`;
          return (await sql`select number from ledger.seal_closed_range(10)`).length;
        }),
      )
      .toBe(1);
    expect(await findingsNow()).toEqual([]);
  });

  test.each([
    { what: "a torn line", lost: 20 },
    { what: "a line without its end", lost: 1 },
  ])("what was sealed and not published is published by the next run: $what", async ({ lost }) => {
    await postAndSeal("first");
    truncateSync(ledger.file, readFileSync(ledger.file).length - lost);
    expect(await findingsNow(newStore())).toEqual([]); // published is what is complete
    await sealLedger(ledger.db, newStore());
    await postAndSeal("second");
    expect(published().map(({ number }) => number)).toEqual([1, 2]);
    expect(await findingsNow(newStore())).toEqual([]);
  });

  test("a copy that receives no seals any more is noticed, and so is the wrong file", async () => {
    await postAndSeal("sealed");
    const other = fileSealStore(`${ledger.file}.other`);
    expect((await verifySeals(ledger.db, other)).findings).toEqual([]); // it may still be on its way
    expect((await verifySeals(ledger.db, other, 0)).findings).toEqual([
      { table: "seal", key: "1", problem: "is missing in the copy", seal: 1 },
    ]);
  });

  test("nothing is published on top of a ledger that lost its tail", async () => {
    await postAndSeal("cut");
    await ledger.superuser.orm.transaction((tx) =>
      withoutGuards(tx, "delete from ledger.journal_entry; delete from ledger.seal"),
    );
    await expect(sealLedger(ledger.db, ledger.store)).rejects.toThrow(LedgerSealBrokenError);
  });

  test("a row that is changed before its seal is published is not vouched for", async () => {
    await postFee("changed");
    await expect.poll(async () => (await ledger.db.sql`select ledger.seal_closed_range(10)`).length).toBe(1);
    await ledger.superuser.orm.transaction((tx) => withoutGuards(tx, "update ledger.posting set amount = 2"));
    await expect(sealLedger(ledger.db, ledger.store)).rejects.toThrow(LedgerSealBrokenError);
  });

  test("two sealers at once make one chain", async () => {
    const other = newStore();
    for (let round = 0; round < 5; round++) {
      await postFee(`round ${round}`);
      await Promise.all([sealLedger(ledger.db, ledger.store), sealLedger(ledger.db, other)]);
    }
    await sealAll(ledger.db, ledger.store);
    expect(await findingsNow()).toEqual([]);
    const numbers = published().map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test("the application can make seals and do nothing else with them", async () => {
    await postAndSeal("sealed");
    const { sql } = ledger.db;
    expect(await refusal(sql`insert into ledger.seal select * from ledger.seal`)).toBe("42501");
    expect(await refusal(sql`update ledger.seal set root = root`)).toBe("42501");
    expect(await refusal(sql`delete from ledger.seal`)).toBe("42501");
    expect(await refusal(ledger.owner.sql`delete from ledger.seal`)).toBe("RK001");
  });

  test("lines that are no seals are passed over", async () => {
    appendFileSync(ledger.file, "not JSON\n{}\n");
    await postAndSeal("sealed");
    expect(await verifySeals(ledger.db, newStore())).toMatchObject({ findings: [], seals: 1 });
  });
});

function published(): PublishedSeal[] {
  const lines = readFileSync(ledger.file, "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** Another value of a column, as SQL. */
function otherValue(column: string, type: string): string {
  switch (type) {
    case "text":
      return `coalesce(${column}, '') || 'x'`;
    case "jsonb":
      return `${column} || '{"x": "y"}'`;
    case "bytea":
      return "'\\x01'";
    case "xid8":
      return "'3'";
    case "boolean":
      return `not ${column}`;
    case "date":
      return `${column} + 1000`;
    case "timestamp with time zone":
      return `${column} + interval '1 microsecond'`;
    default:
      return `coalesce(${column}, 0) + 1000`;
  }
}
