import { parseArgs } from "node:util";
import { configurationOrExit, loadProofConfig } from "../config.ts";
import { operationLog } from "../db/billing/stripe-operations.ts";
import { openDatabase } from "../db/database.ts";
import { agrees, compareMeters, type MeterComparison } from "../db/invariants/stripe-meters.ts";
import { type Instant, instant } from "../domain/calendar/index.ts";
import { createStripe, stripeRail } from "../stripe/index.ts";

/**
 * `npm run stripe:meters -- --since 2026-02-01 --until 2026-03-01`: what Stripe's meters have counted of each customer, against
 * what was counted here; ends with 1 when they differ. `--customer ID` for one of them, `--json` for programs.
 */
const { values: flags } = parseArgs({
  options: {
    since: { type: "string" },
    until: { type: "string" },
    customer: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const { database, stripe } = configurationOrExit(loadProofConfig);
if (stripe === undefined || flags.since === undefined || flags.until === undefined) {
  console.error(
    "usage: npm run stripe:meters -- --since 2026-02-01 --until 2026-03-01, with Stripe's key in STRIPE_API_KEY",
  );
  process.exit(2);
}
const period = { start: hourOf(flags.since), end: hourOf(flags.until) };
const base = stripe.apiBase && `${stripe.apiBase.protocol}://${stripe.apiBase.host}:${stripe.apiBase.port}`;
const db = openDatabase({ ...database, poolSize: 1, applicationName: "reckoner-stripe-meters" });
try {
  const rail = stripeRail(createStripe({ apiKey: stripe.apiKey, apiBase: base }), operationLog(db));
  const found: MeterComparison[] = [];
  let after: bigint | undefined = 0n;
  while (after !== undefined) {
    const asked = { period, customerId: flags.customer };
    const page = await compareMeters(db.orm, rail.meters, asked, { limit: 100, after });
    found.push(...page.items);
    after = page.next;
  }
  const differing = found.filter((each) => !agrees(each));
  if (flags.json) console.log(JSON.stringify({ compared: found, differing: differing.length }, null, 2));
  else showText(found, differing);
  process.exitCode = differing.length === 0 ? 0 : 1;
} finally {
  await db.close();
}

function hourOf(text: string): Instant {
  const at = instant(text.length === 10 ? `${text}T00:00:00Z` : text);
  if (at % 3_600_000 !== 0) throw new Error(`${text} is not a whole hour`);
  return at;
}

function showText(found: readonly MeterComparison[], differing: readonly MeterComparison[]): void {
  if (found.length > 0) console.table(found);
  const said = differing.length === 0 ? "Stripe has counted the same." : `${differing.length} differ.`;
  console.log(`${found.length} compared. ${said}`);
}
