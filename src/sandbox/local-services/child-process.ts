import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Environment } from "../../config.ts";
import { LocalServiceError } from "./local-service-error.ts";

/** The operating system's account a program runs under; undefined means our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ServiceProgram {
  /** What people call it, for example "PostgreSQL". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** All variables the program sees; our own environment when left out. */
  readonly environment?: Environment;
  readonly account?: Account | undefined;
  /** Receives standard output and error; the log of the run before is kept as `*.previous.log`. */
  readonly logFile: string;
  /** The signal that asks for a clean end: SIGTERM unless said otherwise. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface Service {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles once the program is gone, with how it ended: "ended with code 1", "was killed by SIGKILL". */
  readonly exited: Promise<string>;
  /** Settles, in the same words, only when the program ends after it was ready and without being asked to. */
  readonly died: Promise<string>;
  /** Waits until `probe` gives true; fails at once, with the last log lines, when the program dies meanwhile. */
  ready(probe: () => Promise<boolean>, timeoutMs?: number): Promise<void>;
  /** Asks for a clean end and kills the program when it takes longer than `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  kill(): void;
}

const probeEveryMs = 50;
const shownLogLines = 12;

/** Starts a program in a process group of its own, so that Ctrl-C reaches only us and we stop services in order. */
export function startService(program: ServiceProgram): Service {
  const { name, logFile, stopSignal = "SIGTERM" } = program;
  const child = spawnLogged(program);
  let ending: string | undefined;
  let state: "starting" | "ready" | "stopping" = "starting";
  const death = Promise.withResolvers<string>();
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) =>
      resolve(signal ? `was killed by ${signal}` : `ended with code ${code}`),
    );
  }).then((how) => {
    ending = how;
    if (state === "ready") death.resolve(how);
    return how;
  });
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    exited,
    died: death.promise,
    async ready(probe, timeoutMs = 60_000) {
      const deadline = performance.now() + timeoutMs;
      while (!(await Promise.race([probe(), exited.then(() => false)]))) {
        if (ending !== undefined) throw new LocalServiceError(obituary({ name, logFile }, ending));
        if (performance.now() > deadline) {
          throw new LocalServiceError(
            obituary({ name, logFile }, `was not ready after ${timeoutMs / 1000} s`),
          );
        }
        await delay(probeEveryMs);
      }
      state = "ready";
    },
    async stop(graceMs = 15_000) {
      state = "stopping";
      child.kill(stopSignal);
      const timer = setTimeout(() => killGroup(child), graceMs);
      await exited;
      clearTimeout(timer);
    },
    kill() {
      state = "stopping";
      killGroup(child);
    },
  };
}

/** A sentence on how a service ended, with its last log lines and where the rest is. */
export function obituary({ name, logFile }: Pick<Service, "name" | "logFile">, ending: string): string {
  const lines = existsSync(logFile)
    ? readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-shownLogLines)
    : [];
  return [`${name} ${ending}; its last lines (${logFile}):`, ...lines.map((line) => `    ${line}`)].join(
    "\n",
  );
}

/** Runs a program to its end and gives its output; throws with what it wrote to standard error. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: {
    readonly account?: Account | undefined;
    readonly environment?: Environment;
    readonly timeoutMs?: number;
  } = {},
): Promise<string> {
  const { account, environment, timeoutMs } = options;
  const running = promisify(execFile)(command, args, {
    ...asAccount(account),
    ...(environment && { env: environment }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    maxBuffer: 16 * 1024 * 1024,
  });
  const killWithUs = () => running.child.kill();
  process.once("exit", killWithUs);
  try {
    return (await running).stdout;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw said === "" ? error : new Error(said, { cause: error });
  } finally {
    process.off("exit", killWithUs);
  }
}

function spawnLogged({ command, args, environment, account, logFile }: ServiceProgram): ChildProcess {
  mkdirSync(dirname(logFile), { recursive: true });
  if (existsSync(logFile)) renameSync(logFile, logFile.replace(/(\.log)?$/, ".previous.log"));
  const log = openSync(logFile, "w");
  try {
    return spawn(command, args, {
      stdio: ["ignore", log, log],
      detached: true,
      ...asAccount(account),
      ...(environment && { env: environment }),
    });
  } finally {
    closeSync(log);
  }
}

/** Another account may not be able to see our working directory, and programs fail in one they cannot see. */
const asAccount = (account: Account | undefined) => account && { ...account, cwd: "/" };

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group is gone already.
  }
}
