import { configurationOrExit, loadProofConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { fileSealStore, verifySeals } from "../db/ledger-seals.ts";

/**
 * `npm run ledger:verify`: recomputes every seal of the ledger, compares with the copy in LEDGER_SEALS_FILE, names what
 * was changed, and ends with 1 when there is anything. Without a copy it asks the database alone.
 */
const { database, ledgerSealsFile } = configurationOrExit(loadProofConfig);
const db = openDatabase({ ...database, poolSize: 2, applicationName: "reckoner-verify-seals" });
try {
  const store = ledgerSealsFile === undefined ? undefined : fileSealStore(ledgerSealsFile);
  const { faults, seals, unsealedEntries } = await verifySeals(db, store);
  const compared = store === undefined ? "no copy was given" : `compared with ${ledgerSealsFile}`;
  console.log(`${seals} seals, ${unsealedEntries} entries not sealed yet; ${compared}`);
  for (const { seal, problem, entryId, sourceKey } of faults) {
    const entry = entryId === undefined ? "" : ` (entry ${entryId}${sourceKey ? `, ${sourceKey}` : ""})`;
    console.log(`seal ${seal}: ${problem}${entry}`);
  }
  console.log(faults.length === 0 ? "The ledger is what was sealed." : "The ledger is not what was sealed.");
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await db.close();
}
