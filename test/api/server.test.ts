import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newApiKeySecret } from "../../src/api/api-key-secret.ts";
import { cloneDatabase, emptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { sharedServer } from "../support/shared-servers.ts";

/** The API as it is run: a process with an environment. */
interface Server {
  readonly process: ChildProcess;
  readonly url: string;
}

let database: TestDatabase;
let empty: TestDatabase;
let environment: Record<string, string>;
const bootstrapKey = newApiKeySecret();

beforeAll(async () => {
  [database, empty] = await Promise.all([cloneDatabase(), emptyDatabase()]);
  const { address } = await sharedServer("temporal");
  environment = {
    DATABASE_URL: database.appUrl,
    TEMPORAL_ADDRESS: address,
    STRIPE_API_KEY: "sk_test_1",
    STRIPE_API_BASE: "http://127.0.0.1:9",
    API_PORT: "0",
    API_BOOTSTRAP_KEY: bootstrapKey,
    LOG_FORMAT: "json",
    LOG_LEVEL: "info",
  };
});
afterAll(async () => {
  await database.drop();
  await empty.drop();
});

/** @throws with what the server said and its exit code when it ends before it listens */
async function startServer(changes: Record<string, string> = {}): Promise<Server> {
  const main = join(import.meta.dirname, "../../src/api/main.ts");
  const env = { PATH: process.env.PATH, ...environment, ...changes };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line);
    if (msg !== "listening") continue;
    child.stdout.resume();
    return { process: child, url };
  }
  const [code] = await exited;
  throw new Error(`${code}: ${said}`);
}

const listCustomers = ({ url }: Server, key: string) =>
  fetch(`${url}/v1/customers`, { headers: { authorization: `Bearer ${key}` } });

// Each test starts processes, which takes seconds on a busy machine.
describe("the API server", { timeout: 120_000 }, () => {
  test("is ready once its parts are, and takes the configured key", async () => {
    const server = await startServer();
    try {
      const ready = await (await fetch(`${server.url}/readyz`)).json();
      expect(ready).toEqual({
        ready: true,
        checks: ["database", "temporal"].map((name) => ({ name, ok: true })),
      });
      expect((await listCustomers(server, bootstrapKey)).status).toBe(200);
    } finally {
      server.process.kill("SIGKILL");
    }
  });

  test("started with another first key no longer takes the one before, and never again", async () => {
    const rotated = newApiKeySecret();
    const server = await startServer({ API_BOOTSTRAP_KEY: rotated });
    try {
      expect((await listCustomers(server, rotated)).status).toBe(200);
      const old = await listCustomers(server, bootstrapKey);
      expect([old.status, (await old.json()).code]).toEqual([401, "api_key_revoked"]);
    } finally {
      server.process.kill("SIGKILL");
    }
    await expect(startServer({ API_BOOTSTRAP_KEY: bootstrapKey })).rejects.toThrow(
      /^1: .*API_BOOTSTRAP_KEY was revoked/,
    );
    environment.API_BOOTSTRAP_KEY = rotated;
  });

  test("told to end, it finishes what it has begun, takes nothing new and ends with 0", async () => {
    const server = await startServer();
    const { hostname, port } = new URL(server.url);
    const request = connect(Number(port), hostname);
    let answer = "";
    request.on("data", (data) => {
      answer += data;
    });
    const body = JSON.stringify({ id: "last", name: "Last", email: "last@test.test", currency: "usd" });
    const head = [
      "POST /v1/customers HTTP/1.1",
      "Host: test",
      `Authorization: Bearer ${environment.API_BOOTSTRAP_KEY}`,
      "Idempotency-Key: last",
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Expect: 100-continue",
    ];
    request.write(`${head.join("\r\n")}\r\n\r\n`);
    // The server has the request in hand from here on: it asked for its body.
    while (!answer.includes("100 Continue")) await once(request, "data");
    const exited = once(server.process, "exit");
    server.process.kill("SIGTERM");
    while (!(await refusesConnections(server.url))) await new Promise((resolve) => setTimeout(resolve, 10));
    request.write(body);
    while (!answer.includes("201 Created")) await once(request, "data");
    expect(await exited).toEqual([0, null]);
  });
});

describe("what keeps it from starting is said in one line", { timeout: 60_000 }, () => {
  test.each([
    {
      why: "the database is away",
      changes: () => ({ DATABASE_URL: "postgres://app:hidden@127.0.0.1:1/reckoner" }),
      says: "the database 127.0.0.1:1/reckoner cannot be reached (ECONNREFUSED): start it, or set DATABASE_URL",
    },
    {
      why: "the password is wrong",
      changes: () => ({ DATABASE_URL: database.appUrl.replace(/:[^:@]+@/, ":hidden@") }),
      says: /^the database .* refuses this user: check DATABASE_URL$/,
    },
    {
      why: "there are no tables",
      changes: () => ({ DATABASE_URL: empty.appUrl }),
      says: /^the database .* has no tables yet: run npm run migrate$/,
    },
    {
      why: "the port is taken",
      changes: () => ({ API_PORT: String(new URL(database.appUrl).port), API_HOST: "127.0.0.1" }),
      says: /^port \d+ is taken: stop what uses it, or set API_PORT$/,
    },
    {
      why: "a variable is wrong",
      changes: () => ({ API_PORT: "eighty" }),
      says: /API_PORT must be a whole number/,
    },
  ])("$why", async ({ changes, says }) => {
    const failure: Error = await startServer(changes()).then(
      () => expect.unreachable(),
      (error) => error,
    );
    const lines = failure.message.replace(/^1: /, "").trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(says);
    expect(failure.message).not.toContain("hidden");
  });
});

async function refusesConnections(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  );
}
