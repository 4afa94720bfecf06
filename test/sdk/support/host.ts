import { setTimeout as delay } from "node:timers/promises";
import { createUsageReporter, type UsageReporterOptions } from "../../../src/sdk/usage/node.ts";
import { event } from "./sample-event.ts";

/** What the host process is told, as JSON, on its command line. */
export interface HostStory {
  readonly options: Omit<UsageReporterOptions, "onProblem">;
  /** It reports the events `from` to `to`, the last one left out, some at a time. */
  readonly from: number;
  readonly to: number;
  readonly atOnce: number;
  readonly pauseMs: number;
  /** How it ends when nobody kills it. */
  readonly ending: "close" | "by itself" | "exit" | "throw";
}

/**
 * A service with a reporter in it, in a process of its own, to be killed. It writes a line for each event that is on disk:
 * its number.
 */
async function run({ options, from, to, atOnce, pauseMs, ending }: HostStory): Promise<void> {
  const reporter = createUsageReporter({
    ...options,
    onProblem: (problem) => console.error(JSON.stringify(problem)),
  });
  for (let next = from; next < to; next += atOnce) {
    for (let n = next; n < Math.min(next + atOnce, to); n++) {
      const result = reporter.report(event(n));
      if (result.status !== "taken") throw new Error(JSON.stringify(result));
      result.flushedToDisk.then((isOnDisk) => isOnDisk && process.stdout.write(`${n}\n`));
    }
    if (pauseMs > 0) await delay(pauseMs);
  }
  if (ending === "exit") process.exit();
  if (ending === "throw") throw new Error("the host has a fault");
  if (ending === "close") await reporter.close({ deadlineMs: 20_000 });
}

if (process.argv[2] !== undefined) await run(JSON.parse(process.argv[2]));
