import { Registry } from "prom-client";
import { ensureBootstrapKey } from "../../src/api/bootstrap-key.ts";
import { buildApi } from "../../src/api/build-api.ts";
import { commands } from "../../src/api/commands/index.ts";
import type { ApiDependencies } from "../../src/api/dependencies.ts";
import { openIngest } from "../../src/api/ingest/ingest.ts";
import { webhookReceiver } from "../../src/api/webhook-receiver.ts";
import { compose, type Parts } from "../../src/compose.ts";
import type { Database } from "../../src/db/database.ts";
import { openReservationWriter } from "../../src/db/entitlements/reservation-writer.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { money } from "../../src/domain/money/index.ts";
import { createLogger } from "../../src/logger.ts";
import { localHost } from "../../src/sandbox/local-services/ports.ts";
import { createReckonerClient, type ReckonerClient } from "../../src/sdk/index.ts";
import type { Collecting } from "../../src/stripe/index.ts";
import { startWorkers } from "../../src/workers/billing-workers.ts";
import { followStripe } from "../../src/workers/stripe-upkeep.ts";
import { startWebhookInbox } from "../../src/workers/webhook-inbox.ts";
import type { ClosingPolicy } from "../../src/workflows/messages.ts";
import { cloneDatabase } from "./postgres.ts";
import { sharedServer } from "./shared-servers.ts";
import { type AdvanceOptions, advanceClock } from "./system-clock.ts";
import { prepareSurroundings, type Surroundings } from "./system-surroundings.ts";
import { installQuietRuntime } from "./temporal.ts";

/** A whole system of its own: API, workers, webhook inbox, database, Temporal namespace, stand-in for Stripe. */
export interface System {
  /** The public API with every right. */
  readonly client: ReckonerClient;
  readonly surroundings: Surroundings;
  /** The application role's database, to look into. */
  readonly db: Database;
  /** Moves a test clock to an ISO time and waits until everything due on the way is done. */
  advance(clockId: string, to: string, options?: AdvanceOptions): Promise<void>;
  stop(): Promise<void>;
}

/** A system whose workers are in this process. */
export interface SystemHere extends System {
  /** Imports and books what has moved Stripe's balance; what cannot be explained after `patienceMs` goes into suspense. */
  followStripe(patienceMs?: number): Promise<number>;
}

export interface SystemOptions {
  /** Below `warn` nothing is logged, which is the default: `silent`. */
  readonly logLevel?: string;
  /** Who closes periods of customers on the wall clock: a run for each, when left out. */
  readonly closing?: ClosingPolicy;
  /** How invoices are collected; by their copies at Stripe when left out. */
  readonly collecting?: Collecting;
}

const usd = money(50_000n, "usd");
/** Above these an adjustment needs a second key. */
const approvalLimits = new Map([[usd.currency, usd]]);

/** Starts a system in this process, on a copy of the migrated template. */
export async function startSystem({
  logLevel = "silent",
  closing = { by: "workflow", windowSeconds: 0 },
  collecting = { by: "invoice" },
}: SystemOptions = {}): Promise<SystemHere> {
  installQuietRuntime();
  const [database, surroundings] = await Promise.all([cloneDatabase(), prepareSurroundings({ collecting })]);
  const { stripe, temporalClient, temporal, apiUrl, apiKey } = surroundings;
  const at = { url: database.appUrl, poolSize: 10 };
  const parts = compose(at, stripe, temporalClient, temporal.taskQueue, "reckoner-test");
  const logger = createLogger({ level: logLevel, format: "json" }, "test");
  const metrics = new Registry();
  const ingest = openIngest({ url: database.appUrl, metrics });
  const reservations = openReservationWriter({ url: database.appUrl });
  const api = await startApi({ ...parts, ingest, reservations, metrics }, surroundings, logger);
  const workers = await startWorkers(parts, {
    temporal,
    activityConcurrency: 20,
    workflowConcurrency: 40,
    stripeRequestsPerSecond: 1_000,
    closing,
    closesAtOnce: 5,
    usageWaitMsMax: 6 * 3_600_000,
    workflowBundle: await sharedServer("workflowBundle"),
  });
  const inbox = await startWebhookInbox(parts, logger);
  const client = createReckonerClient({ baseUrl: apiUrl, apiKey });
  return {
    client,
    surroundings,
    db: parts.db,
    advance: (clockId, to, options) => advanceClock(client, temporalClient, clockId, to, options),
    followStripe: (patienceMs = 60_000) => followStripe(parts, patienceMs),
    async stop() {
      await inbox.stop();
      await workers.stop();
      await api.close();
      await ingest.writer.close();
      await ingest.backfills.close();
      await reservations.close();
      await surroundings.close();
      await parts.db.close();
      await database.drop();
    },
  };
}

async function startApi(
  {
    db,
    gateway,
    operators,
    queues,
    rail,
    ingest,
    reservations,
    metrics,
  }: Parts & Pick<ApiDependencies, "ingest" | "reservations" | "metrics">,
  { apiKey, apiPort, stripe }: Surroundings,
  logger: ReturnType<typeof createLogger>,
) {
  const now = () => instantOfEpochMs(Date.now());
  await ensureBootstrapKey(db, apiKey, now());
  const api = await buildApi({
    ...commands({ db, gateway, operators, queues, rail, now, testClocksAllowed: true, approvalLimits }),
    ingest,
    reservations,
    db,
    now,
    logger,
    metrics,
    readinessChecks: [{ name: "temporal", check: () => gateway.check() }],
    webhookEndpoints: { sealingKeys: [Buffer.alloc(32, 7)], privateAllowed: true },
    receiveWebhook: webhookReceiver(db, { secrets: stripe.webhookSecrets, isLive: false }),
    stripeMeters: rail.meters,
  });
  await api.listen({ host: localHost, port: apiPort });
  return api;
}
