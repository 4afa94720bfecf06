import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { HostStory } from "./host.ts";

const entry = join(import.meta.dirname, "host.ts");

/** A host in a process of its own; it goes with the test. */
export interface Host {
  /** The numbers of the events of which it said that they are on disk. */
  readonly onDisk: ReadonlySet<number>;
  /** Settles when it has ended and all it said was read: its exit code, null when it was killed. */
  readonly ended: Promise<number | null>;
  /** What it wrote to standard error. */
  errors(): string;
  kill(): void;
}

export function startHost(story: HostStory): Host {
  const child: ChildProcess = spawn(process.execPath, [entry, JSON.stringify(story)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const onDisk = new Set<number>();
  let [rest, errors] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onDisk.add(Number(line));
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  return {
    onDisk,
    ended: new Promise((resolve) => child.once("close", (code) => resolve(code))),
    errors: () => errors,
    kill: () => void child.kill("SIGKILL"),
  };
}
