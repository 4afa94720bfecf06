import type { z } from "zod";
import type { Collecting } from "../stripe/collecting.ts";
import type { PayloadKey } from "../temporal/payload-codec.ts";
import type { WorkerBuild } from "../workers/worker-version.ts";
import { ConfigurationError } from "./configuration-error.ts";
import type { NamedMeter } from "./meter-names.ts";
import type * as variables from "./variables.ts";

type Values<Group extends z.ZodRawShape> = z.infer<z.ZodObject<Group>>;

export interface DatabaseConfig {
  readonly url: string;
  readonly poolSize: number;
}

export interface TemporalConfig {
  /** HOST:PORT of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey: string | undefined;
  readonly tls: boolean;
  readonly taskQueuePrefix: string;
  /** Where operators see runs; undefined when nobody said where the Temporal UI is. */
  readonly uiUrl: string | undefined;
  /** The first encrypts, all decrypt; empty: payloads are plain. */
  readonly payloadKeys: readonly PayloadKey[];
}

/** Which build of the workers this is; undefined: workers are not versioned. */
export type BuildConfig = WorkerBuild | undefined;

export interface StripeConfig {
  readonly apiKey: string;
  readonly isLive: boolean;
  /** Options of the Stripe SDK that lead it to the stand-in; undefined for Stripe itself. */
  readonly apiBase:
    | { readonly protocol: "http" | "https"; readonly host: string; readonly port: number }
    | undefined;
  readonly webhookSecrets: readonly string[];
  readonly collecting: Collecting;
  /** Whose usage is pushed to Stripe's meters, and how; none by default. */
  readonly meters: { readonly of: readonly NamedMeter[]; readonly by: "event" | "stream" };
  /** What Stripe may be asked in a second, by all processes together: the account, and each endpoint of it. */
  readonly pace: { readonly perSecond: number; readonly perEndpoint: number };
}

/** An endpoint that the stand-in keeps for one account from its start, so that nobody has to register it. */
export interface SandboxWebhookConfig {
  readonly apiKey: string;
  readonly url: string;
  readonly secrets: readonly string[];
}

export interface BillingConfig {
  readonly testClocks: "allowed" | "refused";
  /** Who closes periods, and over how long what is due at one instant is spread. */
  readonly closing: { readonly by: "workflow" | "paged"; readonly windowSeconds: number };
  /** How long after the grace a close waits for sources of usage that are behind. */
  readonly usageWaitMsMax: number;
}

export interface LogConfig {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly format: "json" | "pretty";
}

/** The stand-in takes any test key; this one is used when none is given. */
const standInApiKey = "sk_test_reckoner_stand_in";

export function databaseSection(values: Values<typeof variables.databaseVariables>): DatabaseConfig {
  return { url: values.DATABASE_URL, poolSize: values.DATABASE_POOL_SIZE };
}

/** Both connection strings, or neither to have PostgreSQL started. */
export function databasePair(appUrl: string | undefined, ownerUrl: string | undefined) {
  if (appUrl !== undefined && ownerUrl !== undefined) return { appUrl, ownerUrl };
  if (appUrl === undefined && ownerUrl === undefined) return undefined;
  const variable = appUrl === undefined ? "DATABASE_URL" : "DATABASE_OWNER_URL";
  const message = "is not set: give both database URLs, or neither to have PostgreSQL started for you";
  throw new ConfigurationError([{ variable, message }]);
}

export function temporalSection(values: Values<typeof variables.temporalVariables>): TemporalConfig {
  return {
    address: values.TEMPORAL_ADDRESS,
    namespace: values.TEMPORAL_NAMESPACE,
    apiKey: values.TEMPORAL_API_KEY,
    // Temporal Cloud's API keys work over TLS only.
    tls:
      values.TEMPORAL_TLS === undefined
        ? values.TEMPORAL_API_KEY !== undefined
        : values.TEMPORAL_TLS === "true",
    taskQueuePrefix: values.TEMPORAL_TASK_QUEUE_PREFIX,
    uiUrl: values.TEMPORAL_UI_URL,
    payloadKeys: values.TEMPORAL_PAYLOAD_KEYS,
  };
}

