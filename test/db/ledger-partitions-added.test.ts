import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { entryText, preparePartitions } from "../../src/db/ledger/ledger.ts";
import { openLedgerWriter } from "../../src/db/ledger/ledger-writer.ts";
import { createLogger } from "../../src/logger.ts";
import { startLedgerUpkeep } from "../../src/workers/ledger-upkeep.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import {
  at,
  draft,
  expectInvariants,
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

beforeEach(async () => {
  ledger = await openLedger({ poolSize: 6 });
});

afterEach(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const million = 1_000_000;
const prepare = () => inTransaction(ledger.db, (tx) => preparePartitions(tx, million));

/** Where the last range ends, in a ledger whose next entry is so many before that. */
async function beforeTheEnd(entries: number): Promise<bigint> {
  const [row] = await ledger.owner.sql<{ end: bigint }[]>`
    select end_id as end from ledger.entry_range order by number desc limit 1`;
  if (row === undefined) throw new Error("there is a range");
  await ledger.owner.sql`select setval('ledger.entry_id', ${row.end - BigInt(entries)}, false)`;
  return row.end;
}

const ranges = async () =>
  (
    await ledger.db.sql`select number, first_id::text, end_id::text from ledger.entry_range order by number`
  ).map(({ number, first_id: first, end_id: end }) => [number, first, end]);

describe("partitions are added before they are needed", () => {
  test("a whole range is free beyond the newest entry, however far that is", async () => {
    const initial = [
      [1, "1", "50000001"],
      [2, "50000001", "100000001"],
    ];
    expect(await ranges()).toEqual(initial);
    expect(await prepare()).toBe(0);
    await beforeTheEnd(10);
    expect(await prepare()).toBe(1);
    expect(await prepare()).toBe(0);
    expect(await ranges()).toEqual([...initial, [3, "100000001", "101000001"]]);
    await ledger.owner.sql`select setval('ledger.entry_id', 103000000)`;
    expect(await prepare()).toBe(3);
    expect((await ranges()).at(-1)).toEqual([6, "103000001", "104000001"]);
  });

  test("a new partition has every index, rule and trigger of its table", async () => {
    await beforeTheEnd(10);
    await prepare();
    const of = async (name: string) => {
      const [row] = await ledger.owner.sql`
        select
          (select array_agg(regexp_replace(indexdef, '^.* USING ', '') order by regexp_replace(indexdef, '^.* USING ', ''))
            from pg_indexes where schemaname = 'ledger' and tablename = ${name}) as indexes,
          (select array_agg(concat_ws(' ', conname, contype, pg_get_constraintdef(oid)) order by conname)
            from pg_constraint where conrelid = ('ledger.' || ${name}::text)::regclass and contype <> 'p') as constraints,
          (select array_agg(concat_ws(' ', tgname, tgtype, tgenabled, tgfoid::regproc) order by tgname)
            from pg_trigger where tgrelid = ('ledger.' || ${name}::text)::regclass) as triggers`;
      return row;
    };
    for (const table of ["journal_entry", "posting"]) {
      const first = await of(`${table}_1`);
      expect(first?.indexes.length).toBeGreaterThan(2);
      expect(await of(`${table}_3`)).toEqual(first);
    }
  });

  test("while everybody posts: nobody fails, nobody waits for somebody who waits for them", async () => {
    await ledger.post(fund("funded", "g", 1_000_000n));
    const failures = new Set<string>();
    let [sent, posted] = [0, 0];
    const post = async () => {
      const n = sent++;
      const entries = [spend(`${n}/spent`, "g", 1n), draft(`${n}/fee`, [move(fees, revenue, 1n)])];
      // A single statement, which nobody sends again.
      const batch = `[${entries.map((entry) => entryText(entry, "test")).join()}]`;
      const code = await refusal(
        ledger.db.sql`select from ledger.post_entries(${batch}::text::jsonb)`.then((found) => {
          posted += found.length;
        }),
      );
      if (code !== "done") failures.add(code);
    };
    await whileRepeating([post, post, post, post], async () => {
      for (let added = 0; added < 5; ) {
        // So many that even a slow machine has not posted them before the partition is there.
        const end = await beforeTheEnd(1_500);
        // Two at once: the second finds what the first has added.
        const [one, other] = await Promise.all([prepare(), prepare()]);
        expect([one, other].sort()).toEqual([0, 1]);
        added += one + other;
        await until(async () => (await newestEntry()) > end);
      }
    });
    expect([...failures]).toEqual([]);
    expect(posted).toBeGreaterThan(1_500);
    const [count] = await ledger.db.sql`select count(*)::int as entries from ledger.journal_entry`;
    expect(count?.entries).toBe(posted + 1);
  });
});

async function newestEntry(): Promise<bigint> {
  const [row] = await ledger.db.sql<{ newest: bigint }[]>`select max(id) as newest from ledger.journal_entry`;
  return row?.newest ?? 0n;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("waited 20 seconds in vain");
    await delay(10);
  }
}

describe("when no partition is left", () => {
  const batch = [1, 2, 3].map((n) => draft(`late/${n}`, [move(fees, revenue, 1n)]));

  test("a batch that would cross the end is refused whole, in words, and passes once there is room", async () => {
    await beforeTheEnd(2);
    const [first] = batch;
    if (first === undefined) throw new Error("the batch has a first entry");
    await expect(ledger.post(...batch)).rejects.toMatchObject({
      cause: { code: "53000", message: expect.stringContaining("no partition left") },
    });
    for (const table of ["journal_entry", "posting", "entry_key", "account", "balance_delta"]) {
      expect(await ledger.db.sql`select from ledger.${ledger.db.sql(table)}`, table).toHaveLength(0);
    }
    expect(await prepare()).toBe(2);
    expect(await ledger.post(...batch)).toEqual(["created", "created", "created"]);
  });

  test("reads go on, and a writer waits for room", async () => {
    await ledger.post(draft("early", [move(fees, revenue, 1n)]));
    await beforeTheEnd(0);
    const writer = openLedgerWriter({ url: ledger.appUrl, patienceMs: 20_000 });
    let isPosted = false;
    const posting = Promise.all(batch.map((entry) => writer.post(entry))).finally(() => {
      isPosted = true;
    });
    await delay(200);
    expect(isPosted).toBe(false);
    expect(await ledger.db.sql`select from ledger.journal_entry`).toHaveLength(1);
    await prepare();
    expect((await posting).map(({ status }) => status)).toEqual(["created", "created", "created"]);
    await writer.close();
  });

  test("the upkeep has added one long before", async () => {
    await beforeTheEnd(40_000_000);
    const output = new PassThrough({ encoding: "utf8" });
    const logger = createLogger({ level: "info", format: "json" }, "test", output);
    const upkeep = startLedgerUpkeep({
      db: ledger.db,
      now: () => at,
      logger,
      metrics: new Registry(),
      everyMs: 20,
    });
    await until(async () => (await ranges()).length === 3);
    await upkeep.stop();
    expect((await ranges()).at(-1)).toEqual([3, "100000001", "150000001"]);
  });
});
