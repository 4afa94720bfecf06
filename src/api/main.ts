import { collectDefaultMetrics, Registry } from "prom-client";
import { compose } from "../compose.ts";
import { configurationOrExit, loadApiConfig } from "../config.ts";
import { instantOfEpochMs } from "../domain/calendar/index.ts";
import { createLogger } from "../logger.ts";
import { connectTemporal } from "../temporal/connect.ts";
import { ensureBootstrapKey } from "./bootstrap-key.ts";
import { buildApi } from "./build-api.ts";
import { commands } from "./commands/index.ts";
import { serve } from "./serve.ts";
import { webhookReceiver } from "./webhook-receiver.ts";

/** The API server: the one place where its parts are put together, and the only one that reads the configuration. */
const config = configurationOrExit(loadApiConfig);
const logger = createLogger(config.log, "api");
const now = () => instantOfEpochMs(Date.now());
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

const taskQueue = config.temporal.taskQueuePrefix;
const temporal = await connectTemporal({ ...config.temporal, taskQueue });
const { db, gateway, rail } = compose(config.database, config.stripe, temporal, taskQueue, "reckoner-api");

if (config.bootstrapKey !== undefined) await ensureBootstrapKey(db, config.bootstrapKey, now());
const api = await buildApi({
  ...commands({ db, gateway, rail, now, testClocksAllowed: config.testClocks === "allowed" }),
  db,
  now,
  logger,
  metrics,
  readinessChecks: [{ name: "temporal", check: () => gateway.check() }],
  receiveWebhook: webhookReceiver(db, {
    secrets: config.stripe.webhookSecrets,
    isLive: config.stripe.isLive,
  }),
});
await serve(api, {
  host: config.host,
  port: config.port,
  logger,
  close: async () => {
    await temporal.connection.close();
    await db.close();
  },
});
