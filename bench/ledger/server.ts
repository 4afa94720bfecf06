import { chmodSync, closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migrate } from "../../src/db/migrate.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { startPostgres } from "../../src/sandbox/local-services/postgres.ts";
import {
  createDatabase,
  ensureRoles,
  randomPasswords,
  roleUrls,
} from "../../src/sandbox/local-services/postgres-roles.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { parentOf } from "./cpu.ts";

export interface BenchServer {
  /** As the application is connected. */
  readonly appUrl: string;
  /** As the role that owns the schema. */
  readonly ownerUrl: string;
  /** What the figures depend on, as the server itself says it. */
  readonly settings: Readonly<Record<string, string>>;
  /** What it takes this disk to make 8 KiB durable, in milliseconds; the median. */
  readonly syncMs: number;
  /** The process of the server itself; its backends are its children. */
  readonly pid: number;
  /** Writes out all that has changed; the files of the log so far can be written again. */
  checkpoint(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Memory and log for a server with work to do: a quarter of the machine's memory, as PostgreSQL's manual advises, and a
 * checkpoint every quarter of an hour, not every five minutes, as after each one every page is logged whole once. Everything
 * else, durability above all, is as PostgreSQL comes.
 */
const settings = {
  max_connections: "100",
  shared_buffers: `${Math.floor(totalmem() / 4 / 1024 ** 2)}MB`,
  checkpoint_timeout: "15min",
  max_wal_size: "16GB",
  min_wal_size: "8GB",
};
const logGiBUsual = 8;

const settingsShown = [
  "server_version",
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_sync_method",
  "shared_buffers",
  "max_wal_size",
  "min_wal_size",
  "checkpoint_timeout",
  "autovacuum",
  "jit",
  "max_parallel_workers_per_gather",
];

/**
 * Starts a PostgreSQL of the benchmark's own in a temporary folder, migrated, and makes sure that its commits are durable.
 * @param logGiB how much of the write-ahead log is there to be written again: at most what will be written
 */
export async function startServer(note: Note, logGiB = logGiBUsual): Promise<BenchServer> {
  const home = mkdtempSync(join(tmpdir(), "reckoner-bench-"));
  chmodSync(home, 0o711); // PostgreSQL may run under another account
  const group = createServiceGroup();
  const stop = async () => {
    await group.stopAll();
    rmSync(home, { recursive: true, force: true });
  };
  process.once("SIGINT", () => stop().finally(() => process.exit(130)));
  try {
    const place = {
      folder: join(home, "postgres"),
      logFile: join(home, "postgres.log"),
      port: await freePort(),
    };
    const { adminUrl } = await startPostgres({ ...place, group, settings, note });
    note("making the files of the write-ahead log");
    await fillLog(adminUrl, logGiB);
    const passwords = randomPasswords();
    await ensureRoles(adminUrl, passwords);
    await createDatabase(adminUrl, "bench");
    const urls = roleUrls(adminUrl, "bench", passwords);
    note("migrating");
    await migrate(urls);
    const checkpoint = () => asAdmin(adminUrl, (admin) => admin`checkpoint`);
    return { ...urls, ...(await factsOf(urls.appUrl)), syncMs: measureSync(home), checkpoint, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A server that has run for a while writes its log into the files of an earlier log. A new one makes each file first,
 * and everybody who commits waits some 20 ms for every 16 MiB.
 */
async function fillLog(adminUrl: string, logGiB: number): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    for (let mebibytes = 0; mebibytes < logGiB * 1_024; mebibytes += 16) {
      await admin`
        select count(pg_logical_emit_message(false, 'bench', repeat('x', 1024 * 1024))) from generate_series(1, 16)`;
    }
    await admin`checkpoint`;
  });
}

async function asAdmin(adminUrl: string, work: (admin: postgres.Sql) => Promise<unknown>): Promise<void> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function measureSync(folder: string): number {
  const file = openSync(join(folder, "sync-test"), "w");
  const block = Buffer.alloc(8_192, 1);
  const took = Array.from({ length: 200 }, (_, number) => {
    const startedAt = performance.now();
    writeSync(file, block, 0, block.length, number * block.length);
    fdatasyncSync(file);
    return performance.now() - startedAt;
  });
  closeSync(file);
  return Math.round((took.toSorted((one, other) => one - other)[100] ?? 0) * 100) / 100;
}

async function factsOf(url: string): Promise<Pick<BenchServer, "settings" | "pid">> {
  const client = postgres(url, { max: 1 });
  try {
    const shown = await client<{ name: string; value: string }[]>`
      select name, current_setting(name) as value from pg_settings where name in ${client(settingsShown)}`;
    const settings = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
    for (const durable of ["fsync", "synchronous_commit", "full_page_writes"]) {
      if (settings[durable] !== "on") throw new Error(`${durable} is ${settings[durable]}, and must be on`);
    }
    const [backend] = await client<[{ pid: number }]>`select pg_backend_pid() as pid`;
    return { settings, pid: parentOf(backend.pid) };
  } finally {
    await client.end();
  }
}
