import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClaimedPosition, LogTopic } from "../../src/db/usage/usage-log.ts";
import {
  type LogBatch,
  openUsageLogWriter,
  type UsageLogWriter,
} from "../../src/db/usage/usage-log-writer.ts";
import { eventCounts } from "../../src/db/usage/usage-reads.ts";
import type { UsageEvent } from "../../src/domain/metering/index.ts";
import { UsageEventInvalidError } from "../../src/domain/metering/index.ts";
import { expectInvariants, openUsage, type UsageFixture, usageEvent } from "../db/usage-fixture.ts";

/** Positions and events in one commit, on a real database; the log itself is played. */
let fixture: UsageFixture;
const writers: UsageLogWriter[] = [];

beforeAll(async () => {
  fixture = await openUsage();
});
afterAll(async () => {
  await expectInvariants(fixture.db);
  await Promise.all(writers.map((writer) => writer.close()));
  await fixture.close();
});

function openWriter(): UsageLogWriter {
  const options = { url: fixture.appUrl, applicationName: "writer under test", patienceMs: 5_000 };
  const writer = openUsageLogWriter(options, { current: undefined });
  writers.push(writer);
  return writer;
}

const newTopic = (name: string): LogTopic => ({ name, id: randomUUID() });
const fromStart = (partitions: number) =>
  new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0n]));

/** One message at a position, with these events. */
function batchAt(
  { partition, claim, nextOffset }: ClaimedPosition,
  ...events: readonly UsageEvent[]
): LogBatch {
  return {
    moves: [{ partition, claim, expected: nextOffset, next: nextOffset + 1n }],
    events,
    refusals: [],
    refused: (index, refusal) => ({
      partition,
      offset: nextOffset,
      eventNumber: index + 1,
      refusal,
      content: Buffer.from(`event ${index}`),
    }),
  };
}

const accepted = async () => (await eventCounts(fixture.db.orm)).accepted;

const positionsOf = async ({ id }: LogTopic) =>
  (
    await fixture.db.sql<{ next_offset: bigint }[]>`
      select next_offset from usage.log_position where topic_id = ${id} order by partition`
  ).map(({ next_offset }) => next_offset);

async function claimed(writer: UsageLogWriter, topic: LogTopic, partitions = 1): Promise<ClaimedPosition[]> {
  return await writer.claim(topic, "a reader", fromStart(partitions));
}

async function claimedOne(writer: UsageLogWriter, topic: LogTopic): Promise<ClaimedPosition> {
  const [position] = await claimed(writer, topic);
  if (position === undefined) throw new Error("nothing was claimed");
  return position;
}

describe("a position", () => {
  test("begins where the log does, and goes on where it was left, for whoever claims it", async () => {
    const [topic, writer] = [newTopic("begins"), openWriter()];
    const starts = new Map([
      [0, 0n],
      [1, 40n],
    ]);
    const first = await writer.claim(topic, "one", starts);
    expect(first.map(({ nextOffset }) => nextOffset)).toEqual([0n, 40n]);
    await writer.write(topic, batchAt(first[1] as ClaimedPosition, usageEvent({ id: "begins" })));
    const second = await openWriter().claim(topic, "another", starts);
    expect(second).toEqual([
      { partition: 0, nextOffset: 0n, claim: 1n },
      { partition: 1, nextOffset: 41n, claim: 1n },
    ]);
  });

  test("moves with its events or not at all", async () => {
    const [topic, writer] = [newTopic("atomic"), openWriter()];
    const [zero, one] = (await claimed(writer, topic, 2)) as [ClaimedPosition, ClaimedPosition];
    const before = await accepted();
    const stale = { ...batchAt(one).moves[0], expected: 7n, next: 8n };
    const batch = { ...batchAt(zero, usageEvent({ id: "atomic" })), moves: [...batchAt(zero).moves, stale] };
    await expect(writer.write(topic, batch as LogBatch)).rejects.toMatchObject({ code: "usage_log_fenced" });
    expect([await accepted(), await positionsOf(topic)]).toEqual([before, [0n, 0n]]);
    await writer.write(topic, batchAt(zero, usageEvent({ id: "atomic" })));
    expect([await accepted(), await positionsOf(topic)]).toEqual([before + 1, [1n, 0n]]);
  });

  test("of a topic that was made anew is not that of the old one", async () => {
    const writer = openWriter();
    await claimed(writer, newTopic("anew"));
    await expect(claimed(writer, newTopic("anew"))).rejects.toMatchObject({
      code: "usage_log_topic_replaced",
    });
  });
});

