import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../src/sandbox/local-services/child-process.ts";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadNow, median, thisMachine, writeFigures } from "./figures.ts";
import { openIngestUnderTest } from "./ingest/ingest-under-test.ts";
import { copyRows, loadBare } from "./ingest/limits.ts";
import type { RateRun } from "./ingest/measured.ts";
import { proveIngest } from "./ingest/proof.ts";
import { goalsOf, summary } from "./ingest/report.ts";
import { runVisible, type VisibleRun } from "./ingest/visible.ts";

/** `npm run bench:ingest`: how fast usage events are taken in, beside what this machine can do at all. */
const partNames = ["limits", "batches", "single", "visible", "history"] as const;
type Part = (typeof partNames)[number];
const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: partNames.join(",") },
    runs: { type: "string" },
    seconds: { type: "string" },
    keys: { type: "string" },
    history: { type: "string" },
    customers: { type: "string", default: "10000" },
    batch: { type: "string", default: "1000" },
    connections: { type: "string", default: "4" },
    "batches-in-flight": { type: "string" },
    "cpu-profiles": { type: "string" },
    out: { type: "string" },
  },
});
const usual = flags.quick
  ? { runs: 1, seconds: 5, keys: 100_000, history: "50000,400000" }
  : { runs: 3, seconds: 60, keys: 10_000_000, history: "1000000,20000000" };
const parts = flags.only.split(",").map((name) => {
  const part = partNames.find((known) => known === name);
  if (part === undefined) throw new Error(`--only takes some of ${partNames.join(",")}`);
  return part;
});
const options = {
  runs: Number(flags.runs ?? usual.runs),
  seconds: Number(flags.seconds ?? usual.seconds),
  keys: Number(flags.keys ?? usual.keys),
  history: (flags.history ?? usual.history).split(",").map(Number),
  customers: Number(flags.customers),
  batch: Number(flags.batch),
  connections: Number(flags.connections),
};
const underTestOptions = {
  customers: options.customers,
  ...(flags["batches-in-flight"] !== undefined && { batchesInFlight: Number(flags["batches-in-flight"]) }),
  apiFlags:
    flags["cpu-profiles"] === undefined
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${resolve(flags["cpu-profiles"])}`],
};

const progress = createProgress(process.stderr);
const ingest = await progress.step("PostgreSQL, API and generator", (note) =>
  openIngestUnderTest(underTestOptions, note),
);
const { server, generator, events } = ingest;
const rates: Record<string, RateRun[]> = {};
const loads: number[] = [];
const inBatches = { connections: options.connections, batch: options.batch, seconds: options.seconds };
/** Rows that are copied, in seconds of what a busy machine does. */
const copiedPerSecond = 100_000;
let limitFrom = 1e9;

async function measure(part: Part, name: string, run: () => Promise<RateRun>): Promise<void> {
  if (!parts.includes(part)) return;
  const rate = await run();
  rates[name] = [...(rates[name] ?? []), rate];
  const { perSecond, databaseMicros = "?", serverMicros = "–", senderMicros = "–" } = rate;
  progress.line(
    `  ${name.padEnd(28)}${perSecond}/s, CPU per event: database ${databaseMicros}, server ${serverMicros}, sender ${senderMicros} µs`,
  );
}

const copied = (table: "copied" | "copied_unique") => () => {
  const count = Math.ceil(Math.min(options.seconds, 10) * copiedPerSecond);
  limitFrom += count;
  return copyRows({
    url: server.appUrl,
    databasePid: server.pid,
    table,
    events,
    from: limitFrom - count,
    count,
  });
};

const bare = (work: "parse" | "insert") => async () => {
  const load = { ...inBatches, from: limitFrom };
  limitFrom += 1e8;
  return loadBare({ work, databaseUrl: server.appUrl, databasePid: server.pid, generator, load });
};

const ingested = () => ingest.load(inBatches);
const fillUp = (upTo: number) => progress.step(`${upTo} keys`, (note) => ingest.fillUp(upTo, note));

async function measureVisible(): Promise<VisibleRun> {
  const rate = median(
    (rates.batches ?? rates["single events"] ?? [await ingested()]).map(({ perSecond }) => perSecond),
  );
  const perSecond = Math.round(rate / 2);
  const load = ingest.load({ ...inBatches, perSecond });
  return runVisible(ingest, { probes: 20 * options.seconds, perSecond, load });
}

try {
  const [few = 0, many = 0] = options.history;
  if (parts.includes("history")) {
    await fillUp(few);
    for (let run = 1; run <= options.runs; run++)
      await measure("history", `batches at ${few} keys`, ingested);
  }
  await fillUp(options.keys);
  for (let run = 1; run <= options.runs; run++) {
    progress.line(`round ${run} of ${options.runs}, at a load of ${loadNow()}`);
    loads.push(loadNow());
    await measure("limits", "COPY", copied("copied"));
    await measure("limits", "COPY, unique key", copied("copied_unique"));
    await measure("limits", "HTTP and JSON alone", bare("parse"));
    await measure("limits", "bare handler", bare("insert"));
    await measure("batches", "batches", ingested);
    await measure("single", "single events", () => ingest.load({ ...inBatches, connections: 64, batch: 1 }));
  }
  const visible = parts.includes("visible") ? await progress.step("visible", measureVisible) : undefined;
  if (parts.includes("history")) {
    await fillUp(many);
    for (let run = 1; run <= options.runs; run++)
      await measure("history", `batches at ${many} keys`, ingested);
  }
  const proof = await progress.step("the proof", () => proveIngest(ingest, visible?.probes ?? 0));
  const figures = {
    bench: "ingest",
    measuredAt: new Date().toISOString(),
    machine: thisMachine(),
    commit: (await runCommand("git", ["rev-parse", "--short", "HEAD"])).trim(),
    node: process.versions.node,
    server: server.settings,
    options,
    loads,
    api: await ingest.api.use(),
    goals: goalsOf({ rates, visible }, options.history),
    proof,
    visible,
    rates,
  };
  if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);
  console.log(summary(figures));
} finally {
  await ingest.stop();
}
