import { parseArgs } from "node:util";
import { ConfigurationError, loadProofConfig } from "../config.ts";
import { type Database, openDatabase } from "../db/database.ts";
import { archivedBefore } from "../db/usage/archived-months.ts";
import {
  compareSlice,
  repairSlice,
  type SliceFilter,
  type SliceProgress,
  type WindowDifference,
  windowSlices,
} from "../db/usage/rebuild-windows.ts";
import { differenceAsText, type Rebuild, rebuildAsJson, rebuildAsText } from "./usage-rebuild-text.ts";

/**
 * `npm run usage:rebuild`: computes every window of usage from the events, as far as they are folded, and names each that is
 * not what it should be. It may run beside everything else.
 *
 *     --customer ID     of one customer
 *     --month 2026-03   of one month, on each customer's own clock
 *     --repair          puts right what is named, a customer's month in one commit; only folding waits for that
 *     --json            one document, for programs
 *
 * Ends with 0 when the windows are equal to the events, after a repair too; with 1 when they are not, with 2 when it could
 * not be found out. How far it is goes to stderr.
 */
class Refusal extends Error {}

const quietMs = 3_000;
/** In one document; all are counted, and the lines for people name all. */
const differencesKeptMax = 10_000;

try {
  const { values: flags } = parseArgs({
    options: {
      customer: { type: "string" },
      month: { type: "string" },
      repair: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  if (flags.month !== undefined && !/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(flags.month))
    throw new Refusal(`--month is "${flags.month}" and must look like 2026-03`);
  const rebuild = await rebuilt({ customerId: flags.customer, month: flags.month }, flags);
  console.log(flags.json ? rebuildAsJson(rebuild) : rebuildAsText(rebuild));
  process.exitCode = rebuild.count === 0 || rebuild.isRepaired ? 0 : 1;
} catch (error) {
  console.error("The windows could not be compared:");
  console.error(error instanceof ConfigurationError || error instanceof Refusal ? error.message : error);
  process.exitCode = 2;
}

async function rebuilt(
  filter: SliceFilter,
  { repair, json }: { readonly repair: boolean; readonly json: boolean },
): Promise<Rebuild> {
  const db = openDatabase({
    ...loadProofConfig().database,
    poolSize: 2,
    applicationName: "reckoner-usage-rebuild",
  });
  try {
    await requireCustomer(db, filter.customerId);
    const differences: WindowDifference[] = [];
    let [slices, count] = [0, 0];
    const report = progress();
    for await (const { slice, fraction } of windowSlices(db, filter)) {
      report(fraction, slice);
      for await (const difference of (repair ? repairSlice : compareSlice)(db, slice)) {
        if (!json) console.log(differenceAsText(difference));
        else if (count < differencesKeptMax) differences.push(difference);
        count++;
      }
      slices++;
    }
    return { slices, count, differences, isRepaired: repair, archivedBefore: await archivedBefore(db.orm) };
  } finally {
    await db.close();
  }
}

async function requireCustomer({ sql }: Database, customerId: string | undefined): Promise<void> {
  if (customerId === undefined) return;
  const found = await sql`select from billing.customer where id = ${customerId}`;
  if (found.length === 0) throw new Refusal(`there is no customer "${customerId}"`);
}

/** Says every few seconds what is being compared, and how long the rest will take at this pace; nothing when all is done before. */
function progress(): (fraction: number, slice: SliceProgress["slice"]) => void {
  const startedAt = performance.now();
  let saidAt = startedAt;
  return (fraction, { customerId, customerNumber, month }) => {
    const now = performance.now();
    if (now - saidAt < quietMs) return;
    saidAt = now;
    const secondsLeft = Math.ceil(((now - startedAt) / 1_000) * (1 / Math.max(fraction, 1e-6) - 1));
    const left = secondsLeft < 120 ? `${secondsLeft} s` : `${Math.ceil(secondsLeft / 60)} min`;
    const whose = customerId ?? `customer ${customerNumber}`;
    console.error(`… ${(fraction * 100).toFixed(1)} %, about ${left} left: ${whose}, ${month}`);
  };
}
