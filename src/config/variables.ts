import { z } from "zod";
import { unapprovedEventsMaxUsual } from "../domain/corrections/index.ts";
import { approvalLimits } from "./approval-limits.ts";
import { meterNames } from "./meter-names.ts";
import { sealingKeys } from "./notices.ts";
import { payloadKeys, webOrigins } from "./payload-keys.ts";
import { sealUrl } from "./seal-location.ts";

/**
 * Every environment variable the project reads, as text in and a checked value out. The messages say what a value must
 * be; `src/config.ts` puts the variable's name in front of them. `.env.example` describes each variable.
 */

const text = (what: string) => z.string({ error: `is not set: ${what}` });

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: `must be a whole number from ${min} to ${max}`, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    });

/** Port 0 lets the operating system choose one that is free. */
const port = wholeNumber(0, 65_535);
const fixedPort = wholeNumber(1, 65_535);

const oneOf = <const Choices extends readonly [string, ...string[]]>(...choices: Choices) =>
  z.enum(choices, { error: `must be one of ${choices.join(", ")}` });

const isUrl = (value: string, protocols: readonly string[]) =>
  URL.canParse(value) && protocols.includes(new URL(value).protocol);

/** What a worker process may do: a task queue each, and the upkeep of ledger, usage, credit and webhook inbox. */
export const workerRoleNames = ["interactive", "cycles", "stripe", "upkeep"] as const;

const workerRoleList = z
  .string()
  .transform((value) => value.split(",").map((role) => role.trim()))
  .pipe(
    z.array(
      z.enum(workerRoleNames, {
        error: `must be some of ${workerRoleNames.join(", ")}, separated by commas`,
      }),
    ),
  );

const databaseUrl = (role: string) =>
  text(`give the ${role}'s connection string, postgres://USER:PASSWORD@HOST:PORT/DATABASE`).refine(
    (value) => isUrl(value, ["postgres:", "postgresql:"]) && new URL(value).pathname.length > 1,
    { error: "must look like postgres://USER:PASSWORD@HOST:PORT/DATABASE" },
  );

const httpUrl = text("give a URL that starts with http:// or https://")
  .refine((value) => isUrl(value, ["http:", "https:"]), {
    error: "must be a URL that starts with http:// or https://",
  })
  .transform((value) => value.replace(/\/+$/, ""));

const host = text("give a host name or an IP address").regex(/^[A-Za-z0-9.:_-]+$/, {
  error: "must be a host name or an IP address, without a scheme or port",
});

const logName = text("give a name").regex(/^[A-Za-z0-9._-]{1,249}$/, {
  error: "must be letters, digits, dots, underscores and hyphens",
});

const buildName = text("give a name").regex(/^[A-Za-z0-9_-]{1,100}$/, {
  error: "must be letters, digits, underscores and hyphens",
});

const apiKey = text("give an API key").min(24, {
  error: "must be at least 24 characters long: make one up at random",
});

export const databaseVariables = {
  DATABASE_URL: databaseUrl("application role"),
  DATABASE_POOL_SIZE: wholeNumber(1, 500).default(10),
};

export const migrationVariables = {
  DATABASE_URL: databaseVariables.DATABASE_URL,
  DATABASE_OWNER_URL: databaseUrl("role that owns the schema"),
};

export const temporalVariables = {
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[A-Za-z0-9._-]+:\d{1,5}$/, { error: "must look like HOST:PORT, without a scheme" })
    .default("127.0.0.1:7233"),
  TEMPORAL_NAMESPACE: text("give a namespace").default("default"),
  TEMPORAL_API_KEY: text("give an API key").optional(),
  TEMPORAL_TLS: oneOf("true", "false").optional(),
  TEMPORAL_TASK_QUEUE_PREFIX: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, { error: "must be lower-case letters, digits and hyphens" })
    .default("reckoner"),
  TEMPORAL_UI_URL: httpUrl.optional(),
  TEMPORAL_PAYLOAD_KEYS: payloadKeys.default([]),
};

export const codecServerVariables = {
  CODEC_SERVER_HOST: host.default("127.0.0.1"),
  CODEC_SERVER_PORT: port.default(8156),
  CODEC_SERVER_ORIGINS: webOrigins.optional(),
};

export const stripeVariables = {
  STRIPE_API_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_/, { error: "must start with sk_test_, sk_live_, rk_test_ or rk_live_" })
    .optional(),
  STRIPE_API_BASE: httpUrl.optional(),
  STRIPE_COLLECT_BY: z
    .enum(["invoice", "payment_intent"], { error: "must be invoice or payment_intent" })
    .default("invoice"),
  STRIPE_RETURN_URL: httpUrl.optional(),
  STRIPE_REQUESTS_PER_SECOND: wholeNumber(1, 10_000).default(20),
  STRIPE_ENDPOINT_REQUESTS_PER_SECOND: wholeNumber(1, 10_000).default(20),
  STRIPE_METERS: meterNames.default([]),
  STRIPE_METERS_BY: oneOf("event", "stream").default("event"),
  STRIPE_WEBHOOK_SECRETS: z
    .string()
    .transform((value) => value.split(",").map((secret) => secret.trim()))
    .refine((secrets) => secrets.every((secret) => secret.startsWith("whsec_")), {
      error: "must be signing secrets that start with whsec_, separated by commas",
    })
    .default([]),
};

