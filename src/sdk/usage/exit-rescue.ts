import type { Reporter } from "./reporter.ts";

const reporters = new Set<Reporter>();

function rescueAll(): void {
  for (const reporter of reporters) reporter.rescue();
}

/**
 * Lets a reporter save what it holds in memory when the process ends by itself, by `process.exit` or by an error that
 * nobody caught. What kills a process without asking it (SIGKILL, a power cut) is what `spool_first` is for.
 * @returns ends that
 */
export function rescueAtExit(reporter: Reporter): () => void {
  if (reporters.size === 0) process.on("exit", rescueAll);
  reporters.add(reporter);
  return () => {
    reporters.delete(reporter);
    if (reporters.size === 0) process.off("exit", rescueAll);
  };
}
