import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { ConfigurationError, loadArchiveConfig } from "../config.ts";
import { openDatabase } from "../db/database.ts";
import { archiveMonths, dropArchived } from "../db/usage/archive-months.ts";
import { openArchiveStore } from "../db/usage/archive-store.ts";
import { BillingError } from "../domain/errors.ts";
import { AccountingMonthInvalidError, accountingMonth } from "../domain/ledger/accounting-month.ts";

/**
 * `npm run usage:archive -- --before 2025-01 --to file:/archive`: writes the usage events of every month before one to
 * Parquet files, compares them with the database, and takes them out of it; with `--drop` the space is given back too.
 * Ends with 1 when a month may not be archived yet, or is not what it should be; what was done until then stands, and the
 * same command goes on.
 */
const usage =
  "npm run usage:archive -- --before 2025-01 --to file:FOLDER|s3://BUCKET/PREFIX [--by NAME] [--drop]";

try {
  const { before, location, ownerUrl, by, drop } = settings();
  const db = openDatabase({ url: ownerUrl, poolSize: 2, applicationName: "reckoner-usage-archive" });
  try {
    const store = await openArchiveStore(location);
    await archiveMonths(db, store, {
      before,
      by,
      onStep: (step, month) => console.log(`${month}: ${step}`),
    });
    if (drop) for (const month of await dropArchived(db, store)) console.log(`${month}: dropped`);
  } finally {
    await db.close();
  }
} catch (error) {
  if (isAboutTheCall(error)) {
    console.error(`${error.message}\n${usage}`);
    process.exitCode = 2;
  } else if (error instanceof BillingError) {
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
  } else throw error;
}

function isAboutTheCall(error: unknown): error is Error {
  const kinds = [TypeError, ConfigurationError, AccountingMonthInvalidError];
  return kinds.some((kind) => error instanceof kind);
}

function settings() {
  const { values } = parseArgs({
    options: {
      before: { type: "string", default: "" },
      to: { type: "string", default: "" },
      by: { type: "string", default: userInfo().username },
      drop: { type: "boolean", default: false },
    },
  });
  const { location, ownerUrl } = loadArchiveConfig(values.to);
  if (location === undefined) throw new TypeError("--to says where: file:FOLDER or s3://BUCKET/PREFIX");
  const { by, drop } = values;
  return { before: accountingMonth(values.before, "--before"), location, ownerUrl, by, drop };
}