export const apiVariables = {
  API_HOST: host.default("127.0.0.1"),
  API_PORT: port.default(8155),
  API_PUBLIC_URL: httpUrl.optional(),
  API_BOOTSTRAP_KEY: apiKey.optional(),
  API_REQUESTS_PER_SECOND: wholeNumber(1, 1_000_000).default(500),
  ADJUSTMENT_APPROVAL_ABOVE: approvalLimits.prefault("usd=500.00,eur=500.00,jpy=50000"),
  ENTITLEMENT_SIGNING_KEYS: sealingKeys.default([]),
  USAGE_CORRECTION_APPROVAL_ABOVE: wholeNumber(0, 1_000_000).default(unapprovedEventsMaxUsual),
};

export const billingVariables = {
  TEST_CLOCKS: oneOf("allowed", "refused").default("refused"),
  CYCLE_CLOSE: oneOf("workflow", "paged").default("workflow"),
  CYCLE_CLOSE_WINDOW: wholeNumber(0, 24 * 60).default(0),
  USAGE_WATERMARK_WAIT_MAX: wholeNumber(0, 31 * 24 * 60).default(6 * 60),
};

export const workerVariables = {
  WORKER_CONCURRENCY: wholeNumber(1, 1_000).default(20),
  WORKER_WORKFLOW_CONCURRENCY: wholeNumber(2, 1_000).default(40),
  WORKER_ROLES: workerRoleList.prefault(workerRoleNames.join()),
  CYCLE_CLOSE_LANES: wholeNumber(1, 64).default(4),
  WORKER_METRICS_PORT: port.optional(),
  WORKFLOW_BUNDLE: text("give the path of a file that npm run bundle has written").optional(),
  WORKER_BUILD_ID: buildName.optional(),
  WORKER_DEPLOYMENT: buildName.optional(),
};

export const usageLogVariables = {
  USAGE_LOG_BROKERS: text("give the address of a Kafka broker, HOST:PORT, or of several, separated by commas")
    .transform((value) => value.split(",").map((broker) => broker.trim()))
    .refine((brokers) => brokers.every((broker) => /^[A-Za-z0-9._-]+:\d{1,5}$/.test(broker)), {
      error: "must be HOST:PORT, or several separated by commas",
    }),
  USAGE_LOG_TOPIC: logName.default("reckoner.usage"),
  USAGE_LOG_GROUP: logName.default("reckoner"),
  USAGE_LOG_TLS: oneOf("true", "false").default("false"),
  USAGE_LOG_SASL_MECHANISM: oneOf("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512").default("SCRAM-SHA-512"),
  USAGE_LOG_SASL_USERNAME: text("give a name").optional(),
  USAGE_LOG_SASL_PASSWORD: text("give a password").optional(),
  USAGE_LOG_CONNECTIONS: wholeNumber(1, 16).default(2),
  USAGE_LOG_SESSION_SECONDS: wholeNumber(1, 300).default(10),
  USAGE_LOG_METRICS_PORT: port.optional(),
};

export const sealVariables = {
  LEDGER_SEALS: sealUrl.optional(),
  AWS_REGION: text("give a region").optional(),
  AWS_ENDPOINT_URL_S3: httpUrl.optional(),
  AWS_ACCESS_KEY_ID: text("give an access key's id").optional(),
  AWS_SECRET_ACCESS_KEY: text("give an access key's secret").optional(),
  AWS_SESSION_TOKEN: text("give a session's token").optional(),
};

export const logVariables = {
  LOG_LEVEL: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent").default("info"),
  LOG_FORMAT: oneOf("json", "pretty").default("json"),
};

export const homeVariables = { RECKONER_HOME: text("give a folder").default(".reckoner") };

export const sandboxVariables = {
  STRIPE_SANDBOX_HOST: host.default("127.0.0.1"),
  STRIPE_SANDBOX_PORT: port.default(12_155),
  STRIPE_SANDBOX_JOURNAL: text("give a file").optional(),
  STRIPE_SANDBOX_WEBHOOK_URL: httpUrl.optional(),
};

export const mailboxVariables = {
  MAILBOX_HOST: host.default("127.0.0.1"),
  MAILBOX_PORT: port.default(8156),
  MAILBOX_SMTP_PORT: port.default(2555),
};

/** The ports that `npm start` gives to the services it starts itself. */
export const startVariables = {
  POSTGRES_PORT: fixedPort.default(5455),
  TEMPORAL_PORT: fixedPort.default(7255),
  TEMPORAL_UI_PORT: fixedPort.default(8255),
  STRIPE_SANDBOX_PORT: fixedPort.default(12_155),
  API_PORT: fixedPort.default(8155),
  WORKER_METRICS_PORT: fixedPort.default(9155),
  MAILBOX_PORT: fixedPort.default(8156),
  MAILBOX_SMTP_PORT: fixedPort.default(2555),
};

export const clientVariables = { RECKONER_API_URL: httpUrl.optional(), RECKONER_API_KEY: apiKey.optional() };

export const testVariables = {
  TEST_DATABASE_URL: databaseUrl("superuser").optional(),
  TEST_TEMPORAL_ADDRESS: temporalVariables.TEMPORAL_ADDRESS.removeDefault().optional(),
};

/** Their values are never repeated in a message or a log. */
export const secretVariables: ReadonlySet<string> = new Set([
  "DATABASE_URL",
  "DATABASE_OWNER_URL",
  "TEMPORAL_API_KEY",
  "TEMPORAL_PAYLOAD_KEYS",
  "STRIPE_API_KEY",
  "STRIPE_WEBHOOK_SECRETS",
  "API_BOOTSTRAP_KEY",
  "OIDC_CLIENT_SECRET",
  "LOCAL_SIGN_IN_PASSWORD",
  "WEBHOOK_SECRET_KEYS",
  "ENTITLEMENT_SIGNING_KEYS",
  "SMTP_URL",
  "USAGE_LOG_SASL_PASSWORD",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "RECKONER_API_KEY",
  "TEST_DATABASE_URL",
]);
