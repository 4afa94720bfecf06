import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  childEnvironment,
  type Environment,
  loadWorkerConfig,
  readEnvironment,
  type StartConfig,
} from "../../config.ts";
import { buildConsole, consoleState } from "./console-build.ts";
import { type DatabaseUrls, localDatabase, requireConnection } from "./database.ts";
import { runNodeProgram, startNodeProgram } from "./node-program.ts";
import { localHost, requireFreePort } from "./ports.ts";
import type { Progress } from "./progress.ts";
import { keptSecret, randomSecret } from "./secrets.ts";
import type { ServiceGroup } from "./service-group.ts";
import { registerWebhookEndpoint } from "./stripe-webhook.ts";
import { findTemporalCli } from "./temporal-cli.ts";
import { prepareGivenTemporal, startTemporal } from "./temporal-server.ts";

/** What runs, and where. */
export interface LocalSystem {
  readonly apiUrl: string;
  readonly apiKey: string;
  /** With which anybody on this machine signs in to the console as any role. */
  readonly signInPassword: string;
  readonly database: DatabaseUrls;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string | undefined;
  /** Undefined when payments go to Stripe itself. */
  readonly stripeUrl: string | undefined;
  readonly metricsUrl: string;
  /** Of the page that shows all mail; undefined when it goes to somebody else's server. */
  readonly mailboxUrl: string | undefined;
}

export interface SystemOptions {
  readonly config: StartConfig;
  readonly group: ServiceGroup;
  readonly progress: Progress;
}

/** Starts every part in the order of need: servers, then the schema, then the worker and the API. */
export async function startSystem(options: SystemOptions): Promise<LocalSystem> {
  const { config, progress } = options;
  await requireSurroundings(config);
  const [database, temporal, stripeUrl, mailboxUrl] = await Promise.all([
    startDatabase(options),
    startProcessEngine(options),
    startStripe(options),
    startMailbox(options),
    buildConsoleWhenStale(progress),
  ]);
  const apiUrl = `http://${localHost}:${config.ports.api}`;
  const apiKey = config.bootstrapKey ?? (await keptSecret(join(config.home, "api-key.json"), newApiKey));
  const sealingKey = await keptSecret(join(config.home, "webhook-secret-key.json"), randomKey);
  const signingKey = await keptSecret(join(config.home, "entitlement-signing-key.json"), randomKey);
  const signInPassword =
    readEnvironment().LOCAL_SIGN_IN_PASSWORD ||
    (await keptSecret(join(config.home, "sign-in.json"), randomSecret));
  const secrets = { apiKey, sealingKey, signingKey, signInPassword };
  const servers = { ...secrets, database, ...temporal, stripeUrl, apiUrl, mailboxUrl };
  const environment = partsEnvironment(config, servers);
  await progress.step("Database schema", () =>
    runNodeProgram("the migration", "src/db/migrate.ts", {
      ...environment,
      DATABASE_OWNER_URL: database.ownerUrl,
    }),
  );
  await requireConnection("DATABASE_URL", database.appUrl);
  return startParts(options, servers, environment);
}

/** Under which the secrets of webhook endpoints are kept, or with which snapshots are signed. */
const randomKey = () => randomBytes(32).toString("base64");

const newApiKey = () => `reckoner_${randomSecret()}`;

/** All that others must provide is tried before anything is started; PostgreSQL's own port comes later, after its remains. */
async function requireSurroundings({
  database,
  ports,
  temporal,
  stripe,
  smtpUrl,
}: StartConfig): Promise<void> {
  await requireFreePort(ports.api, "the API", "API_PORT");
  await requireFreePort(ports.workerMetrics, "the worker", "WORKER_METRICS_PORT");
  if (smtpUrl === undefined) {
    await requireFreePort(ports.mailbox, "the mailbox", "MAILBOX_PORT");
    await requireFreePort(ports.mailboxSmtp, "the mailbox", "MAILBOX_SMTP_PORT");
  }
  if (stripe === undefined)
    await requireFreePort(ports.stripeSandbox, "the Stripe stand-in", "STRIPE_SANDBOX_PORT");
  if (database !== undefined) await requireConnection("DATABASE_OWNER_URL", database.ownerUrl);
  if (temporal !== undefined) return prepareGivenTemporal(temporal);
  await requireFreePort(ports.temporal, "Temporal", "TEMPORAL_PORT");
  await requireFreePort(ports.temporalUi, "the Temporal UI", "TEMPORAL_UI_PORT");
}

async function startDatabase({ config, group, progress }: SystemOptions): Promise<DatabaseUrls> {
  const { database, home, ports } = config;
  if (database !== undefined) return database;
  return progress.step("PostgreSQL", (note) => localDatabase({ group, home, port: ports.postgres, note }));
}

async function startProcessEngine({ config, group, progress }: SystemOptions) {
  const { temporal, home, ports } = config;
  if (temporal !== undefined) return { temporalAddress: temporal.address, temporalUiUrl: temporal.uiUrl };
  return progress.step("Temporal", async (note) => {
    const { path: program, version } = await findTemporalCli(join(home, "bin"), note);
    note(`starting ${version}`);
    const files = { databaseFile: join(home, "temporal.db"), logFile: join(home, "logs", "temporal.log") };
    const { address } = await startTemporal({
      group,
      program,
      port: ports.temporal,
      uiPort: ports.temporalUi,
      ...files,
    });
    return { temporalAddress: address, temporalUiUrl: `http://${localHost}:${ports.temporalUi}` };
  });
}

