import postgres from "postgres";
import { openDatabase } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { type BenchServer, startServer } from "../ledger/server.ts";
import type { ApiReady } from "./api-process.ts";
import type { LoadOptions, LoadResult } from "./generator-process.ts";
import { createLimits } from "./limits.ts";
import { measured, type RateRun } from "./measured.ts";
import { type Child, startChild } from "./messages.ts";
import { probeCustomer } from "./visible.ts";
import {
  customerDigits,
  customerPrefix,
  meters,
  type Workload,
  type WorkloadOptions,
  workload,
} from "./workload.ts";

export interface IngestUnderTest {
  readonly server: BenchServer;
  readonly api: Child<ApiReady>;
  readonly generator: Child<object>;
  readonly events: Workload;
  /** How many events have been accepted: those of the workload up to here. */
  readonly accepted: () => number;
  /** Sends what follows on the last event. */
  load(options: Omit<LoadOptions, "target" | "from">): Promise<RateRun>;
  /** Takes in events past HTTP until so many have been accepted. */
  fillUp(events: number, note: Note): Promise<void>;
  stop(): Promise<void>;
}

export interface UnderTestOptions {
  readonly customers: number;
  readonly batchesInFlight?: number;
  /** Given to the API's process, such as --cpu-prof. */
  readonly apiFlags: readonly string[];
}

/** Starts PostgreSQL, the API, the generator, and what a worker does for usage, each as a process. */
export async function openIngestUnderTest(options: UnderTestOptions, note: Note): Promise<IngestUnderTest> {
  const { customers, batchesInFlight, apiFlags } = options;
  const server = await startServer(note);
  const children: Child<unknown>[] = [];
  const stop = async () => {
    for (const child of children.toReversed()) await child.stop();
    await server.stop();
  };
  try {
    note("customers, meters, and tables of the limits");
    await prepare(server.ownerUrl, customers);
    await createLimits(server.ownerUrl);
    const name = Math.floor(Math.random() * 0xffffffff)
      .toString(16)
      .padStart(8, "0");
    const made: WorkloadOptions = { name, customers, at: instantOfEpochMs(Date.now()) };
    const apiOptions = { databaseUrl: server.appUrl, batchesInFlight };
    const api = await startChild<ApiReady>("api-process.ts", apiOptions, [...apiFlags]);
    children.push(api);
    const generator = await startChild<object>("generator-process.ts", made);
    children.push(generator);
    children.push(await startChild("upkeep-process.ts", { databaseUrl: server.appUrl }));
    return underTest({ server, api, generator, events: workload(made), stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

type Parts = Pick<IngestUnderTest, "server" | "api" | "generator" | "events" | "stop">;

function underTest(parts: Parts): IngestUnderTest {
  const { server, api, generator, events } = parts;
  let accepted = 0;
  return {
    ...parts,
    accepted: () => accepted,
    load: (options) =>
      measured({ databasePid: server.pid, server: api, sender: generator }, async () => {
        const { url, key } = api.ready;
        const target = {
          url,
          path: "/v1/events?results=problems",
          headers: { authorization: `Bearer ${key}` },
        };
        const load: LoadOptions = { ...options, target, from: accepted };
        const { to, accepted: answered, seconds, p50, p99 } = await generator.ask<LoadResult>(load);
        if (answered !== to - accepted)
          throw new Error(`${to - accepted} events were sent, ${answered} accepted`);
        accepted = to;
        return { events: answered, seconds, p50, p99 };
      }),
    async fillUp(upTo, note) {
      accepted = await fill({ url: server.appUrl, events, from: accepted, upTo, note });
      await vacuum(server.ownerUrl);
    },
  };
}

/** Customers, and the meters. */
export async function prepare(ownerUrl: string, customers: number): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await owner`
      insert into billing.customer (id, name, email, currency, time_zone, created_at)
      select id, id, 'benchmark@example.com', 'usd', 'UTC', now()
      from (
        select ${probeCustomer}::text as id
        union all select ${customerPrefix} || lpad(number::text, ${customerDigits}::int, '0') from generate_series(0, ${customers}::int - 1) as number
      ) as made`;
    for (const meter of meters) {
      await owner`
        insert into catalog.meter (key, version, definition) values (${meter.key}, 1, ${JSON.stringify(meter)}::text::jsonb)`;
    }
    await owner`vacuum (analyze)`;
  } finally {
    await owner.end();
  }
}

async function vacuum(ownerUrl: string): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await owner`vacuum (analyze)`;
  await owner.end();
}

const fillBatch = 2_000;
const fillConnections = 2;

interface Filling {
  readonly url: string;
  readonly events: Workload;
  readonly from: number;
  readonly upTo: number;
  readonly note: Note;
}

async function fill({ url, events, from, upTo, note }: Filling): Promise<number> {
  const db = openDatabase({ url, poolSize: fillConnections });
  const published = await publishedMeters(db.orm);
  let next = from;
  const connection = async () => {
    while (next < upTo) {
      const first = next;
      next += fillBatch;
      if (first % 100_000 < fillBatch) note(`${first} of ${upTo} events`);
      const batch = Array.from({ length: fillBatch }, (_, place) => events.eventOf(first + place));
      const outcomes = await ingestEvents(db, batch, published);
      if (outcomes.some(({ status }) => status !== "accepted")) throw new Error("an event was not accepted");
    }
  };
  await Promise.all(Array.from({ length: fillConnections }, connection));
  await db.close();
  return next;
}
