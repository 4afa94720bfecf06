import { parseArgs } from "node:util";
import { configurationOrExit, loadDatabaseConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { fileSealStore, verifySeals } from "../db/ledger-seals.ts";

/**
 * `npm run ledger:verify -- --seals FILE`: recomputes every seal of the ledger, compares with the external copy, names
 * what was changed, and ends with 1 when there is anything. Without the file it asks the database alone.
 */
const { values: flags } = parseArgs({ options: { seals: { type: "string" } } });
const config = configurationOrExit(loadDatabaseConfig);
const db = openDatabase({ ...config, poolSize: 2, applicationName: "reckoner-verify-seals" });
try {
  const store = flags.seals === undefined ? undefined : fileSealStore(flags.seals);
  const { faults, seals, unsealedEntries } = await verifySeals(db, store);
  console.log(
    `${seals} seals, ${unsealedEntries} entries not sealed yet${store ? "" : "; no external copy was given"}`,
  );
  for (const { seal, problem, entryId, sourceKey } of faults) {
    const entry = entryId === undefined ? "" : ` (entry ${entryId}${sourceKey ? `, ${sourceKey}` : ""})`;
    console.log(`seal ${seal}: ${problem}${entry}`);
  }
  console.log(faults.length === 0 ? "The ledger is what was sealed." : "The ledger is not what was sealed.");
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await db.close();
}
