import { parseArgs } from "node:util";
import { configurationOrExit, loadProofConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { isReconciled, reconcileWithStripe } from "../db/invariants/stripe-reconciliation.ts";
import { createStripe } from "../stripe/index.ts";
import { reconciliationAsJson, reconciliationAsText } from "./stripe-reconcile-text.ts";

/** `npm run stripe:reconcile`: Stripe's account against the ledger; ends with 1 when they differ; `--json` for programs. */
const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const { database, stripe } = configurationOrExit(loadProofConfig);
if (stripe === undefined) {
  console.error("Stripe's key is not known: set STRIPE_API_KEY.");
  process.exit(2);
}
const { apiKey, apiBase } = stripe;
const db = openDatabase({ ...database, poolSize: 1, applicationName: "reckoner-stripe-reconcile" });
try {
  const at = apiBase && `${apiBase.protocol}://${apiBase.host}:${apiBase.port}`;
  const reconciled = await reconcileWithStripe(db.orm, createStripe({ apiKey, apiBase: at }));
  console.log(flags.json ? reconciliationAsJson(reconciled) : reconciliationAsText(reconciled));
  process.exitCode = isReconciled(reconciled) ? 0 : 1;
} finally {
  await db.close();
}
