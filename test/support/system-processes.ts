import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childEnvironment, type Environment } from "../../src/config.ts";
import { openDatabase } from "../../src/db/database.ts";
import { migrate } from "../../src/db/migrate.ts";
import type { Service } from "../../src/sandbox/local-services/child-process.ts";
import { localDatabase } from "../../src/sandbox/local-services/database.ts";
import { startNodeProgram } from "../../src/sandbox/local-services/node-program.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup, type ServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { createReckonerClient } from "../../src/sdk/index.ts";
import { cloneDatabase } from "./postgres.ts";
import { sharedServer } from "./shared-servers.ts";
import type { System } from "./system.ts";
import { advanceClock } from "./system-clock.ts";
import { prepareSurroundings, type Surroundings, type SurroundingsOptions } from "./system-surroundings.ts";

export type Part = "postgres" | "worker" | "api";

/** A system whose parts are processes, as in production, and can be killed. */
export interface SystemOfProcesses extends System {
  /** Connects to its database as the application's role. */
  readonly appUrl: string;
  /** Connects as the role that owns the schema. */
  readonly ownerUrl: string;
  /** kill -9; waits until the part is gone. */
  kill(part: Part): Promise<void>;
  /** Starts a part again as it was, and waits until it is ready. */
  start(part: Part): Promise<void>;
}

export interface ProcessOptions extends SurroundingsOptions {
  /** Of its own, so that it can be killed, which takes seconds to make; otherwise it has a database of the run's shared server. */
  readonly hasOwnPostgres?: boolean;
  /** How many activities the worker does at once. Few, so that whoever wants to kill something in the middle finds one. */
  readonly concurrency?: number;
}

/** Starts the worker and the API, each as a process. */
export async function startSystemOfProcesses({
  concurrency = 2,
  hasOwnPostgres = false,
  ...options
}: ProcessOptions = {}): Promise<SystemOfProcesses> {
  const home = mkdtempSync(join(tmpdir(), "reckoner-system-"));
  chmodSync(home, 0o711); // PostgreSQL may run under another account
  const { group, running } = rememberingGroup();
  const [surroundings, database, { codePath }] = await Promise.all([
    prepareSurroundings(options),
    hasOwnPostgres ? ownDatabase(group, home) : sharedDatabase(),
    sharedServer("workflowBundle"),
  ]);
  const { appUrl, ownerUrl } = database;
  const metricsPort = await freePort();
  const environment = {
    ...partsEnvironment(surroundings, appUrl, metricsPort),
    WORKER_CONCURRENCY: String(concurrency),
    WORKFLOW_BUNDLE: codePath,
  };
  const program = (name: Part, entry: string, readyUrl: string) => () =>
    startNodeProgram(group, { name, entry, environment, readyUrl, logFile: join(home, `${name}.log`) });
  const starters = {
    postgres: database.start,
    worker: program("worker", "src/workers/main.ts", `http://${localHost}:${metricsPort}/metrics`),
    api: program("api", "src/api/main.ts", `${surroundings.apiUrl}/readyz`),
  };
  await Promise.all([starters.worker(), starters.api()]);
  const { apiUrl: baseUrl, apiKey, temporalClient } = surroundings;
  const client = createReckonerClient({ baseUrl, apiKey });
  const db = openDatabase({ url: appUrl, poolSize: 2, applicationName: "reckoner-test" });
  return {
    client,
    surroundings,
    appUrl,
    ownerUrl,
    db,
    advance: (clockId, to, options) => advanceClock(client, temporalClient, clockId, to, options),
    async kill(part) {
      const service = running.get(part);
      service?.kill();
      await service?.exited;
    },
    start: (part) => starters[part](),
    async stop() {
      await db.close();
      await group.stopAll();
      await Promise.all([surroundings.close(), database.drop()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface ProcessDatabase {
  readonly appUrl: string;
  readonly ownerUrl: string;
  /** After it was killed. */
  start(): Promise<void>;
  drop(): Promise<void>;
}

async function ownDatabase(group: ServiceGroup, home: string): Promise<ProcessDatabase> {
  const place = { group, home, port: await freePort(), note: () => {} };
  const urls = await localDatabase(place);
  await migrate(urls);
  // It goes with the folder that it is in.
  return { ...urls, start: async () => void (await localDatabase(place)), drop: async () => {} };
}

async function sharedDatabase(): Promise<ProcessDatabase> {
  const start = () => Promise.reject(new Error("a server that others use is neither killed nor started"));
  return { ...(await cloneDatabase()), start };
}

/** A group that knows which service is which part. */
function rememberingGroup(): { group: ServiceGroup; running: ReadonlyMap<Part, Service> } {
  const group = createServiceGroup();
  const running = new Map<Part, Service>();
  return {
    running,
    group: {
      ...group,
      start(program) {
        const service = group.start(program);
        running.set(program.name.toLowerCase().replace("postgresql", "postgres") as Part, service);
        return service;
      },
    },
  };
}

function partsEnvironment(
  { temporal, stripe, stripeUrl, apiPort, apiKey }: Surroundings,
  databaseUrl: string,
  metricsPort: number,
): Environment {
  return childEnvironment({
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPORAL_TASK_QUEUE_PREFIX: temporal.taskQueue,
    STRIPE_API_KEY: stripe.apiKey,
    STRIPE_API_BASE: stripeUrl,
    STRIPE_WEBHOOK_SECRETS: stripe.webhookSecrets.join(),
    STRIPE_COLLECT_BY: stripe.collecting.by,
    ...(stripe.collecting.by === "payment_intent" ? { STRIPE_RETURN_URL: stripe.collecting.returnUrl } : {}),
    STRIPE_REQUESTS_PER_SECOND: "1000",
    STRIPE_ENDPOINT_REQUESTS_PER_SECOND: "1000",
    API_PORT: String(apiPort),
    API_BOOTSTRAP_KEY: apiKey,
    TEST_CLOCKS: "allowed",
    WORKER_METRICS_PORT: String(metricsPort),
    LOG_LEVEL: "warn",
  });
}
