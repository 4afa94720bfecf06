import { Producer } from "@platformatic/kafka";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { type KafkaBroker, openKafkaBroker } from "../../test/usage-log/support/kafka-broker.ts";
import { prepare } from "../ingest/ingest-under-test.ts";
import { createLimits } from "../ingest/limits.ts";
import { measured, type RateRun } from "../ingest/measured.ts";
import { type Child, startChild } from "../ingest/messages.ts";
import { workload } from "../ingest/workload.ts";
import { type BenchServer, startServer } from "../ledger/server.ts";
import type { ReadAnswer, ReaderOptions, ReadQuestion } from "./reader-process.ts";

export interface LogUnderTest {
  readonly server: BenchServer;
  /** Fills a new topic with so many events, and gives its name. */
  fill(events: number): Promise<string>;
  /** Reads all of it. @throws when not every event of it was accepted */
  read(who: "reader" | "bare", question: ReadQuestion): Promise<RateRun>;
  stop(): Promise<void>;
}

export interface LogUnderTestOptions {
  readonly customers: number;
  readonly partitions: number;
  /** Events in one message. */
  readonly batch: number;
  readonly connections: number;
  readonly batchMax: number;
}

/** PostgreSQL, a broker, our reader and the bare one, each a process. */
export async function openLogUnderTest(options: LogUnderTestOptions, note: Note): Promise<LogUnderTest> {
  note("PostgreSQL and Kafka");
  const ending: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of ending.toReversed()) await end();
  };
  try {
    const server = await startServer(note);
    ending.push(() => server.stop());
    const broker = await openKafkaBroker(["-Xms256m", "-Xmx512m"]);
    ending.push(() => broker.remove());
    note("customers, meters, and the bare table");
    await prepare(server.ownerUrl, options.customers);
    await createLimits(server.ownerUrl);
    const { connections, batchMax } = options;
    const given: ReaderOptions = {
      brokers: broker.address,
      databaseUrl: server.appUrl,
      connections,
      batchMax,
    };
    const child = async (program: string) => {
      const started = await startChild<object>(`../usage-log/${program}`, given);
      ending.push(() => started.stop());
      return started;
    };
    const readers = { reader: await child("reader-process.ts"), bare: await child("bare-process.ts") };
    return { server, fill: filling(broker, options), read: reading(server, readers), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function reading(
  server: BenchServer,
  readers: Record<"reader" | "bare", Child<object>>,
): LogUnderTest["read"] {
  return (who, question) =>
    measured({ databasePid: server.pid, server: readers[who] }, async () => {
      const { accepted, seconds } = await readers[who].ask<ReadAnswer>(question);
      if (accepted !== question.events) {
        throw new Error(`${who}: of ${question.events} events ${accepted} were accepted`);
      }
      return { events: accepted, seconds };
    });
}

const messagesAtOnce = 4;

function filling(
  broker: KafkaBroker,
  { customers, partitions, batch }: LogUnderTestOptions,
): LogUnderTest["fill"] {
  let topics = 0;
  return async (events) => {
    const topic = `bench-${topics++}`;
    await broker.createTopic(topic, partitions);
    const made = workload({ name: `${topic}`, customers, at: instantOfEpochMs(Date.now()) });
    const producer = new Producer({
      clientId: "bench",
      bootstrapBrokers: [broker.address],
      idempotent: true,
    });
    const messages = Array.from({ length: events / batch }, (_, number) => number);
    for (let from = 0; from < messages.length; from += messagesAtOnce) {
      await producer.send({
        acks: -1,
        messages: messages.slice(from, from + messagesAtOnce).map((number) => ({
          topic,
          partition: number % partitions,
          value: Buffer.from(made.batchText(number * batch, (number + 1) * batch)),
        })),
      });
    }
    await producer.close();
    return topic;
  };
}
