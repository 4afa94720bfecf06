import { parseArgs } from "node:util";
import { ConfigurationError, loadProofConfig } from "../config.ts";
import { type InvoicesVerification, verifyInvoices } from "../db/billing/invoice-verification.ts";
import { openDatabase } from "../db/database.ts";
import { invoicesAsJson, invoicesAsText } from "./invoices-verify-text.ts";

/**
 * `npm run invoices:verify`: derives every issued invoice again from its facts and compares it, byte for byte, with what is
 * stored; names what differs; `--json` for programs. Ends with 0 when nothing does, with 1 when something does, with 2 when
 * it could not be found out.
 */
const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const quietMs = 2_000;

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
    return await verifyInvoices(db, { onStep: progress() });
  } finally {
    await db.close();
  }
}

/** Says every few seconds how far it is: on a terminal in one line; nothing when all is done before. */
function progress(): (done: number, all: number) => void {
  const startedAt = performance.now();
  let saidAt = startedAt;
  return (done, all) => {
    const now = performance.now();
    if (now - saidAt < quietMs) return;
    saidAt = now;
    const secondsLeft = Math.ceil((((now - startedAt) / done) * (all - done)) / 1_000);
    const percent = Math.floor((done / all) * 100);
    console.error(`… ${done} of ${all} invoices (${percent} %), about ${secondsLeft} s left`);
  };
}
