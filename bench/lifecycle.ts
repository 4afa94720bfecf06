import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { createProgress, type Note } from "../src/sandbox/local-services/progress.ts";
import { thisMachine, writeFigures } from "./figures.ts";
import { measureChanges } from "./lifecycle/changes.ts";
import { type CyclesFigures, measureCycles } from "./lifecycle/cycles.ts";
import { type EngineLimitFigures, measureEngineLimit } from "./lifecycle/engine-limit.ts";
import { measureIdle } from "./lifecycle/idle.ts";
import { buildTemporal, usualEngineFolder } from "./lifecycle/production-temporal.ts";
import { type CpuByPart, type SystemUnderTest, startSystemUnderTest } from "./lifecycle/system-under-test.ts";

/**
 * `npm run bench:lifecycle`: what subscriptions cost that wait (idle), how fast a plan change is answered (changes), how many
 * cycles a second are closed with a workflow each (workflow) and in pages (paged), and what the engine does at all (limit).
 */
const { values: flags } = parseArgs({
  options: {
    subscriptions: { type: "string", default: "10000" },
    cycles: { type: "string", default: "5000" },
    changes: { type: "string", default: "1000" },
    "changes-per-second": { type: "string", default: "50" },
    plan: { type: "string", default: "team" },
    only: { type: "string" },
    /** Where Temporal's server is kept or built; `dev` takes the dev server instead. */
    engine: { type: "string", default: usualEngineFolder },
    /** Ends with the last invoice that was issued. */
    "without-collecting": { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const parts = ["idle", "changes", "limit", "workflow", "paged"];
const asked = flags.only === undefined ? parts : flags.only.split(",");
if (!asked.every((part) => parts.includes(part))) throw new Error(`--only takes ${parts.join(", ")}`);
const subscriptions = Number(flags.subscriptions);
const cycles = Number(flags.cycles);
const { plan } = flags;
if (plan !== "team" && plan !== "pro") throw new Error("--plan takes team (20 lines) or pro (6 lines)");

/** Of a cycle: the close, the mirror and the charge. */
const activitiesOfCycle = 3;

const machine = thisMachine();
const progress = createProgress(process.stderr);
const engineFolder = await engine();
const ofOneSystem = await onOneSystem();
const workflow = asked.includes("workflow") ? await cyclesFigures("workflow") : undefined;
const figures = {
  ...ofOneSystem,
  workflow,
  /** Of what the engine does with as many activities and nothing in them. */
  workflowShareOfLimit: workflow && ofOneSystem.limit && share(workflow, ofOneSystem.limit),
  paged: asked.includes("paged") ? await cyclesFigures("paged") : undefined,
};
if (flags.out !== undefined) {
  writeFigures(resolve(flags.out), { machine, node: process.version, flags, ...figures });
}

/** The production server where it is there or can be built; the dev server otherwise, which the figures say. */
async function engine(): Promise<string | undefined> {
  if (flags.engine === "dev") return undefined;
  const folder = resolve(flags.engine);
  try {
    await progress.step("Temporal's server", (note) => buildTemporal(folder, note));
    return folder;
  } catch (error) {
    progress.line(`  Temporal's server could not be built, so the dev server stands in: ${String(error)}`);
    return undefined;
  }
}

/** Idle, changes and the limit share a system: the changes are of the subscriptions that waited. */
async function onOneSystem() {
  if (!asked.some((part) => ["idle", "changes", "limit"].includes(part))) return { limit: undefined };
  return await progress.step("the system", async (note) => {
    const system = await startSystemUnderTest({ engineFolder, cycleClose: "workflow", note });
    try {
      const idle =
        asked.includes("idle") || asked.includes("changes") ? await idleFigures(system, note) : undefined;
      return {
        engine: system.engine,
        settings: system.server.settings,
        syncMs: system.server.syncMs,
        idle,
        changes: asked.includes("changes") ? await changesFigures(system, note) : undefined,
        limit: asked.includes("limit") ? await limitFigures(system, note) : undefined,
      };
    } finally {
      await system.stop();
    }
  });
}

async function idleFigures(system: SystemUnderTest, note: Note) {
  const idle = await measureIdle(system, subscriptions, note);
  const { startsPerSecond, temporalBytesEach, ourBytesEach, history, workerMiB, idleCores } = idle;
  progress.line(
    `  ${subscriptions} subscriptions: ${startsPerSecond}/s, ${cpuText(idle.startCpuMs)} each to begin; waiting, each keeps ` +
      `${temporalBytesEach ?? "?"} bytes at Temporal and ${ourBytesEach} here, ${history.events} events of ${history.bytes} bytes; ` +
      `the worker has ${workerMiB.after} MiB (${workerMiB.before} before), all use ${idleCores} cores`,
  );
  return idle;
}

async function changesFigures(system: SystemUnderTest, note: Note) {
  const changes = Number(flags.changes);
  const perSecond = Number(flags["changes-per-second"]);
  const measured = await measureChanges(system, { changes, perSecond, subscriptions }, note);
  const { preview, change, failures } = measured;
  progress.line(
    `  changes at ${perSecond}/s: p99 ${change.p99} ms (p50 ${change.p50}), ${cpuText(measured.cpuMs)}, ` +
      `${measured.eventsEach} events each; previews alone p99 ${preview.p99} ms (p50 ${preview.p50}), ` +
      `${cpuText(measured.previewCpuMs)}; ${failures} failed`,
  );
  return measured;
}

function share({ issuedPerSecond }: CyclesFigures, { perSecond }: EngineLimitFigures): number {
  const part = Math.round((issuedPerSecond / perSecond) * 100) / 100;
  progress.line(`  a workflow for each cycle does ${part} of what empty workflows do`);
  return part;
}

async function limitFigures(system: SystemUnderTest, note: Note) {
  const workflows = Math.min(1_000, cycles);
  const limit = await measureEngineLimit(system, { workflows, activitiesEach: activitiesOfCycle }, note);
  progress.line(
    `  empty workflows with ${activitiesOfCycle} activities: ${limit.perSecond}/s, ${cpuText(limit.cpuMs)}`,
  );
  return limit;
}

async function cyclesFigures(mode: CyclesFigures["mode"]): Promise<CyclesFigures> {
  return await progress.step(`cycles, ${mode}`, async (note) => {
    const options = {
      ...{ engineFolder, cycles, plan: plan as "team" | "pro", cores: machine.cores },
      collects: !flags["without-collecting"],
    };
    const closed = await measureCycles(mode, options, note);
    progress.line(
      `  ${cycles} cycles with ${closed.linesEach} lines, ${mode}: issued ${closed.issuedPerSecond}/s, ` +
        `${closed.issuedPerSecondByCpu}/s by CPU (${cpuText(closed.issuedCpuMs)}); ` +
        `paid after ${closed.paidSeconds ?? "?"} s, ${closed.paidPerSecond ?? "?"}/s (${cpuText(closed.collectedCpuMs)} more); of each ` +
        Object.entries(closed.historyEach)
          .map(([what, count]) => `${count} ${what}`)
          .join(", "),
    );
    return closed;
  });
}

function cpuText(ms: CpuByPart): string {
  const spent = Object.entries(ms).filter(([, each]) => each >= 0.01);
  return `${spent.map(([part, each]) => `${part} ${each}`).join(" + ")} ms of CPU`;
}
