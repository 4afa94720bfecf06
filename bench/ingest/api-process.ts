import "../../src/heap.ts";
import { randomBytes } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { Registry } from "prom-client";
import { newApiKeySecret } from "../../src/api/api-key-secret.ts";
import { ensureBootstrapKey } from "../../src/api/bootstrap-key.ts";
import { buildApi } from "../../src/api/build-api.ts";
import type { ApiDependencies } from "../../src/api/dependencies.ts";
import { openIngest } from "../../src/api/ingest/ingest.ts";
import { openDatabase } from "../../src/db/database.ts";
import { openReservationWriter } from "../../src/db/entitlements/reservation-writer.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { createLogger } from "../../src/logger.ts";
import { answerParent, optionsGiven } from "./messages.ts";

/** The API as it is, with a line of log for each request, but without Temporal and Stripe: nothing here asks for them. */
export interface ApiProcessOptions {
  readonly databaseUrl: string;
  readonly batchesInFlight?: number;
}

export interface ApiReady {
  readonly url: string;
  readonly key: string;
}

const { databaseUrl, batchesInFlight } = optionsGiven<ApiProcessOptions>();
const db = openDatabase({ url: databaseUrl, poolSize: 10, applicationName: "reckoner-api" });
const metrics = new Registry();
const ingest = openIngest({
  url: databaseUrl,
  metrics,
  ...(batchesInFlight === undefined ? {} : { batchesInFlight }),
});
const reservations = openReservationWriter({ url: databaseUrl });
const now = () => instantOfEpochMs(Date.now());
const nowhere = openSync("/dev/null", "w");
const parts: Partial<ApiDependencies> = {
  ingest,
  reservations,
  db,
  now,
  logger: createLogger({ level: "info", format: "json" }, "api", {
    write: (line) => writeSync(nowhere, line),
  }),
  metrics,
  entitlementKeys: [randomBytes(32)],
  readinessChecks: [],
  testClocks: { areAllowed: false, create: absent, advance: absent },
};
const api = await buildApi(parts as ApiDependencies);
const key = newApiKeySecret();
await ensureBootstrapKey(db, key, now());
const url = await api.listen({ host: "127.0.0.1", port: 0 });
answerParent({ url, key } satisfies ApiReady, {
  async end() {
    await api.close();
    await ingest.writer.close();
    await reservations.close();
    await db.close();
  },
});

async function absent(): Promise<never> {
  throw new Error("this part is not in this process");
}
