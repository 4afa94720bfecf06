import { collectDefaultMetrics, Registry } from "prom-client";
import { configurationOrExit, loadApiConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { instantOfEpochMs } from "../domain/calendar/index.ts";
import { ensureBootstrapKey } from "./bootstrap-key.ts";
import { buildApi } from "./build-api.ts";
import { createLogger } from "./logger.ts";
import { serve } from "./serve.ts";
import { unavailableCommands } from "./unavailable-commands.ts";
import { webhookReceiver } from "./webhook-receiver.ts";

/** The API server: the one place where its parts are put together, and the only one that reads the configuration. */
const config = configurationOrExit(loadApiConfig);
const logger = createLogger(config.log, "api");
const db = openDatabase({ ...config.database, applicationName: "reckoner-api" });
const now = () => instantOfEpochMs(Date.now());
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

if (config.bootstrapKey !== undefined) await ensureBootstrapKey(db, config.bootstrapKey, now());
const api = await buildApi({
  ...unavailableCommands,
  db,
  now,
  logger,
  metrics,
  readinessChecks: [],
  receiveWebhook: webhookReceiver(db, {
    secrets: config.stripe.webhookSecrets,
    isLive: config.stripe.isLive,
  }),
});
await serve(api, { host: config.host, port: config.port, logger, close: () => db.close() });
