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
import type { System } from "./system.ts";
import { advanceClock } from "./system-clock.ts";
import { prepareSurroundings, type Surroundings, type SurroundingsOptions } from "./system-surroundings.ts";

export type Part = "postgres" | "worker" | "api";

/** A system whose parts are processes, as in production, and can be killed. */
export interface SystemOfProcesses extends System {
  /** Connects to its database as the application's role. */
  readonly appUrl: string;
  /** kill -9; waits until the part is gone. */
  kill(part: Part): Promise<void>;
  /** Starts a part again as it was, and waits until it is ready. */
  start(part: Part): Promise<void>;
}

export interface ProcessOptions extends SurroundingsOptions {
  /** How many activities the worker does at once. Few, so that whoever wants to kill something in the middle finds one. */
  readonly concurrency?: number;
}

/** Starts PostgreSQL on a cluster of its own, the worker and the API, each as a process. */
export async function startSystemOfProcesses({
  concurrency = 2,
  ...options
}: ProcessOptions = {}): Promise<SystemOfProcesses> {
  const home = mkdtempSync(join(tmpdir(), "reckoner-system-"));
  chmodSync(home, 0o711); // PostgreSQL may run under another account
  const { group, running } = rememberingGroup();
  const surroundings = await prepareSurroundings(options);
  const postgres = { group, home, port: await freePort(), note: () => {} };
  const urls = await localDatabase(postgres);
  await migrate(urls);
  const metricsPort = await freePort();
  const environment = {
    ...partsEnvironment(surroundings, urls.appUrl, metricsPort),
    WORKER_CONCURRENCY: String(concurrency),
  };
  const program = (name: Part, entry: string, readyUrl: string) => () =>
    startNodeProgram(group, { name, entry, environment, readyUrl, logFile: join(home, `${name}.log`) });
  const starters = {
    postgres: async () => void (await localDatabase(postgres)),
    worker: program("worker", "src/workers/main.ts", `http://${localHost}:${metricsPort}/metrics`),
    api: program("api", "src/api/main.ts", `${surroundings.apiUrl}/readyz`),
  };
  await Promise.all([starters.worker(), starters.api()]);
  const { apiUrl: baseUrl, apiKey, temporalClient } = surroundings;
  const client = createReckonerClient({ baseUrl, apiKey });
  const db = openDatabase({ url: urls.appUrl, poolSize: 2, applicationName: "reckoner-test" });
  return {
    client,
    surroundings,
    appUrl: urls.appUrl,
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
      await surroundings.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
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
    STRIPE_REQUESTS_PER_SECOND: "1000",
    API_PORT: String(apiPort),
    API_BOOTSTRAP_KEY: apiKey,
    TEST_CLOCKS: "allowed",
    WORKER_METRICS_PORT: String(metricsPort),
    LOG_LEVEL: "warn",
  });
}
