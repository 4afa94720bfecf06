import { parseArgs } from "node:util";
import { configurationOrExit, loadProofConfig, type StripeConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { checkInvariants } from "../db/invariants/invariants.ts";
import { openSealStore } from "../db/seals/ledger-seals.ts";
import { createStripe } from "../stripe/index.ts";
import { invariantsAsJson, invariantsAsText } from "./invariants-text.ts";

/**
 * `npm run invariants`: checks V1 to V12 on live data and ends with 1 when one is broken; `--json` for programs.
 * The ledger's seals are compared with the copy in LEDGER_SEALS, and its Stripe balance with Stripe, where these are known.
 */
const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const { database, ledgerSeals, stripe } = configurationOrExit(loadProofConfig);
const db = openDatabase({ ...database, poolSize: 2, applicationName: "reckoner-invariants" });
try {
  const reports = await checkInvariants(db, {
    seals: ledgerSeals && (await openSealStore(ledgerSeals)),
    stripe: stripe && stripeAt(stripe),
  });
  console.log(flags.json ? invariantsAsJson(reports) : invariantsAsText(reports));
  process.exitCode = reports.every(({ holds }) => holds) ? 0 : 1;
} finally {
  await db.close();
}

function stripeAt({ apiKey, apiBase }: StripeConfig) {
  return createStripe({
    apiKey,
    apiBase: apiBase && `${apiBase.protocol}://${apiBase.host}:${apiBase.port}`,
  });
}
