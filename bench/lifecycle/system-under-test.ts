import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@temporalio/client";
import type { Stripe } from "stripe";
import { childEnvironment, type Environment } from "../../src/config.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { startNodeProgram } from "../../src/sandbox/local-services/node-program.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { randomSecret } from "../../src/sandbox/local-services/secrets.ts";
import { createServiceGroup, type ServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { createReckonerClient, type ReckonerClient } from "../../src/sdk/index.ts";
import { createStripe } from "../../src/stripe/index.ts";
import { connectTemporal } from "../../src/temporal/connect.ts";
import { TemporalGateway } from "../../src/temporal/gateway.ts";
import { programCpu } from "../ledger/cpu.ts";
import { type BenchServer, startServer } from "../ledger/server.ts";
import { buildTemporal, type RunningTemporal, startProductionTemporal } from "./production-temporal.ts";

/** The parts whose CPU is told apart. */
export type Part = "temporal" | "temporalDatabase" | "database" | "worker" | "api" | "stripe" | "bench";
/** CPU seconds of each part; a part that is not there is left out. */
export type CpuByPart = Partial<Record<Part, number>>;

export interface SystemUnderTest {
  readonly engine: string;
  /** HOST:PORT of Temporal. */
  readonly address: string;
  readonly db: Database;
  readonly owner: Database;
  readonly server: BenchServer;
  readonly client: ReckonerClient;
  readonly temporal: Client;
  readonly temporalDatabaseUrl: string | undefined;
  readonly gateway: TemporalGateway;
  readonly taskQueue: string;
  /** The Stripe stand-in, asked without being recorded. */
  readonly stripe: Stripe;
  /** CPU from now on. */
  cpu(): () => CpuByPart;
  /** Resident memory in MiB. */
  memoryMiB(part: "worker" | "temporal"): number;
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** Of the production server's programs; undefined: Temporal's dev server. */
  readonly engineFolder: string | undefined;
  readonly cycleClose: "workflow" | "paged";
  readonly note: Note;
}

const taskQueue = "reckoner";

/** Every part as a process of its own, on databases of their own; the Stripe stand-in is asked as often as it can answer. */
export async function startSystemUnderTest(options: SystemOptions): Promise<SystemUnderTest> {
  const home = mkdtempSync(join(tmpdir(), "reckoner-lifecycle-"));
  chmodSync(home, 0o711); // PostgreSQL may run under another account
  const pids = new Map<string, number>();
  const group = rememberingGroup(pids);
  const server = await startServer(options.note, 1);
  const stop = async () => {
    await group.stopAll();
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const temporal = await startEngine(options, group, home);
    const apiPort = await freePort();
    const apiKey = `reckoner_${randomSecret()}`;
    const stripePort = await freePort();
    const environment = partsEnvironment({ ...options, server, temporal, apiPort, apiKey, stripePort, home });
    await startParts(group, environment, { apiPort, stripePort, home, note: options.note });
    const target = {
      address: temporal.address,
      namespace: "default",
      apiKey: undefined,
      tls: false,
      taskQueue,
    };
    const client = await connectTemporal(target);
    const db = openDatabase({ url: server.appUrl, poolSize: 4, applicationName: "bench" });
    const owner = openDatabase({ url: server.ownerUrl, poolSize: 1 });
    const pidOf = (name: string) => pids.get(name) ?? 0;
    return {
      engine: temporal.engine,
      address: temporal.address,
      temporalDatabaseUrl: temporal.databaseUrl,
      db,
      owner,
      server,
      client: createReckonerClient({ baseUrl: `http://${localHost}:${apiPort}`, apiKey }),
      temporal: client,
      gateway: new TemporalGateway(client, taskQueue),
      taskQueue,
      stripe: createStripe({
        apiKey: environment.STRIPE_API_KEY ?? "",
        apiBase: environment.STRIPE_API_BASE ?? "",
      }),
      cpu: () =>
        measureCpu({
          temporal: pidOf("Temporal"),
          temporalDatabase: pidOf("PostgreSQL"),
          database: server.pid,
          worker: pidOf("worker"),
          api: pidOf("api"),
          stripe: pidOf("stripe"),
        }),
      memoryMiB: (part) => residentMiB(pidOf(part === "temporal" ? "Temporal" : part)),
      async stop() {
        await Promise.all([client.connection.close(), db.close(), owner.close()]);
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEngine(
  { engineFolder, note }: SystemOptions,
  group: ServiceGroup,
  home: string,
): Promise<RunningTemporal> {
  if (engineFolder !== undefined) {
    await buildTemporal(engineFolder, note);
    return await startProductionTemporal({ group, folder: engineFolder, home, note });
  }
  const { path: program, version } = await findTemporalCli(join(home, "bin"), note);
  const files = { databaseFile: join(home, "temporal.db"), logFile: join(home, "temporal.log") };
  const { address } = await startTemporal({ group, program, port: await freePort(), ...files });
  return { address, engine: `dev server of the CLI ${version}, on a file`, databaseUrl: undefined };
}

interface Addresses {
  readonly apiPort: number;
  readonly stripePort: number;
  readonly home: string;
}

function partsEnvironment(
  of: Addresses & {
    readonly cycleClose: "workflow" | "paged";
    readonly server: BenchServer;
    readonly temporal: RunningTemporal;
    readonly apiKey: string;
  },
): Environment {
  return childEnvironment({
    DATABASE_URL: of.server.appUrl,
    // Pages have half of it for their transactions: twice as many as there are cores are enough to keep them busy.
    DATABASE_POOL_SIZE: of.cycleClose === "paged" ? "8" : "16",
    TEMPORAL_ADDRESS: of.temporal.address,
    TEMPORAL_TASK_QUEUE_PREFIX: taskQueue,
    STRIPE_API_BASE: `http://${localHost}:${of.stripePort}`,
    STRIPE_API_KEY: "sk_test_reckoner_stand_in",
    STRIPE_WEBHOOK_SECRETS: "whsec_cmVja29uZXItYmVuY2gtd2ViaG9vay1zZWNyZXQ=",
    STRIPE_REQUESTS_PER_SECOND: "10000",
    STRIPE_ENDPOINT_REQUESTS_PER_SECOND: "10000",
    STRIPE_SANDBOX_PORT: String(of.stripePort),
    STRIPE_SANDBOX_WEBHOOK_URL: `http://${localHost}:${of.apiPort}/v1/webhooks/stripe`,
    RECKONER_HOME: of.home,
    API_PORT: String(of.apiPort),
    API_BOOTSTRAP_KEY: of.apiKey,
    ADJUSTMENT_APPROVAL_ABOVE: "usd=1000000000.00",
    CYCLE_CLOSE: of.cycleClose,
    // Nobody vouches for the usage that was made for this: waiting for sources would measure the wait.
    USAGE_WATERMARK_WAIT_MAX: "0",
    LOG_LEVEL: "warn",
  });
}

async function startParts(
  group: ServiceGroup,
  environment: Environment,
  { apiPort, stripePort, home, note }: Addresses & { readonly note: Note },
): Promise<void> {
  const metricsPort = await freePort();
  const start = async (name: string, entry: string, readyUrl: string) => {
    note(`starting ${name}`);
    const logFile = join(home, `${name}.log`);
    const own = { ...environment, WORKER_METRICS_PORT: String(metricsPort) };
    await startNodeProgram(group, { name, entry, environment: own, logFile, readyUrl });
  };
  const url = `http://${localHost}`;
  await start("stripe", "src/sandbox/stripe/main.ts", `${url}:${stripePort}/_sandbox/health`);
  await start("api", "src/api/main.ts", `${url}:${apiPort}/readyz`);
  await start("worker", "src/workers/main.ts", `${url}:${metricsPort}/metrics`);
}

/** A group that knows the process of each service by its name. */
function rememberingGroup(pids: Map<string, number>): ServiceGroup {
  const group = createServiceGroup();
  return {
    ...group,
    start(program) {
      const service = group.start(program);
      pids.set(program.name, service.pid);
      return service;
    },
  };
}

function measureCpu(pids: Record<Exclude<Part, "bench">, number>): () => CpuByPart {
  const benchBefore = process.cpuUsage();
  const before = Object.entries(pids).map(([part, pid]) => [part, pid, programCpu(pid)] as const);
  return () => {
    const { user, system } = process.cpuUsage(benchBefore);
    const parts = before.flatMap(([part, pid, seconds]) => {
      const now = programCpu(pid);
      return pid === 0 || now === undefined || seconds === undefined ? [] : [[part, now - seconds] as const];
    });
    return { ...Object.fromEntries(parts), bench: (user + system) / 1e6 };
  };
}

function residentMiB(pid: number): number {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kibibytes) / 1_024);
}
