import "../heap.ts";
import { Runtime } from "@temporalio/worker";
import { collectDefaultMetrics, Registry } from "prom-client";
import { compose } from "../compose.ts";
import { configurationOrExit, loadWorkerConfig } from "../config.ts";
import { openSealStore } from "../db/seals/ledger-seals.ts";
import { createLogger } from "../logger.ts";
import { startOrExit } from "../start-failure.ts";
import { connectTemporal } from "../temporal/connect.ts";
import { payloadsText } from "../temporal/data-converter.ts";
import { observeActivities } from "./activity-observation.ts";
import { startAnomalyWatching } from "./anomaly-watching.ts";
import { startWorkers, workerRoles } from "./billing-workers.ts";
import { startBudgetWatching } from "./budget-watching.ts";
import { startGrantUpkeep } from "./grant-upkeep.ts";
import { startLateUsageWatching } from "./late-usage-watching.ts";
import { startLedgerUpkeep } from "./ledger-upkeep.ts";
import { startMeterBackfilling } from "./meter-backfill.ts";
import { startMeterSync } from "./meter-sync.ts";
import { serveMetrics } from "./metrics-server.ts";
import { startNotices } from "./notices.ts";
import { ensureSchedules } from "./schedules.ts";
import { startStripeUpkeep } from "./stripe-upkeep.ts";
import { temporalLogger } from "./temporal-logger.ts";
import { startThresholdBilling } from "./threshold-billing.ts";
import { startUsageUpkeep } from "./usage-upkeep.ts";
import { startWebhookInbox } from "./webhook-inbox.ts";
import { measureWebhookInbox } from "./webhook-inbox-metrics.ts";
import { lightenWorkflowThreads } from "./workflow-threads.ts";

/** The worker process: workflows, activities, the webhook inbox, and the ledger's upkeep. */
const config = configurationOrExit(loadWorkerConfig);
const logger = createLogger(config.log, "worker");
Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] });
lightenWorkflowThreads();
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

await startOrExit(start, {
  database: { url: config.database.url, variable: "DATABASE_URL" },
  temporalAddress: config.temporal.address,
  ...(config.metricsPort === undefined
    ? {}
    : { listen: { port: config.metricsPort, variable: "WORKER_METRICS_PORT" } }),
});

async function start(): Promise<void> {
  const temporal = { ...config.temporal, taskQueue: config.temporal.taskQueuePrefix };
  const client = await connectTemporal(temporal);
  const deps = compose(config.database, config.stripe, client, temporal.taskQueue, "reckoner-worker");
  // The inbox looks into the database first: one that is away or empty is said at once.
  const hasUpkeep = config.roles.includes("upkeep");
  const inbox = hasUpkeep ? await startWebhookInbox(deps, logger) : undefined;
  measureWebhookInbox(deps.db, logger, metrics);
  const metricsServer =
    config.metricsPort === undefined ? undefined : await serveMetrics(metrics, config.metricsPort);
  await ensureSchedules(client, { taskQueue: temporal.taskQueue, lanes: config.closingLanes });
  const workers = await startWorkers(deps, {
    temporal,
    activityConcurrency: config.activityConcurrency,
    workflowConcurrency: config.workflowConcurrency,
    workflowBundle: config.workflowBundle === undefined ? undefined : { codePath: config.workflowBundle },
    build: config.build,
    stripeRequestsPerSecond: config.stripe.pace.perSecond,
    closing: config.closing,
    closesAtOnce: config.closesAtOnce,
    roles: workerRoles.filter((role) => config.roles.includes(role)),
    usageWaitMsMax: config.usageWaitMsMax,
    observeActivities: observeActivities(logger, metrics),
  });
  const seals = config.ledgerSeals && (await openSealStore(config.ledgerSeals));
  const upkeeps = hasUpkeep
    ? [
        startLedgerUpkeep({ db: deps.db, now: deps.now, seals, logger, metrics }),
        startUsageUpkeep({ db: deps.db, logger, metrics }),
        startGrantUpkeep({ db: deps.db, now: deps.now, logger, metrics }),
        startThresholdBilling({ deps, logger, metrics }),
        startBudgetWatching({ deps, logger, metrics }),
        startLateUsageWatching({ deps, logger, metrics }),
        startStripeUpkeep({ deps, logger, metrics }),
        startAnomalyWatching({ db: deps.db, now: deps.now, logger, metrics }),
        startMeterBackfilling({ db: deps.db, logger, metrics }),
        startMeterSync({ deps, logger, metrics, meters: config.stripe.meters }),
        startNotices({ ...deps, ...config, logger, metrics }),
      ]
    : [];
  const payloads = payloadsText(temporal.payloadKeys);
  logger.info({ task_queue: temporal.taskQueue, metrics_port: config.metricsPort, payloads }, "working");

  let isStopping = false;
  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, "stopping");
    await Promise.all([inbox, ...upkeeps].map((work) => work?.stop()));
    await workers.stop();
  }
  process.on("SIGTERM", stop).on("SIGINT", stop);

  try {
    await workers.ended;
  } finally {
    metricsServer?.close();
    await client.connection.close();
    await deps.db.close();
    logger.info("stopped");
  }
}
