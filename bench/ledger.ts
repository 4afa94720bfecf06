import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadNow, median, thisMachine, writeFigures } from "./figures.ts";
import type { RateRun } from "./ledger/calls.ts";
import { openLedgerUnderTest } from "./ledger/ledger-under-test.ts";

/** `npm run bench:ledger`: how fast the ledger is, beside what this machine can do at all. */
const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "10" },
    customers: { type: "string", default: "100000" },
    out: { type: "string" },
  },
});
const partNames = ["limit", "database"] as const;
type Part = (typeof partNames)[number];

const runs = Number(flags.runs);
const seconds = Number(flags.seconds);
const customers = Number(flags.customers);
const parts = new Set(flags.only?.split(",") ?? partNames) as Set<Part>;

const progress = createProgress(process.stderr);
const ledger = await progress.step("PostgreSQL", (note) => openLedgerUnderTest(customers, note));
const results: Record<string, RateRun[]> = {};
const loads: number[] = [];
try {
  const measures = [1, 100, 1_000].flatMap((batch) => {
    const connections = batch === 1 ? 16 : 4;
    return [
      { part: "limit" as const, name: `limit, ${batch} a call`, workload: "bare" as const },
      { part: "database" as const, name: `in the database, ${batch} a call`, workload: "uniform" as const },
      { part: "database" as const, name: `in the database, ${batch} a call, hot`, workload: "hot" as const },
    ].map(({ part, name, workload }) => ({
      part,
      name,
      run: () => ledger.sendDirectly({ workload, batch, connections, seconds }),
    }));
  });
  for (let round = 1; round <= runs; round++) {
    loads.push(loadNow());
    for (const { part, name, run } of measures) {
      if (!parts.has(part)) continue;
      const result = await run();
      results[name] = [...(results[name] ?? []), result];
      progress.line(
        `round ${round}: ${name.padEnd(40)} ${String(result.perSecond).padStart(7)}/s  server ${result.serverMicros} µs  client ${result.clientMicros} µs`,
      );
    }
  }
} finally {
  await ledger.stop();
}
const figures = {
  bench: "ledger",
  measuredAt: new Date().toISOString(),
  machine: thisMachine(),
  settings: ledger.server.settings,
  options: { runs, seconds, customers },
  loads,
  medians: Object.fromEntries(
    Object.entries(results).map(([name, some]) => [name, median(some.map(({ perSecond }) => perSecond))]),
  ),
  runs: results,
};
if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);
console.log(figures.medians);
