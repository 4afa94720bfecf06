import {
  type Instant,
  instantOfEpochMs,
  isoOf,
  type Period,
  periodIndexAt,
} from "../../domain/calendar/index.ts";
import { type CreditGrant, usualCreditPolicy } from "../../domain/credits/index.ts";
import {
  type Means,
  type PayingGrant,
  payingGrants,
  ratedUsageOf,
  type SpentPart,
  type UsedPeriod,
} from "../../domain/entitlements/index.ts";
import {
  creditPolicyOf,
  pricedTerms,
  type RatedUsage,
  type ReservedCredit,
} from "../../domain/invoicing/index.ts";
import {
  exactOfLedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
  minDecimal,
} from "../../domain/money/index.ts";
import { agreedBy } from "../billing/agreed-period.ts";
import { grantsOfCustomer } from "../billing/credit-grants.ts";
import { type MeasuredPeriod, periodUsage } from "../billing/period-usage.ts";
import { currentSnapshot } from "../billing/rating-runs.ts";
import { reservedCredit } from "../billing/reserved-credit.ts";
import { anchoredPeriodAt, anchorsOf } from "../billing/subscriptions.ts";
import { usageUntil } from "../billing/usage-until.ts";
import { rows, sql, type Tx } from "../database.ts";
import type { AgreedSubscription, EntitlementFacts } from "./entitlement-facts.ts";

/** Reads what usage of a customer costs; every period is read once, whoever asks for it. */
export interface SpendingReader {
  /** The open period of each subscription that gives, with its usage. */
  open(): Promise<UsedPeriod[]>;
  /** What was charged since an instant: of each period since, what it comes to less what it had come to by then. */
  since(start: Instant): Promise<SpentPart[]>;
  /** What would pay for more. @param user who asks, where that is known */
  means(user?: string): Promise<Means>;
}

interface ReadPeriod extends UsedPeriod {
  readonly measured: MeasuredPeriod;
}

export function spendingReader(tx: Tx, facts: EntitlementFacts): SpendingReader {
  const known = new Map<string, Promise<ReadPeriod>>();
  const read = (agreed: AgreedSubscription, start: Instant): Promise<ReadPeriod> => {
    const key = `${agreed.row.id}/${start}`;
    const found = known.get(key) ?? readPeriod(tx, facts, agreed, start);
    known.set(key, found);
    return found;
  };
  const giving = givingOf(facts);
  const open = () =>
    Promise.all(giving.map((agreed) => read(agreed, anchoredPeriodAt(agreed.row, facts.now).period.start)));
  return {
    open,
    async since(from) {
      const parts = facts.subscriptions.flatMap((agreed) =>
        startsSince(agreed, { start: from, end: facts.now }).map((start) => read(agreed, start)),
      );
      return await Promise.all((await Promise.all(parts)).map((used) => spentSince(tx, used, from)));
    },
    async means(user) {
      const policy = creditPolicyOfCustomer(facts);
      const grants = facts.hasCredit ? await spendable(tx, facts) : [];
      const rated = (await open()).map((used) => ({ period: used.period, rated: ratedUsageOf(used) }));
      if (grants.length === 0) return { grants, policy, unbilled: rated };
      const snapshot = await currentSnapshot(tx);
      const unbilled = rated.map(async ({ period, rated }, index) => {
        const row = giving[index]?.row;
        const reserved = row === undefined ? [] : await reservedCredit(tx, row, [period], snapshot);
        return { period, rated: lessReserved(rated, reserved) };
      });
      return {
        grants: grants.filter(({ heldBy }) => heldBy === undefined),
        held: await heldFor(tx, facts, grants, user),
        policy,
        unbilled: await Promise.all(unbilled),
      };
    },
  };
}

