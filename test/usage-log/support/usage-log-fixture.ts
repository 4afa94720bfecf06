import { setTimeout as delay } from "node:timers/promises";
import { type MessageToProduce, Producer } from "@platformatic/kafka";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect } from "vitest";
import { eventCounts } from "../../../src/db/usage/usage-reads.ts";
import { instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import {
  startUsageLogReader,
  type UsageLogOptions,
  type UsageLogReader,
} from "../../../src/workers/usage-log/usage-log-reader.ts";
import { expectInvariants, openUsage, type UsageFixture } from "../../db/usage-fixture.ts";
import { type KafkaBroker, openKafkaBroker } from "./kafka-broker.ts";

/** A broker, and a database with the customer acme and meters. */
export interface UsageLogFixture {
  readonly broker: KafkaBroker;
  readonly usage: UsageFixture;
  /** Makes a topic. */
  topic(name: string, partitions: number): Promise<LogUnderTest>;
  close(): Promise<void>;
}

/** A topic, who reads it, and what becomes of it. */
export interface LogUnderTest {
  readonly name: string;
  readonly id: string;
  send(...messages: readonly SentMessage[]): Promise<void>;
  /** A reader in this process. */
  read(over?: Partial<UsageLogOptions>): ReadingUnderTest;
  /** Partition → offset of the next message that will be produced. */
  ends(): Promise<Map<number, bigint>>;
  positions(): Promise<Map<number, bigint>>;
  /** Waits until everything is read. */
  readToEnd(withinMs?: number): Promise<void>;
  refusals(): Promise<Refusal[]>;
}

export interface ReadingUnderTest extends UsageLogReader {
  readonly metrics: Registry;
  /** The value of a metric, of all its labels together or of one. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export interface SentMessage {
  /** Text as it is; all else as JSON. Null: a message without a value. */
  readonly value: unknown;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Refusal {
  readonly partition: number;
  readonly offset: number;
  readonly number: number;
  readonly code: string;
  readonly field: string | null;
  readonly content: string;
  readonly bytes: number;
}

export async function openUsageLog(): Promise<UsageLogFixture> {
  const [broker, usage] = await Promise.all([openKafkaBroker(), openUsage()]);
  // Idempotent: what it sends again, when an answer is slow, is in the log once.
  const producer = new Producer({
    clientId: "tests",
    bootstrapBrokers: [broker.address],
    idempotent: true,
    retries: 20,
  });
  return {
    broker,
    usage,
    async topic(name, partitions) {
      await broker.createTopic(name, partitions);
      const found = (await broker.admin.metadata({ topics: [name], forceUpdate: true })).topics.get(name);
      return logUnderTest({ broker, usage, producer, name, partitions, id: found?.id ?? "" });
    },
    async close() {
      await expectInvariants(usage.db);
      await producer.close();
      await Promise.all([broker.remove(), usage.close()]);
    },
  };
}

interface Parts {
  readonly broker: KafkaBroker;
  readonly usage: UsageFixture;
  readonly producer: Producer;
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
}

function logUnderTest({ broker, usage, producer, name, id, partitions }: Parts): LogUnderTest {
  const { sql } = usage.db;
  const log: LogUnderTest = {
    name,
    id,
    async send(...messages) {
      await producer.send({ messages: messages.map((message) => produced(name, message)), acks: -1 });
    },
    read: (over = {}) => readingOf(broker, usage, name, over),
    async ends() {
      const asked = Array.from({ length: partitions }, (_, partition) => ({
        partitionIndex: partition,
        timestamp: -1n,
      }));
      const [listed] = await broker.admin.listOffsets({ topics: [{ name, partitions: asked }] });
      return new Map(listed?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]));
    },
    async positions() {
      const found = await sql<{ partition: number; next_offset: bigint }[]>`
        select partition, next_offset from usage.log_position where topic_id = ${id}`;
      return new Map(found.map(({ partition, next_offset }) => [partition, next_offset]));
    },
    async readToEnd(withinMs = 20_000) {
      const ends = sorted(await log.ends());
      await expect
        .poll(async () => sorted(await log.positions()), { timeout: withinMs, interval: 50 })
        .toEqual(ends);
    },
    async refusals() {
      const found = await sql<(Omit<Refusal, "content"> & { content: Buffer })[]>`
        select partition, message_offset::int as offset, event_number as number, code, field, content, content_bytes::int as bytes
        from usage.log_refusal where topic_id = ${id} order by 1, 2, 3`;
      return found.map((row) => ({ ...row, content: row.content.toString() }));
    },
  };
  return log;
}

const sorted = (offsets: ReadonlyMap<number, bigint>) => [...offsets].sort(([a], [b]) => a - b);

function produced(topic: string, { value, partition = 0, headers = {} }: SentMessage) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const entries = Object.entries(headers).map(([name, header]) => [Buffer.from(name), Buffer.from(header)]);
  const message: MessageToProduce = { topic, partition, headers: new Map(entries as [Buffer, Buffer][]) };
  return value === null ? message : { ...message, value: Buffer.from(text) };
}

function readingOf(
  broker: KafkaBroker,
  usage: UsageFixture,
  topic: string,
  over: Partial<UsageLogOptions>,
): ReadingUnderTest {
  const metrics = new Registry();
  const reader = startUsageLogReader({
    kafka: { bootstrapBrokers: [broker.address] },
    topic,
    group: `readers of ${topic}`.replaceAll(" ", "-"),
    databaseUrl: usage.appUrl,
    clocks: { now: () => instantOfEpochMs(Date.now()), nowFor: async () => new Map() },
    logger: pino({ level: "silent" }),
    metrics,
    sessionTimeoutMs: 2_000,
    ...over,
  });
  return {
    stop: () => reader.stop(),
    metrics,
    async metric(name, labels = {}) {
      const found = await metrics.getSingleMetric(name)?.get();
      const wanted = Object.entries(labels);
      const values = found?.values.filter((value) =>
        wanted.every(([label, text]) => (value.labels as Record<string, unknown>)[label] === text),
      );
      return (values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
  };
}

/** An event of acme, an hour ago, as a service sends it. */
export function sentEvent(id: string, tokens = 10): Record<string, unknown> {
  return {
    id,
    source: "gateway",
    customer: "acme",
    type: "request",
    time: new Date(Date.now() - 3_600_000).toISOString(),
    data: { model: "large", class: "input", tokens },
  };
}

export const sentEvents = (prefix: string, count: number): Record<string, unknown>[] =>
  Array.from({ length: count }, (_, n) => sentEvent(`${prefix}/${n}`));

/** Events that were accepted since the first call. */
export async function acceptedSince({ db }: UsageFixture): Promise<() => Promise<number>> {
  const before = (await eventCounts(db.orm)).accepted;
  return async () => (await eventCounts(db.orm)).accepted - before;
}

/** Waits until the condition holds. */
export async function eventually(condition: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) expect.fail(`still not so after ${withinMs} ms: ${condition}`);
    await delay(25);
  }
}
