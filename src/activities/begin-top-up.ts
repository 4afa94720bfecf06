import { creditStanding } from "../db/alerts/credit-standing.ts";
import { insertGrant } from "../db/billing/credit-grants.ts";
import { requiredTax } from "../db/billing/tax-ahead.ts";
import { taxedAtOnce } from "../db/billing/tax-given.ts";
import {
  begunOf,
  insertTopUp,
  ruleOf,
  type StoredTopUpRule,
  stopTopUpRule,
  topUpRuleInForce,
  topUpsOf,
} from "../db/billing/top-ups.ts";
import type { Database, Tx } from "../db/database.ts";
import { entitlementFacts } from "../db/entitlements/entitlement-facts.ts";
import { spendingReader } from "../db/entitlements/spending.ts";
import { enqueueNotice } from "../db/notices/enqueue-notice.ts";
import { type Instant, instantOfEpochMs, isoOf, type Period } from "../domain/calendar/index.ts";
import { decideTopUp } from "../domain/credits/index.ts";
import { windowAt } from "../domain/entitlements/index.ts";
import { BillingError, invariant } from "../domain/errors.ts";
import { creditPurchaseLine } from "../domain/invoicing/index.ts";
import { type LedgerAmount, money } from "../domain/money/index.ts";

const dayMs = 86_400_000;

/** What came of asking whether credit is to be bought. */
export interface TopUpLook {
  readonly hasBegun: boolean;
  /** When it may be bought though nothing else has changed; null when only something else can change it. */
  readonly lookAt: Instant | null;
}

/**
 * Begins a purchase of credit where the customer's rule wants one, in the caller's transaction, which holds the customer's lock: of
 * any number who look at once one begins it. Its invoice is issued by its own run, once it is committed.
 * @param wall the time of who has no test clock
 */
export async function beginTopUp(
  db: Database,
  tx: Tx,
  customerId: string,
  wall: Instant,
): Promise<TopUpLook> {
  const stored = await topUpRuleInForce(tx, customerId);
  if (stored === undefined) return { hasBegun: false, lookAt: null };
  // Before what is left: what is paid meanwhile is among that.
  const begun = (await topUpsOf(tx, customerId)).map(begunOf);
  const facts = await entitlementFacts(db, tx, customerId, wall);
  invariant(facts !== undefined, "a rule is of a customer");
  const { now, timeZone } = facts;
  const { left } = await creditStanding(tx, spendingReader(tx, facts), now);
  const month = monthAt(now, timeZone);
  const decision = decideTopUp(ruleOf(stored), { left, begun, month, now });
  if (decision.type === "begin") return await begin(tx, stored, { left, month, now });
  if (decision.why === "monthly_limit") await tellLimit(tx, stored, month.start, now);
  return { hasBegun: false, lookAt: decision.lookAt };
}

/** The month of the customer's calendar that is now. */
function monthAt(now: Instant, timeZone: string): Period {
  const frame = { now, timeZone, since: now, cycle: null, openedAt: null };
  const { period } = windowAt({ type: "calendar", unit: "month" }, frame);
  invariant(period !== null, "a month of the calendar has a beginning and an end");
  return period;
}

interface Beginning {
  readonly left: LedgerAmount;
  readonly month: Period;
  readonly now: Instant;
}

async function begin(tx: Tx, rule: StoredTopUpRule, { left, month, now }: Beginning): Promise<TopUpLook> {
  const { id, customerId, currency, amountMinor, priority, expiresAfterDays: days } = rule;
  const number = (await topUpsOf(tx, customerId)).filter(({ ruleId }) => ruleId === id).length + 1;
  const grantId = `${id}.${number}`;
  const amount = money(amountMinor, currency);
  try {
    const lines = [creditPurchaseLine({ grantId, amount, at: now })];
    await requiredTax(tx, { customerId, of: taxedAtOnce.purchase(customerId), lines, at: now });
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    await stopTopUpRule(tx, rule, { cause: "refused", detail: error.code, at: now });
    return { hasBegun: false, lookAt: null };
  }
  const expiresAt = days === null ? null : instantOfEpochMs(now + days * dayMs);
  const terms = { customerId, kind: "paid" as const, currency, amountMinor, priority, expiresAt };
  const times = { effectiveAt: now, createdAt: now };
  await insertGrant(tx, { ...terms, ...times, id: grantId, invoiceId: `inv_${grantId}`, reason: "top-up" });
  await insertTopUp(tx, {
    ...{ ruleId: id, number, grantId, creditLeft: left, monthStart: month.start, begunAt: now },
  });
  return { hasBegun: true, lookAt: null };
}

/** Once a month: what is begun later in it would be beyond the limit too. */
async function tellLimit(
  tx: Tx,
  { id: ruleId, customerId }: StoredTopUpRule,
  start: Instant,
  now: Instant,
): Promise<void> {
  const monthStart = isoOf(start);
  await enqueueNotice(tx, {
    key: `top-up-limit/${ruleId}/${monthStart}`,
    kind: "top_up.limit_reached",
    customerId,
    subject: { ruleId, monthStart },
    occurredAt: now,
  });
}
