import { parseArgs } from "node:util";
import { configurationOrExit, loadDatabaseConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { checkInvariants } from "../db/invariants.ts";
import { fileSealStore } from "../db/ledger-seals.ts";
import { invariantsAsJson, invariantsAsText } from "./invariants-text.ts";
import { stripeIfConfigured } from "./stripe-if-configured.ts";

/**
 * `npm run invariants`: checks V1 to V12 on live data and ends with 1 when one is broken.
 * `--json`: the reports for programs. `--seals FILE`: the external copy of the ledger's seals.
 * Stripe itself is asked when STRIPE_API_KEY or STRIPE_API_BASE says where it is.
 */
const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false }, seals: { type: "string" } },
});
const config = configurationOrExit(loadDatabaseConfig);
const db = openDatabase({ ...config, poolSize: 2, applicationName: "reckoner-invariants" });
try {
  const reports = await checkInvariants(db, {
    seals: flags.seals === undefined ? undefined : fileSealStore(flags.seals),
    stripe: configurationOrExit(() => stripeIfConfigured(config)),
  });
  console.log(flags.json ? invariantsAsJson(reports) : invariantsAsText(reports));
  process.exitCode = reports.every(({ holds }) => holds) ? 0 : 1;
} finally {
  await db.close();
}
