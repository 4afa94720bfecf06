import { parseArgs } from "node:util";
import { ConfigurationError, loadProofConfig } from "../config.ts";
import { type ReratingResult, rerateAll } from "../db/billing/rerating-run.ts";
import { openDatabase } from "../db/database.ts";
import { instant, instantOfEpochMs, type Period } from "../domain/calendar/index.ts";
import { progressOf } from "./progress.ts";
import { reratingAsJson, reratingAsText } from "./rating-rerate-text.ts";

/**
 * `npm run rating:rerate`: rates the open periods of all subscriptions anew, from the windows of usage, and says what they come
 * to. It stores nothing and may run beside everything else.
 *
 *     --closed 2026-03   also the closed periods that began in that month (UTC), and names each of which something else is booked
 *     --json             one document, for programs
 *
 * Ends with 0 when what is booked is what windows and prices come to, with 1 when something differs that is not usage waiting
 * for the next invoice, with 2 when it could not be found out. How far it is goes to stderr.
 */
class Refusal extends Error {}

/** One computes while the other waits for the database. */
const pagesAtOnce = 2;

try {
  const { values: flags } = parseArgs({
    options: { closed: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const result = await rerated(flags.closed === undefined ? null : monthOf(flags.closed));
  console.log((flags.json ? reratingAsJson : reratingAsText)(result));
  process.exitCode = result.differing.some(({ unseen }) => unseen === 0n) ? 1 : 0;
} catch (error) {
  console.error("The periods could not be rated:");
  console.error(error instanceof ConfigurationError || error instanceof Refusal ? error.message : error);
  process.exitCode = 2;
}

async function rerated(closedIn: Period | null): Promise<ReratingResult> {
  const { database } = loadProofConfig();
  const db = openDatabase({ ...database, poolSize: pagesAtOnce, applicationName: "reckoner-rerate" });
  try {
    const now = instantOfEpochMs(Date.now());
    return await rerateAll(db, { now, closedIn, pagesAtOnce, onStep: progressOf("subscriptions") });
  } finally {
    await db.close();
  }
}

function monthOf(text: string): Period {
  if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(text)) {
    throw new Refusal(`--closed is "${text}" and must look like 2026-03`);
  }
  const [year = 0, month = 0] = text.split("-").map(Number);
  return { start: instant(`${text}-01T00:00:00Z`), end: instantOfEpochMs(Date.UTC(year, month)) };
}
