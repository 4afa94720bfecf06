import { type Instant, instantOfEpochMs, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import { type CreditGrant, usualCreditPolicy } from "../../domain/credits/index.ts";
import {
  type Means,
  ratedUsageOf,
  type SpentPart,
  type UsedPeriod,
} from "../../domain/entitlements/index.ts";
import { creditPolicyOf, pricedTerms } from "../../domain/invoicing/index.ts";
import { agreedBy } from "../billing/agreed-period.ts";
import { grantsOfCustomer } from "../billing/credit-grants.ts";
import { type MeasuredPeriod, periodUsage } from "../billing/period-usage.ts";
import { anchoredPeriodAt, anchorsOf } from "../billing/subscriptions.ts";
import { usageUntil } from "../billing/usage-until.ts";
import type { Tx } from "../database.ts";
import type { AgreedSubscription, EntitlementFacts } from "./entitlement-facts.ts";

/** Reads what usage of a customer costs; every period is read once, whoever asks for it. */
export interface SpendingReader {
  /** The open period of each subscription that gives, with its usage. */
  open(): Promise<UsedPeriod[]>;
  /** What was charged since an instant: of each period since, what it comes to less what it had come to by then. */
  since(start: Instant): Promise<SpentPart[]>;
  /** What would pay for more. */
  means(): Promise<Means>;
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
  const giving = facts.subscriptions.filter(({ row }) => facts.giving.some(({ id }) => id === row.id));
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
    means: async () => ({
      grants: facts.hasCredit ? await spendable(tx, facts) : [],
      policy: policyOf(giving, facts.now),
      unbilled: (await open()).map((used) => ({ period: used.period, rated: ratedUsageOf(used) })),
    }),
  };
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
function policyOf([first]: readonly AgreedSubscription[], now: Instant): Means["policy"] {
  return first === undefined ? usualCreditPolicy : creditPolicyOf(first.terms, { start: now, end: now });
}

async function spendable(tx: Tx, { customerId, currency }: EntitlementFacts): Promise<CreditGrant[]> {
  const grants = await grantsOfCustomer(tx, customerId);
  return grants.filter((grant) => grant.currency === currency);
}
