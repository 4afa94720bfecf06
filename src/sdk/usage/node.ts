import { type ReporterClock, systemClock } from "./clock.ts";
import { DiskSpool } from "./disk-spool/disk-spool.ts";
import { realFiles, type SpoolFiles } from "./disk-spool/spool-files.ts";
import { rescueAtExit } from "./exit-rescue.ts";
import { createHttpTransport } from "./http-transport.ts";
import { numbersFrom, type ReporterOptions, settingsFrom, UsageReporterOptionsError } from "./options.ts";
import { Reporter } from "./reporter.ts";
import type { OpenSpool } from "./spool.ts";
import type { UsageReporter } from "./usage-reporter.ts";

export { UsageReporterOptionsError } from "./options.ts";
export type * from "./public-types.ts";

export interface UsageReporterOptions extends ReporterOptions {
  /**
   * A folder for events that cannot be sent: of this service alone, or shared by several of its processes. Without one, what
   * is in memory when the process ends is lost.
   */
  readonly spoolFolder?: string | undefined;
  /**
   * `memory_first`, the standard: events go to the API from memory, and to disk when it is away or the memory fills; a process
   * that is killed loses what it has in memory. `spool_first`: events go to disk first and to the API from there.
   */
  readonly durability?: "memory_first" | "spool_first" | undefined;
  /** What the folder may take, of all processes together (1 GiB). */
  readonly spoolBytesMax?: number | undefined;
  /** When a file of the spool is complete (1 MiB): it is read in one piece. */
  readonly segmentBytesMax?: number | undefined;
  /**
   * True when left out: an event counts as on disk when it would survive a power cut. With false, when it would survive the
   * end of this process.
   */
  readonly fsync?: boolean | undefined;
}

const mebibyte = 1_024 * 1_024;

const spoolNumbers = {
  spoolBytesMax: [1_024 * mebibyte, 1_024, 1_024 * 1_024 * mebibyte],
  segmentBytesMax: [mebibyte, 1_024, 64 * mebibyte],
} as const;

/** What tests put in the place of the machine's own. */
export interface MachineParts {
  readonly clock?: ReporterClock;
  readonly files?: SpoolFiles;
  readonly roundMs?: number;
  readonly staleAfterMs?: number;
}

/**
 * Makes a reporter of usage events for a service in Node. It begins to send what earlier processes have left in the folder.
 * @throws UsageReporterOptionsError: nothing else is ever thrown, now or later
 */
export function createUsageReporter(
  options: UsageReporterOptions,
  machine: MachineParts = {},
): UsageReporter {
  const settings = settingsFrom(options);
  const { clock = systemClock } = machine;
  const reporter = new Reporter(settings, {
    transport: createHttpTransport(settings.requestsInFlightMax),
    openSpool: spoolOf(options, machine),
    isSpoolFirst: options.durability === "spool_first",
    clock,
  });
  const endRescue = rescueAtExit(reporter);
  return {
    report: (event) => reporter.report(event),
    flush: (wait) => reporter.flush(wait),
    stats: () => reporter.stats(),
    close: async (wait) => {
      const stats = await reporter.close(wait);
      endRescue();
      return stats;
    },
  };
}

function spoolOf(options: UsageReporterOptions, machine: MachineParts): OpenSpool | undefined {
  const { spoolFolder: folder, durability = "memory_first", fsync: isSynced = true } = options;
  if (durability !== "memory_first" && durability !== "spool_first") {
    throw new UsageReporterOptionsError("durability", 'must be "memory_first" or "spool_first"');
  }
  if (folder === undefined && durability === "spool_first") {
    throw new UsageReporterOptionsError("spoolFolder", 'must be given with the durability "spool_first"');
  }
  if (folder === undefined) return undefined;
  if (typeof folder !== "string" || folder === "") {
    throw new UsageReporterOptionsError("spoolFolder", "must be the path of a folder");
  }
  const { files = realFiles, roundMs = 5_000, staleAfterMs = 20_000 } = machine;
  const spool = { folder, isSynced, files, roundMs, staleAfterMs, ...numbersFrom(spoolNumbers, options) };
  return (surroundings) => new DiskSpool(spool, surroundings);
}
