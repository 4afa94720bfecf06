import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { type FakeApi, startFakeApi } from "./support/fake-api.ts";
import { newFolder } from "./support/reporting.ts";

/** The example service, run as it is, and the page that leads to it. */

const root = resolve(import.meta.dirname, "../..");
let api: FakeApi;
let spool: string;
beforeEach(async () => {
  api = await startFakeApi();
  spool = newFolder();
});
afterEach(() => api.stop());

interface Service {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  log(): string;
  complete(prompt: string): Promise<string>;
  usage(): Promise<Record<string, unknown>>;
}

async function startService(): Promise<Service> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(root, "examples/completion-service.ts")], {
    env: {
      ...process.env,
      RECKONER_URL: api.url,
      RECKONER_API_KEY: "rk_test",
      USAGE_SPOOL: spool,
      PORT: String(port),
    },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  await expect.poll(() => log, { timeout: 20_000 }).toContain(`"port":${port}`);
  const url = `http://127.0.0.1:${port}`;
  return {
    process: child,
    ended: new Promise((done) => child.once("close", (code) => done(code))),
    log: () => log,
    async complete(prompt) {
      const body = JSON.stringify({ customer: "acme", prompt });
      const response = await fetch(`${url}/completions`, { method: "POST", body });
      return ((await response.json()) as { completion: string }).completion;
    },
    usage: async () => ((await (await fetch(`${url}/healthz`)).json()) as { usage: never }).usage,
  };
}

test("it serves while Reckoner is away, tells what is wrong, and what it used arrives once, after it ended too", async () => {
  const service = await startService();
  expect(await service.complete("let x =")).toBe("let x =\n// and so on");
  await expect.poll(promptsBilled).toEqual([7]);
  expect([...api.kept.values()][0]).toMatchObject({
    source: "completions",
    customer: "acme",
    type: "model.request",
    data: { model: "swift", input_tokens: 7, output_tokens: 20 },
  });
  await api.stop();
  for (const prompt of ["a", "ab"]) await service.complete(prompt);
  await expect.poll(service.usage).toMatchObject({ queued: 0, dropped: 0, apiProblem: "api_unreachable" });
  expect(service.log()).toContain('"code":"api_unreachable"');
  service.process.kill("SIGKILL");
  await service.ended;
  await api.start();

  const next = await startService();
  await expect.poll(promptsBilled, { timeout: 10_000 }).toEqual([1, 2, 7]);
  await next.complete("abc");
  next.process.kill("SIGTERM");
  expect(await next.ended).toBe(0);
  expect(next.log()).toContain('"closed":true');
  expect(promptsBilled()).toEqual([1, 2, 3, 7]);
  expect(readdirSync(spool)).toEqual([]);
});

/** How long the prompts were that Reckoner has heard of. */
const promptsBilled = () => [...api.kept.values()].map(({ data }) => data?.input_tokens).sort();

describe("docs/reporting-usage.md", () => {
  const page = readFileSync(join(root, "docs/reporting-usage.md"), "utf8");
  const source = (file: string) => readFileSync(join(root, "src/sdk/usage", file), "utf8");
  const namesIn = (text: string, form: RegExp) => [...text.matchAll(form)].map(([, name = ""]) => name);
  const options = [source("options.ts"), source("node.ts")].flatMap((text) =>
    namesIn(
      /interface (?:Usage)?ReporterOptions[^{]*\{([^}]*)\n\}/.exec(text)?.[1] ?? "",
      /readonly (\w+)\??:/g,
    ),
  );
  const listeners = /interface Listeners \{([^}]*)\n\}/.exec(source("notices.ts"))?.[1] ?? "";
  const stats = [
    ...(/interface UsageStats[^{]*\{([^}]*)\n\}/.exec(source("usage-reporter.ts"))?.slice(1, 2) ?? []),
    ...(/interface Counts[^{]*\{([^}]*)\n\}/.exec(source("tally.ts"))?.slice(1, 2) ?? []),
  ].join("\n");

  test.each([
    { what: "option", names: options, least: 17 },
    { what: "listener", names: namesIn(listeners, /readonly (\w+)\??:/g), least: 3 },
    { what: "problem", names: namesIn(source("notices.ts"), /^ {2}\| "(\w+)"/gm), least: 13 },
    { what: "figure of stats()", names: namesIn(stats, /^ {2}(?:readonly )?(\w+):/gm), least: 15 },
  ])("names every $what", ({ names, least }) => {
    expect(names.length).toBeGreaterThanOrEqual(least);
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
