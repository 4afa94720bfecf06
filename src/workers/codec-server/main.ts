import { serve } from "../../api/serve.ts";
import { loadCodecServerConfig } from "../../config/codec-server.ts";
import { configurationOrExit } from "../../config.ts";
import { openDatabase } from "../../db/database.ts";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { createLogger } from "../../logger.ts";
import { startOrExit } from "../../start-failure.ts";
import { payloadsText } from "../../temporal/data-converter.ts";
import { buildCodecServer } from "./codec-server.ts";

/** The codec server: shows what is encrypted in Temporal to operators who may see it, in its UI and on its command line. */
const config = configurationOrExit(loadCodecServerConfig);
const logger = createLogger(config.log, "codec-server");

async function start(): Promise<void> {
  const { host, port, origins, payloadKeys } = config;
  const db = openDatabase({ ...config.database, applicationName: "reckoner-codec-server" });
  const server = await buildCodecServer({
    db,
    now: () => instantOfEpochMs(Date.now()),
    logger,
    payloadKeys,
    origins,
  });
  logger.info({ payloads: payloadsText(payloadKeys), origins }, "payloads");
  await serve(server, { host, port, logger, close: () => db.close() });
}

await startOrExit(start, {
  database: { url: config.database.url, variable: "DATABASE_URL" },
  listen: { port: config.port, variable: "CODEC_SERVER_PORT" },
});
