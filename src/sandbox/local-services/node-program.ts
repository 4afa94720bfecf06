import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Environment, projectFolder } from "../../config.ts";
import { runCommand } from "./child-process.ts";
import { LocalServiceError } from "./local-service-error.ts";
import type { ServiceGroup } from "./service-group.ts";

export interface NodeProgram {
  readonly name: string;
  /** The entry file, from the project's folder. */
  readonly entry: string;
  readonly environment: Environment;
  readonly logFile: string;
  /** Answers with a 2xx status once the program is ready. */
  readonly readyUrl: string;
}

/** Starts one of our own parts as a process of its own and waits until it is ready. */
export async function startNodeProgram(group: ServiceGroup, program: NodeProgram): Promise<void> {
  const { name, entry, environment, logFile, readyUrl } = program;
  const args = [entryPath(entry)];
  const service = group.start({ name, command: process.execPath, args, environment, logFile });
  await service.ready(() => answersWell(readyUrl));
}

/** Runs one of our own programs to its end; its own words are the reason when it fails. */
export async function runNodeProgram(name: string, entry: string, environment: Environment): Promise<void> {
  try {
    await runCommand(process.execPath, [entryPath(entry)], { environment });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new LocalServiceError(`${name} failed:\n${said.replaceAll(/^/gm, "    ")}`);
  }
}

function entryPath(entry: string): string {
  const path = join(projectFolder, entry);
  if (!existsSync(path)) throw new LocalServiceError(`${entry} is missing: is this checkout complete?`);
  return path;
}

async function answersWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
