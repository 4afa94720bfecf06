import { setTimeout as delay } from "node:timers/promises";
import type { Consumer, MessagesStream } from "@platformatic/kafka";
import type { EventClocks } from "../../api/ingest/parsed-events.ts";
import { type ClaimedPosition, type LogTopic, UsageLogFencedError } from "../../db/usage/usage-log.ts";
import type { UsageLogWriter } from "../../db/usage/usage-log-writer.ts";
import { logBatchOf } from "./log-batch.ts";
import { logEdges, requirePositions } from "./log-bounds.ts";
import { LogQueue, type TakenMessages } from "./log-queue.ts";
import { reportPositions } from "./position-report.ts";
import { type LogMessage, readMessage } from "./read-message.ts";
import type { UsageLogMetrics } from "./usage-log-metrics.ts";

export interface ReadingOptions {
  readonly consumer: Consumer;
  readonly topic: LogTopic;
  /** Who reads, for whoever looks at the positions. */
  readonly claimant: string;
  /** Each writes one batch at a time. */
  readonly writers: readonly [UsageLogWriter, ...UsageLogWriter[]];
  readonly clocks: EventClocks;
  readonly metrics: UsageLogMetrics;
  /** Events in one commit; a message is never divided. */
  readonly batchMax: number;
  /** Events that are read and not committed yet; then reading pauses. */
  readonly inFlightMax: number;
  /** Told of what was committed. */
  readonly onCommit: () => void;
}

export type LogStream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;

/** Messages of one answer of the broker; one more may be on its way. */
const fetchBytesMax = 4 * 1024 * 1024;
const fetchWaitMs = 500;
const reportEveryMs = 2_000;
const closeMsMax = 3_000;

/**
 * Reads partitions from where the database says, and writes what is in them, until they are ours no more. After any error
 * nothing is remembered: whoever goes on claims the positions, and so learns what was committed.
 */
export async function readPartitions(
  options: ReadingOptions,
  partitions: readonly number[],
  over: AbortSignal,
): Promise<void> {
  const { consumer, topic, writers, claimant } = options;
  const starts = await logEdges(consumer, topic.name, partitions, "start");
  if (over.aborted) return;
  const positions = await writers[0].claim(topic, claimant, starts);
  requirePositions(positions, starts, await logEdges(consumer, topic.name, partitions, "end"));
  if (over.aborted) return;
  const stream = await consumer.consume({
    topics: [topic.name],
    mode: "manual",
    offsets: positions.map(({ partition, nextOffset }) => ({
      topic: topic.name,
      partition,
      offset: nextOffset,
    })),
    fallbackMode: "fail", // never from another place than where the database says
    autocommit: false,
    maxBytes: fetchBytesMax,
    maxWaitTime: fetchWaitMs,
  });
  const reading = new PartitionReading(options, positions, stream);
  try {
    await reading.until(over);
  } finally {
    await reading.end();
  }
}

/** What a further batch beside one that is on its way should hold: less is worth no commit of its own. */
const furtherBatchMin = 100;

class PartitionReading {
  readonly #options: ReadingOptions;
  readonly #stream: LogStream;
  readonly #queue: LogQueue;
  readonly #idle: UsageLogWriter[];
  readonly #writing = new Set<Promise<void>>();
  readonly #failure = Promise.withResolvers<never>();
  readonly #reporting: NodeJS.Timeout;
  #isOver = false;
  #isPaused = false;
  #sendsSoon = false;

  constructor(options: ReadingOptions, positions: readonly ClaimedPosition[], stream: LogStream) {
    this.#options = options;
    this.#stream = stream;
    this.#queue = new LogQueue(positions);
    this.#idle = [...options.writers];
    this.#failure.promise.catch(() => {});
    stream.on("error", (error) => this.#failure.reject(error));
    stream.on("data", (message) => this.#take(message));
    options.metrics.watch(() => this.#queue.size);
    this.#report();
    this.#reporting = setInterval(() => this.#report(), reportEveryMs);
  }

  /** Settles when `over` is aborted. @throws the first error of broker or database */
  async until(over: AbortSignal): Promise<void> {
    await Promise.race([this.#failure.promise, aborted(over)]);
  }

  /** Reads nothing more, and waits for what is on its way to the database. */
  async end(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#reporting);
    const closing = this.#stream.close().catch(() => {});
    await Promise.all([...this.#writing]);
    await Promise.race([closing, delay(closeMsMax, undefined, { ref: false })]);
    this.#stream.destroy();
  }

  #take(message: LogMessage): void {
    const { partition, offset, value } = message;
    if (this.#isOver || !this.#queue.has(partition)) return;
    try {
      this.#queue.add({ partition, offset, content: readMessage(message), value: value ?? Buffer.alloc(0) });
    } catch (error) {
      this.#failure.reject(error);
    }
    if (!this.#isPaused && this.#queue.size >= this.#options.inFlightMax) {
      this.#isPaused = true;
      this.#stream.pause();
    }
    this.#sendSoon();
  }

  /** What comes with the same answer of the broker goes along. */
  #sendSoon(): void {
    if (this.#sendsSoon) return;
    this.#sendsSoon = true;
    setImmediate(() => {
      this.#sendsSoon = false;
      this.#send();
    });
  }

  #send(): void {
    while (!this.#isOver && this.#idle.length > 0) {
      if (this.#writing.size > 0 && this.#queue.waiting < furtherBatchMin) return;
      const taken = this.#queue.next(this.#options.batchMax);
      const writer = taken && this.#idle.pop();
      if (taken === undefined || writer === undefined) return;
      const writing = this.#write(writer, taken).finally(() => {
        this.#idle.push(writer);
        this.#writing.delete(writing);
        this.#sendSoon();
      });
      this.#writing.add(writing);
    }
  }

  async #write(writer: UsageLogWriter, taken: TakenMessages): Promise<void> {
    const { topic, clocks, metrics, inFlightMax, onCommit } = this.#options;
    try {
      const batch = await logBatchOf(taken, clocks);
      const startedAt = performance.now();
      const outcomes = await writer.write(topic, batch);
      const seconds = (performance.now() - startedAt) / 1_000;
      metrics.committed({ messages: taken.messages.length, outcomes, refusals: batch.refusals, seconds });
      this.#queue.settle(taken);
      onCommit();
    } catch (error) {
      if (error instanceof UsageLogFencedError) metrics.fenced();
      this.#failure.reject(error);
      this.#isOver = true;
    }
    if (this.#isPaused && !this.#isOver && this.#queue.size < inFlightMax / 2) {
      this.#isPaused = false;
      this.#stream.resume();
    }
  }

  #report(): void {
    this.#takeMarkers();
    const { consumer, topic, metrics } = this.#options;
    reportPositions({ consumer, topic: topic.name, positions: this.#queue.committed(), metrics });
  }

  /** The end of a transaction takes an offset and is no message: where nothing follows, the position goes on past it. */
  #takeMarkers(): void {
    if (this.#isOver || this.#stream.readableLength > 0) return;
    for (const partition of this.#queue.committed().keys()) {
      const readTo = this.#stream.offsetsToFetch.get(`${this.#options.topic.name}:${partition}`);
      if (readTo === undefined || readTo <= this.#queue.readTo(partition)) continue;
      this.#queue.add({ partition, offset: readTo - 1n, content: { inputs: [] }, value: Buffer.alloc(0) });
    }
    this.#sendSoon();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
