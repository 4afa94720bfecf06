import { pino } from "pino";
import { Registry } from "prom-client";
import { openDatabase } from "../../src/db/database.ts";
import { startUsageUpkeep } from "../../src/workers/usage-upkeep.ts";
import { answerParent, optionsGiven } from "./messages.ts";

/** What a worker does for usage: events are folded into their windows for as long as this process runs. */
const { databaseUrl } = optionsGiven<{ readonly databaseUrl: string }>();
const db = openDatabase({ url: databaseUrl, poolSize: 1, applicationName: "upkeep" });
const logger = pino({ level: "warn" }, process.stderr);
const upkeep = startUsageUpkeep({ db, logger, metrics: new Registry() });
answerParent(
  {},
  {
    async end() {
      await upkeep.stop();
      await db.close();
    },
  },
);
