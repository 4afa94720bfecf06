import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { runCommand } from "./child-process.ts";
import { localHost, requireFreePort } from "./ports.ts";
import { type PostgresInstallation, preparePostgres } from "./postgres-installation.ts";
import type { Note } from "./progress.ts";
import { isRunning, processCommand } from "./running-processes.ts";
import { keptSecret, randomSecret } from "./secrets.ts";
import type { ServiceGroup } from "./service-group.ts";

export interface LocalPostgresOptions {
  readonly group: ServiceGroup;
  /** Keeps the cluster; it is made when missing. */
  readonly folder: string;
  readonly port: number;
  readonly logFile: string;
  /** Settings beside our own, for example `{ fsync: "off" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly note: Note;
}

export interface LocalPostgres {
  /** Connects as the superuser to the database `postgres`. */
  readonly adminUrl: string;
  readonly version: string;
}

const superuser = "postgres";
const attemptsMax = 10;

/** Starts the embedded PostgreSQL on a folder, after an unclean end too, and waits until it answers. */
export async function startPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const installation = await preparePostgres(options.folder, options.note);
  const password = await keptSecret(join(installation.folder, "superuser-password.json"), randomSecret);
  const data = join(installation.folder, "data", "cluster");
  if (!existsSync(join(data, "PG_VERSION"))) {
    options.note("making a database cluster");
    await makeCluster(installation, data, password);
  }
  await endFormerServer(data, options.note);
  options.note("starting");
  const adminUrl = `postgres://${superuser}:${password}@${localHost}:${options.port}/postgres`;
  await startServer(options, installation, data, adminUrl);
  return { adminUrl, version: readFileSync(join(data, "PG_VERSION"), "utf8").trim() };
}

/** Fills another folder first, so that a start that is interrupted here leaves nothing half made. */
async function makeCluster(
  { folder, programs, account }: PostgresInstallation,
  data: string,
  password: string,
) {
  const unfinished = `${data}.unfinished`;
  const passwordFile = join(folder, "data", "initial-password");
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  const how = [`--username=${superuser}`, "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  const text = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  try {
    await runCommand(join(programs, "bin", "initdb"), [`--pgdata=${unfinished}`, ...how, ...text], {
      account,
    });
    renameSync(unfinished, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** A server of ours that outlived its supervisor is stopped cleanly. */
async function endFormerServer(data: string, note: Note): Promise<void> {
  const lockFile = join(data, "postmaster.pid");
  const pid = existsSync(lockFile) ? Number(readFileSync(lockFile, "utf8").split("\n")[0]) : undefined;
  // PostgreSQL deals with the file of a killed server itself, and better: it checks for surviving backends first.
  if (pid === undefined || !isRunning(pid)) return;
  if (!processCommand(pid).includes(data)) {
    rmSync(lockFile); // another program has this number now, since the machine was started anew
    return;
  }
  note("stopping the server of an earlier start");
  process.kill(pid, "SIGINT");
  while (isRunning(pid)) await delay(100);
}

/** Backends of a server that was killed hold its shared memory for a moment longer, so a refusal is tried again. */
async function startServer(
  { group, port, logFile, settings = {} }: LocalPostgresOptions,
  { programs, account }: PostgresInstallation,
  data: string,
  adminUrl: string,
): Promise<void> {
  const all = { listen_addresses: localHost, unix_socket_directories: "", ...settings };
  const args = [
    "-D",
    data,
    "-p",
    String(port),
    ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  await requireFreePort(port, "PostgreSQL", "POSTGRES_PORT");
  for (let attempt = 1; ; attempt++) {
    const server = group.start({
      name: "PostgreSQL",
      command: join(programs, "bin", "postgres"),
      args,
      account,
      logFile,
      stopSignal: "SIGINT", // disconnects clients; SIGTERM would wait for them
    });
    try {
      await server.ready(() => answers(adminUrl));
      return;
    } catch (error) {
      if (attempt === attemptsMax || !/shared memory block .* is still in use/.test(String(error)))
        throw error;
      await delay(500);
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    await client`select 1`;
    return true;
  } catch {
    return false;
  } finally {
    await client.end({ timeout: 1 });
  }
}
