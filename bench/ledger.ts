import "../src/heap.ts";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { openLedgerWriter } from "../src/db/ledger/ledger-writer.ts";
import { runCommand } from "../src/sandbox/local-services/child-process.ts";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadNow, thisMachine, writeFigures } from "./figures.ts";
import type { RateRun } from "./ledger/calls.ts";
import { runCallers, runSchedule } from "./ledger/complete-path.ts";
import { openLedgerUnderTest } from "./ledger/ledger-under-test.ts";
import type { Limit } from "./ledger/limit.ts";
import {
  completePathGoal,
  goalsOf,
  type HalfLoadRun,
  type HalfOf,
  medianRate,
  summary,
} from "./ledger/report.ts";
import { besideUpkeep } from "./ledger/upkeep.ts";
import { fillUp, measureStorage, proveLedger, recompute } from "./ledger/whole-ledger.ts";
import type { Workload } from "./ledger/workload.ts";

/** `npm run bench:ledger`: how fast the ledger is, beside what this machine can do at all. */
const partNames = [
  "limit",
  "database",
  "batches",
  "complete",
  "latency",
  "upkeep",
  "storage",
  "recompute",
] as const;
type Part = (typeof partNames)[number];
const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: partNames.join(",") },
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "10" },
    customers: { type: "string", default: "100000" },
    callers: { type: "string", default: "2000" },
    postings: { type: "string", default: "1000000" },
    "batch-max": { type: "string" },
    "batches-in-flight": { type: "string" },
    out: { type: "string" },
  },
});
const parts = flags.only.split(",").map((name) => {
  const part = partNames.find((known) => known === name);
  if (part === undefined) throw new Error(`--only takes some of ${partNames.join(",")}`);
  return part;
});
const [runs, seconds] = [Number(flags.runs), Number(flags.seconds)];
const [customers, callers, postings] = [
  Number(flags.customers),
  Number(flags.callers),
  Number(flags.postings),
];
if (!(runs >= 1 && seconds > 0 && customers >= 2 && callers >= 1 && postings >= 0)) {
  throw new Error("--runs, --seconds, --customers, --callers and --postings take positive numbers");
}
const writerOptions = {
  ...(flags["batch-max"] !== undefined && { batchMax: Number(flags["batch-max"]) }),
  ...(flags["batches-in-flight"] !== undefined && { batchesInFlight: Number(flags["batches-in-flight"]) }),
};

/** Enough to change most pages once. */
const settlingSeconds = 3;

const progress = createProgress(process.stderr);
const ledger = await progress.step("the ledger", (note) => openLedgerUnderTest(customers, note));
const writer = openLedgerWriter({ url: ledger.server.appUrl, ...writerOptions });
const rates: Record<string, RateRun[]> = {};
const latencies: HalfLoadRun[] = [];
const loads: number[] = [];

/** What is measured in each round, so that what one meets of the machine the others meet too. */
const measures: { readonly part: Part; readonly name: string; run(): Promise<RateRun> }[] = [
  direct("limit", "limit", 1),
  direct("database", "uniform", 1),
  direct("limit", "limit", 100),
  direct("limit", "limit as set", 100),
  direct("database", "uniform", 100),
  direct("limit", "limit", 1_000),
  direct("limit", "limit as set", 1_000),
  direct("database", "uniform", 1_000),
  direct("database", "hot", 1_000),
  ...[1, 20, 50, 100, 1_000].map((batch) => alone("uniform", batch)),
  alone("limit as set", 20),
  complete("uniform"),
  complete("hot"),
];

function direct(part: Part, work: Workload | Limit, batch: number) {
  const connections = batch === 1 ? 16 : 4;
  const run = () => ledger.sendDirectly({ work, batch, connections, seconds });
  return { part, name: `${work}, ${batch} a call`, run };
}

