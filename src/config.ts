import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { ConfigurationError } from "./config/configuration-error.ts";
import { endpointSection, mailSection } from "./config/notices.ts";
import { parts } from "./config/parts.ts";
import { readPart as read } from "./config/read-part.ts";
import { type RunningSystem, runningFile, runningSystem } from "./config/running-system.ts";
import { sealSection, storageLocation } from "./config/seal-location.ts";
import {
  billingSection,
  buildSection,
  databasePair,
  databaseSection,
  logSection,
  sandboxWebhookSection,
  stripeSection,
  temporalSection,
} from "./config/sections.ts";
import { signInSection } from "./config/sign-in.ts";
import { usageLogSection } from "./config/usage-log.ts";

export type {
  BillingConfig,
  DatabaseConfig,
  LogConfig,
  StripeConfig,
  TemporalConfig,
} from "./config/sections.ts";
export { ConfigurationError, type RunningSystem, runningFile };

/** Variables as the operating system or a `.env` file gives them: text, or nothing. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that holds package.json, wherever a command was started. */
export const projectFolder = resolve(import.meta.dirname, "..");

/** The environment laid over the project's `.env`; neither is changed. */
export function readEnvironment(): Environment {
  const file = join(projectFolder, ".env");
  try {
    return { ...(existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {}), ...process.env };
  } catch (error) {
    throw new ConfigurationError([{ variable: ".env", message: `cannot be read: ${String(error)}` }]);
  }
}

/** The environment of a program we start: ours, with some variables set and, where undefined, taken away. */
export function childEnvironment(variables: Environment): Environment {
  return { ...readEnvironment(), ...variables };
}

/** What the API server needs. Like all loaders here, it throws one {@link ConfigurationError} with every problem. */
export function loadApiConfig(environment = readEnvironment()) {
  const values = read(parts.api, environment);
  const stripe = stripeSection(values);
  const publicHost = ["0.0.0.0", "::"].includes(values.API_HOST) ? "localhost" : values.API_HOST;
  return {
    database: databaseSection(values),
    temporal: temporalSection(values),
    stripe,
    host: values.API_HOST,
    port: values.API_PORT,
    publicUrl: values.API_PUBLIC_URL ?? `http://${publicHost}:${values.API_PORT}`,
    bootstrapKey: values.API_BOOTSTRAP_KEY,
    requestsPerSecondMax: values.API_REQUESTS_PER_SECOND,
    signIn: signInSection(values, stripe),
    approvalLimits: values.ADJUSTMENT_APPROVAL_ABOVE,
    /** Events that one key may correct within 24 hours by itself. */
    unapprovedCorrectionsMax: values.USAGE_CORRECTION_APPROVAL_ABOVE,
    webhookEndpoints: endpointSection(values),
    entitlementKeys: values.ENTITLEMENT_SIGNING_KEYS,
    ...billingSection(values, stripe),
    log: logSection(values),
  };
}
export type ApiConfig = ReturnType<typeof loadApiConfig>;

/** What the workers need. */
export function loadWorkerConfig(environment = readEnvironment()) {
  const values = read(parts.worker, environment);
  const stripe = stripeSection(values);
  return {
    database: databaseSection(values),
    temporal: temporalSection(values),
    stripe,
    /** Activities that run at once, on each task queue. */
    activityConcurrency: values.WORKER_CONCURRENCY,
    workflowConcurrency: values.WORKER_WORKFLOW_CONCURRENCY,
    roles: values.WORKER_ROLES,
    /** The file with the workflows' code; undefined: it is made at start, which takes seconds. */
    workflowBundle: values.WORKFLOW_BUNDLE,
    /** Pages of due periods that are closed at once, over all workers. */
    closingLanes: values.CYCLE_CLOSE_LANES,
    /** Half of the connections, so that whoever asks for something else finds one. */
    closesAtOnce: Math.ceil(values.DATABASE_POOL_SIZE / 2),
    build: buildSection(values),
    /** Undefined when metrics are not served. */
    metricsPort: values.WORKER_METRICS_PORT,
    /** Where the copy of the ledger's seals is kept; undefined: the ledger is not sealed here. */
    ledgerSeals: sealSection(values, projectFolder),
    webhookEndpoints: endpointSection(values),
    mail: mailSection(values),
    ...billingSection(values, stripe),
    log: logSection(values),
  };
}
export type WorkerConfig = ReturnType<typeof loadWorkerConfig>;

/** What reading usage from a log needs. */
export function loadUsageLogConfig(environment = readEnvironment()) {
  const values = read(parts.usageLog, environment);
  return {
    database: databaseSection(values),
    kafka: usageLogSection(values),
    connections: values.USAGE_LOG_CONNECTIONS,
    sessionTimeoutMs: values.USAGE_LOG_SESSION_SECONDS * 1_000,
    /** Undefined when metrics are not served. */
    metricsPort: values.USAGE_LOG_METRICS_PORT,
    log: logSection(values),
  };
}

/** What migrations need: the schema owner's connection string, and the application's, whose role is let in. */
export function loadMigrationConfig(environment = readEnvironment()) {
  const values = read(parts.migration, environment);
  return { ownerUrl: values.DATABASE_OWNER_URL, appUrl: values.DATABASE_URL };
}

/**
 * What archiving usage needs: the schema owner's connection, since it takes partitions away, and where to.
 * @param to `file:PATH` or `s3://BUCKET/PREFIX`
 */
export function loadArchiveConfig(to: string, environment = readEnvironment()) {
  const values = read(parts.archive, environment);
  return { ownerUrl: values.DATABASE_OWNER_URL, location: storageLocation(to, values, process.cwd()) };
}

