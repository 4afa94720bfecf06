import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { freshnessMs } from "../src/db/entitlements/change-tail.ts";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadChecks } from "./entitlements/checks.ts";
import { type EdgeRun, loadEdge } from "./entitlements/edge.ts";
import { giveFeatures } from "./entitlements/features.ts";
import { loadPairs } from "./entitlements/reservations.ts";
import { growTree } from "./entitlements/spenders.ts";
import { loadNow, thisMachine, writeFigures } from "./figures.ts";
import type { BareReady } from "./ingest/bare-process.ts";
import { openIngestUnderTest } from "./ingest/ingest-under-test.ts";
import type { RateRun } from "./ingest/measured.ts";
import { startChild } from "./ingest/messages.ts";

/**
 * `npm run bench:entitlements`: what a check takes over HTTP, of customers with usage: of a feature that is given or not, of limits
 * in windows of each kind, and beside it of a request that asks no database; the same from
 * memory beside a bare handler; how long a change of terms takes from its commit until the SDK answers by it, and what a check takes there; and
 * what a reservation and its settlement take together, over four levels with a cap each, of many customers and of one organisation.
 */
const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    connections: { type: "string", default: "4" },
    /** Of the database, and how many of them ask. */
    customers: { type: "string", default: "1000000" },
    asking: { type: "string", default: "1000" },
    events: { type: "string", default: "200000" },
    /** Of the part `edge`: streams that are followed, and changes of plan. */
    followers: { type: "string", default: "200" },
    changes: { type: "string", default: "400" },
    /** What is measured: checks as of now, from memory, at the edge, and pairs of a reservation and its settlement. */
    part: { type: "string", default: "checks,memory,edge,reservations" },
    /** Where the API's CPU profile is written, for who wants to see where a check's time goes. */
    profile: { type: "string" },
    "pairs-per-second": { type: "string" },
    out: { type: "string" },
  },
});
const options = {
  seconds: Number(flags.seconds),
  connections: Number(flags.connections),
  customers: Number(flags.asking),
};

const profileFlags = (folder: string | undefined) =>
  folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${resolve(folder)}`];

const progress = createProgress(process.stderr);
const ingest = await progress.step("PostgreSQL and API", (note) =>
  openIngestUnderTest({ customers: Number(flags.customers), apiFlags: profileFlags(flags.profile) }, note),
);
try {
  await progress.step("usage", (note) => ingest.fillUp(Number(flags.events), note));
  const runs: Record<string, RateRun & { readonly load: number }> = {};
  const tell = (name: string, run: RateRun) => {
    runs[name] = { ...run, load: loadNow() };
    const { perSecond, perSecondByCpu, p50, p99, databaseMicros, serverMicros } = run;
    progress.line(
      `  ${name.padEnd(10)}${perSecond}/s (${perSecondByCpu} by CPU), p50 ${p50} ms, p99 ${p99} ms, CPU of each: database ${databaseMicros}, API ${serverMicros} µs`,
    );
  };
  const fromMemory = async () => {
    const databaseUrl = ingest.server.appUrl;
    const bare = await startChild<BareReady>("bare-process.ts", {
      work: "parse",
      databaseUrl,
      connections: 1,
    });
    const asked = { ...options, connections: 32, feature: "month", maxAgeMs: freshnessMs } as const;
    const bareUrl = bare.ready.url;
    tell("bare", await progress.step("bare", () => loadChecks(ingest, { ...asked, bareUrl, watched: bare })));
    await bare.stop();
    await progress.step("what is remembered", () => loadChecks(ingest, asked));
    tell("memory", await progress.step("memory", () => loadChecks(ingest, asked)));
    tell("paced", await progress.step("paced", () => loadChecks(ingest, { ...asked, perSecond: 2_000 })));
  };
  const checks = async () => {
    for (const feature of ["none", "sso", "month", "windows"] as const) {
      tell(feature, await progress.step(feature, () => loadChecks(ingest, { ...options, feature })));
    }
  };
  const pairs = async () => {
    await progress.step("four levels with caps", () => growTree(ingest, options.customers));
    const pace = flags["pairs-per-second"];
    const perSecond = pace === undefined ? {} : { perSecond: Number(pace) };
    for (const over of ["spread", "hot"] as const) {
      const load = (name: string) =>
        loadPairs(ingest, { ...options, connections: 64, ...perSecond, over, name });
      await progress.step(`${over}: what is remembered`, () => load(`warm-${over}`));
      tell(over, await progress.step(over, () => load(over)));
    }
  };
  let edge: EdgeRun | undefined;
  const atTheEdge = async () => {
    const load = { followers: Number(flags.followers), changes: Number(flags.changes) };
    const alone = await progress.step("edge", () => loadEdge(ingest, load));
    const { localMicros, p50, p99, slowest } = alone;
    progress.line(
      `  change of plan visible at the edge: p50 ${p50} ms, p99 ${p99} ms, at most ${slowest} ms; local check ${localMicros.plain} µs, of four limits ${localMicros.limited} µs`,
    );
    edge = alone;
  };
  const parts = flags.part.split(",");
  await progress.step("features", () => giveFeatures(ingest, options.customers));
  if (parts.includes("checks")) await checks();
  if (parts.includes("memory")) await fromMemory();
  if (parts.includes("edge")) await atTheEdge();
  if (parts.includes("reservations")) await pairs();
  if (flags.out !== undefined) {
    writeFigures(resolve(flags.out), {
      bench: "entitlements",
      measuredAt: new Date().toISOString(),
      machine: thisMachine(),
      node: process.versions.node,
      server: ingest.server.settings,
      options,
      runs,
      edge,
    });
  }
} finally {
  await ingest.stop();
}
