import { randomBytes } from "node:crypto";
import type { Client } from "@temporalio/client";
import { Stripe } from "stripe";
import type { StripeConfig } from "../../src/config.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import { randomSecret } from "../../src/sandbox/local-services/secrets.ts";
import { prepareGivenTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { startStripeSandbox } from "../../src/sandbox/stripe/index.ts";
import type { Collecting } from "../../src/stripe/index.ts";
import { connectTemporal, type TemporalTarget } from "../../src/temporal/connect.ts";
import { accountOf } from "../stripe/support/sandbox.ts";
import { sharedServer } from "./shared-servers.ts";

/** What a system under test stands on besides its database, and where its API will be. */
export interface Surroundings {
  readonly temporal: TemporalTarget;
  readonly temporalClient: Client;
  readonly stripe: StripeConfig;
  readonly stripeUrl: string;
  /** The stand-in's account: the real SDK, and the control API. */
  readonly account: Pick<ReturnType<typeof accountOf>, "stripe" | "control">;
  readonly apiPort: number;
  readonly apiUrl: string;
  /** Has every right. */
  readonly apiKey: string;
  close(): Promise<void>;
}

/** Soon again, and long enough for an API that is being restarted. */
const webhookRetryDelaysMs = [100, 200, 500, 1_000, 1_000, 2_000, 2_000, 5_000, 5_000];

export interface SurroundingsOptions {
  /** The address of a Temporal server of one's own; the run's shared one when left out. */
  readonly temporalAddress?: string;
  /** One that is there already and that nobody else uses; a new one when left out. */
  readonly temporalNamespace?: string;
  /** Two systems that are asked the same under the same key give the same ids; a new one when left out. */
  readonly apiKey?: string;
  /** How invoices are collected; by their copies at Stripe when left out. */
  readonly collecting?: Collecting;
}

/** A namespace of a Temporal server and a stand-in for Stripe that sends its webhooks to the API's address. */
export async function prepareSurroundings({
  temporalAddress,
  temporalNamespace,
  apiKey = `reckoner_${randomSecret()}`,
  collecting = { by: "invoice" },
}: SurroundingsOptions = {}): Promise<Surroundings> {
  const address = temporalAddress ?? (await sharedServer("temporal")).address;
  const temporal =
    temporalNamespace === undefined
      ? await newNamespace(address)
      : { ...targetOf(address, temporalNamespace), taskQueue };
  const temporalClient = await connectTemporal(temporal);
  const sandbox = await startStripeSandbox({ port: 0, webhookRetryDelaysMs });
  const apiPort = await freePort();
  const apiUrl = `http://${localHost}:${apiPort}`;
  const { apiKey: stripeKey, stripe, control } = accountOf(sandbox.url);
  const { secret = "" } = await stripe.webhookEndpoints.create({
    url: `${apiUrl}/v1/webhooks/stripe`,
    enabled_events: ["*"],
    api_version: Stripe.API_VERSION,
  });
  const apiBase = { protocol: "http", host: localHost, port: sandbox.port } as const;
  return {
    temporal,
    temporalClient,
    stripe: {
      apiKey: stripeKey,
      isLive: false,
      apiBase,
      webhookSecrets: [secret],
      collecting,
      meters: { of: [], by: "event" },
      pace: { perSecond: 1_000, perEndpoint: 1_000 },
    },
    stripeUrl: sandbox.url,
    account: { stripe, control },
    apiPort,
    apiUrl,
    apiKey,
    async close() {
      await sandbox.close();
      await temporalClient.connection.close();
    },
  };
}

/** Systems on one server have the same ids of runs and schedules, so each has a namespace of its own. */
async function newNamespace(address: string): Promise<TemporalTarget> {
  const namespace = `test-${randomBytes(6).toString("hex")}`;
  const target = targetOf(address, namespace);
  const { connection } = await connectTemporal({ ...target, taskQueue: "" });
  try {
    const day = { seconds: 86_400 as never };
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
  } finally {
    await connection.close();
  }
  await prepareGivenTemporal(target);
  return { ...target, taskQueue };
}

const taskQueue = "reckoner";
const targetOf = (address: string, namespace: string) => ({
  address,
  namespace,
  apiKey: undefined,
  tls: false,
});
