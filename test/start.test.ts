import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  childEnvironment,
  loadClientConfig,
  loadTestConfig,
  projectFolder,
  runningFile,
} from "../src/config.ts";
import { freePort, localHost, requireFreePort } from "../src/sandbox/local-services/ports.ts";
import { findTemporalCli } from "../src/sandbox/local-services/temporal-cli.ts";

const portVariables = [
  "POSTGRES_PORT",
  "TEMPORAL_PORT",
  "TEMPORAL_UI_PORT",
  "STRIPE_SANDBOX_PORT",
  "API_PORT",
  "WORKER_METRICS_PORT",
  "MAILBOX_PORT",
  "MAILBOX_SMTP_PORT",
] as const;

let home: string;
let ports: Record<string, string>;
const started: ChildProcess[] = [];

/** Runs `npm start` as npm would, on data and ports of the test's own. */
function start(variables: Readonly<Record<string, string | undefined>> = {}) {
  const none = {
    DATABASE_URL: "",
    DATABASE_OWNER_URL: "",
    TEMPORAL_ADDRESS: "",
    STRIPE_API_KEY: "",
    STRIPE_API_BASE: "",
  };
  const env = childEnvironment({ ...none, ...ports, RECKONER_HOME: home, ...variables });
  const child = spawn(process.execPath, [join(projectFolder, "src/sandbox/start.ts"), "--no-demo"], { env });
  started.push(child);
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  const ended = once(child, "close").then(([code]) => ({ code, output, errors: errors.trim() }));
  const running = async () => {
    while (!output.includes("Reckoner is running.")) {
      if (child.exitCode !== null) throw new Error(`${output}\n${errors}`);
      await delay(50);
    }
  };
  return { child, ended, running };
}

const apiAnswers = async (path: string) => {
  const { apiUrl, apiKey } = loadClientConfig({ RECKONER_HOME: home });
  return (await fetch(apiUrl + path, { headers: { authorization: `Bearer ${apiKey}` } })).status;
};

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "reckoner-start-"));
  chmodSync(home, 0o711); // PostgreSQL may run under another account
  ports = {};
  for (const variable of portVariables) ports[variable] = String(await freePort());
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  }
  rmSync(home, { recursive: true, force: true });
});

describe("npm start", () => {
  test("starts everything, again after it was killed, and stops everything", async () => {
    const { path } = await findTemporalCli(join(loadTestConfig().home, "bin"), () => {});
    const withCli = { PATH: `${dirname(path)}${delimiter}${childEnvironment({}).PATH}` };
    const killed = start(withCli);
    await killed.running();
    const { apiKey } = loadClientConfig({ RECKONER_HOME: home });
    killed.child.kill("SIGKILL");
    await killed.ended;

    const second = start(withCli);
    await second.running();
    expect(loadClientConfig({ RECKONER_HOME: home }).apiKey).toBe(apiKey);
    expect(await apiAnswers("/readyz")).toBe(200);
    expect(await apiAnswers("/v1/customers")).toBe(200);

    const beside = await start(withCli).ended;
    expect(beside).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^Reckoner already runs on .*process \d+/),
    });
    expect(existsSync(runningFile(home))).toBe(true);

    second.child.kill("SIGINT");
    expect(await second.ended).toMatchObject({ code: 0, errors: "" });
    expect(existsSync(runningFile(home))).toBe(false);
    for (const variable of portVariables) await requireFreePort(Number(ports[variable]), "nobody", variable);
  }, 120_000);

  test("a taken port: one line, and nothing is left running", async () => {
    const other = createServer().listen(Number(ports.STRIPE_SANDBOX_PORT), localHost);
    await once(other, "listening");
    const { code, errors } = await start().ended;
    other.close();
    expect(code).toBe(1);
    expect(errors).toMatch(
      /^port \d+, which the Stripe stand-in needs, is taken: .* set STRIPE_SANDBOX_PORT to a free port$/,
    );
  });

  test("a database that cannot be reached: one line, without the password", async () => {
    const url = `postgres://someone:hunter2@${localHost}:${await freePort()}/reckoner`;
    const { code, output, errors } = await start({ DATABASE_URL: url, DATABASE_OWNER_URL: url }).ended;
    expect(code).toBe(1);
    expect(output).not.toContain("Temporal"); // nothing was started to find this out
    expect(errors).toMatch(
      /^the database of DATABASE_OWNER_URL at 127\.0\.0\.1:\d+ cannot be used \(connect ECONNREFUSED/,
    );
    expect(errors).not.toContain("hunter2");
    expect(errors.split("\n")).toHaveLength(1);
  });

  test("values that cannot be used: a line for each, before anything is started", async () => {
    const { code, output, errors } = await start({ LOG_LEVEL: "loud", API_PORT: "x" }).ended;
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors.split("\n").map((line) => line.split(" ")[0])).toEqual(["API_PORT", "LOG_LEVEL"]);
  });
});