/** On one connection: nobody waits for anybody, and the CPU for an entry is what a batch of this size makes it. */
function alone(work: Workload | Limit, batch: number) {
  const run = () => ledger.sendDirectly({ work, batch, connections: 1, seconds });
  return { part: "batches" as const, name: `${work}, ${batch} a call, alone`, run };
}

function complete(workload: "uniform" | "hot") {
  const run = () => runCallers(ledger, writer, { workload, callers, seconds });
  return { part: "complete" as const, name: `complete, ${workload}`, run };
}

async function measureRate(name: string, run: () => Promise<RateRun>): Promise<void> {
  const rate = await run();
  rates[name] = [...(rates[name] ?? []), rate];
  const { perSecond, serverMicros = "?", clientMicros } = rate;
  progress.line(`  ${name.padEnd(34)}${perSecond}/s, CPU per entry ${serverMicros} + ${clientMicros} µs`);
}

/**
 * A checkpoint, and what each one leads to, before anything is measured: pages are logged whole when they change for the first
 * time afterwards. So that no other checkpoint comes in between, and the files of the log are there.
 */
async function settle(): Promise<void> {
  await ledger.server.checkpoint();
  await ledger.sendDirectly({ work: "limit as set", batch: 1_000, connections: 4, seconds: settlingSeconds });
  await runCallers(ledger, writer, { workload: "uniform", callers, seconds: settlingSeconds });
}

async function measureLatency(): Promise<void> {
  if (medianRate(rates["complete, uniform"]) === undefined) {
    const { name, run } = complete("uniform");
    await measureRate(name, run);
  }
  const fullLoads = { asked: completePathGoal, measured: medianRate(rates["complete, uniform"]) ?? 0 };
  await settle();
  for (let round = 1; round <= runs; round++) {
    for (const [halfOf, full] of Object.entries(fullLoads) as [HalfOf, number][]) {
      const latency = await runSchedule(ledger, writer, { perSecond: Math.round(full / 2), seconds });
      latencies.push({ ...latency, halfOf });
      const { perSecond, p50, p99 } = latency;
      progress.line(`  ${perSecond} calls a second, half of what is ${halfOf}: p50 ${p50} ms, p99 ${p99} ms`);
    }
  }
}

async function measureBesideUpkeep(): Promise<void> {
  const { name, run } = complete("uniform");
  await besideUpkeep(ledger.server.appUrl, async () => {
    for (let round = 1; round <= runs; round++) await measureRate(`${name}, kept up`, run);
  });
}

try {
  for (let round = 1; round <= runs; round++) {
    progress.line(`round ${round} of ${runs}, at a load of ${loadNow()}`);
    loads.push(loadNow());
    await settle();
    for (const { part, name, run } of measures) if (parts.includes(part)) await measureRate(name, run);
  }
  if (parts.includes("latency")) await measureLatency();
  if (parts.includes("upkeep")) await measureBesideUpkeep();
  const storage = parts.includes("storage")
    ? await progress.step("storage", () => measureStorage(ledger, seconds))
    : undefined;
  if (parts.includes("recompute")) {
    await progress.step("filling up", (note) => fillUp(ledger, postings, note));
    for (let round = 1; round <= runs; round++) await measureRate("recompute", () => recompute(ledger));
  }
  await writer.close();
  const proof = await progress.step("V1 to V3", () => proveLedger(ledger));
  const figures = {
    bench: "ledger",
    measuredAt: new Date().toISOString(),
    machine: thisMachine(),
    commit: (await runCommand("git", ["rev-parse", "--short", "HEAD"])).trim(),
    node: process.versions.node,
    server: ledger.server.settings,
    syncMs: ledger.server.syncMs,
    options: { runs, seconds, customers, callers, postings, ...writerOptions },
    loads,
    goals: goalsOf({ rates, latencies }),
    storage,
    proof,
    latencies,
    rates,
  };
  if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);
  console.log(summary(figures));
} finally {
  await ledger.stop();
}
