import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { migrate } from "../../src/db/migrate.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { startPostgres } from "../../src/sandbox/local-services/postgres.ts";
import * as roles from "../../src/sandbox/local-services/postgres-roles.ts";
import { isRunning } from "../../src/sandbox/local-services/running-processes.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";

/** A server of its own with a migrated database, for tests that kill it. */
export interface KillablePostgres {
  /** Connects as the application's role. */
  readonly appUrl: string;
  /** Ends every process of the server at once, as the kernel does when memory runs out. */
  kill(): Promise<void>;
  /** Starts it again on what is on its disk. */
  restart(): Promise<void>;
  /** Ends it for good. */
  remove(): Promise<void>;
}

/** After a crash every file is made durable before anything else: by one call, where there is one, instead of thousands. */
const quickRecovery: Record<string, string> =
  process.platform === "linux" ? { recovery_init_sync_method: "syncfs" } : {};

/** @param settings of the server; nothing is changed that keeps it from losing data unless it is named here */
export async function openKillablePostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<KillablePostgres> {
  const base = mkdtempSync(join(tmpdir(), "reckoner-kill-"));
  chmodSync(base, 0o711); // the server may run under an account of its own
  const group = createServiceGroup();
  const folder = join(base, "postgres");
  const place = { group, folder, port: await freePort(), logFile: join(base, "postgres.log") };
  const start = () =>
    startPostgres({ ...place, settings: { ...quickRecovery, ...settings }, note: () => {} });
  const { adminUrl } = await start();
  const passwords = roles.randomPasswords();
  await roles.ensureRoles(adminUrl, passwords);
  await roles.createDatabase(adminUrl, "killed");
  const urls = roles.roleUrls(adminUrl, "killed", passwords);
  await migrate(urls);
  return {
    appUrl: urls.appUrl,
    kill: () => killServer(join(folder, "data", "cluster")),
    async restart() {
      await start();
    },
    async remove() {
      await group.stopAll();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** The first process would let the others end what they are doing: all are killed, itself before those it would warn. */
export async function killServer(cluster: string): Promise<void> {
  const first = Number(readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")[0]);
  const all = [first, ...childrenOf(first)];
  for (const pid of all) killIfThere(pid);
  const deadline = performance.now() + 10_000;
  while (all.some(isRunning)) {
    if (performance.now() > deadline) throw new Error("a process of the server survives its killing");
    await delay(5);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}

function childrenOf(parent: number): number[] {
  if (!existsSync("/proc/self/stat")) {
    const list = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    const pairs = list.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    return pairs.flatMap(([pid, of]) => (of === parent && pid !== undefined ? [pid] : []));
  }
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === parent);
}

/** The name in parentheses may hold anything, spaces too; what follows it does not. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // it has ended meanwhile
  }
}