function startStripe({ config, group, progress }: SystemOptions): Promise<string | undefined> {
  const { stripe, home, ports } = config;
  if (stripe !== undefined) return Promise.resolve(undefined);
  const url = `http://${localHost}:${ports.stripeSandbox}`;
  return progress.step("Stripe stand-in", async () => {
    await startNodeProgram(group, {
      name: "the Stripe stand-in",
      entry: "src/sandbox/stripe/main.ts",
      environment: childEnvironment({
        STRIPE_SANDBOX_HOST: localHost,
        STRIPE_SANDBOX_PORT: String(ports.stripeSandbox),
        RECKONER_HOME: home,
      }),
      logFile: join(home, "logs", "stripe-sandbox.log"),
      readyUrl: `${url}/_sandbox/health`,
    });
    return url;
  });
}

/** Takes all mail, unless there is a server that is to have it. */
function startMailbox({ config, group, progress }: SystemOptions): Promise<string | undefined> {
  const { smtpUrl, home, ports } = config;
  if (smtpUrl !== undefined) return Promise.resolve(undefined);
  const url = `http://${localHost}:${ports.mailbox}`;
  return progress.step("Mailbox", async () => {
    await startNodeProgram(group, {
      name: "the mailbox",
      entry: "src/sandbox/mailbox/main.ts",
      environment: childEnvironment({
        MAILBOX_HOST: localHost,
        MAILBOX_PORT: String(ports.mailbox),
        MAILBOX_SMTP_PORT: String(ports.mailboxSmtp),
      }),
      logFile: join(home, "logs", "mailbox.log"),
      readyUrl: url,
    });
    return url;
  });
}

async function buildConsoleWhenStale(progress: Progress): Promise<void> {
  const state = consoleState();
  if (state === "absent")
    progress.line("  – Console: src/console is missing, so there are no pages to build");
  if (state !== "stale") return;
  await progress.step("Console pages", async (note) => {
    if (!(await buildConsole())) note("not built, npm run console:build shows why");
  });
}

type Servers = Omit<LocalSystem, "metricsUrl"> & { readonly sealingKey: string; readonly signingKey: string };

/** The copy of the ledger's seals; one out of this machine's reach would be better, and LEDGER_SEALS can say so. */
export function ledgerSeals({ home }: StartConfig): string {
  return readEnvironment().LEDGER_SEALS || `file:${join(home, "ledger-seals.jsonl")}`;
}

/** What the API and the worker are told; what the user has set for them stays. */
function partsEnvironment(config: StartConfig, servers: Servers): Environment {
  const { ports } = config;
  const given = readEnvironment();
  return childEnvironment({
    DATABASE_URL: servers.database.appUrl,
    DATABASE_OWNER_URL: undefined,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_UI_URL: servers.temporalUiUrl,
    API_PORT: String(ports.api),
    API_BOOTSTRAP_KEY: servers.apiKey,
    ...(given.STRIPE_API_KEY?.includes("_live_") ? {} : { LOCAL_SIGN_IN_PASSWORD: servers.signInPassword }),
    WORKER_METRICS_PORT: String(ports.workerMetrics),
    LEDGER_SEALS: ledgerSeals(config),
    TEST_CLOCKS: given.TEST_CLOCKS || "allowed",
    WEBHOOK_SECRET_KEYS: given.WEBHOOK_SECRET_KEYS || servers.sealingKey,
    ENTITLEMENT_SIGNING_KEYS: given.ENTITLEMENT_SIGNING_KEYS || servers.signingKey,
    WEBHOOK_PRIVATE_ADDRESSES: given.WEBHOOK_PRIVATE_ADDRESSES || "allowed",
    ...(servers.mailboxUrl !== undefined && { SMTP_URL: `smtp://${localHost}:${ports.mailboxSmtp}` }),
    ...(servers.stripeUrl !== undefined && {
      STRIPE_API_BASE: servers.stripeUrl,
      // The stand-in has no rate limit to stay below.
      STRIPE_REQUESTS_PER_SECOND: given.STRIPE_REQUESTS_PER_SECOND || "500",
    }),
  });
}

async function startParts(
  { config, group, progress }: SystemOptions,
  servers: Servers,
  environment: Environment,
): Promise<LocalSystem> {
  const { home, ports } = config;
  const metricsUrl = `http://${localHost}:${ports.workerMetrics}/metrics`;
  const { stripe } = loadWorkerConfig(environment);
  const withWebhooks =
    servers.stripeUrl === undefined
      ? environment
      : {
          ...environment,
          STRIPE_WEBHOOK_SECRETS: await registerWebhookEndpoint(
            stripe,
            `${servers.apiUrl}/v1/webhooks/stripe`,
            home,
          ),
        };
  const start = (name: string, entry: string, log: string, readyUrl: string) =>
    progress.step(name, () =>
      startNodeProgram(group, {
        name,
        entry,
        environment: withWebhooks,
        logFile: join(home, "logs", log),
        readyUrl,
      }),
    );
  await Promise.all([
    start("Worker", "src/workers/main.ts", "worker.log", metricsUrl),
    start("API", "src/api/main.ts", "api.log", `${servers.apiUrl}/readyz`),
  ]);
  return { ...servers, metricsUrl };
}
