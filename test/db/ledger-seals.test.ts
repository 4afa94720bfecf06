import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { postEntries } from "../../src/db/ledger.ts";
import {
  fileSealStore,
  LedgerSealBrokenError,
  type SealFault,
  type SealStore,
  sealLedger,
  verifySeals,
} from "../../src/db/ledger-seals.ts";
import { verifySealsIn } from "../../src/db/seal-verification.ts";
import { lookAt, openAsSuperuser, withoutGuards } from "../support/superuser.ts";
import {
  draft,
  fees,
  fund,
  type LedgerFixture,
  move,
  openLedger,
  refusal,
  revenue,
  spend,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;
let superuser: Database;
let folder: string;
let file: string;
let store: SealStore;

async function open(): Promise<void> {
  ledger = await openLedger();
  superuser = await openAsSuperuser(ledger.db);
  folder = mkdtempSync(join(tmpdir(), "seals-"));
  file = join(folder, "seals.jsonl");
  store = fileSealStore(file);
}

async function close(): Promise<void> {
  await superuser.close();
  await ledger.close();
  rmSync(folder, { recursive: true });
}

/** Transactions of other tests on the server hold the horizon back, so it may take more than one go. */
async function sealAll(): Promise<void> {
  for (;;) {
    await sealLedger(ledger.db, store);
    if ((await verifySeals(ledger.db)).unsealedEntries === 0) return;
    await setTimeout(10);
  }
}

const faultsNow = async (copy = store) => (await verifySeals(ledger.db, copy)).faults;

describe("what was changed after it was sealed is found and named", () => {
  const keys = ["grant", "spent", "two lines", "fees"];
  let ids: Map<string, string>;

  beforeAll(async () => {
    await open();
    await ledger.post(fund("grant", "g", 100n));
    await sealAll();
    await ledger.post(spend("spent", "g", 10n));
    await ledger.post(draft("two lines", [move(fees, revenue, 1n), move(fees, revenue, 2n)]));
    await sealAll();
    await ledger.post(draft("fees", [move(fees, revenue, 5n)]));
    await sealAll();
    const entries = await ledger.owner.sql<{ id: bigint; source_key: string }[]>`
      select id, source_key from ledger.journal_entry`;
    ids = new Map(entries.map(({ id, source_key }) => [source_key, String(id)]));
  });
  afterAll(async () => {
    expect(await faultsNow()).toEqual([]);
    await close();
  });

  async function faultsAfter(damage: string, copy: SealStore | null = store): Promise<readonly SealFault[]> {
    const of = copy ?? undefined;
    const published = await of?.lastNumber();
    const verified = await lookAt(
      superuser,
      (tx) => withoutGuards(tx, damage),
      (tx) => verifySealsIn(tx, of, published),
    );
    return verified.faults;
  }

  test("untouched, everything verifies, with the copy and without", async () => {
    expect(await verifySeals(ledger.db, store)).toEqual({ faults: [], seals: 3, unsealedEntries: 0 });
    expect(await verifySeals(ledger.db)).toEqual({ faults: [], seals: 3, unsealedEntries: 0 });
  });

  test("every column of an entry and of a posting is under the seal", async () => {
    const columns = await ledger.owner.sql<{ table_name: string; column_name: string; data_type: string }[]>`
      select table_name, column_name, data_type from information_schema.columns
      where table_schema = 'ledger' and table_name in ('journal_entry', 'posting')`;
    expect(columns.length).toBeGreaterThan(20);
    for (const { table_name: table, column_name: column, data_type: type } of columns) {
      const key = keys[Math.floor(Math.random() * keys.length)] ?? "";
      const row = table === "posting" ? `entry_id = ${ids.get(key)} and line = 1` : `id = ${ids.get(key)}`;
      const generated = column === "id" ? "alter table ledger.journal_entry alter id drop identity;" : "";
      const damage = `${generated} update ledger.${table} set ${column} = ${otherValue(column, type)} where ${row}`;
      expect(await faultsAfter(damage), damage).toContainEqual(
        expect.objectContaining({ entryId: ids.get(key), problem: expect.stringMatching(/changed|cut/) }),
      );
      expect(await faultsAfter(damage, null), `${damage}, without a copy`).not.toEqual([]);
    }
  });

  test.each([
    {
      what: "a posting added to an entry",
      damage:
        () => `insert into ledger.posting select entry_id, 9, currency, credit_account, debit_account, amount
        from ledger.posting where entry_id = ${ids.get("spent")}`,
      found: () => [{ seal: 2, problem: "entry was changed", entryId: ids.get("spent"), sourceKey: "spent" }],
    },
    {
      what: "a posting taken away",
      damage: () => `delete from ledger.posting where entry_id = ${ids.get("two lines")} and line = 2`,
      found: () => [
        { seal: 2, problem: "entry was changed", entryId: ids.get("two lines"), sourceKey: "two lines" },
      ],
    },
    {
      what: "two amounts exchanged within an entry",
      damage: () => `update ledger.posting set amount = 3 - amount where entry_id = ${ids.get("two lines")}`,
      found: () => [
        { seal: 2, problem: "entry was changed", entryId: ids.get("two lines"), sourceKey: "two lines" },
      ],
    },
    {
      what: "an entry slipped in among sealed ones",
      damage: () => `insert into ledger.journal_entry overriding system value
        select 0, kind, 'slipped', request_hash, occurred_at, effective_at, recorded_at, recorded_xid, actor, cause_type,
          'slipped', customer_id, currency, null, metadata
        from ledger.journal_entry where source_key = 'spent'`,
      found: () => [{ seal: 2, problem: "entry was inserted", entryId: "0", sourceKey: "slipped" }],
    },
    {
      what: "an entry deleted",
      damage: () => `delete from ledger.posting where entry_id = ${ids.get("spent")};
        delete from ledger.journal_entry where id = ${ids.get("spent")}`,
      found: () => [{ seal: 2, problem: "entry was cut", entryId: ids.get("spent") }],
    },
    {
      what: "the newest entry cut off, and its seal with it",
      damage: () =>
        `delete from ledger.journal_entry where source_key = 'fees'; delete from ledger.seal where number = 3`,
      found: () => [
        { seal: 3, problem: "is published and not in the database" },
        { seal: 3, problem: "entry was cut", entryId: ids.get("fees") },
      ],
    },
    {
      what: "an account given to somebody else",
      damage: () => `update ledger.account set key = '2000/usd/customer=eve/grant=g', customer_id = 'eve',
        dimensions = '{"customer": "eve", "grant": "g"}' where code = '2000'`,
      found: () => [
        { seal: 1, problem: "entry was changed", entryId: ids.get("grant"), sourceKey: "grant" },
        { seal: 2, problem: "entry was changed", entryId: ids.get("spent"), sourceKey: "spent" },
      ],
    },
    {
      what: "a seal",
      damage: () =>
        `update ledger.seal set sealed_at = sealed_at - interval '1 microsecond' where number = 2`,
      found: () => [{ seal: 2, problem: "was changed" }],
    },
    {
      what: "an entry of a transaction to come, which no seal would ever cover",
      damage: () => `update ledger.journal_entry set recorded_xid = '9000000000' where source_key = 'fees'`,
      found: () => [
        { seal: 3, problem: "entry was cut", entryId: ids.get("fees") },
        {
          seal: 4,
          problem: "entry names a transaction that has not happened",
          entryId: ids.get("fees"),
          sourceKey: "fees",
        },
      ],
    },
  ])("$what", async ({ damage, found }) => {
    expect(await faultsAfter(damage())).toEqual(found());
  });

  test("a forger who seals everything anew satisfies the database, and not the copy", async () => {
    const forge = `update ledger.posting set amount = 6 where entry_id = ${ids.get("fees")};
      delete from ledger.seal;
      do $$ begin for i in 1..10 loop perform ledger.seal_closed_range(1); end loop; end $$`;
    expect(await faultsAfter(forge, null)).toEqual([]);
    const faults = await faultsAfter(forge);
    expect(faults[0]).toEqual({ seal: 1, problem: "was changed" });
    expect(faults).toContainEqual(
      expect.objectContaining({ problem: "entry was changed", entryId: ids.get("fees") }),
    );
  });
});

describe("sealing", () => {
  beforeEach(open);
  afterEach(close);

  test("an entry that commits late is in the next seal, not between two", async () => {
    await ledger.post(draft("before", [move(fees, revenue, 1n)]));
    await sealAll();
    const begun = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const late = ledger.db.orm.transaction(async (tx) => {
      await postEntries(tx, [draft("late", [move(fees, revenue, 1n)])]);
      begun.resolve();
      await commit.promise;
    });
    await begun.promise;
    await ledger.post(draft("early", [move(fees, revenue, 1n)]));
    expect(await sealLedger(ledger.db, store)).toBe(0); // "early" has the later transaction: it must wait
    commit.resolve();
    await late;
    await sealAll();
    expect(await verifySeals(ledger.db, store)).toMatchObject({ faults: [], seals: 2 });
    expect(published()[1]?.entries).toHaveLength(2);
  });

  test("seals are cut where a transaction ends", async () => {
    await ledger.post(...["a", "b", "c"].map((key) => draft(key, [move(fees, revenue, 1n)])));
    for (const key of ["d", "e", "f"]) await ledger.post(draft(key, [move(fees, revenue, 1n)]));
    await expect
      .poll(async () => {
        await ledger.db.sql`select ledger.seal_closed_range(2)`;
        return (await verifySeals(ledger.db)).unsealedEntries;
      })
      .toBe(0);
    const counts = await ledger.db.sql<{ entry_count: bigint }[]>`
      select entry_count from ledger.seal order by number`;
    expect(counts[0]?.entry_count).toBe(3n);
    expect(counts.reduce((sum, { entry_count }) => sum + entry_count, 0n)).toBe(6n);
    expect((await verifySeals(ledger.db)).faults).toEqual([]);
  });

  test("with nothing new there is no seal", async () => {
    await ledger.post(draft("only", [move(fees, revenue, 1n)]));
    await sealAll();
    expect(await sealLedger(ledger.db, store)).toBe(0);
    expect(published()).toHaveLength(1);
  });

  test("what was sealed and not published is published by the next run, and so is a torn line", async () => {
    await ledger.post(draft("first", [move(fees, revenue, 1n)]));
    await sealAll();
    const whole = readFileSync(file, "utf8");
    truncateSync(file, whole.length - 20);
    expect(await faultsNow(fileSealStore(file))).toEqual([]); // published is what is complete
    await sealLedger(ledger.db, fileSealStore(file));
    expect(published()).toHaveLength(1);
    expect(await faultsNow(fileSealStore(file))).toEqual([]);
  });

  test("a copy that was tampered with is noticed too", async () => {
    for (const key of ["one", "two"]) {
      await ledger.post(draft(key, [move(fees, revenue, 1n)]));
      await sealAll();
    }
    const [first = "", second = ""] = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, `${second}\n`);
    expect(await faultsNow(fileSealStore(file))).toEqual([{ seal: 1, problem: "is missing in the copy" }]);
    writeFileSync(file, `${first}\n${second.replace('"entryCount":1', '"entryCount":2')}\n`);
    expect(await faultsNow(fileSealStore(file))).toEqual([{ seal: 2, problem: "was changed" }]);
  });

  test("a copy that receives no seals any more is noticed, and so is the wrong file", async () => {
    await ledger.post(draft("sealed", [move(fees, revenue, 1n)]));
    await sealAll();
    const other = fileSealStore(join(folder, "other.jsonl"));
    expect((await verifySeals(ledger.db, other)).faults).toEqual([]); // it may still be on its way
    expect((await verifySeals(ledger.db, other, 0)).faults).toEqual([
      { seal: 1, problem: "is missing in the copy" },
    ]);
  });

  test("nothing is published on top of a ledger that lost its tail", async () => {
    await ledger.post(draft("cut", [move(fees, revenue, 1n)]));
    await sealAll();
    await superuser.orm.transaction((tx) =>
      withoutGuards(tx, "delete from ledger.journal_entry; delete from ledger.seal"),
    );
    await expect(sealLedger(ledger.db, store)).rejects.toThrow(LedgerSealBrokenError);
  });

  test("an entry that is changed before its seal is published is not vouched for", async () => {
    await ledger.post(draft("changed", [move(fees, revenue, 1n)]));
    await expect.poll(async () => (await ledger.db.sql`select ledger.seal_closed_range(10)`).length).toBe(1);
    await superuser.orm.transaction((tx) =>
      withoutGuards(tx, "update ledger.journal_entry set actor = 'eve'"),
    );
    await expect(sealLedger(ledger.db, store)).rejects.toThrow(LedgerSealBrokenError);
  });

  test("two sealers at once make one chain", async () => {
    const other = fileSealStore(file);
    for (let round = 0; round < 5; round++) {
      await ledger.post(draft(`round ${round}`, [move(fees, revenue, 1n)]));
      await Promise.all([sealLedger(ledger.db, store), sealLedger(ledger.db, other)]);
    }
    await sealAll();
    expect(await faultsNow()).toEqual([]);
    const numbers = published().map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test("the application can make seals and do nothing else with them", async () => {
    await ledger.post(draft("sealed", [move(fees, revenue, 1n)]));
    await sealAll();
    const { sql } = ledger.db;
    expect(await refusal(sql`insert into ledger.seal select * from ledger.seal`)).toBe("42501");
    expect(await refusal(sql`update ledger.seal set root = root`)).toBe("42501");
    expect(await refusal(sql`delete from ledger.seal`)).toBe("42501");
    expect(await refusal(ledger.owner.sql`delete from ledger.seal`)).toBe("RK001");
  });

  test("lines that are no seals are passed over", async () => {
    appendFileSync(file, "not JSON\n{}\n");
    await ledger.post(draft("sealed", [move(fees, revenue, 1n)]));
    await sealAll();
    expect(await verifySeals(ledger.db, fileSealStore(file))).toMatchObject({ faults: [], seals: 1 });
  });
});

function published(): { number: number; entries: unknown[] }[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** Another value of a column, as SQL, that its CHECK still lets through. */
function otherValue(column: string, type: string): string {
  if (column === "currency") return "'eur'";
  switch (type) {
    case "text":
      return `coalesce(${column}, '') || 'x'`;
    case "jsonb":
      return `${column} || '{"x": "y"}'`;
    case "bytea":
      return `'\\x01'`;
    case "xid8":
      return "'3'";
    case "timestamp with time zone":
      return `${column} + interval '1 microsecond'`;
    default:
      return `coalesce(${column}, 0) + 1000`;
  }
}
