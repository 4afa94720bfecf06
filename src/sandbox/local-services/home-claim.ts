import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LocalServiceError } from "./local-service-error.ts";
import type { Note } from "./progress.ts";
import { isRunning, processCommand } from "./running-processes.ts";
import { writePrivately } from "./secrets.ts";

interface Claim {
  readonly supervisorPid: number;
  readonly guardianPid: number;
}

const claimFile = (home: string) => join(home, "supervisor.json");

/**
 * Makes this process the only one that runs services on the data in `home`. Waits for the guardian of a supervisor
 * that was killed, since it still stops its services; refuses when another supervisor is alive.
 */
export async function claimHome(home: string, guardianPid: number, note: Note): Promise<void> {
  const file = claimFile(home);
  if (existsSync(file)) {
    const former: Claim = JSON.parse(readFileSync(file, "utf8"));
    const isGuarded = () =>
      isRunning(former.guardianPid) && processCommand(former.guardianPid).includes("guardian.sh");
    if (isGuarded() && isRunning(former.supervisorPid)) {
      throw new LocalServiceError(
        `Reckoner already runs on ${home} (process ${former.supervisorPid}): use it, stop it with Ctrl-C, ` +
          "or set RECKONER_HOME and the ports to run another beside it",
      );
    }
    if (isGuarded()) note("waiting until the services of an earlier start have stopped");
    while (isGuarded()) await delay(100);
  }
  writePrivately(file, { supervisorPid: process.pid, guardianPid } satisfies Claim);
}

export function releaseHome(home: string): void {
  rmSync(claimFile(home), { force: true });
}
