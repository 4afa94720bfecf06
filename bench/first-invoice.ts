import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../src/sandbox/local-services/child-process.ts";
import { findTemporalCli } from "../src/sandbox/local-services/temporal-cli.ts";
import { loadNow, median, stopwatch, thisMachine, writeFigures } from "./figures.ts";
import { cloneProject, forgetData, install, type StartFigures, startAndStop } from "./new-user.ts";

/** `npm run bench:first-invoice`: how long a new user waits, from nothing to the first paid invoice. */
const { values: flags } = parseArgs({
  options: {
    cold: { type: "string", default: "1" },
    warm: { type: "string", default: "3" },
    "empty-npm-cache": { type: "boolean", default: false },
    out: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const [coldRuns, warmRuns] = [Number(flags.cold), Number(flags.warm)];
if (!(coldRuns >= 1 && warmRuns >= 0)) throw new Error("--cold must be 1 or more, --warm 0 or more");

interface Run extends StartFigures {
  readonly kind: "cold" | "warm";
  /** Of this machine when the run began. */
  readonly load: number;
  /** Seconds; a warm run is in a clone that has been installed. */
  readonly clone: number;
  readonly install: number;
}

const runs: Run[] = [];
const versions: Record<string, string> = {};
/** How the last cold run came by the Temporal CLI. */
let temporalCli = "on the PATH";
const npmCache = await npmCacheState();
const folder = mkdtempSync(join(tmpdir(), "reckoner-bench-"));
chmodSync(folder, 0o755); // as a user's own folder: PostgreSQL's account may read it
let clone = join(folder, "none");
try {
  for (let number = 1; number <= coldRuns; number++) {
    rmSync(clone, { recursive: true, force: true });
    clone = join(folder, `clone-${number}`);
    await coldRun();
  }
  for (let number = 1; number <= warmRuns; number++) await warmRun();
  versions.commit = (await runCommand("git", ["-C", clone, "rev-parse", "HEAD"])).trim();
  versions.node = (await runCommand(join(clone, "node_modules/.bin/node"), ["--version"])).trim().slice(1);
  versions.temporal = (await findTemporalCli(join(clone, ".reckoner/bin"), () => {})).version;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const figures = {
  bench: "first-invoice",
  measuredAt: new Date().toISOString(),
  machine: thisMachine(),
  versions,
  npmCache,
  temporalCli,
  medians: { cold: mediansOf("cold"), warm: mediansOf("warm") },
  runs,
};
if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);
console.log(summary());

async function coldRun(): Promise<void> {
  temporalCli = "on the PATH";
  const load = loadNow();
  const cloning = stopwatch();
  await cloneProject(clone);
  const cloned = cloning();
  const installing = stopwatch();
  await install(clone, flags["empty-npm-cache"] ? mkdtempSync(join(folder, "npm-cache-")) : undefined);
  await measure({ kind: "cold", load, clone: cloned, install: installing() });
  // A quick download is over before npm start says anything about it.
  if (temporalCli === "on the PATH" && existsSync(join(clone, ".reckoner/bin/temporal")))
    temporalCli = "fetched";
}

async function warmRun(): Promise<void> {
  const load = loadNow();
  forgetData(clone);
  await measure({ kind: "warm", load, clone: 0, install: 0 });
}

async function measure(before: Pick<Run, "kind" | "load" | "clone" | "install">): Promise<void> {
  console.log(`${before.kind} run, at a load of ${before.load}`);
  const onLine = (line: string) => {
    if (flags.verbose) console.log(`    ${line}`);
    const [, source] = /Temporal: fetching it, by (.*)$/.exec(line) ?? [];
    if (source !== undefined) temporalCli = `fetched, by ${source}`;
  };
  const { figures, postgres } = await startAndStop({ folder: clone, onLine });
  versions.postgres = postgres;
  runs.push({ ...before, ...figures });
}

/** The seconds of one kind of run that people wait for, each counted from `git clone` or, when warm, from `npm start`. */
function mediansOf(kind: Run["kind"]) {
  const some = runs.filter((run) => run.kind === kind);
  if (some.length === 0) return undefined;
  const since = (moment: (run: Run) => number) =>
    median(some.map((run) => run.clone + run.install + moment(run)));
  return {
    clone: median(some.map(({ clone }) => clone)),
    install: median(some.map(({ install }) => install)),
    running: since(({ running }) => running),
    firstPaidInvoice: since(({ firstPaidInvoice }) => firstPaidInvoice),
    firstPaidUsageInvoice: since(({ firstPaidUsageInvoice }) => firstPaidUsageInvoice),
    demoEnd: since(({ demoEnd }) => demoEnd),
  };
}

async function npmCacheState(): Promise<"filled" | "empty"> {
  if (flags["empty-npm-cache"]) return "empty";
  const cache = (await runCommand("npm", ["config", "get", "cache"])).trim();
  const content = join(cache, "_cacache");
  return existsSync(content) && readdirSync(content).length > 0 ? "filled" : "empty";
}

function summary(): string {
  const { cpu, cores, memoryGiB, kernel } = figures.machine;
  const { cold, warm } = figures.medians;
  const of = (kind: Run["kind"]) => runs.filter((run) => run.kind === kind);
  const cell = (seconds: number | undefined) =>
    (seconds === undefined ? "–" : `${seconds.toFixed(1)} s`).padStart(9);
  const row = (label: string, key: keyof NonNullable<typeof cold>) =>
    `${label.padEnd(38)}${cell(cold?.[key])}${cell(warm?.[key])}`;
  return [
    "",
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}`,
    `Node ${versions.node}, PostgreSQL ${versions.postgres}, Temporal ${versions.temporal}`,
    `npm's cache was ${npmCache}; the Temporal CLI was ${temporalCli}`,
    `loads at the start of the runs: ${runs.map(({ load }) => load).join(", ")}`,
    "",
    `${"medians".padEnd(38)}${`cold (${of("cold").length})`.padStart(9)}${`warm (${of("warm").length})`.padStart(9)}`,
    row("git clone", "clone"),
    row("npm ci", "install"),
    row("everything runs, after", "running"),
    row("first invoice paid, after", "firstPaidInvoice"),
    row("first invoice of usage paid, after", "firstPaidUsageInvoice"),
    row("the demo's end, after", "demoEnd"),
  ].join("\n");
}
