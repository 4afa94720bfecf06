import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hashOf, newApiKeySecret, prefixOf } from "../../../src/api/api-key-secret.ts";
import { admitBootstrapKey } from "../../../src/db/access.ts";
import { openDatabase } from "../../../src/db/database.ts";
import { instant } from "../../../src/domain/calendar/index.ts";
import { freePort } from "../../../src/sandbox/local-services/ports.ts";
import { createReckonerClient, type ReckonerClient, type Schemas } from "../../../src/sdk/index.ts";
import { cloneDatabase } from "../../support/postgres.ts";

const entry = join(import.meta.dirname, "api-process.ts");

/** The real API on a real database, in a process that can be killed. */
export interface RealApi {
  readonly url: string;
  readonly apiKey: string;
  readonly client: ReckonerClient;
  /** kill -9; waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it, again, at the same address, and waits until it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRealApi(): Promise<RealApi> {
  const database = await cloneDatabase();
  const apiKey = newApiKeySecret();
  const db = openDatabase({ url: database.appUrl, poolSize: 1 });
  const key = { prefix: prefixOf(apiKey), secretHash: hashOf(apiKey), at: instant("2026-03-01T12:00:00Z") };
  await admitBootstrapKey(db.orm, key);
  await db.close();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let running: ChildProcess | undefined;
  let ended: Promise<unknown> | undefined;
  const api: RealApi = {
    url,
    apiKey,
    client: createReckonerClient({ baseUrl: url, apiKey }),
    async kill() {
      running?.kill("SIGKILL");
      await ended;
    },
    async start() {
      const child = spawn(process.execPath, [entry, database.appUrl, String(port)], { stdio: "inherit" });
      running = child;
      ended = new Promise((resolve) => child.once("exit", resolve));
      while (!(await answers(`${url}/healthz`))) {
        if (child.exitCode !== null) throw new Error(`the API ended with ${child.exitCode} while it started`);
        await delay(20);
      }
    },
    async stop() {
      await api.kill();
      await database.drop();
    },
  };
  await api.start();
  return api;
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

type Meter = Schemas["CatalogDefinitionInput"]["meters"][number];

const meter = (key: string, eventType: string): Meter => ({
  key,
  event_type: eventType,
  aggregation: "sum",
  property: key,
  dimensions: ["model"],
});

/** What these tests measure. */
export const meters: Meter[] = [
  meter("tokens", "request"),
  meter("input_tokens", "completion"),
  meter("output_tokens", "completion"),
];

export async function createCustomer(client: ReckonerClient, id: string): Promise<void> {
  const body = { id, name: id, email: `${id}@test.test`, currency: "usd" };
  await client.post("/v1/customers", { body });
}

/** What the API has counted for a customer, over all time that these tests use. */
export async function counted(client: ReckonerClient, customer: string, meterKey: string) {
  const query = {
    customer,
    meter: meterKey,
    group_by: "",
    from: "2026-01-01T00:00:00Z",
    to: "2026-03-01T00:00:00Z",
  };
  const { data } = await client.get("/v1/usage", { params: { query } });
  return { quantity: BigInt(data[0]?.quantity ?? "0"), events: data[0]?.event_count ?? 0 };
}
