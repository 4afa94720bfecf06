import { pino } from "pino";
import { Registry } from "prom-client";
import { openDatabase } from "../../src/db/database.ts";
import { fileSealStore, sealLedger } from "../../src/db/seals/ledger-seals.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { startLedgerUpkeep } from "../../src/workers/ledger-upkeep.ts";

/** What a worker does for the ledger, in a process of its own. Says "ready" once all that was posted before is sealed. */
const [url = "", sealFile = ""] = process.argv.slice(2);
const db = openDatabase({ url, poolSize: 2, applicationName: "upkeep" });
const seals = fileSealStore(sealFile);
await sealLedger(db, seals);
const upkeep = startLedgerUpkeep({
  db,
  now: () => instantOfEpochMs(Date.now()),
  seals,
  logger: pino({ level: "warn" }, process.stderr),
  metrics: new Registry(),
});
process.once("disconnect", async () => {
  await upkeep.stop();
  await db.close();
});
process.send?.("ready");
