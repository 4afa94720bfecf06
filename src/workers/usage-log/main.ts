import { collectDefaultMetrics, Registry } from "prom-client";
import { customerTimes } from "../../api/customer-time.ts";
import { configurationOrExit, loadUsageLogConfig } from "../../config.ts";
import { hasTestClocks } from "../../db/billing/test-clocks.ts";
import { openDatabase } from "../../db/database.ts";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { createLogger } from "../../logger.ts";
import { startOrExit } from "../../start-failure.ts";
import { serveMetrics } from "../metrics-server.ts";
import { startUsageLogReader } from "./usage-log-reader.ts";

/** The process that reads usage from a Kafka topic; any number of them share the topic's partitions. */
const config = configurationOrExit(loadUsageLogConfig);
const logger = createLogger(config.log, "usage-log");

await startOrExit(start, {
  database: { url: config.database.url, variable: "DATABASE_URL" },
  ...(config.metricsPort === undefined
    ? {}
    : { listen: { port: config.metricsPort, variable: "USAGE_LOG_METRICS_PORT" } }),
});

async function start(): Promise<void> {
  const { url } = config.database;
  const db = openDatabase({ url, poolSize: 1, applicationName: "reckoner usage log clocks" });
  // Said at once when the database is away or empty.
  await hasTestClocks(db.orm);
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const metricsServer =
    config.metricsPort === undefined ? undefined : await serveMetrics(metrics, config.metricsPort);
  const { brokers, topic, group, tls, sasl } = config.kafka;
  const reader = startUsageLogReader({
    kafka: { bootstrapBrokers: [...brokers], ...(tls && { tls: {} }), ...(sasl !== undefined && { sasl }) },
    topic,
    group,
    databaseUrl: url,
    connections: config.connections,
    sessionTimeoutMs: config.sessionTimeoutMs,
    // Where no customer may be on a clock there is none, and then none is asked for.
    clocks: {
      now: () => instantOfEpochMs(Date.now()),
      nowFor: customerTimes({ db, testClocks: { areAllowed: true } }),
    },
    logger,
    metrics,
  });
  logger.info({ brokers, topic, group, metrics_port: config.metricsPort }, "reading");

  let isStopping = false;
  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, "stopping");
    await reader.stop();
    await db.close();
    metricsServer?.close();
    logger.info("stopped");
    process.exit(0); // the client of Kafka may still wait for a broker that is away
  }
  process.on("SIGTERM", stop).on("SIGINT", stop);
}
