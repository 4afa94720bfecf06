import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadChecks } from "./entitlements/checks.ts";
import { giveFeatures } from "./entitlements/features.ts";
import { loadNow, thisMachine, writeFigures } from "./figures.ts";
import { openIngestUnderTest } from "./ingest/ingest-under-test.ts";
import type { RateRun } from "./ingest/measured.ts";

/**
 * `npm run bench:entitlements`: what a check takes over HTTP, of customers with usage: of a feature that is given or not, of limits
 * in windows of each kind, and beside it of a request that only asks for the time.
 */
const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    connections: { type: "string", default: "4" },
    customers: { type: "string", default: "1000" },
    events: { type: "string", default: "200000" },
    out: { type: "string" },
  },
});
const options = {
  seconds: Number(flags.seconds),
  connections: Number(flags.connections),
  customers: Number(flags.customers),
};

const progress = createProgress(process.stderr);
const ingest = await progress.step("PostgreSQL and API", (note) =>
  openIngestUnderTest({ customers: options.customers, apiFlags: [] }, note),
);
try {
  await progress.step("usage", (note) => ingest.fillUp(Number(flags.events), note));
  await progress.step("features", () => giveFeatures(ingest, options.customers));
  const runs: Record<string, RateRun & { readonly load: number }> = {};
  for (const feature of ["none", "sso", "month", "windows"] as const) {
    const run = await progress.step(feature, () => loadChecks(ingest, { ...options, feature }));
    runs[feature] = { ...run, load: loadNow() };
    const { perSecond, p50, p99, databaseMicros, serverMicros } = run;
    progress.line(
      `  ${feature.padEnd(10)}${perSecond}/s, p50 ${p50} ms, p99 ${p99} ms, CPU per check: database ${databaseMicros}, API ${serverMicros} µs`,
    );
  }
  if (flags.out !== undefined) {
    writeFigures(resolve(flags.out), {
      bench: "entitlements",
      measuredAt: new Date().toISOString(),
      machine: thisMachine(),
      node: process.versions.node,
      server: ingest.server.settings,
      options,
      runs,
    });
  }
} finally {
  await ingest.stop();
}