/** What a user and the teams above him hold; none of it is asked for where nothing is held. */
async function heldFor(
  tx: Tx,
  { customerId, now, ...facts }: EntitlementFacts,
  grants: readonly CreditGrant[],
  user: string | undefined,
): Promise<PayingGrant[]> {
  const held = grants.filter(({ heldBy }) => heldBy !== undefined);
  if (held.length === 0 || user === undefined) return [];
  const [row] = await rows<{ found: { path: number[]; user: number | null } }>(
    tx,
    sql`select billing.spending_path(${customerId}, ${user}, ${isoOf(now)}::timestamptz) as found`,
  );
  const { path = [], user: own = null } = row?.found ?? {};
  const way = { spenders: path.map(BigInt), user: own === null ? null : BigInt(own) };
  const { burnOrder } = creditPolicyOfCustomer({ customerId, now, ...facts });
  return payingGrants(held, way, now, burnOrder);
}

/** What is left to be paid of each price when what receipts were paid with is taken off. */
function lessReserved(rated: readonly RatedUsage[], reserved: readonly ReservedCredit[]): RatedUsage[] {
  const paid = new Map<string, bigint>();
  const keyOf = (planKey: string, planVersion: number, priceKey: string) =>
    JSON.stringify([planKey, planVersion, priceKey]);
  for (const { planKey, planVersion, priceKey, amount } of reserved) {
    const key = keyOf(planKey, planVersion, priceKey);
    paid.set(key, (paid.get(key) ?? 0n) + amount);
  }
  return rated.map((usage) => {
    const key = keyOf(usage.plan.key, usage.plan.version, usage.price.key);
    const exact = exactOfLedgerAmount(ledgerAmount(paid.get(key) ?? 0n));
    const off = minDecimal(exact, usage.rated.exactMinor);
    paid.set(key, (paid.get(key) ?? 0n) - ledgerAmountOfExact(off));
    return { ...usage, rated: { ...usage.rated, exactMinor: usage.rated.exactMinor.minus(off) } };
  });
}

async function readPeriod(
  tx: Tx,
  { customerId, isOnTestClock, meters: published, now }: EntitlementFacts,
  { row, terms }: AgreedSubscription,
  start: Instant,
): Promise<ReadPeriod> {
  const agreed = await agreedBy(tx, row, start, { terms, isOnTestClock, published });
  const { period, full, meters } = agreed;
  const priced = pricedTerms(terms, periodIndexAt(anchorsOf(row), period.start));
  const measured = { customerId, period, terms: priced, meters, levelsUntil: now };
  const usage = await periodUsage(tx, measured);
  return { period, full, timeZone: row.timeZone, meters, usage, measured };
}

async function spentSince(tx: Tx, used: ReadPeriod, from: Instant): Promise<SpentPart> {
  const until = ratedUsageOf(used);
  if (from <= used.period.start) return { until, before: [] };
  const [before] = await usageUntil(tx, used.measured, [from], null);
  return { until, before: ratedUsageOf({ ...used, usage: before?.usage ?? [] }) };
}

/** Where the periods of a subscription begin that share some time with another one, the newest first. */
function startsSince({ row }: AgreedSubscription, { start, end }: Period): Instant[] {
  const last = row.cancelAt !== null && row.cancelAt < end ? row.cancelAt - 1 : end;
  const starts: Instant[] = [];
  for (let at = last; at >= start && at >= row.startedAt; ) {
    const { period } = anchoredPeriodAt(row, instantOfEpochMs(at));
    starts.push(period.start);
    at = period.start - 1;
  }
  return starts;
}

/** By which rules credit pays: those of the first subscription. */
export function creditPolicyOfCustomer(facts: EntitlementFacts): Means["policy"] {
  const [first] = givingOf(facts);
  const { now } = facts;
  return first === undefined ? usualCreditPolicy : creditPolicyOf(first.terms, { start: now, end: now });
}

const givingOf = ({ subscriptions, giving }: EntitlementFacts): AgreedSubscription[] =>
  subscriptions.filter(({ row }) => giving.some(({ id }) => id === row.id));

async function spendable(tx: Tx, { customerId, currency }: EntitlementFacts): Promise<CreditGrant[]> {
  const grants = await grantsOfCustomer(tx, customerId);
  return grants.filter((grant) => grant.currency === currency);
}
