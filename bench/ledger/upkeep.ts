import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `work` while another process folds, seals and expires as a worker does, every few seconds. */
export async function besideUpkeep(appUrl: string, work: () => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-bench-seals-"));
  const program = join(import.meta.dirname, "upkeep-process.ts");
  const upkeep = fork(program, [appUrl, join(folder, "seals.jsonl")], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(upkeep, "exit");
  try {
    const [message] = await Promise.race([once(upkeep, "message"), ended]);
    if (message !== "ready") throw new Error(`the upkeep ended with code ${message}`);
    await work();
  } finally {
    if (upkeep.connected) upkeep.disconnect();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
