import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectInvariants } from "../db/usage-fixture.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import { type ReaderProcess, startReaderProcess } from "./support/reader-process.ts";
import {
  acceptedSince,
  eventually,
  type LogUnderTest,
  openUsageLog,
  sentEvent,
  type UsageLogFixture,
} from "./support/usage-log-fixture.ts";

/** Readers are processes, as in production, and are killed, frozen and joined by others while producers go on. */
let fixture: UsageLogFixture;
let logFolder: string;
const readers: ReaderProcess[] = [];

beforeAll(async () => {
  fixture = await openUsageLog();
  logFolder = mkdtempSync(join(tmpdir(), "reckoner-usage-log-"));
});
afterAll(async () => {
  await Promise.all(readers.map((reader) => reader.kill()));
  await fixture.close();
  rmSync(logFolder, { recursive: true, force: true });
});

const partitions = 6;

async function startReader(log: LogUnderTest): Promise<ReaderProcess> {
  const reader = await startReaderProcess({
    brokers: fixture.broker.address,
    topic: log.name,
    databaseUrl: fixture.usage.appUrl,
    logFile: join(logFolder, `${readers.length}.log`),
  });
  readers.push(reader);
  return reader;
}

/** Which reader has claimed each partition last. */
async function claimants(log: LogUnderTest): Promise<Map<number, string>> {
  const found = await fixture.usage.db.sql<{ partition: number; claimed_by: string }[]>`
    select partition, claimed_by from usage.log_position where topic_id = ${log.id}`;
  return new Map(found.map(({ partition, claimed_by }) => [partition, claimed_by]));
}

const ofReader = (all: ReadonlyMap<number, string>, { pid }: ReaderProcess) =>
  [...all].filter(([, claimant]) => claimant.endsWith(`/${pid}`)).map(([partition]) => partition);

/** What was produced: each event once or, now and then, twice. */
class Production {
  events = 0;
  messages = 0;
  readonly #log: LogUnderTest;

  constructor(log: LogUnderTest) {
    this.#log = log;
  }

  async produce(): Promise<void> {
    const number = this.messages++;
    const events = Array.from({ length: 50 }, (_, n) => sentEvent(`${this.#log.name}/${number}/${n}`, n + 1));
    const message = { value: events, partition: number % partitions };
    await this.#log.send(message);
    this.events += events.length;
    // A producer that did not hear the answer sends again, here to another partition.
    if (number % 7 === 0) await this.#log.send({ ...message, partition: (number + 1) % partitions });
    if (number % 10 === 0) await this.#log.send({ value: "{ poison", partition: number % partitions });
  }

  /** For so long, without haste. */
  async during(work: () => Promise<void>): Promise<void> {
    const produce = async () => {
      await this.produce();
      await delay(20);
    };
    await whileRepeating([produce], work);
  }
}

test("readers are killed and others join: everything is counted once, and the positions are the ends", async () => {
  const log = await fixture.topic("killed", partitions);
  const accepted = await acceptedSince(fixture.usage);
  const production = new Production(log);
  const alive = await Promise.all([startReader(log), startReader(log), startReader(log)]);
  await production.during(async () => {
    for (let kill = 0; kill < 3; kill++) {
      const before = await accepted();
      await eventually(async () => (await accepted()) > before + 200);
      await alive.shift()?.kill();
      alive.push(await startReader(log));
    }
  });
  await log.readToEnd(30_000);
  expect(await accepted()).toBe(production.events);
  await expectInvariants(fixture.usage.db);
  const refusals = await log.refusals();
  expect(refusals).toHaveLength(Math.ceil(production.messages / 10));
  expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(["json_malformed"]));
  await Promise.all(alive.map((reader) => reader.stop()));
}, 90_000);

test("a zombie that comes back finds itself overtaken: it writes nothing more of what others have", async () => {
  const log = await fixture.topic("zombie", partitions);
  const accepted = await acceptedSince(fixture.usage);
  const production = new Production(log);
  const [zombie, heir] = await Promise.all([startReader(log), startReader(log)]);
  await eventually(async () => ofReader(await claimants(log), zombie).length === partitions / 2);
  await eventually(async () => ofReader(await claimants(log), heir).length === partitions / 2);
  await production.during(async () => {
    await eventually(async () => (await accepted()) > 200);
    zombie.freeze();
    // The group takes it for dead; the other one has all partitions and goes on.
    await eventually(async () => ofReader(await claimants(log), heir).length === partitions);
    const before = await accepted();
    await eventually(async () => (await accepted()) > before + 200);
    zombie.thaw();
    // It joins anew, and gets its part back from the group.
    await eventually(async () => ofReader(await claimants(log), zombie).length === partitions / 2);
  });
  await log.readToEnd(30_000);
  expect(await accepted()).toBe(production.events);
  await Promise.all([zombie.stop(), heir.stop()]);
}, 90_000);

test("a reader that is told to end leaves the group at once, with everything committed that was on its way", async () => {
  const log = await fixture.topic("stopped", partitions);
  const accepted = await acceptedSince(fixture.usage);
  const production = new Production(log);
  const [leaving, staying] = await Promise.all([startReader(log), startReader(log)]);
  await production.during(async () => {
    await eventually(async () => (await accepted()) > 200);
    await leaving.stop();
    await eventually(async () => ofReader(await claimants(log), staying).length === partitions, 5_000);
  });
  await log.readToEnd();
  expect(await accepted()).toBe(production.events);
  await staying.stop();
}, 60_000);
