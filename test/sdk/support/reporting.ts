import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  createUsageReporter,
  type UsageEventInput,
  type UsageProblem,
  type UsageRecovery,
  type UsageReporter,
  type UsageReporterOptions,
} from "../../../src/sdk/usage/node.ts";
import { event } from "./sample-event.ts";

export { event };

export interface Reporting {
  readonly reporter: UsageReporter;
  readonly problems: UsageProblem[];
  readonly recoveries: UsageRecovery[];
  /** The codes of the problems, in order. */
  codes(): string[];
}

/** A reporter that is soon impatient, closed when the test ends. */
export function startReporting(
  options: Partial<UsageReporterOptions> & { readonly apiUrl: string },
  machine?: Parameters<typeof createUsageReporter>[1],
): Reporting {
  const problems: UsageProblem[] = [];
  const recoveries: UsageRecovery[] = [];
  const reporter = createUsageReporter(
    {
      apiKey: "rk_test",
      source: "gateway",
      batchAgeMs: 5,
      backoffFirstMs: 5,
      backoffMaxMs: 40,
      onProblem: (problem) => void problems.push(problem),
      onRecovery: (recovery) => void recoveries.push(recovery),
      ...options,
    },
    machine,
  );
  onTestFinished(async () => void (await reporter.close({ deadlineMs: 0 })));
  return { reporter, problems, recoveries, codes: () => problems.map(({ code }) => code) };
}

export function reportMany(reporter: UsageReporter, from: number, to: number) {
  return Array.from({ length: to - from }, (_, index) => reporter.report(event(from + index)));
}

/** The ids of events `from` to `to`, the last one left out, sorted as texts. */
export const idsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `e/${from + index}`).sort();

export const idsIn = (kept: ReadonlyMap<string, UsageEventInput>) =>
  [...kept.values()].map(({ id }) => id ?? "").sort();

/** A folder that goes with the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-spool-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
