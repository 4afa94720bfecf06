import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { explainTransactions, importBalanceTransactions } from "../activities/balance-transactions.ts";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { settleDispute } from "../activities/dispute-settle.ts";
import { takeInMissedEvents } from "../activities/missed-events.ts";
import { settlePayout } from "../activities/payout-settle.ts";
import { followRefund } from "../activities/refund-send.ts";
import { tellCopies } from "../activities/tell-copies.ts";
import { disputesUnderWay } from "../db/billing/disputes.ts";
import { payoutsUnderWay } from "../db/billing/payouts.ts";
import { refundsUnderWay } from "../db/billing/refunds.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface StripeUpkeepOptions {
  readonly deps: ActivityDependencies;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How soon a movement of Stripe's balance is known and booked. */
  readonly everyMs?: number;
}

const minuteMs = 60_000;
/** How long a movement may stay unexplained before it is in suspense: webhooks and retries come within minutes. */
export const explainWithinMs = 30 * minuteMs;
/** How long something may be silent before Stripe is asked: a webhook about it was lost, or nothing has happened. */
const silence = { refund: 5 * minuteMs, dispute: 6 * 60 * minuteMs, payout: 60 * minuteMs };
const pageSize = 100;

/**
 * For as long as the worker runs: imports what has moved Stripe's balance and books it, and asks about refunds, disputes and
 * payouts that have fallen silent, which closes whatever gap webhooks left. Any number of workers may do it.
 */
export function startStripeUpkeep({
  deps,
  logger,
  metrics,
  everyMs = 15_000,
}: StripeUpkeepOptions): RepeatedWork {
  const imported = new Counter({
    name: "reckoner_stripe_balance_transactions_total",
    help: "Balance transactions that were imported from Stripe",
    registers: [metrics],
  });
  return repeatWork({
    everyMs,
    logger,
    failing: "Stripe's balance cannot be followed; trying again",
    again: "Stripe's balance is followed again",
    async work() {
      imported.inc(await followStripe(deps, explainWithinMs));
      return false;
    },
  });
}

/**
 * One turn: events whose webhook never came go into the inbox; copies of invoices are told of credit notes; everything that is new of the balance is imported, explained and
 * asked about. Answers how much was imported.
 */
export async function followStripe(deps: ActivityDependencies, patienceMs: number): Promise<number> {
  for (let hasMore = true; hasMore; ) ({ hasMore } = await takeInMissedEvents(deps));
  let imported = 0;
  for (let hasMore = true; hasMore; ) {
    const page = await importBalanceTransactions(deps);
    imported += page.imported;
    hasMore = page.hasMore;
  }
  const told = await Promise.allSettled([tellCopies(deps)]);
  const failures = [
    ...told.map((each) => (each.status === "rejected" ? each.reason : undefined)),
    await explainAll(deps, patienceMs),
    ...(await askTheSilent(deps)),
  ];
  const failure = failures.find((each) => each !== undefined);
  if (failure !== undefined) throw failure;
  return imported;
}

async function explainAll(deps: ActivityDependencies, patienceMs: number): Promise<unknown> {
  let failure: unknown;
  let after: string | null = null;
  for (let hasMore = true; hasMore; ) {
    const page = await explainTransactions(deps, { after, limit: pageSize, patienceMs });
    failure ??= page.failure;
    after = page.last;
    hasMore = page.hasMore;
  }
  return failure;
}

/** Each by itself: one that cannot be asked about keeps no other waiting. */
async function askTheSilent(deps: ActivityDependencies): Promise<unknown[]> {
  const { db, now } = deps;
  const since = (ms: number): { silentSince: Instant; limit: number } => ({
    silentSince: instantOfEpochMs(now() - ms),
    limit: pageSize,
  });
  const cause = `asked/${isoOf(now())}`;
  const asked = [
    ...(await refundsUnderWay(db.orm, since(silence.refund))).map((refund) => followRefund(deps, refund)),
    ...(await disputesUnderWay(db.orm, since(silence.dispute))).map((id) => settleDispute(deps, id, cause)),
    ...(await payoutsUnderWay(db.orm, since(silence.payout))).map((id) => settlePayout(deps, id)),
  ];
  const ended = await Promise.allSettled(asked);
  return ended.map((each) => (each.status === "rejected" ? each.reason : undefined));
}
