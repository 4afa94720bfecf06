import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../src/sandbox/local-services/child-process.ts";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadNow, median, thisMachine, writeFigures } from "./figures.ts";
import type { RateRun } from "./ingest/measured.ts";
import { openLogUnderTest } from "./usage-log/log-under-test.ts";

/** `npm run bench:usage-log`: how fast usage is read from a Kafka topic, beside the bare consume, parse, insert loop. */
const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    runs: { type: "string" },
    events: { type: "string" },
    batch: { type: "string", default: "1000" },
    partitions: { type: "string", default: "4" },
    customers: { type: "string", default: "10000" },
    connections: { type: "string", default: "2" },
    "batch-max": { type: "string", default: "2000" },
    out: { type: "string" },
  },
});
const usual = flags.quick ? { runs: 1, events: 50_000 } : { runs: 5, events: 1_000_000 };
const options = {
  runs: Number(flags.runs ?? usual.runs),
  /** In each run. */
  events: Number(flags.events ?? usual.events),
  batch: Number(flags.batch),
  partitions: Number(flags.partitions),
  customers: Number(flags.customers),
  connections: Number(flags.connections),
  batchMax: Number(flags["batch-max"]),
};
const shareGoal = 0.6;

const progress = createProgress(process.stderr);
const log = await progress.step("what is measured", (note) => openLogUnderTest(options, note));
const rates: Record<"reader" | "bare", RateRun[]> = { reader: [], bare: [] };
const loads: number[] = [];

/** Both read the same messages; who goes first changes from round to round. */
async function measureRound(round: number): Promise<void> {
  loads.push(loadNow());
  const topic = await progress.step(`round ${round} of ${options.runs}`, () => log.fill(options.events));
  for (const who of round % 2 === 1 ? (["bare", "reader"] as const) : (["reader", "bare"] as const)) {
    const rate = await log.read(who, { topic, events: options.events });
    rates[who].push(rate);
    const { perSecond, databaseMicros, serverMicros } = rate;
    progress.line(
      `  ${who.padEnd(8)}${perSecond}/s, CPU per event: database ${databaseMicros}, reader ${serverMicros} µs`,
    );
  }
}

try {
  for (let round = 1; round <= options.runs; round++) await measureRound(round);
  const middle = (who: "reader" | "bare", figure: "perSecond" | "databaseMicros" | "serverMicros") =>
    median(rates[who].map((run) => run[figure] ?? Number.NaN));
  const mediansOf = (who: "reader" | "bare") => ({
    perSecond: middle(who, "perSecond"),
    databaseMicros: middle(who, "databaseMicros"),
    readerMicros: middle(who, "serverMicros"),
  });
  const medians = { reader: mediansOf("reader"), bare: mediansOf("bare") };
  const share = Math.round((100 * medians.reader.perSecond) / medians.bare.perSecond) / 100;
  const figures = {
    bench: "usage-log",
    measuredAt: new Date().toISOString(),
    machine: thisMachine(),
    commit: (await runCommand("git", ["rev-parse", "--short", "HEAD"])).trim(),
    node: process.versions.node,
    server: log.server.settings,
    options,
    loads,
    medians,
    goals: [
      { what: "share of the bare loop", measured: share, goal: `≥ ${shareGoal}`, isMet: share >= shareGoal },
    ],
    rates,
  };
  if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);
  for (const [who, { perSecond, databaseMicros, readerMicros }] of Object.entries(medians)) {
    console.log(
      `${who.padEnd(8)}${perSecond} events/s; CPU per event: database ${databaseMicros}, reader ${readerMicros} µs`,
    );
  }
  console.log(
    `share of the bare loop: ${share} (goal ≥ ${shareGoal}: ${share >= shareGoal ? "met" : "missed"})`,
  );
} finally {
  await log.stop();
}
