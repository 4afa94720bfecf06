import type postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { IngestOutcome } from "../../src/db/usage/usage-ingest.ts";
import { type CommittedBatch, openUsageWriter, type UsageWriter } from "../../src/db/usage/usage-writer.ts";
import type { Meter, UsageEvent } from "../../src/domain/metering/index.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { expectInvariants, openUsage, type UsageFixture, usageEvent } from "./usage-fixture.ts";

let fixture: UsageFixture;
let writer: UsageWriter;
const batches: CommittedBatch[] = [];

beforeAll(async () => {
  fixture = await openUsage();
  writer = openUsageWriter({ url: fixture.appUrl, onBatch: (batch) => void batches.push(batch) });
});
afterEach(() => expectInvariants(fixture.db));
afterAll(async () => {
  await writer.close();
  await fixture.close();
});

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const event = (id: string, over: Partial<UsageEvent> = {}) => usageEvent({ id, ...over });

const statusesOf = (outcomes: readonly IngestOutcome[]) => outcomes.map(({ status }) => status);

async function publish(meter: Meter, sql: postgres.ISql = fixture.owner.sql): Promise<void> {
  await sql`
    insert into catalog.meter (key, version, definition) values (${meter.key}, 1, ${JSON.stringify(meter)}::text::jsonb)`;
}

/** Holds publications' lock, on which every batch waits, until `over`. */
async function holdUp<Result>(work: () => Promise<Result>): Promise<Result> {
  const held = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const holding = fixture.owner.sql.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('catalog', 0))`;
    held.resolve();
    await over.promise;
  });
  await held.promise;
  try {
    return await work();
  } finally {
    over.resolve();
    await holding;
  }
}

/** The backends of writers that wait for a lock. */
async function waitingBackends(): Promise<number[]> {
  const found = await fixture.db.sql<{ pid: number }[]>`
    select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'reckoner usage writer'
      and datname = current_database()`;
  return found.map(({ pid }) => pid);
}

describe("callers at the same time", () => {
  test("share a commit, and each gets the outcomes of its own events in their order", async () => {
    await writer.take([event("own/old"), event("own/contradicted")]);
    batches.length = 0;
    const answers = await Promise.all(
      times(100, async (n) => ({
        n,
        outcomes: await writer.take([
          event(`own/${n}`),
          event("own/old"),
          event("own/contradicted", { data: { model: "large", tokens: n } }),
          event(`own/negative/${n}`, { data: { model: "large", tokens: -1 } }),
          event(`own/${n}`),
          event(`own/stranger/${n}`, { customerId: "stranger" }),
        ]),
      })),
    );
    const expected = ["accepted", "duplicate", "conflict", "invalid", "duplicate", "quarantined"];
    for (const { n, outcomes } of answers) expect(statusesOf(outcomes), String(n)).toEqual(expected);
    expect(batches.map(({ callers, events }) => ({ callers, events }))).toEqual([
      { callers: 100, events: 600 },
    ]);
  });

  test("who bring the same event get accepted once and duplicate otherwise", async () => {
    const outcomes = await Promise.all(times(50, () => writer.take([event("twins")])));
    const statuses = statusesOf(outcomes.flat()).toSorted();
    expect(statuses).toEqual(["accepted", ...times(49, () => "duplicate")]);
  });

  test("do not grow a batch beyond its limit; what is left over goes with the next ones", async () => {
    const small = openUsageWriter({
      url: fixture.appUrl,
      batchMax: 10,
      onBatch: (batch) => void batches.push(batch),
    });
    batches.length = 0;
    const outcomes = await Promise.all(
      times(9, (n) => small.take(times(4, (m) => event(`limit/${n}/${m}`)))),
    );
    await small.close();
    expect(statusesOf(outcomes.flat())).toEqual(times(36, () => "accepted"));
    expect(batches.map(({ events }) => events).toSorted()).toEqual([4, 8, 8, 8, 8]); // two callers of 4 fit into 10
  });
});

test("repeats are found whether they were expected or not: against what is stored, and within a batch", async () => {
  const alone = openUsageWriter({ url: fixture.appUrl, batchesInFlight: 1 });
  const take = async (...ids: string[]) =>
    statusesOf(await alone.take(ids.map((id) => event(`repeat/${id}`))));
  expect(await take("1", "2")).toEqual(["accepted", "accepted"]);
  expect(await take("3", "1", "4", "3")).toEqual(["accepted", "duplicate", "accepted", "duplicate"]);
  expect(await take("5", "4")).toEqual(["accepted", "duplicate"]);
  // So many without a repeat that none is expected any more.
  for (let batch = 0; batch < 101; batch++) expect(await take(`quiet/${batch}`)).toEqual(["accepted"]);
  expect(await take("6", "6", "quiet/0")).toEqual(["accepted", "duplicate", "duplicate"]);
  await alone.close();
});

test("an event that the tables refuse is invalid alone, whoever it came with", async () => {
  await fixture.owner.sql`alter table usage.event add constraint no_poison check (id not like 'poison/%')`;
  const answers = await Promise.all([
    ...times(20, (n) => writer.take([event(`healthy/${n}`)])),
    writer.take([event("mixed/1"), event("poison/1"), event("mixed/2")]),
    writer.take([event("poison/2")]),
  ]);
  expect(answers.slice(0, 20).map(statusesOf)).toEqual(times(20, () => ["accepted"]));
  expect(answers.slice(20).map(statusesOf)).toEqual([["accepted", "invalid", "accepted"], ["invalid"]]);
  const [refused] = answers[21] ?? [];
  expect(refused).toMatchObject({ refusal: { code: "usage_event_refused" } });
});

describe("meters that are published between measuring and storing", () => {
  test("measure what was on its way: nothing is stored that was measured without them", async () => {
    const meter: Meter = { key: "late", eventType: "late", aggregation: "count", dimensions: [] };
    const late = [event("late/1", { type: "late" })];
    // The writer knows the meters of before.
    expect(statusesOf(await writer.take([event("late/before")]))).toEqual(["accepted"]);
    const publication = fixture.owner.sql.begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(hashtextextended('catalog', 0))`;
      const taken = writer.take(late);
      await expect.poll(waitingBackends).toHaveLength(1);
      await publish(meter, sql);
      return { taken };
    });
    expect(statusesOf(await (await publication).taken)).toEqual(["accepted"]);
    const measured = await fixture.db.sql`
      select key from usage.event join catalog.meter on number = any (meters) where id = 'late/1'`;
    expect(measured.map(({ key }) => key)).toEqual(["late"]);
  });

  test("wait for what is on its way, so who has published them finds it stored", async () => {
    const held = await fixture.owner.sql.begin(async (sql) => {
      await sql`lock table usage.event_key in exclusive mode`;
      const taken = writer.take([event("publication/1", { type: "unknown" })]);
      await expect.poll(waitingBackends).toHaveLength(1);
      expect(await canPublish()).toBe(false);
      return { taken };
    });
    expect(statusesOf(await held.taken)).toEqual(["quarantined"]);
    expect(await canPublish()).toBe(true);
  });

  async function canPublish(): Promise<boolean> {
    const [row] = await fixture.db.sql`
      select pg_try_advisory_xact_lock(hashtextextended('catalog', 0)) as had`;
    return row?.had;
  }
});