describe("who was overtaken", () => {
  test("writes nothing and moves nothing, however late it comes", async () => {
    const [topic, zombie, heir] = [newTopic("zombie"), openWriter(), openWriter()];
    const old = await claimedOne(zombie, topic);
    const current = await claimedOne(heir, topic);
    await heir.write(topic, batchAt(current, usageEvent({ id: "zombie/heir" })));
    const before = await accepted();
    for (const nextOffset of [0n, 1n]) {
      const late = zombie.write(topic, batchAt({ ...old, nextOffset }, usageEvent({ id: "zombie/late" })));
      await expect(late).rejects.toMatchObject({ code: "usage_log_fenced" });
    }
    expect([await accepted(), await positionsOf(topic)]).toEqual([before, [1n]]);
  });

  test("is waited for when it is committing: the heir goes on behind it", async () => {
    const topic = newTopic("committing");
    const old = await claimedOne(openWriter(), topic);
    const holding = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const committing = fixture.db.sql.begin(async (sql) => {
      const move = [{ partition: 0, claim: String(old.claim), expected: "0", next: "5" }];
      await sql`select usage.advance_log(${topic.id}, ${JSON.stringify(move)}::text::jsonb)`;
      holding.resolve();
      await over.promise;
    });
    await holding.promise;
    const claiming = claimedOne(openWriter(), topic);
    await expect.poll(waitsForLock).toBe(true);
    over.resolve();
    await committing;
    expect(await claiming).toMatchObject({ nextOffset: 5n, claim: 1n });
  });

  test("has written the same batch before: a second time is refused, not counted", async () => {
    const [topic, writer] = [newTopic("again"), openWriter()];
    const batch = batchAt(await claimedOne(writer, topic), usageEvent({ id: "again" }));
    await writer.write(topic, batch);
    await expect(writer.write(topic, batch)).rejects.toMatchObject({ code: "usage_log_fenced" });
  });
});

/** Somebody who claims waits for somebody who moves on. */
async function waitsForLock(): Promise<boolean> {
  const [found] = await fixture.db.sql<[{ waiting: bigint }]>`
    select count(*) as waiting from pg_stat_activity
    where application_name = 'writer under test' and wait_event_type = 'Lock' and datname = current_database()`;
  return found.waiting > 0n;
}

test("an event that the tables refuse is kept with its reason, and all others are counted", async () => {
  const [topic, writer] = [newTopic("refused"), openWriter()];
  const before = await accepted();
  await fixture.owner.sql.unsafe("alter table usage.event add constraint not_this check (id <> 'refused/3')");
  try {
    const events = Array.from({ length: 8 }, (_, n) => usageEvent({ id: `refused/${n}` }));
    const outcomes = await writer.write(topic, batchAt(await claimedOne(writer, topic), ...events));
    expect(outcomes.map(({ status }) => status)).toEqual(
      events.map((_, n) => (n === 3 ? "invalid" : "accepted")),
    );
  } finally {
    await fixture.owner.sql.unsafe("alter table usage.event drop constraint not_this");
  }
  expect([await accepted(), await positionsOf(topic)]).toEqual([before + 7, [1n]]);
  const kept = await fixture.db.sql`
    select event_number, code, convert_from(content, 'UTF8') as content from usage.log_refusal where topic_id = ${topic.id}`;
  expect([...kept]).toEqual([{ event_number: 4, code: "usage_event_refused", content: "event 3" }]);
});

test("what is wrong is kept even when the words that say so cannot be stored as they are", async () => {
  const [topic, writer] = [newTopic("words"), openWriter()];
  const position = await claimedOne(writer, topic);
  const refusal = new UsageEventInvalidError("a\u0000b is no field", "a\ud800");
  const content = Buffer.from([0, 255]);
  const refused = { partition: 0, offset: 0n, eventNumber: 0, refusal, content };
  await writer.write(topic, { ...batchAt(position), refusals: [refused] });
  const kept = await fixture.db
    .sql`select field, detail, content from usage.log_refusal where topic_id = ${topic.id}`;
  expect([...kept]).toEqual([{ field: "a\ufffd", detail: "a\ufffdb is no field", content }]);
});

test("a position goes back only with a new claim, and nobody may remove or rename it", async () => {
  const [topic, writer] = [newTopic("forward"), openWriter()];
  await writer.write(topic, batchAt(await claimedOne(writer, topic), usageEvent({ id: "forward" })));
  const { sql } = fixture.owner;
  const codeOf = (statement: Promise<unknown>) =>
    statement.then(
      () => "done",
      (error: { code: string }) => error.code,
    );
  expect(await codeOf(sql`update usage.log_position set next_offset = 0 where topic_id = ${topic.id}`)).toBe(
    "RK011",
  );
  expect(
    await codeOf(sql`update usage.log_position set claim = claim - 1 where topic_id = ${topic.id}`),
  ).toBe("RK011");
  expect(await codeOf(sql`update usage.log_position set topic = 'x' where topic_id = ${topic.id}`)).toBe(
    "RK001",
  );
  expect(await codeOf(sql`delete from usage.log_position where topic_id = ${topic.id}`)).toBe("RK001");
  const back = sql`update usage.log_position set next_offset = 0, claim = claim + 1 where topic_id = ${topic.id}`;
  expect(await codeOf(back)).toBe("done");
});
