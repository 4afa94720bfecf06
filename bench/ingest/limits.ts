import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import postgres from "postgres";
import type { BareReady } from "./bare-process.ts";
import type { LoadOptions, LoadResult } from "./generator-process.ts";
import { measured, type RateRun } from "./measured.ts";
import { type Child, startChild } from "./messages.ts";
import type { Workload } from "./workload.ts";

/** What this machine can do at most with the same rows. */

const columns =
  "source text not null, id text not null, customer text not null, type text not null, time timestamptz not null, data jsonb not null";
const tables = `
  create schema bare;
  create table bare.copied (${columns});
  create table bare.copied_unique (${columns}, primary key (source, id));
  create table bare.event (${columns}, recorded_at timestamptz not null default now(), primary key (source, id));
  grant usage on schema bare to reckoner_app;
  grant select, insert on all tables in schema bare to reckoner_app;`;

export async function createLimits(ownerUrl: string): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await owner.unsafe(tables);
  } finally {
    await owner.end();
  }
}

export interface CopyOptions {
  readonly url: string;
  readonly databasePid: number;
  readonly table: "copied" | "copied_unique";
  readonly events: Workload;
  readonly from: number;
  readonly count: number;
}

const rowsAtOnce = 500;

/** One COPY of so many rows, whose text is ready before the time starts. */
export async function copyRows({
  url,
  databasePid,
  table,
  events,
  from,
  count,
}: CopyOptions): Promise<RateRun> {
  const pieces: string[] = [];
  for (let first = from; first < from + count; first += rowsAtOnce) {
    const rows = Array.from({ length: rowsAtOnce }, (_, row) => copyRow(events, first + row));
    pieces.push(rows.join(""));
  }
  const sql = postgres(url, { max: 1 });
  try {
    await sql`select 1`;
    return await measured({ databasePid }, async () => {
      const startedAt = performance.now();
      const copy = await sql
        .unsafe(`copy bare.${table} (source, id, customer, type, time, data) from stdin`)
        .writable();
      await pipeline(Readable.from(pieces), copy);
      return { events: pieces.length * rowsAtOnce, seconds: (performance.now() - startedAt) / 1_000 };
    });
  } finally {
    await sql.end();
  }
}

function copyRow(events: Workload, index: number): string {
  const { source, id, customer, type, time, data } = JSON.parse(events.textOf(index));
  return `${[source, id, customer, type, time, JSON.stringify(data)].join("\t")}\n`;
}

export interface BareOptions {
  readonly work: "parse" | "insert";
  readonly databaseUrl: string;
  readonly databasePid: number;
  readonly generator: Child<unknown>;
  readonly load: Omit<LoadOptions, "target">;
}

/** The same requests to a handler that does little. */
export async function loadBare({
  work,
  databaseUrl,
  databasePid,
  generator,
  load,
}: BareOptions): Promise<RateRun> {
  const server = await startChild<BareReady>("bare-process.ts", { work, databaseUrl, connections: 4 });
  try {
    return await measured({ databasePid, server, sender: generator }, async () => {
      const target = { url: server.ready.url, path: "/events", headers: {} };
      const { accepted: events, seconds, p50, p99 } = await generator.ask<LoadResult>({ ...load, target });
      return { events, seconds, p50, p99 };
    });
  } finally {
    await server.stop();
  }
}
