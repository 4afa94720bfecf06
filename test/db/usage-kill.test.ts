import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { eventCounts } from "../../src/db/usage/usage-reads.ts";
import { instant, instantOfEpochMs, period } from "../../src/domain/calendar/index.ts";
import { type KillablePostgres, openKillablePostgres } from "../support/killable-postgres.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import { addCustomer, expectInvariants, ingest, meterOf, usageEvent } from "./usage-fixture.ts";

let server: KillablePostgres;
let db: Database;

beforeAll(async () => {
  // A killed server, unlike a power cut, leaves to the kernel what it has written.
  server = await openKillablePostgres({ fsync: "off" });
  db = openDatabase({ url: server.appUrl, poolSize: writers });
  await addCustomer(db, "acme");
});

afterAll(async () => {
  await db.close();
  await server.remove();
});

const writers = 4;
const kills = 3;
const batchSize = 50;
let interruptions = 0;
const midnight = instant("2026-01-15T00:00:00Z");

test("fault 28: the server is killed under writers that retry; nothing is lost, nothing is counted twice", async () => {
  const acknowledged: number[] = Array.from({ length: writers }, () => 0);
  const writing = acknowledged.map((_, writer) => async () => {
    await insist(batchOf(writer, acknowledged[writer] ?? 0));
    acknowledged[writer] = (acknowledged[writer] ?? 0) + 1;
  });
  await whileRepeating(writing, async () => {
    for (let kill = 0; kill < kills; kill++) {
      const before = sumOf(acknowledged);
      await expect.poll(() => sumOf(acknowledged), { timeout: 20_000 }).toBeGreaterThan(before + 3 * writers);
      await server.kill();
      await server.restart();
    }
  });

  expect(interruptions).toBeGreaterThanOrEqual(kills);
  const batches = sumOf(acknowledged);
  const events = BigInt(batches * batchSize);
  expect((await eventCounts(db.orm)).accepted).toBe(Number(events));
  const day = period(midnight, instantOfEpochMs(midnight + 86_400_000));
  const request = {
    customerId: "acme",
    meter: meterOf("tokens"),
    period: day,
    groupBy: [],
  };
  const [tokens] = await usageQuantities(db.orm, request);
  expect(tokens?.eventCount).toBe(events);
  expect(tokens?.quantity.text).toBe(String(batches * 1225)); // 0 + 1 + … + 49 in each batch
  await expectInvariants(db);
}, 120_000);

function batchOf(writer: number, batch: number) {
  return Array.from({ length: batchSize }, (_, n) =>
    usageEvent({
      id: `${writer}/${batch}/${n}`,
      time: instantOfEpochMs(midnight + ((batch * 7 + n) % 24) * 3_600_000),
      data: { model: n % 2 === 0 ? "large" : "small", tokens: n },
    }),
  );
}

/** Sends until it is answered, and then once more: an answer that was lost looks just like this. */
async function insist(batch: ReturnType<typeof batchOf>): Promise<void> {
  for (let answers = 0; answers < 2; ) {
    const outcomes = await ingest(db, batch).catch(() => undefined);
    if (outcomes === undefined) {
      interruptions++;
      await delay(50);
    } else if (answers++ === 1) expect(new Set(outcomes)).toEqual(new Set(["duplicate"]));
  }
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
