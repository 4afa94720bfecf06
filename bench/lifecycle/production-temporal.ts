import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { childEnvironment } from "../../src/config.ts";
import { runCommand } from "../../src/sandbox/local-services/child-process.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import { startPostgres } from "../../src/sandbox/local-services/postgres.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import type { ServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { prepareGivenTemporal } from "../../src/sandbox/local-services/temporal-server.ts";

export const serverVersion = "1.32.1";
const modules = ["server", "tools/sql"].map((name) => `go.temporal.io/server/cmd/${name}@v${serverVersion}`);
/** The one that it has. */
export const namespace = "default";

/** Where the programs are kept when no folder is named. */
export const usualEngineFolder = join(homedir(), ".cache", "reckoner", `temporal-server-${serverVersion}`);

/** Builds Temporal's server and its schema tool where they are not yet: some eight minutes of CPU, with Go 1.26.8 or newer. */
export async function buildTemporal(folder: string, note: Note): Promise<void> {
  if (existsSync(join(folder, "server")) && existsSync(join(folder, "sql"))) return;
  note(`building Temporal ${serverVersion} into ${folder}: minutes, once`);
  mkdirSync(folder, { recursive: true });
  const environment = childEnvironment({ GOBIN: folder, GOFLAGS: "-buildvcs=false" });
  await runCommand("go", ["install", ...modules], { environment, timeoutMs: 40 * 60_000 });
}

export interface RunningTemporal {
  readonly address: string;
  readonly engine: string;
  /** The database that keeps the runs; undefined where that is part of the server. */
  readonly databaseUrl: string | undefined;
}

export interface Place {
  readonly group: ServiceGroup;
  /** Of the programs. */
  readonly folder: string;
  /** Of the data. */
  readonly home: string;
  readonly note: Note;
}

/** Starts the production server with its own PostgreSQL, durable as PostgreSQL comes, and our search attributes. */
export async function startProductionTemporal({
  group,
  folder,
  home,
  note,
}: Place): Promise<RunningTemporal> {
  const port = await freePort();
  const { adminUrl } = await startDatabase({ group, home, note }, port);
  const url = new URL(adminUrl);
  const login = { port, user: url.username, password: decodeURIComponent(url.password) };
  note("making Temporal's schema");
  for (const [database, schema] of Object.entries(databases)) {
    const common = ["--plugin", "postgres12", "--ep", localHost, "-p", String(port), "-u", login.user];
    const sql = (...args: string[]) =>
      runCommand(join(folder, "sql"), [...common, "--pw", login.password, "--db", database, ...args]);
    await sql("create-database");
    await sql("setup-schema", "-v", "0.0");
    await sql("update-schema", "--schema-name", `postgresql/v12/${schema}`);
  }
  const ports = await Promise.all(Array.from({ length: 8 }, freePort));
  const dynamicConfig = join(home, "dynamic-config.yaml");
  const config = join(home, "temporal.yaml");
  writeFileSync(dynamicConfig, dynamicConfigText);
  writeFileSync(config, JSON.stringify(serverConfig(login, ports, dynamicConfig), null, 2));
  note(`starting Temporal ${serverVersion}`);
  const args = ["--config-file", config, "--allow-no-auth", "start"];
  const command = join(folder, "server");
  const server = group.start({ name: "Temporal", command, args, logFile: join(home, "temporal.log") });
  const address = `${localHost}:${ports[0]}`;
  await server.ready(() => hasNamespace(address), 60_000);
  await untilPrepared(address);
  url.pathname = "/temporal";
  return { address, engine: `server ${serverVersion} on PostgreSQL`, databaseUrl: url.href };
}

/** Its PostgreSQL, the first time or again, after it was killed. */
export function startDatabase({ group, home, note }: Omit<Place, "folder">, port: number) {
  return startPostgres({
    group,
    folder: join(home, databaseFolder),
    port,
    logFile: join(home, "temporal-postgres.log"),
    settings: { max_connections: "100", shared_buffers: "1GB", max_wal_size: "4GB" },
    note,
  });
}

/** Below the folder of the data. */
export const databaseFolder = "temporal-postgres";

const databases = { temporal: "temporal", temporal_visibility: "visibility" } as const;

/** One process with all four services, 64 shards, the caches by size: what a small cluster would be given. */
function serverConfig(
  { port, user, password }: { readonly port: number; readonly user: string; readonly password: string },
  ports: readonly number[],
  dynamicConfig: string,
) {
  const store = (databaseName: string, maxConns: number) => ({
    sql: {
      ...{
        pluginName: "postgres12",
        databaseName,
        connectAddr: `${localHost}:${port}`,
        connectProtocol: "tcp",
      },
      ...{ user, password, maxConns, maxIdleConns: maxConns, maxConnLifetime: "1h" },
    },
  });
  const service = (nth: number) => ({
    rpc: { grpcPort: ports[2 * nth], membershipPort: ports[2 * nth + 1], bindOnLocalHost: true },
  });
  const history = { state: "disabled" };
  return {
    log: { stdout: true, level: "warn" },
    persistence: {
      ...{ numHistoryShards: 64, defaultStore: "default", visibilityStore: "visibility" },
      datastores: { default: store("temporal", 20), visibility: store("temporal_visibility", 10) },
    },
    global: { membership: { maxJoinDuration: "30s", broadcastAddress: localHost } },
    services: { frontend: service(0), history: service(1), matching: service(2), worker: service(3) },
    clusterMetadata: {
      ...{ enableGlobalNamespace: false, failoverVersionIncrement: 10 },
      ...{ masterClusterName: "active", currentClusterName: "active" },
      clusterInformation: {
        active: {
          ...{ enabled: true, initialFailoverVersion: 1 },
          ...{ rpcName: "frontend", rpcAddress: `${localHost}:${ports[0]}` },
        },
      },
    },
    dcRedirectionPolicy: { policy: "noop" },
    archival: { history, visibility: history },
    namespaceDefaults: { archival: { history, visibility: history } },
    dynamicConfigClient: { filepath: dynamicConfig, pollInterval: "10s" },
  };
}

const dynamicConfigText = `
matching.enableFairness:
  - value: true
history.cacheSizeBasedLimit:
  - value: true
`;

/** The server registers its own namespace some time after it listens. */
async function hasNamespace(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: "2s" });
    try {
      const { namespaces } = await connection.workflowService.listNamespaces({});
      if (namespaces?.some(({ namespaceInfo }) => namespaceInfo?.name === namespace)) return true;
      const month = { seconds: (30 * 86_400) as never };
      await connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: month,
      });
      return false;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}

/** A namespace is known everywhere within seconds of being made. */
async function untilPrepared(address: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await prepareGivenTemporal({ address, namespace, apiKey: undefined, tls: false });
    } catch (error) {
      if (attempt === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
