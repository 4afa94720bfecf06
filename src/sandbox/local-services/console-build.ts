import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectFolder } from "../../config.ts";
import { runCommand } from "./child-process.ts";

const source = join(projectFolder, "src/console");
const built = join(projectFolder, "dist/console/index.html");

export type ConsoleState = "absent" | "current" | "stale";

/** Whether the console's pages must be built: a source that is newer than the pages makes them stale. */
export function consoleState(): ConsoleState {
  if (!existsSync(join(source, "vite.config.ts"))) return "absent";
  if (!existsSync(built)) return "stale";
  return newestChange(source) > statSync(built).mtimeMs ? "stale" : "current";
}

/** False when the pages cannot be built; everything but the console works without them. */
export async function buildConsole(): Promise<boolean> {
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin/vite.js");
  const args = [vite, "build", source, "--config", join(source, "vite.config.ts")];
  try {
    await runCommand(process.execPath, args);
    return true;
  } catch {
    return false;
  }
}

function newestChange(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { recursive: true, encoding: "utf8" }).map(
      (name) => statSync(join(folder, name)).mtimeMs,
    ),
  );
}
