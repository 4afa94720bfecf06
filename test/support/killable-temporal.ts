import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { loadTestConfig } from "../../src/config.ts";
import type { Service } from "../../src/sandbox/local-services/child-process.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";

/** A dev server of one's own that keeps everything in a file, for tests that take it away. */
export interface KillableTemporal {
  readonly address: string;
  /** kill -9; waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on what is in its file, and waits until it takes workflows. */
  restart(): Promise<void>;
  /** It answers nobody, and keeps its connections, until it is resumed. */
  suspend(): void;
  resume(): void;
  /** Its database takes no write more, until the function that this answers with is called. */
  lockDatabase(): () => void;
  /** Ends it for good. */
  remove(): Promise<void>;
}

export async function openKillableTemporal(): Promise<KillableTemporal> {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-temporal-"));
  const { path: program } = await findTemporalCli(join(loadTestConfig().home, "bin"), () => {});
  const group = createServiceGroup();
  let server: Service | undefined;
  const remembering = {
    ...group,
    start(of: Parameters<typeof group.start>[0]) {
      server = group.start(of);
      return server;
    },
  };
  const databaseFile = join(folder, "temporal.db");
  const place = { program, port: await freePort(), logFile: join(folder, "temporal.log"), databaseFile };
  const start = () => startTemporal({ group: remembering, ...place });
  const { address } = await start();
  let isSuspended = false;
  const suspend = (suspended: boolean) => {
    if (server !== undefined && suspended !== isSuspended)
      process.kill(server.pid, suspended ? "SIGSTOP" : "SIGCONT");
    isSuspended = suspended;
  };
  return {
    address,
    async kill() {
      server?.kill();
      await server?.exited;
    },
    async restart() {
      await start();
    },
    suspend: () => suspend(true),
    resume: () => suspend(false),
    lockDatabase() {
      const database = new DatabaseSync(databaseFile);
      database.exec("pragma busy_timeout = 10000; begin immediate");
      return () => database.close();
    },
    async remove() {
      suspend(false);
      await group.stopAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
