import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { childEnvironment, type Environment } from "../../src/config.ts";

const project = join(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `reckoner …` as a process of its own, against an API. `input` is its standard input. */
export async function reckoner(
  { url, adminKey }: { readonly url: string; readonly adminKey: string },
  given: readonly string[],
  input = "",
  variables: Environment = { FORCE_COLOR: undefined },
): Promise<Ended> {
  const env = childEnvironment({ RECKONER_API_URL: url, RECKONER_API_KEY: adminKey, ...variables });
  const child = spawn(process.execPath, [join(project, "src/cli/reckoner.ts"), ...given], {
    cwd: project,
    env,
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.end(input);
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}
