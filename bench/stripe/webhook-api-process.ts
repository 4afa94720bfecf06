import { Registry } from "prom-client";
import { buildApi } from "../../src/api/build-api.ts";
import type { ApiDependencies } from "../../src/api/dependencies.ts";
import { webhookReceiver } from "../../src/api/webhook-receiver.ts";
import { openDatabase } from "../../src/db/database.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { createLogger } from "../../src/logger.ts";

/** The API in a process of its own, with what receives Stripe's webhooks and little else: `node webhook-api-process.ts URL SECRET`. */
const [databaseUrl = "", secret = ""] = process.argv.slice(2);
const db = openDatabase({ url: databaseUrl, poolSize: 10, applicationName: "reckoner-api" });
const parts: Partial<ApiDependencies> = {
  db,
  now: () => instantOfEpochMs(Date.now()),
  logger: createLogger({ level: "silent", format: "json" }, "api"),
  metrics: new Registry(),
  readinessChecks: [],
  testClocks: { areAllowed: false, create: absent, advance: absent },
  receiveWebhook: webhookReceiver(db, { secrets: [secret], isLive: false }),
};
const api = await buildApi(parts as ApiDependencies);
process.send?.({ url: await api.listen({ host: "127.0.0.1", port: 0 }) });

async function absent(): Promise<never> {
  throw new Error("this part is not in this process");
}
