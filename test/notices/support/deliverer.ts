import { Registry } from "prom-client";
import { openDatabase } from "../../../src/db/database.ts";
import { instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import { createLogger } from "../../../src/logger.ts";
import { startNoticeDelivery } from "../../../src/workers/notice-delivery.ts";

/** A process that does nothing but deliver notices, to be killed: its argument says on which database, with which key, how far ahead. */
const { url, key, aheadMs } = JSON.parse(process.argv[2] ?? "{}");
startNoticeDelivery({
  db: openDatabase({ url, poolSize: 10 }),
  now: () => instantOfEpochMs(Date.now() + aheadMs),
  logger: createLogger({ level: "silent", format: "json" }, "deliverer"),
  metrics: new Registry(),
  sealingKeys: [Buffer.from(key, "base64")],
  post: { timeoutMs: 5_000, privateAllowed: true },
  mail: null,
  operatorEmail: null,
  everyMs: 20,
});
