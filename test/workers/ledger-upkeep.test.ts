import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileSealStore, type SealStore, verifySeals } from "../../src/db/seals/ledger-seals.ts";
import { createLogger } from "../../src/logger.ts";
import { startLedgerUpkeep } from "../../src/workers/ledger-upkeep.ts";
import { at, draft, fees, type LedgerFixture, move, openLedger, revenue } from "../db/ledger-fixture.ts";
import { sharedServer } from "../support/shared-servers.ts";

let ledger: LedgerFixture;
let admin: postgres.Sql;

beforeAll(async () => {
  ledger = await openLedger();
  admin = postgres((await sharedServer("postgres")).adminUrl, { max: 1, onnotice: () => {} });
});

afterAll(async () => {
  await admin.end();
  await ledger.close();
});

function upkeep(seals?: SealStore) {
  const output = new PassThrough({ encoding: "utf8" });
  const lines: string[] = [];
  output.on("data", (line: string) => lines.push(JSON.parse(line).msg));
  const metrics = new Registry();
  const logger = createLogger({ level: "info", format: "json" }, "test", output);
  const { stop } = startLedgerUpkeep({ db: ledger.db, now: () => at, seals, logger, metrics, everyMs: 20 });
  const folded = async () => {
    const counted = await metrics.getSingleMetric("reckoner_ledger_folded_deltas_total")?.get();
    return counted?.values[0]?.value;
  };
  return { lines, folded, stop };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("waited 10 seconds in vain");
    await delay(10);
  }
}

const postFee = (sourceKey: string) => ledger.post(draft(sourceKey, [move(fees, revenue, 1n)]));

const unfolded = async () => (await ledger.db.sql`select from ledger.balance_delta`).length;

test("what is posted to hot accounts is folded and counted, until it is stopped", async () => {
  const { lines, folded, stop } = upkeep();
  await postFee("fee/1");
  await until(async () => (await folded()) === 2);
  expect(await unfolded()).toBe(0);
  await stop();
  await postFee("fee/2");
  await delay(100);
  expect(await unfolded()).toBe(2);
  expect({ folded: await folded(), lines }).toEqual({ folded: 2, lines: [] });
});

test("what is posted is sealed, with a copy outside the database", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-seals-"));
  const store = fileSealStore(join(folder, "seals.jsonl"));
  const { stop } = upkeep(store);
  try {
    await postFee("fee/sealed");
    const all = async () => {
      const { unsealed, seals } = await verifySeals(ledger.db, store);
      // The copy follows the seal in a transaction of its own.
      return Object.keys(unsealed).length === 0 && (await store.last())?.number === seals;
    };
    await until(all);
    await until(async () => (await unfolded()) === 0);
    expect((await verifySeals(ledger.db, store)).findings).toEqual([]);
    expect(readFileSync(join(folder, "seals.jsonl"), "utf8")).not.toBe("");
  } finally {
    await stop();
    rmSync(folder, { recursive: true });
  }
});

test("what fails holds up nothing else", async () => {
  const mayFold = (may: "grant" | "revoke") =>
    ledger.owner.sql.unsafe(
      `${may} execute on function ledger.fold_hot_balances ${may === "grant" ? "to" : "from"} reckoner_app`,
    );
  await mayFold("revoke");
  await ledger.owner.sql`select setval('ledger.entry_id', 99000000)`;
  const { lines, folded, stop } = upkeep();
  const ranges = async () => (await ledger.db.sql`select from ledger.entry_range`).length;
  await until(async () => (await ranges()) === 3 && lines.length > 0);
  expect({ folded: await folded(), lines }).toEqual({
    folded: 0,
    lines: ["the ledger cannot be kept up; trying again"],
  });
  await mayFold("grant");
  await until(() => lines.length > 1);
  expect(lines.at(-1)).toBe("the ledger is kept up again");
  await stop();
});

test("a database that is away is waited for, with one line when it goes and one when it is back", async () => {
  const { lines, folded, stop } = upkeep();
  await postFee("fee/before");
  await until(async () => (await folded()) === 2);
  const [row] = await ledger.db.sql`select current_database() as name`;
  const allowConnections = (allowed: boolean) =>
    admin.unsafe(`alter database "${row?.name}" with allow_connections ${allowed}`);

  await allowConnections(false);
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${row?.name}`;
  await until(() => lines.length > 0);
  await delay(200); // some ten more failures
  expect(lines).toEqual(["the ledger cannot be kept up; trying again"]);

  await allowConnections(true);
  await until(() => lines.length > 1);
  await postFee("fee/3");
  await until(async () => (await folded()) === 4);
  expect(lines).toEqual(["the ledger cannot be kept up; trying again", "the ledger is kept up again"]);
  await stop();
});
