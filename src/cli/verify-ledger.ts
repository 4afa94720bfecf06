import { parseArgs } from "node:util";
import { ConfigurationError, loadProofConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { openSealStore } from "../db/seals/ledger-seals.ts";
import { allFindings, type LedgerVerification, verifyLedger } from "../db/seals/ledger-verification.ts";
import { verificationAsJson, verificationAsText } from "./verification-text.ts";

/**
 * `npm run ledger:verify`: recomputes the whole ledger, compares it with the copy of its seals that LEDGER_SEALS names, and
 * names every row that is not what it should be; `--json` for programs. Ends with 0 when there is none, with 1 when
 * there are some, with 2 when it could not be found out. Without a copy it asks the database alone.
 */
const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const quietMs = 3_000;

try {
  const { ledgerSeals, verification } = await verified();
  const shown = flags.json ? verificationAsJson : verificationAsText;
  console.log(shown(verification, ledgerSeals));
  process.exitCode = allFindings(verification).length === 0 ? 0 : 1;
} catch (error) {
  console.error("The ledger could not be verified:");
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exitCode = 2;
}

async function verified() {
  const { database, ledgerSeals } = loadProofConfig();
  const db = openDatabase({ ...database, poolSize: 2, applicationName: "reckoner-verify-ledger" });
  try {
    const store = ledgerSeals && (await openSealStore(ledgerSeals));
    const verification: LedgerVerification = await verifyLedger(db, { store, onStep: progress() });
    return { ledgerSeals, verification };
  } finally {
    await db.close();
  }
}

/** Says every few seconds what is being recomputed; nothing when all is done before. */
function progress(): (step: string) => void {
  let saidAt = performance.now();
  return (step) => {
    if (performance.now() - saidAt < quietMs) return;
    saidAt = performance.now();
    console.error(`… ${step}`);
  };
}