/** What the Stripe stand-in needs; it keeps its state in the file `journalPath`. */
export function loadSandboxConfig(environment = readEnvironment()) {
  const values = read(parts.sandbox, environment);
  const journal = values.STRIPE_SANDBOX_JOURNAL ?? join(values.RECKONER_HOME, "stripe-sandbox.journal");
  return {
    host: values.STRIPE_SANDBOX_HOST,
    port: values.STRIPE_SANDBOX_PORT,
    journalPath: resolve(projectFolder, journal),
    webhook: sandboxWebhookSection(values),
    log: logSection(values),
  };
}
export type SandboxConfig = ReturnType<typeof loadSandboxConfig>;

/** What the mailbox for development needs. */
export function loadMailboxConfig(environment = readEnvironment()) {
  const values = read(parts.mailbox, environment);
  return { host: values.MAILBOX_HOST, port: values.MAILBOX_PORT, smtpPort: values.MAILBOX_SMTP_PORT };
}

/** What `npm start` needs. It starts what is undefined here: the database, Temporal, the Stripe stand-in. */
export function loadStartConfig(environment = readEnvironment()) {
  const values = read(parts.start, environment);
  const { STRIPE_API_KEY, STRIPE_API_BASE, TEMPORAL_ADDRESS: address } = values;
  return {
    home: resolve(projectFolder, values.RECKONER_HOME),
    database: databasePair(values.DATABASE_URL, values.DATABASE_OWNER_URL),
    temporal: address === undefined ? undefined : temporalSection({ ...values, TEMPORAL_ADDRESS: address }),
    stripe: STRIPE_API_KEY === undefined && STRIPE_API_BASE === undefined ? undefined : stripeSection(values),
    bootstrapKey: values.API_BOOTSTRAP_KEY,
    /** Where mail goes; undefined: into the mailbox that it starts. */
    smtpUrl: values.SMTP_URL,
    ports: {
      postgres: values.POSTGRES_PORT,
      temporal: values.TEMPORAL_PORT,
      temporalUi: values.TEMPORAL_UI_PORT,
      stripeSandbox: values.STRIPE_SANDBOX_PORT,
      api: values.API_PORT,
      workerMetrics: values.WORKER_METRICS_PORT,
      mailbox: values.MAILBOX_PORT,
      mailboxSmtp: values.MAILBOX_SMTP_PORT,
    },
  };
}
export type StartConfig = ReturnType<typeof loadStartConfig>;

/** Where the API is and the key to use: from the environment, else of the system that `npm start` runs. */
export function loadClientConfig(environment = readEnvironment()) {
  const values = read(parts.client, environment);
  const { RECKONER_API_URL: apiUrl, RECKONER_API_KEY: apiKey, TEMPORAL_UI_URL: temporalUiUrl } = values;
  if (apiUrl !== undefined && apiKey !== undefined)
    return { apiUrl, apiKey, temporalUiUrl, signInKey: undefined };
  return running(values.RECKONER_HOME, apiUrl === undefined ? "RECKONER_API_URL" : "RECKONER_API_KEY");
}
export type ClientConfig = Pick<
  ReturnType<typeof loadClientConfig>,
  "apiUrl" | "apiKey" | "temporalUiUrl" | "signInKey"
>;

/** What a proof reads: from the environment, else of the system that `npm start` runs. */
export function loadProofConfig(environment = readEnvironment()) {
  const values = read(parts.proof, environment);
  const found = values.DATABASE_URL === undefined ? running(values.RECKONER_HOME, "DATABASE_URL") : undefined;
  const STRIPE_API_BASE = values.STRIPE_API_BASE ?? found?.stripeApiBase;
  const knowsStripe = values.STRIPE_API_KEY !== undefined || STRIPE_API_BASE !== undefined;
  return {
    database: databaseSection({ ...values, DATABASE_URL: values.DATABASE_URL ?? found?.databaseUrl ?? "" }),
    /** Undefined: the database is asked alone. */
    ledgerSeals: sealSection(
      { ...values, LEDGER_SEALS: values.LEDGER_SEALS ?? found?.ledgerSeals },
      projectFolder,
    ),
    /** Undefined: Stripe is not asked. */
    stripe: knowsStripe ? stripeSection({ ...values, STRIPE_API_BASE }) : undefined,
  };
}

function running(home: string, variable: string): RunningSystem {
  const file = runningFile(resolve(projectFolder, home));
  if (existsSync(file)) return runningSystem.parse(JSON.parse(readFileSync(file, "utf8")));
  const message = "is not set and no system is running here: run npm start, or set the variable";
  throw new ConfigurationError([{ variable, message }]);
}

/** The key of the Stripe account that the stand-in is held against; undefined: of none. Never a live one. */
export function loadConformanceConfig(environment = readEnvironment()) {
  const { STRIPE_API_KEY: apiKey } = read(parts.conformance, environment);
  if (apiKey === undefined || /^(sk|rk)_test_/.test(apiKey)) return { apiKey };
  const message = "must be a test key: what is done here is tried out";
  throw new ConfigurationError([{ variable: "STRIPE_API_KEY", message }]);
}

/** Servers that the tests use instead of starting their own. */
export function loadTestConfig(environment = readEnvironment()) {
  const values = read(parts.test, environment);
  return {
    home: resolve(projectFolder, values.RECKONER_HOME),
    databaseUrl: values.TEST_DATABASE_URL,
    temporalAddress: values.TEST_TEMPORAL_ADDRESS,
  };
}

/** Runs a loader at the top of a program: a bad environment ends it with a line for each problem and exit code 1. */
export function configurationOrExit<Config>(load: () => Config): Config {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