describe("when the database is away", () => {
  test("a batch whose connection is lost goes again: nothing is lost or counted twice", async () => {
    const before = await acceptedLike("lost/%");
    const taken = await holdUp(async () => {
      const answers = times(30, (n) => writer.take([event(`lost/${n}`)]));
      await expect.poll(waitingBackends).toHaveLength(1);
      for (const pid of await waitingBackends()) await fixture.db.sql`select pg_terminate_backend(${pid})`;
      return answers;
    });
    expect(statusesOf((await Promise.all(taken)).flat())).toEqual(times(30, () => "accepted"));
    expect((await acceptedLike("lost/%")) - before).toBe(30);
  });

  test("a caller is told so when its patience is over, and the writer lives on", async () => {
    const url = `postgres://nobody:nothing@127.0.0.1:${await freePort()}/none`;
    const cutOff = openUsageWriter({ url, patienceMs: 200 });
    await expect(cutOff.take([event("away")])).rejects.toMatchObject({ code: "usage_writer_unavailable" });
    await expect(cutOff.take([event("away")])).rejects.toMatchObject({ code: "usage_writer_unavailable" });
    await cutOff.close();
  });

  async function acceptedLike(pattern: string): Promise<number> {
    const [row] = await fixture.db.sql`select count(*) from usage.event where id like ${pattern}`;
    return Number(row?.count);
  }
});

test("more than may wait is refused at once, and welcome later", async () => {
  const narrow = openUsageWriter({ url: fixture.appUrl, batchesInFlight: 1, queueMax: 100 });
  const { first, second } = await holdUp(async () => {
    const first = narrow.take([event("queue/1")]);
    await expect.poll(waitingBackends).toHaveLength(1);
    const second = narrow.take(times(100, (n) => event(`queue/2/${n}`)));
    expect(narrow.waiting).toBe(100);
    await expect(narrow.take([event("queue/3")])).rejects.toMatchObject({ code: "usage_writer_busy" });
    return { first, second };
  });
  expect(statusesOf([...(await first), ...(await second)])).toEqual(times(101, () => "accepted"));
  expect(statusesOf(await narrow.take([event("queue/3")]))).toEqual(["accepted"]);
  await narrow.close();
});

test("closing waits for what was taken and takes nothing more", async () => {
  const closing = openUsageWriter({ url: fixture.appUrl });
  const taken = times(10, (n) => closing.take([event(`closing/${n}`)]));
  await closing.close();
  expect(statusesOf((await Promise.all(taken)).flat())).toEqual(times(10, () => "accepted"));
  await expect(closing.take([event("closing/late")])).rejects.toMatchObject({ code: "usage_writer_closed" });
});

test("nothing is no work", async () => {
  expect(await writer.take([])).toEqual([]);
});
