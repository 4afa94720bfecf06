import { parseArgs } from "node:util";
import { ConfigurationError, loadProofConfig } from "../config.ts";
import { type InvoicesVerification, verifyInvoices } from "../db/billing/invoice-verification.ts";
import { openDatabase } from "../db/database.ts";
import { invoicesAsJson, invoicesAsText } from "./invoices-verify-text.ts";
import { progressOf } from "./progress.ts";

/**
 * `npm run invoices:verify`: derives every issued invoice again from its facts and compares it, byte for byte, with what is
 * stored; names what differs; `--json` for programs. Ends with 0 when nothing does, with 1 when something does, with 2 when
 * it could not be found out.
 */
const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });

try {
  const verification = await verified();
  console.log((flags.json ? invoicesAsJson : invoicesAsText)(verification));
  process.exitCode = verification.findings.length === 0 ? 0 : 1;
} catch (error) {
  console.error("The invoices could not be verified:");
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exitCode = 2;
}

async function verified(): Promise<InvoicesVerification> {
  const { database } = loadProofConfig();
  const db = openDatabase({ ...database, poolSize: 2, applicationName: "reckoner-verify-invoices" });
  try {
    return await verifyInvoices(db, { onStep: progressOf("invoices") });
  } finally {
    await db.close();
  }
}
