import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { Registry } from "prom-client";
import { hashOf, newApiKeySecret, prefixOf } from "../../src/api/api-key-secret.ts";
import { admitBootstrapKey } from "../../src/db/access.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { startUsageUpkeep } from "../../src/workers/usage-upkeep.ts";
import { publishMeters } from "../db/usage-fixture.ts";
import { type KillablePostgres, openKillablePostgres } from "../support/killable-postgres.ts";
import type { SoakTarget } from "./soak-clients.ts";
import { customers, meters } from "./soak-events.ts";

export interface SoakSystem {
  readonly target: SoakTarget;
  /** Kills an API, the database, the other API, the database and so on; settles when the next may be killed. */
  kill(turn: number): Promise<void>;
  /** Waits until the worker, which has lost its database now and then, has folded everything; then nothing changes any more. */
  rest(): Promise<Database>;
  remove(): Promise<void>;
}

/** A database of its own, two APIs on it, and folding as a worker does it, which goes on whatever becomes of the others. */
export async function startSoakSystem(foldEveryMs: number): Promise<SoakSystem> {
  const server = await openKillablePostgres();
  const key = await prepare(server.appUrl);
  const apis = [await freePort(), await freePort()].map((port) => new ApiProcess(server.appUrl, port));
  await Promise.all(apis.map((api) => api.start()));
  const workers = openDatabase({ url: server.appUrl, poolSize: 1 });
  const upkeep = startUsageUpkeep({
    db: workers,
    logger: pino({ level: "silent" }),
    metrics: new Registry(),
    everyMs: foldEveryMs,
  });
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  return {
    target: { urls: apis.map(({ url }) => url), key },
    kill: (turn) => (turn % 2 === 1 ? killDatabase(server) : killApi(apis[(turn / 2) % apis.length])),
    async rest() {
      for (const api of apis) await api.kill();
      await allFolded(db);
      await upkeep.stop();
      return db;
    },
    async remove() {
      await upkeep.stop();
      for (const api of apis) await api.kill();
      await Promise.all([workers.close(), db.close()]);
      await server.remove();
    },
  };
}

async function killDatabase(server: KillablePostgres): Promise<void> {
  await server.kill();
  await server.restart();
}

/** Nobody waits for its return: the next is killed meanwhile. */
async function killApi(api: ApiProcess | undefined): Promise<void> {
  await api?.kill();
  void api?.start();
}

async function allFolded({ sql }: Database): Promise<void> {
  const [now] = await sql<[{ xid: string }]>`select pg_current_xact_id()::text as xid`;
  for (;;) {
    const [folded] = await sql<[{ is_done: boolean }]>`
      select before > ${now.xid}::text::xid8 as is_done from usage.folded`;
    if (folded.is_done) return;
    await delay(20);
  }
}

/** Customers, meters and a key, which is given. */
async function prepare(url: string): Promise<string> {
  const db = openDatabase({ url, poolSize: 1 });
  await publishMeters(db, meters);
  for (const { id, timeZone } of customers) {
    await db.sql`
      insert into billing.customer (id, name, email, currency, time_zone, created_at)
      values (${id}, ${id}, ${`${id}@example.com`}, 'usd', ${timeZone}, now())`;
  }
  const key = newApiKeySecret();
  const at = instant("2026-01-01T00:00:00Z");
  await admitBootstrapKey(db.orm, { prefix: prefixOf(key), secretHash: hashOf(key), at });
  await db.close();
  return key;
}

/** An API as a process of its own, at an address that survives it. */
class ApiProcess {
  readonly url: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(databaseUrl: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    const program = join(import.meta.dirname, "../sdk/support/api-process.ts");
    this.#arguments = [program, databaseUrl, String(port)];
  }

  /** Settles when it answers. */
  start(): Promise<void> {
    const started = spawn(process.execPath, this.#arguments, { stdio: ["ignore", "ignore", "inherit"] });
    this.#process = started;
    this.#starting = this.#answers(started);
    return this.#starting;
  }

  async #answers(started: ChildProcess): Promise<void> {
    const isUp = () =>
      fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isUp())) {
      if (started.exitCode !== null) throw new Error(`the API ended with code ${started.exitCode}`);
      await delay(50);
    }
  }

  /** One that is still starting is waited for, so that it has something to lose. */
  async kill(): Promise<void> {
    await this.#starting;
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    process.kill("SIGKILL");
    await once(process, "exit");
  }
}
