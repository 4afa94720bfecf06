import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { createProgress, type Note } from "../src/sandbox/local-services/progress.ts";
import { thisMachine, writeFigures } from "./figures.ts";
import { type BenchServer, startServer } from "./ledger/server.ts";
import { closedTogether, measureCloses } from "./rating/close.ts";
import { measureLines, type RatedWork } from "./rating/lines.ts";
import { measureRerating } from "./rating/rerate.ts";

/**
 * `npm run bench:rating`: how many lines a second one core prices (lines), what the close of a period with 20 lines takes
 * (close), and how fast many subscriptions are rated anew from windows (rerate); `--only` measures one of them.
 */
const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "7" },
    lines: { type: "string", default: "200000" },
    closes: { type: "string", default: "100" },
    subscriptions: { type: "string", default: "100000" },
    only: { type: "string" },
    out: { type: "string" },
  },
});
const parts = ["lines", "close", "rerate"];
/** No run of a part writes more of the log. */
const logGiB = 1;
const asked = flags.only === undefined ? parts : [flags.only];
if (!asked.every((part) => parts.includes(part))) throw new Error("--only takes lines, close or rerate");
const runs = atLeast(1, "runs");
const lines = atLeast(1000, "lines");
const closes = atLeast(10, "closes");
const subscriptions = atLeast(1, "subscriptions");

const progress = createProgress(process.stderr);
const figures = {
  lines: asked.includes("lines") ? await linesFigures() : undefined,
  close: asked.includes("close") ? await closeFigures() : undefined,
  rerate: asked.includes("rerate") ? await rerateFigures() : undefined,
};
if (flags.out !== undefined) {
  writeFigures(resolve(flags.out), { machine: thisMachine(), node: process.version, flags, ...figures });
}

async function linesFigures(): Promise<RatedWork[]> {
  const found: RatedWork[] = [];
  await progress.step("lines", async (note) => {
    for (const work of measureLines({ runs, lines })) {
      found.push(work);
      note(work.name);
      progress.line(`  ${work.name}: ${work.medianLinesPerSecond} lines/s per core, median of ${runs}`);
    }
  });
  return found;
}

async function closeFigures() {
  return await onServer("close", async (server, note) => {
    const close = await measureCloses(server, { runs, closes }, note);
    for (const [how, { medianNodeMicros, medianPostgresMicros }] of [
      ["by itself", close.alone],
      [`with ${closedTogether - 1} others`, close.together],
    ] as const) {
      progress.line(
        `  a close with ${close.lines} lines, ${how}: ${medianNodeMicros} µs of CPU in Node and ${medianPostgresMicros} in PostgreSQL, median of ${runs}`,
      );
    }
    return close;
  });
}

async function rerateFigures() {
  return await onServer("rerate", async (server, note) => {
    const rerate = await measureRerating(server, { runs, subscriptions }, note);
    progress.line(
      `  ${subscriptions} subscriptions rated anew in ${rerate.medianSeconds} s; each ${rerate.medianNodeMicros} µs of CPU in Node and ${rerate.medianPostgresMicros} in PostgreSQL, median of ${runs}`,
    );
    return rerate;
  });
}

async function onServer<Figures>(
  part: string,
  measure: (server: BenchServer, note: Note) => Promise<Figures>,
): Promise<Figures & { readonly settings: BenchServer["settings"]; readonly syncMs: number }> {
  return await progress.step(part, async (note) => {
    const server = await startServer(note, logGiB);
    try {
      const { settings, syncMs } = server;
      return { ...(await measure(server, note)), settings, syncMs };
    } finally {
      await server.stop();
    }
  });
}

function atLeast(least: number, name: "runs" | "lines" | "closes" | "subscriptions"): number {
  const value = Number(flags[name]);
  if (value >= least) return value;
  throw new Error(`--${name} takes ${least} or more`);
}
