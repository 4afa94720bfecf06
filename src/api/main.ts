import "../heap.ts";
import { collectDefaultMetrics, Registry } from "prom-client";
import { compose } from "../compose.ts";
import { type ApiConfig, configurationOrExit, loadApiConfig } from "../config.ts";
import { listApiKeys } from "../db/access.ts";
import { openReservationWriter } from "../db/entitlements/reservation-writer.ts";
import { createLogger } from "../logger.ts";
import { startOrExit } from "../start-failure.ts";
import { connectTemporal } from "../temporal/connect.ts";
import { payloadsText } from "../temporal/data-converter.ts";
import { openIdProvider } from "./access/openid-provider.ts";
import type { SignIn } from "./access/sign-in-dependencies.ts";
import { ensureBootstrapKey } from "./bootstrap-key.ts";
import { buildApi } from "./build-api.ts";
import { commands } from "./commands/index.ts";
import { openIngest } from "./ingest/ingest.ts";
import { serve } from "./serve.ts";
import { webhookReceiver } from "./webhook-receiver.ts";

/** The API server: the one place where its parts are put together, and the only one that reads the configuration. */
const config = configurationOrExit(loadApiConfig);
const logger = createLogger(config.log, "api");

async function start(): Promise<void> {
  const taskQueue = config.temporal.taskQueuePrefix;
  const temporal = await connectTemporal({ ...config.temporal, taskQueue });
  const parts = compose(config.database, config.stripe, temporal, taskQueue, "reckoner-api");
  const { db, gateway, now } = parts;
  // Said at once when the database is away or empty, not at the first request.
  await listApiKeys(db.orm, { limit: 1 });
  if (config.bootstrapKey !== undefined) await ensureBootstrapKey(db, config.bootstrapKey, now());

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const { webhookSecrets: secrets, isLive } = config.stripe;
  const ingest = openIngest({ url: config.database.url, applicationName: "reckoner-api ingest", metrics });
  const reservations = openReservationWriter({
    url: config.database.url,
    applicationName: "reckoner-api reservations",
  });
  const api = await buildApi({
    ...commands({
      ...parts,
      testClocksAllowed: config.testClocks === "allowed",
      approvalLimits: config.approvalLimits,
    }),
    receiveWebhook: webhookReceiver(db, { secrets, isLive }),
    stripeMeters: parts.rail.meters,
    ingest,
    reservations,
    db,
    now,
    logger,
    metrics,
    webhookEndpoints: config.webhookEndpoints,
    entitlementKeys: config.entitlementKeys,
    signIn: signInOf(config),
    requestsPerSecondMax: config.requestsPerSecondMax,
    unapprovedCorrectionsMax: config.unapprovedCorrectionsMax,
    readinessChecks: [{ name: "temporal", check: () => gateway.check() }],
  });
  const close = async () => {
    await temporal.connection.close();
    await ingest.writer.close();
    await ingest.backfills.close();
    await reservations.close();
    await db.close();
  };
  logger.info({ payloads: payloadsText(config.temporal.payloadKeys) }, "payloads of workflows");
  await serve(api, { host: config.host, port: config.port, logger, close });
}

/** Where browsers reach this server decides what its cookies are, and where the provider sends them back to. */
function signInOf({ signIn: { provider, ...rest }, publicUrl }: ApiConfig): SignIn {
  return {
    ...rest,
    publicUrl,
    isSecure: publicUrl.startsWith("https:"),
    provider: provider && openIdProvider(provider, `${publicUrl}/auth/callback`),
  };
}

await startOrExit(start, {
  database: { url: config.database.url, variable: "DATABASE_URL" },
  temporalAddress: config.temporal.address,
  listen: { port: config.port, variable: "API_PORT" },
});
