import { setTimeout as delay } from "node:timers/promises";
import { Producer } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import {
  acceptedSince,
  eventually,
  openUsageLog,
  type ReadingUnderTest,
  sentEvent,
  sentEvents,
  type UsageLogFixture,
} from "./support/usage-log-fixture.ts";

let fixture: UsageLogFixture;

beforeAll(async () => {
  fixture = await openUsageLog();
});
afterAll(() => fixture.close());

test("messages of several partitions are counted once each, and the positions are the ends", async () => {
  const log = await fixture.topic("several", 4);
  const accepted = await acceptedSince(fixture.usage);
  for (let message = 0; message < 40; message++) {
    await log.send({ value: sentEvents(`several/${message}`, 25), partition: message % 4 });
  }
  const reading = log.read();
  await log.readToEnd();
  await reading.stop();
  expect(await accepted()).toBe(1_000);
  expect(await reading.metric("reckoner_usage_log_events_total", { outcome: "accepted" })).toBe(1_000);
  expect(await reading.metric("reckoner_usage_log_messages_total")).toBe(40);
});

describe("a message", () => {
  test("is read in every form that a request has", async () => {
    const log = await fixture.topic("forms", 1);
    const accepted = await acceptedSince(fixture.usage);
    const reading = log.read();
    const cloudEvent = {
      ...sentEvent("forms/cloud"),
      specversion: "1.0",
      subject: "acme",
      customer: undefined,
    };
    const lines = (name: string) =>
      [1, 2].map((n) => JSON.stringify(sentEvent(`forms/${name}/${n}`))).join("\n");
    const { data, customer, ...attributes } = sentEvent("forms/binary");
    const binary = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce_${name}`, `${value}`]),
    );
    await log.send(
      { value: sentEvent("forms/single") },
      { value: sentEvents("forms/list", 2) },
      { value: { events: sentEvents("forms/named", 2) } },
      { value: lines("lines") },
      { value: lines("told"), headers: { "content-type": "application/x-ndjson" } },
      { value: cloudEvent, headers: { "content-type": "application/cloudevents+json" } },
      { value: data, headers: { ...binary, ce_specversion: "1.0", ce_subject: `${customer}` } },
    );
    await log.readToEnd();
    await reading.stop();
    expect(await log.refusals()).toEqual([]);
    expect(await accepted()).toBe(11);
  });
  test("that is bad stops nothing: it is kept with its reason, and its neighbours are counted", async () => {
    const log = await fixture.topic("bad", 2);
    const accepted = await acceptedSince(fixture.usage);
    const reading = log.read();
    const good = (name: string) => sentEvent(`bad/${name}`);
    const long = `"${"x".repeat(100_000)}`;
    await log.send(
      { value: good("before") },
      { value: "{ not JSON" },
      { value: null },
      { value: long },
      { value: [good("a"), { ...good("b"), customer: 7 }, "c", { ...good("d"), nonsense: 1 }, good("e")] },
      { value: `${JSON.stringify(good("f"))}\n{ torn\n${JSON.stringify(good("g"))}\n` },
      { value: good("h"), headers: { "content-type": "text/plain" } },
      { value: Array.from({ length: 10_001 }, () => 0) },
      { value: [{ ...good("i"), data: { model: "large", tokens: "many" } }], partition: 1 },
      { value: good("after"), partition: 1 },
    );
    await log.readToEnd();
    const found = (await log.refusals()).map(({ partition, offset, number, code, field }) =>
      [partition, offset, number, code, field].join(" ").trim(),
    );
    expect(found).toEqual([
      "0 1 0 json_malformed",
      "0 2 0 body_missing",
      "0 3 0 json_malformed",
      "0 4 2 usage_event_invalid customer",
      "0 4 3 usage_event_invalid",
      "0 4 4 usage_event_invalid nonsense",
      "0 5 2 json_malformed",
      "0 6 0 media_type_unsupported",
      "0 7 0 body_too_large",
      "1 0 1 usage_quantity_invalid data.tokens",
    ]);
    const kept = await log.refusals();
    expect(kept.find(({ offset }) => offset === 5)?.content).toBe("{ torn");
    expect(kept.find(({ offset }) => offset === 1)?.content).toBe("{ not JSON");
    expect(kept.find(({ offset }) => offset === 3)).toMatchObject({
      content: long.slice(0, 65_536),
      bytes: long.length,
    });
    expect(await accepted()).toBe(6); // before, a, e, f, g, after
    expect(await reading.metric("reckoner_usage_log_refused_total")).toBe(10);
    await reading.stop();
  });

  test("may come twice, contradict itself, or be about nobody: as over HTTP", async () => {
    const log = await fixture.topic("twice", 2);
    const accepted = await acceptedSince(fixture.usage);
    const events = sentEvents("twice", 3);
    await log.send({ value: events }, { value: events }, { value: events, partition: 1 });
    await log.send({ value: { ...events[0], data: { model: "other", tokens: 1 } } });
    await log.send({ value: { ...sentEvent("twice/nobody"), customer: "nobody" } });
    const reading = log.read();
    await log.readToEnd();
    await reading.stop();
    expect(await accepted()).toBe(3);
    const outcome = (name: string) => reading.metric("reckoner_usage_log_events_total", { outcome: name });
    expect(await outcome("duplicate")).toBe(6);
    expect(await outcome("conflict")).toBe(1);
    expect(await outcome("quarantined")).toBe(1);
    expect(await log.refusals()).toEqual([]);
  });

  test("of a transaction counts once that is committed, and the position goes past its end", async () => {
    const log = await fixture.topic("transactions", 1);
    const accepted = await acceptedSince(fixture.usage);
    const producer = new Producer({
      clientId: "tests",
      bootstrapBrokers: [fixture.broker.address],
      idempotent: true,
      transactionalId: "tests",
    });
    const message = (name: string) => ({
      topic: log.name,
      value: Buffer.from(JSON.stringify(sentEvent(`transactions/${name}`))),
    });
    for (const [name, ending] of [
      ["committed", "commit"],
      ["aborted", "abort"],
      ["again", "commit"],
    ] as const) {
      const transaction = await producer.beginTransaction();
      await transaction.send({ messages: [message(name)] });
      await transaction[ending]();
    }
    await producer.close();
    // Three messages, three ends; the broker writes the ends after it has said that they are decided.
    await expect.poll(() => log.ends(), { timeout: 10_000 }).toEqual(new Map([[0, 6n]]));
    const reading = log.read();
    await log.readToEnd();
    expect(await log.positions()).toEqual(new Map([[0, 6n]]));
    expect(await accepted()).toBe(2);
    await reading.stop();
  });
});

