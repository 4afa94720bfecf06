import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parts } from "../src/config/parts.ts";
import {
  childEnvironment,
  type Environment,
  loadClientConfig,
  loadProofConfig,
  projectFolder,
} from "../src/config.ts";
import { runCommand } from "../src/sandbox/local-services/child-process.ts";
import { freePort } from "../src/sandbox/local-services/ports.ts";
import { createReckonerClient } from "../src/sdk/index.ts";
import { stopwatch } from "./figures.ts";

/** What `npm start` took, in seconds since it was typed. */
export interface StartFigures {
  /** All parts are up and the demo begins. */
  readonly running: number;
  /** Money has come in for an invoice, and the webhook has said so. */
  readonly firstPaidInvoice: number;
  /** The same for an invoice of a month's usage. */
  readonly firstPaidUsageInvoice: number;
  readonly demoEnd: number;
  /** What each part took, as `npm start` says it. */
  readonly steps: Readonly<Record<string, number>>;
}

export interface NewUserOptions {
  readonly folder: string;
  /** Receives each line that `npm start` prints. */
  readonly onLine?: (line: string) => void;
}

const pollEveryMs = 100;
const patienceMs = 15 * 60_000;

/** Clones what is committed, as a new user would. */
export async function cloneProject(folder: string): Promise<void> {
  await runCommand("git", ["clone", "--quiet", "--no-hardlinks", projectFolder, folder]);
}

/** `npm ci`, with npm's own cache or another folder for it. */
export async function install(folder: string, cache?: string): Promise<void> {
  const elsewhere = cache === undefined ? [] : [`--cache=${cache}`];
  const child = spawn("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...elsewhere], {
    cwd: folder,
    env: await newUserEnvironment(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`npm ci ended with code ${code}`);
}

/** Removes the data of earlier starts; what was downloaded stays. */
export function forgetData(folder: string): void {
  const home = join(folder, ".reckoner");
  for (const name of readdirSync(home)) {
    if (name !== "bin") rmSync(join(home, name), { recursive: true });
  }
}

/** Runs `npm start` to the demo's end, watches the first invoices being paid, asks for the versions, and stops all. */
export async function startAndStop({ folder, onLine = () => {} }: NewUserOptions) {
  const elapsed = stopwatch();
  const system = spawn("npm", ["start"], {
    cwd: folder,
    env: await newUserEnvironment(),
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // so that Ctrl-C can be sent to npm and all below it, as a terminal does
  });
  const stopWithUs = () => interrupt(system);
  process.once("SIGINT", stopWithUs).once("SIGTERM", stopWithUs);
  try {
    const watched = watchOutput(system, elapsed, onLine);
    const paid = Promise.race([watchInvoices(folder, elapsed), failureOf(system)]);
    const [output, invoices] = await Promise.all([watched, paid]);
    return {
      figures: { ...output, ...invoices } satisfies StartFigures,
      postgres: await postgresVersion(folder),
    };
  } finally {
    process.off("SIGINT", stopWithUs).off("SIGTERM", stopWithUs);
    await stop(system);
  }
}

/** Neither this project's settings nor npm's own variables reach the clone; ports are free ones. */
async function newUserEnvironment(): Promise<Environment> {
  const ours = Object.keys(parts.start.shape);
  const npms = Object.keys(childEnvironment({})).filter((name) => name.startsWith("npm_"));
  const ownPrograms = join(projectFolder, "node_modules", ".bin");
  const path = childEnvironment({})
    .PATH?.split(":")
    .filter((folder) => folder !== ownPrograms);
  return childEnvironment({
    ...Object.fromEntries([...ours, ...npms].map((name) => [name, undefined])),
    PATH: path?.join(":"),
    POSTGRES_PORT: String(await freePort()),
    TEMPORAL_PORT: String(await freePort()),
    TEMPORAL_UI_PORT: String(await freePort()),
    STRIPE_SANDBOX_PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    WORKER_METRICS_PORT: String(await freePort()),
  });
}

/** Follows what `npm start` says until the demo has ended. */
async function watchOutput(system: ChildProcess, elapsed: () => number, onLine: (line: string) => void) {
  if (system.stdout === null) throw new Error("npm start has no output");
  const steps: Record<string, number> = {};
  let running: number | undefined;
  for await (const line of createInterface({ input: system.stdout })) {
    onLine(line);
    const [, step, seconds] = /^ {2}✓ ([^:]+?)(?:: .*)? {2}(\d+\.\d) s$/.exec(line) ?? [];
    if (step !== undefined) steps[step] = Number(seconds);
    if (line.startsWith("The demo: ")) running = elapsed();
    if (line.startsWith("The demo did not end well")) throw new Error("the demo failed");
    if (line.startsWith("Reckoner is running.") && running !== undefined) {
      return { running, demoEnd: elapsed(), steps };
    }
  }
  throw new Error("npm start ended before its demo");
}

/** Asks the API for paid invoices, from the moment the system says where it is. */
async function watchInvoices(folder: string, elapsed: () => number) {
  let firstPaidInvoice: number | undefined;
  for (
    const deadline = performance.now() + patienceMs;
    performance.now() < deadline;
    await delay(pollEveryMs)
  ) {
    const paid = await paidInvoices(folder);
    if (paid.length > 0) firstPaidInvoice ??= elapsed();
    if (firstPaidInvoice !== undefined && paid.some(({ kind }) => kind === "cycle")) {
      return { firstPaidInvoice, firstPaidUsageInvoice: elapsed() };
    }
  }
  throw new Error(`no invoice of usage was paid in ${patienceMs / 60_000} minutes`);
}

async function paidInvoices(folder: string) {
  try {
    const { apiUrl, apiKey } = loadClientConfig(homeOf(folder));
    const reckoner = createReckonerClient({ baseUrl: apiUrl, apiKey });
    const { data } = await reckoner.get("/v1/invoices", {
      params: { query: { status: "paid", limit: 100 } },
    });
    return data.filter(({ amount_paid_minor }) => amount_paid_minor !== "0");
  } catch {
    return []; // it is not up yet
  }
}

async function postgresVersion(folder: string): Promise<string> {
  const { default: postgres } = await import("postgres");
  const client = postgres(loadProofConfig(homeOf(folder)).database.url, { max: 1 });
  const [row] = await client`show server_version`;
  await client.end();
  return String(row?.server_version);
}

const homeOf = (folder: string): Environment => ({ RECKONER_HOME: join(folder, ".reckoner") });

async function failureOf(system: ChildProcess): Promise<never> {
  const [code] = await once(system, "exit");
  throw new Error(`npm start ended with code ${code}`);
}

async function stop(system: ChildProcess): Promise<void> {
  if (system.exitCode !== null || system.signalCode !== null) return;
  const exited = once(system, "exit");
  interrupt(system);
  await exited;
}

function interrupt({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, "SIGINT");
}
