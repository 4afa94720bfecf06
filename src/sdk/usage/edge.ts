import { createFetchTransport } from "./fetch-transport.ts";
import { type ReporterOptions, settingsFrom } from "./options.ts";
import { Reporter } from "./reporter.ts";
import type { UsageReporter } from "./usage-reporter.ts";

export { UsageReporterOptionsError } from "./options.ts";
export type * from "./public-types.ts";

export interface EdgeReporterOptions extends ReporterOptions {
  /** The runtime's own when left out. */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * Makes a reporter of usage events for a runtime without files: it holds events in memory only. Where the runtime may stop
 * once a request is answered, let it wait for `flush`.
 * @throws UsageReporterOptionsError: nothing else is ever thrown, now or later
 */
export function createUsageReporter(options: EdgeReporterOptions): UsageReporter {
  const settings = settingsFrom(options);
  const reporter = new Reporter(settings, { transport: createFetchTransport(options.fetch) });
  return {
    report: (event) => reporter.report(event),
    flush: (wait) => reporter.flush(wait),
    close: (wait) => reporter.close(wait),
    stats: () => reporter.stats(),
  };
}