describe("what goes away comes back", () => {
  test("connections to the database are cut under the reader", async () => {
    const log = await fixture.topic("cut", 4);
    const accepted = await acceptedSince(fixture.usage);
    const reading = log.read({ batchMax: 50 });
    const cut = async () => {
      await delay(150);
      await fixture.usage.db.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'reckoner usage log' and datname = current_database()`;
    };
    await whileRepeating([cut], async () => {
      for (let message = 0; message < 60; message++) {
        await log.send({ value: sentEvents(`cut/${message}`, 20), partition: message % 4 });
        await delay(15);
      }
    });
    await log.readToEnd();
    expect(await reading.metric("reckoner_usage_log_failures_total")).toBeGreaterThan(0);
    await reading.stop();
    expect(await accepted()).toBe(1_200);
  });

  test("the broker is killed and starts again", async () => {
    const log = await fixture.topic("killed-broker", 2);
    const accepted = await acceptedSince(fixture.usage);
    const reading = log.read();
    await log.send(
      { value: sentEvents("broker/before", 10) },
      { value: sentEvents("broker/b", 10), partition: 1 },
    );
    await log.readToEnd();
    await fixture.broker.kill();
    await fixture.broker.restart();
    await log.send(
      { value: sentEvents("broker/after", 10) },
      { value: sentEvents("broker/a", 10), partition: 1 },
    );
    await log.readToEnd();
    await reading.stop();
    expect(await accepted()).toBe(40);
  });
});

describe("a log that is not what was read", () => {
  const failures = (reading: ReadingUnderTest, code: string) => () =>
    reading.metric("reckoner_usage_log_failures_total", { code }).then((count) => count > 0);

  test("made anew under its name, it is refused until somebody says that it may begin", async () => {
    const log = await fixture.topic("anew", 1);
    const accepted = await acceptedSince(fixture.usage);
    const first = log.read();
    await log.send({ value: sentEvents("anew/old", 5) });
    await log.readToEnd();
    await first.stop();
    await fixture.broker.admin.deleteTopics({ topics: ["anew"] });
    const anew = await fixture.topic("anew", 1);
    await anew.send({ value: sentEvents("anew/new", 7) });
    const reading = anew.read();
    await eventually(failures(reading, "usage_log_topic_replaced"));
    expect(await accepted()).toBe(5);
    await fixture.usage.owner.sql`
      insert into usage.log_position (topic_id, partition, topic, first_offset, next_offset, claimed_by)
      values (${anew.id}, 0, 'anew', 0, 0, 'an operator')`;
    await anew.readToEnd();
    await reading.stop();
    expect(await accepted()).toBe(12);
  });

  test("messages that were deleted unread are not passed over in silence", async () => {
    const log = await fixture.topic("lost", 1);
    const accepted = await acceptedSince(fixture.usage);
    const first = log.read();
    await log.send({ value: sentEvents("lost/read", 5) });
    await log.readToEnd();
    await first.stop();
    await log.send({ value: sentEvents("lost/unread", 5) }, { value: sentEvents("lost/last", 5) });
    await fixture.broker.admin.deleteRecords({
      topics: [{ name: "lost", partitions: [{ partition: 0, offset: 2n }] }],
    });
    const reading = log.read();
    await eventually(failures(reading, "usage_log_messages_lost"));
    expect(await log.positions()).toEqual(new Map([[0, 1n]]));
    await fixture.usage.owner.sql`
      update usage.log_position set next_offset = 2, claim = claim + 1, claimed_by = 'an operator' where topic_id = ${log.id}`;
    await log.readToEnd();
    await reading.stop();
    expect(await accepted()).toBe(10);
  });

  test("one that ends before the position is refused; set back, it is read again and nothing is counted twice", async () => {
    const log = await fixture.topic("truncated", 1);
    const accepted = await acceptedSince(fixture.usage);
    const first = log.read();
    await log.send({ value: sentEvents("truncated", 5) }, { value: "{ bad" });
    await log.readToEnd();
    await first.stop();
    const setTo = (offset: number) => fixture.usage.owner.sql`
      update usage.log_position set next_offset = ${offset}, claim = claim + 1, claimed_by = 'an operator' where topic_id = ${log.id}`;
    await setTo(9);
    const reading = log.read();
    await eventually(failures(reading, "usage_log_truncated"));
    await setTo(0);
    await log.readToEnd();
    await reading.stop();
    expect(await accepted()).toBe(5);
    expect(await log.refusals()).toHaveLength(1);
  });
});

test("the lag of each partition is in the metrics, and Kafka's tools see the positions", async () => {
  const log = await fixture.topic("lag", 2);
  await log.send(
    { value: sentEvents("lag/0", 1) },
    { value: sentEvents("lag/1", 1), partition: 1 },
    { value: sentEvents("lag/2", 1), partition: 1 },
  );
  const held = Promise.withResolvers<ReadonlyMap<string, Instant>>();
  const nowFor = () => held.promise;
  const reading = log.read({ clocks: { now: () => instantOfEpochMs(Date.now()), nowFor } });
  const lagOf = (partition: string) => reading.metric("reckoner_usage_log_lag_messages", { partition });
  await eventually(async () => (await lagOf("0")) === 1 && (await lagOf("1")) === 2);
  held.resolve(new Map());
  await log.readToEnd();
  await eventually(async () => (await lagOf("0")) === 0 && (await lagOf("1")) === 0);
  await eventually(async () => {
    const [group] = await fixture.broker.admin.listConsumerGroupOffsets({ groups: ["readers-of-lag"] });
    const offsets = group?.topics.flatMap(({ partitions }) =>
      partitions.map(({ committedOffset }) => committedOffset),
    );
    return offsets?.join() === "1,2";
  });
  await reading.stop();
});

test("what is read and not committed is bounded, and the rest waits in the log", async () => {
  const log = await fixture.topic("bounded", 2);
  const accepted = await acceptedSince(fixture.usage);
  for (let message = 0; message < 40; message++) {
    await log.send({ value: sentEvents(`bounded/${message}`, 50), partition: message % 2 });
  }
  const held = Promise.withResolvers<ReadonlyMap<string, Instant>>();
  const nowFor = () => held.promise;
  const clocks = { now: () => instantOfEpochMs(Date.now()), nowFor };
  const reading = log.read({ clocks, inFlightMax: 200, batchMax: 100 });
  const queued = () => reading.metric("reckoner_usage_log_queue_events");
  await eventually(async () => (await queued()) >= 200);
  await delay(300);
  expect(await queued()).toBe(200);
  held.resolve(new Map());
  await log.readToEnd();
  await reading.stop();
  expect(await accepted()).toBe(2_000);
});