/** Named after the task queues where no name is given: what takes from the same queues is one deployment. */
export function buildSection(
  values: Values<
    Pick<typeof variables.workerVariables, "WORKER_BUILD_ID" | "WORKER_DEPLOYMENT"> &
      Pick<typeof variables.temporalVariables, "TEMPORAL_TASK_QUEUE_PREFIX">
  >,
): BuildConfig {
  const { WORKER_BUILD_ID: buildId, WORKER_DEPLOYMENT: name } = values;
  return buildId === undefined
    ? undefined
    : { buildId, deploymentName: name ?? values.TEMPORAL_TASK_QUEUE_PREFIX };
}

/** A live key with another address would send real customers' data to a stranger, so the pair is refused. */
export function stripeSection(values: Values<typeof variables.stripeVariables>): StripeConfig {
  const { STRIPE_API_KEY: key, STRIPE_API_BASE: base } = values;
  if (key === undefined && base === undefined) {
    const message =
      "is not set: give a Stripe key, or set STRIPE_API_BASE to the stand-in (npm run stripe-sandbox)";
    throw new ConfigurationError([{ variable: "STRIPE_API_KEY", message }]);
  }
  const apiKey = key ?? standInApiKey;
  const isLive = /^(sk|rk)_live_/.test(apiKey);
  if (isLive && base !== undefined) {
    const message = "must not be set together with a live STRIPE_API_KEY: remove one of the two";
    throw new ConfigurationError([{ variable: "STRIPE_API_BASE", message }]);
  }
  return {
    apiKey,
    isLive,
    apiBase: base === undefined ? undefined : apiBase(new URL(base)),
    webhookSecrets: values.STRIPE_WEBHOOK_SECRETS,
    collecting: collectingSection(values),
    meters: { of: values.STRIPE_METERS, by: values.STRIPE_METERS_BY },
    pace: {
      perSecond: values.STRIPE_REQUESTS_PER_SECOND,
      perEndpoint: values.STRIPE_ENDPOINT_REQUESTS_PER_SECOND,
    },
  };
}

/** A bank that wants the customer sends them back to a page, which somebody has to name. */
function collectingSection(values: Values<typeof variables.stripeVariables>): Collecting {
  const { STRIPE_COLLECT_BY: by, STRIPE_RETURN_URL: returnUrl } = values;
  if (by === "invoice") return { by };
  if (returnUrl !== undefined) return { by, returnUrl };
  const message = "is not set: name the page that customers come back to after they have confirmed a payment";
  throw new ConfigurationError([{ variable: "STRIPE_RETURN_URL", message }]);
}

function apiBase({ protocol, hostname, port }: URL): StripeConfig["apiBase"] {
  const isPlain = protocol === "http:";
  return { protocol: isPlain ? "http" : "https", host: hostname, port: Number(port || (isPlain ? 80 : 443)) };
}

/** Undefined when no endpoint is asked for; clients may register some at any time. */
export function sandboxWebhookSection(
  values: Values<
    typeof variables.sandboxVariables &
      Pick<typeof variables.stripeVariables, "STRIPE_API_KEY" | "STRIPE_WEBHOOK_SECRETS">
  >,
): SandboxWebhookConfig | undefined {
  const { STRIPE_SANDBOX_WEBHOOK_URL: url, STRIPE_WEBHOOK_SECRETS: secrets } = values;
  if (url === undefined) return undefined;
  if (secrets.length === 0) {
    const message = "is not set: make up the secret that signs what STRIPE_SANDBOX_WEBHOOK_URL is sent";
    throw new ConfigurationError([{ variable: "STRIPE_WEBHOOK_SECRETS", message }]);
  }
  return { apiKey: values.STRIPE_API_KEY ?? standInApiKey, url, secrets };
}

/** Test clocks move a customer through time, so beside a live Stripe key they are refused whatever was asked for. */
export function billingSection(
  values: Values<typeof variables.billingVariables>,
  { isLive }: StripeConfig,
): BillingConfig {
  return {
    testClocks: isLive ? "refused" : values.TEST_CLOCKS,
    closing: { by: values.CYCLE_CLOSE, windowSeconds: values.CYCLE_CLOSE_WINDOW * 60 },
    usageWaitMsMax: values.USAGE_WATERMARK_WAIT_MAX * 60_000,
  };
}

export function logSection(values: Values<typeof variables.logVariables>): LogConfig {
  return { level: values.LOG_LEVEL, format: values.LOG_FORMAT };
}
