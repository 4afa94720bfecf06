import { Connection } from "@temporalio/client";
import proto from "@temporalio/proto";
import type { TemporalConfig } from "../../config.ts";
import { LocalServiceError } from "./local-service-error.ts";
import { freePort, localHost } from "./ports.ts";
import { searchAttributes } from "./search-attributes.ts";
import type { ServiceGroup } from "./service-group.ts";

export interface LocalTemporalOptions {
  readonly group: ServiceGroup;
  /** The Temporal CLI. */
  readonly program: string;
  readonly port: number;
  /** No web pages are served without it. */
  readonly uiPort?: number;
  /** Everything is kept in memory without it. */
  readonly databaseFile?: string;
  readonly logFile: string;
  /** Settings of the server beside our own. */
  readonly dynamicConfig?: Readonly<Record<string, unknown>>;
}

const namespace = "default";

const usualDynamicConfig = {
  // Timers fire when they are due instead of within the next second.
  "history.timerProcessorMaxTimeShift": "10ms",
  "frontend.WorkflowTimeSkippingEnabled": true,
};

/** With a write-ahead log a killed server still loses nothing, at a third of the cost of the default. */
const databaseSettings = { journal_mode: "WAL", synchronous: "NORMAL" };

/** Starts Temporal's dev server and waits until it takes workflows and knows our search attributes. */
export async function startTemporal(options: LocalTemporalOptions): Promise<{ readonly address: string }> {
  const { group, program, logFile, port } = options;
  const address = `${localHost}:${port}`;
  const server = group.start({
    name: "Temporal",
    command: program,
    args: await serverArguments(options),
    logFile,
  });
  await server.ready(() => isServing(address));
  const connection = await Connection.connect({ address });
  try {
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
  return { address };
}

/** Refuses a server that cannot be used; one that can learns our search attributes. */
export async function prepareGivenTemporal(
  { address, namespace, apiKey, tls }: Pick<TemporalConfig, "address" | "namespace" | "apiKey" | "tls">,
  variable = "TEMPORAL_ADDRESS",
): Promise<void> {
  const advice = `or remove ${variable} to have a server started for you`;
  const options = { address, tls, connectTimeout: "10s", ...(apiKey !== undefined && { apiKey }) } as const;
  const connection = await Connection.connect(options).catch((error: unknown) => {
    throw new LocalServiceError(
      `Temporal at ${address} cannot be reached (${String(error)}): start it, ${advice}`,
    );
  });
  try {
    await ensureSearchAttributes(connection, namespace);
  } catch (error) {
    const names = Object.entries(searchAttributes).map(([name, type]) => `${name} (${type})`);
    throw new LocalServiceError(
      `the namespace ${namespace} at ${address} could not be given our search attributes (${String(error)}): ` +
        `add them yourself, ${advice}: ${names.join(", ")}`,
    );
  } finally {
    await connection.close();
  }
}

/** Adds the search attributes that a namespace lacks: a dev server ignores new ones once it has a database. */
async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(searchAttributes).filter(([name]) => customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  const types = proto.temporal.api.enums.v1.IndexedValueType;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(
      missing.map(([name, type]) => [
        name,
        types[`INDEXED_VALUE_TYPE_${type.toUpperCase() as Uppercase<typeof type>}`],
      ]),
    ),
  });
}

async function serverArguments({
  port,
  uiPort,
  databaseFile,
  dynamicConfig,
}: LocalTemporalOptions): Promise<string[]> {
  const repeated = (
    flag: string,
    values: Readonly<Record<string, unknown>>,
    asText: (value: unknown) => string,
  ) => Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${asText(value)}`]);
  return [
    ...["server", "start-dev", "--ip", localHost, "--port", String(port), "--log-level", "warn"],
    // Left to itself it chooses among the ports of outgoing connections, and does not start when one gets there first.
    ...["--http-port", String(await freePort()), "--metrics-port", String(await freePort())],
    ...(uiPort === undefined ? ["--headless"] : ["--ui-port", String(uiPort)]),
    ...(databaseFile === undefined
      ? []
      : ["--db-filename", databaseFile, ...repeated("--sqlite-pragma", databaseSettings, String)]),
    ...repeated("--search-attribute", searchAttributes, String),
    ...repeated("--dynamic-config-value", { ...usualDynamicConfig, ...dynamicConfig }, JSON.stringify),
  ];
}

async function isServing(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: "2s" });
    try {
      await connection.workflowService.describeNamespace({ namespace });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}
