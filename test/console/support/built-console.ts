import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

const chromiumPath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

export const hasChromium = existsSync(chromiumPath);

/** For the name of what needs it. */
export const skipReason = hasChromium ? "" : ` (skipped: no Chromium at ${chromiumPath}; set CHROMIUM_PATH)`;

export interface BuiltConsole {
  readonly folder: string;
  remove(): void;
}

/** The very build that is deployed: in a process of its own, because this one is set up for tests. */
export async function buildConsole(): Promise<BuiltConsole> {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-console-build-"));
  const root = join(import.meta.dirname, "../../..");
  const options = ["build", "-c", "src/console/vite.config.ts", "--outDir", folder, "--emptyOutDir"];
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, ["node_modules/vite/bin/vite.js", ...options], {
    cwd: root,
    env,
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });

const chromiumArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
