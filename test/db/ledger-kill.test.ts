import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { postEntries } from "../../src/db/ledger/ledger.ts";
import { type KillablePostgres, openKillablePostgres } from "../support/killable-postgres.ts";
import { expectInvariants, fund } from "./ledger-fixture.ts";
import { InsistingWriters, pool } from "./ledger-kill-writers.ts";

const kills = process.env.NIGHTLY === "1" ? 100 : 25;
const seed = 20260115;

let server: KillablePostgres;
let db: Database;

beforeAll(async () => {
  // With every setting that durability needs: fsync and synchronous commit are on.
  server = await openKillablePostgres();
  db = openDatabase({ url: server.appUrl, poolSize: 1 });
  await inTransaction(db, (tx) => postEntries(tx, [fund("pool", pool, 10n ** 9n)]));
});

afterAll(async () => {
  await server.remove();
});

test(
  "fault 52 and 54: killed under six writers that insist, nothing acknowledged is lost, doubled or divergent",
  async () => {
    const writers = new InsistingWriters(server.appUrl);
    const writing = writers.run();
    const random = randomOf(seed);
    for (let kill = 1; kill <= kills; kill++) {
      const before = writers.entries.size;
      while (writers.entries.size < before + 100 + random(400)) await delay(1);
      await delay(random(50));
      const acknowledged = new Set(writers.entries.keys());
      await db.close();
      await server.kill();
      await server.restart();
      db = openDatabase({ url: server.appUrl, poolSize: 1 });
      expect(await lost(acknowledged), `after kill ${kill}`).toEqual([]);
      // Everything is added up again, which takes ever longer.
      if (kill % 5 === 0) await expectInvariants(db);
    }
    writers.end();
    await writing;

    expect(writers.interrupted).toBeGreaterThan(2 * kills);
    expect(await recorded()).toEqual([...writers.entries].map(([key, id]) => `${key} ${id}`).sort());
    expect(await holds()).toEqual([...writers.holds].map(([key, outcome]) => `${key} ${outcome}`).sort());
    await expectInvariants(db);
    const { entries, interrupted, untold } = writers;
    console.info(
      `${kills} kills: ${entries.size} entries acknowledged, ${interrupted} requests cut off, ${untold} entries untold`,
    );
  },
  kills * 10_000,
);

async function lost(acknowledged: ReadonlySet<string>): Promise<string[]> {
  const found = new Set((await recorded()).map((entry) => entry.slice(0, entry.lastIndexOf(" "))));
  return [...acknowledged].filter((key) => !found.has(key));
}

/** Every entry but the first, as "key id". */
async function recorded(): Promise<string[]> {
  const found = await db.sql<{ entry: string }[]>`
    select source_key || ' ' || id as entry from ledger.journal_entry where source_key <> 'pool'`;
  return found.map(({ entry }) => entry).sort();
}

async function holds(): Promise<string[]> {
  const found = await db.sql<{ hold: string }[]>`
    select source_key || ' ' || coalesce(outcome, 'open') as hold
    from ledger.hold left join ledger.hold_resolution on hold_id = id`;
  return found.map(({ hold }) => hold).sort();
}

/** Whole numbers below a limit, the same for the same seed (a linear congruence; its high bits are good enough here). */
function randomOf(start: number): (below: number) => number {
  let state = BigInt(start);
  return (below) => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(below));
  };
}
