import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { projectFolder } from "../../src/config.ts";

/**
 * Ends a run in which a file goes on far beyond what any needs, and names it. Time limits of tests are timers of the file's own
 * process, which a loop without a pause keeps from ever ringing: nobody else would end it.
 */
export class OverdueFiles implements Reporter {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #minutes: number;

  /** @param minutes what a file may take at most */
  constructor(minutes: number) {
    this.#minutes = minutes;
  }

  onTestModuleStart({ id, moduleId }: TestModule): void {
    const file = relative(projectFolder, moduleId);
    const timer = setTimeout(() => this.#end(file), this.#minutes * 60_000);
    this.#timers.set(id, timer.unref());
  }

  onTestModuleEnd({ id }: TestModule): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  #end(file: string): void {
    process.stderr.write(`${file} has been running for ${this.#minutes} minutes: the run is ended\n`);
    spawnSync("pkill", ["-KILL", "-P", String(process.pid)]);
    process.exit(1);
  }
}
