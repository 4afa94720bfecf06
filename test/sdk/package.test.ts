import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeApi, startFakeApi } from "./support/fake-api.ts";
import { idsIn } from "./support/reporting.ts";

/** The SDK as a package: what its names stand for in which runtime, and what it is without TypeScript, on Node 20 and later. */

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

describe("the names that services import", () => {
  test.each([
    { name: "@reckoner/sdk", conditions: [], file: "index.ts" },
    { name: "@reckoner/sdk/usage", conditions: [], file: "usage/node.ts" },
    { name: "@reckoner/sdk/usage", conditions: ["workerd"], file: "usage/edge.ts" },
    { name: "@reckoner/sdk/usage", conditions: ["edge-light"], file: "usage/edge.ts" },
    { name: "@reckoner/sdk/usage", conditions: ["browser"], file: "usage/edge.ts" },
    { name: "@reckoner/sdk/edge", conditions: [], file: "usage/edge.ts" },
    { name: "@reckoner/sdk/entitlements", conditions: ["workerd"], file: "entitlements/index.ts" },
  ])("$name is $file for $conditions", async ({ name, conditions, file }) => {
    const args = [
      ...conditions.map((condition) => `--conditions=${condition}`),
      "--input-type=module",
      "--eval",
    ];
    const { stdout } = await run(process.execPath, [...args, `console.log(import.meta.resolve("${name}"))`], {
      cwd: root,
    });
    expect(stdout.trim()).toMatch(new RegExp(`/sdk/${file}$`));
  });
});

describe("built", () => {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-sdk-"));
  let api: FakeApi;
  beforeAll(async () => {
    api = await startFakeApi();
    const sdk = join(root, "src/sdk");
    // Its own TypeScript, with the library of Node 20: what that does not have does not pass.
    const compiler = join(sdk, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [compiler, "-p", join(sdk, "tsconfig.build.json"), "--outDir", folder]);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "service.js"), service);
  }, 120_000);
  afterAll(async () => {
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const service = `
    import { createUsageReporter as create } from "./usage/node.js";
    import { createUsageReporter as createAtEdge } from "./usage/edge.js";
    import { openEntitlements } from "./entitlements/index.js";
    const [apiUrl, spoolFolder, source] = process.argv.slice(2);
    const options = { apiUrl, apiKey: "rk_test", onProblem: console.error };
    const reporters = [
      create({ ...options, source: source + "/node", spoolFolder, durability: "spool_first" }),
      createAtEdge({ ...options, source: source + "/edge" }),
    ];
    for (const reporter of reporters) {
      for (let n = 0; n < 50; n++) reporter.report({ id: String(n), customer: "acme", type: "request" });
      console.log((await reporter.close()).accepted);
    }
    const local = openEntitlements({ baseUrl: apiUrl, apiKey: "rk_test", customer: "acme", follow: false });
    console.log(local.check({ feature: "sso" }).reason);`;

  /** Ours, and those that are installed here and old enough to differ. */
  const nodes = [process.execPath, ...othersOnPath()];
  test.each(nodes)("it runs on %s", async (node) => {
    const args = [join(folder, "service.js"), api.url, join(folder, "spool"), node];
    const { stdout, stderr } = await run(node, args);
    expect([stdout, stderr]).toEqual(["50\n50\nnothing_known\n", ""]);
    expect(idsIn(api.kept).length).toBeGreaterThanOrEqual(100);
  });
});

function othersOnPath(): string[] {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((each) => !each.includes("node_modules"));
  const files = folders.map((each) => join(each, "node")).filter((file) => existsSync(file));
  const isNewEnough = (file: string) =>
    Number(/^v(\d+)/.exec(execFileSync(file, ["--version"], { encoding: "utf8" }))?.[1]) >= 20;
  return [...new Set(files.map((file) => realpathSync(file)))].filter(isNewEnough);
}
