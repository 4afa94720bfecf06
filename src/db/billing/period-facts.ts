import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import {
  advanceCharged,
  type BilledBefore,
  creditBoundaries,
  creditPolicyOf,
  grantsWithReserved,
  type InvoiceLine,
  type PeriodFacts,
  pricedTerms,
} from "../../domain/invoicing/index.ts";
import { currency, type Decimal } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { advanceLinesAmong, advanceLinesOf, type StoredAdvanceLine } from "./advance-lines.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import { drawsOfPeriod } from "./credit-draws.ts";
import { grantsOfCustomer } from "./credit-grants.ts";
import { balanceOfCustomer } from "./customer-balance.ts";
import { type FrozenReads, frozenUsage } from "./frozen-usage.ts";
import { carriedAmount, type StoredInvoice } from "./invoices.ts";
import type { LateFacts } from "./late-periods.ts";
import type { PeriodStanding } from "./period-standing.ts";
import { bookedAdjustments } from "./rated-adjustments.ts";
import { bookedUsage, ratedBefore, type StoredRun } from "./rating-runs.ts";
import { reservedCredit } from "./reserved-credit.ts";
import { anchorsOf, type StoredSubscription, waitingChanges } from "./subscriptions.ts";

export type LoadedPeriod = Omit<PeriodFacts, "late" | "meters"> & {
  readonly meters: readonly StoredMeter[];
  readonly late: readonly LateFacts[];
  readonly newEvents: bigint;
  /** For time in the period, what was handed back too. */
  readonly advanceLines: readonly StoredAdvanceLine[];
  /** Of the run that bills it now, and of the one whose result that is the difference to. */
  readonly revision: number;
  readonly afterRevision: number | null;
  /** The most that its usage came to at a threshold before. */
  readonly chargedMost: Decimal;
  /** Which transactions' events are in it: it freezes the usage. */
  readonly snapshot: string;
};

/** A period whose invoice is voided, to be billed anew. */
export interface BilledAgain {
  readonly voided: StoredInvoice;
  /** The first invoice of the period, for which changes had waited. */
  readonly waitedFor: string;
}

/** What closing a period will find, as far as it can be foreseen. */
export interface ForeseenStanding
  extends Pick<LoadedPeriod, "waiting" | "grants" | "advanceLines" | "customerBalance" | "carried"> {}

export interface LoadOptions {
  readonly again?: BilledAgain | null;
  /** Of a period that goes on: levels count until this instant. */
  readonly levelsUntil?: Instant;
  /** Instead of what is stored: what there will be. */
  readonly foreseen?: ForeseenStanding;
  /** Without what waits for the period's own invoice: late usage of others, and changes. */
  readonly soFar?: boolean;
  /** What was read of it under the customer's lock already. */
  readonly standing?: PeriodStanding | undefined;
}

/**
 * Reads everything that decides a period's invoice. The caller's transaction holds the customer's lock, so nothing of
 * the customer's money moves; usage goes on coming in, and is read as of one moment, which is kept with the result.
 */
export async function loadPeriod(
  frozenBy: FrozenReads,
  tx: Tx,
  row: StoredSubscription,
  agreed: AgreedPeriod,
  asOf: Instant,
  { again = null, levelsUntil, foreseen, soFar = false, standing }: LoadOptions = {},
): Promise<LoadedPeriod> {
  const { period, terms } = agreed;
  const inCurrency = currency(row.currency);
  const { customerId } = row;
  const periodIndex = periodIndexAt(anchorsOf(row), period.start);
  const levels = levelsUntil === undefined ? {} : { levelsUntil };
  const measured = { ...agreed, terms: pricedTerms(terms, periodIndex), customerId, ...levels };
  const known = foreseen ?? standing;
  const [waiting, ratedAlready, grants, advanceLines, customerBalance, carried] = await Promise.all([
    foreseen?.waiting ?? (soFar ? [] : waitingLines(tx, row, again, standing)),
    standing?.rated ?? ratedBefore(tx, row.id, period.start),
    foreseen?.grants ?? (standing?.hasGrants === false ? [] : grantsOfCustomer(tx, customerId)),
    foreseen?.advanceLines ??
      (standing === undefined ? advanceLinesOf(tx, row.id, period) : advanceOf(standing, period)),
    known?.customerBalance ?? balanceOfCustomer(tx, customerId, inCurrency),
    known?.carried ?? carriedAmount(tx, customerId, inCurrency),
  ]);
  const { last, atThreshold, chargedMost } = ratedAlready;
  const frozen = await frozenUsage(frozenBy, tx, {
    row,
    agreed,
    measured,
    boundariesOf: (of) => creditBoundaries(grants, of, creditPolicyOf(terms, period)),
    atThreshold,
    seen: last?.snapshot ?? null,
    soFar,
    voiding: again?.voided.id,
  });
  const periods = [period, ...frozen.late.map((earlier) => earlier.period)];
  const reserved = grants.length === 0 ? [] : await reservedCredit(tx, row, periods, frozen.snapshot);
  return {
    ...agreed,
    ...frozen,
    revision: (last?.revision ?? -1) + 1,
    afterRevision: atThreshold?.revision ?? null,
    chargedMost,
    ...(atThreshold === null ? {} : { before: await billedBefore(tx, row, atThreshold, period, asOf) }),
    late: await withWhatWasBilled(tx, row, frozen.late, asOf),
    currency: inCurrency,
    timeZone: row.timeZone,
    periodIndex,
    advance: advanceCharged(advanceLines),
    advanceLines,
    waiting,
    grants: grantsWithReserved(grants, reserved),
    ...(reserved.length === 0 ? {} : { reserved }),
    customerBalance,
    carried,
    asOf,
  };
}

async function waitingLines(
  tx: Tx,
  { id }: StoredSubscription,
  again: BilledAgain | null,
  standing: PeriodStanding | undefined,
): Promise<InvoiceLine[]> {
  const changes = standing?.changes ?? (await waitingChanges(tx, id, again?.waitedFor ?? null));
  return changes.flatMap(({ lines }) => lines);
}

const advanceOf = ({ advance, changes, returned }: PeriodStanding, period: Period): StoredAdvanceLine[] =>
  advanceLinesAmong(advance, { waiting: changes.flatMap(({ lines }) => lines), returned }, period);

/** What thresholds billed of a period that goes on, and what paid for it. */
async function billedBefore(
  tx: Tx,
  { id, currency: code }: StoredSubscription,
  run: StoredRun,
  period: Period,
  asOf: Instant,
): Promise<BilledBefore> {
  const [booked, adjusted, draws] = await Promise.all([
    bookedUsage(tx, run),
    bookedAdjustments(tx, run, code),
    drawsOfPeriod(tx, id, period, asOf),
  ]);
  return { booked, adjusted, draws };
}

/**
 * What was charged, adjusted and paid by credit of periods closed before: by others under the same lock, so it is read in its
 * transaction.
 */
async function withWhatWasBilled(
  tx: Tx,
  { id, currency: code }: StoredSubscription,
  late: readonly LateFacts[],
  asOf: Instant,
): Promise<LateFacts[]> {
  const facts: LateFacts[] = [];
  for (const earlier of late) {
    facts.push({
      ...earlier,
      adjusted: await bookedAdjustments(tx, earlier.run, code),
      advance: advanceCharged(await advanceLinesOf(tx, id, earlier.period)),
      draws: await drawsOfPeriod(tx, id, earlier.period, asOf),
    });
  }
  return facts;
}
