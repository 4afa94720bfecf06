import { type Instant, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import type { Terms } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { metersOfPeriod, publishedMeters, type StoredMeter } from "../usage/meters-in-force.ts";
import { isBilledToItsEnd } from "./agreed-rows.ts";
import { findCustomer } from "./customers.ts";
import { anchoredPeriodAt, anchorsOf, type StoredSubscription, termsHistory } from "./subscriptions.ts";

/** What was agreed for a period, and the meters that measure it. */
export interface AgreedPeriod {
  readonly period: Period;
  readonly full: Period;
  /** The period that begins then and is charged with this one: none after an end, nor where a change charged it. */
  readonly next: Period | null;
  /** Where that is a first part, or follows a trial. */
  readonly nextFrame?: { readonly full: Period; readonly periodIndex: number };
  /** When the period after this one ends; null after an end. */
  readonly followingEnd: Instant | null;
  readonly terms: readonly Terms[];
  /** Of the customer. */
  readonly isOnTestClock: boolean;
  readonly meters: readonly StoredMeter[];
  /** Those that measure another period of the subscription. */
  readonly metersOf: (period: Period) => Promise<readonly StoredMeter[]>;
}

/**
 * The period that starts at `start`; shorter than the calendar's where it is a first part, where another anchor ends it, or
 * when the subscription ends inside it.
 */
export function periodOf(row: StoredSubscription, start: Instant): PeriodOfRow {
  const known = periodsOfRows.get(row) ?? new Map<Instant, PeriodOfRow>();
  const period = known.get(start) ?? reckonedPeriod(row, start);
  periodsOfRows.set(row, known.set(start, period));
  return period;
}

type PeriodOfRow = Pick<AgreedPeriod, "period" | "full" | "next" | "nextFrame" | "followingEnd">;

/** Whoever closes a period asks for it again and again, and calendars are slow. */
const periodsOfRows = new WeakMap<StoredSubscription, Map<Instant, PeriodOfRow>>();

function reckonedPeriod(row: StoredSubscription, start: Instant): PeriodOfRow {
  const { period, full, agreed } = anchoredPeriodAt(row, start);
  const ends = row.cancelAt !== null && row.cancelAt <= period.end;
  const end = ends && row.cancelAt !== null ? row.cancelAt : period.end;
  if (ends) return { period: { start, end }, full, next: null, followingEnd: null };
  const following = anchoredPeriodAt(row, period.end);
  const isCut = period.end < full.end;
  const isPart = following.full.start < following.period.start;
  const isAfterTrial = agreed.isTrial === true && following.agreed.isTrial === undefined;
  const nextFrame = () => ({
    full: following.full,
    periodIndex: periodIndexAt(anchorsOf(row), period.end),
  });
  return {
    period: { start, end },
    full,
    // Charged as a whole: what cuts it short hands back what is left of it.
    next: isCut ? null : { start: period.end, end: following.full.end },
    ...(!isCut && (isPart || isAfterTrial) ? { nextFrame: nextFrame() } : {}),
    followingEnd: following.period.end,
  };
}

/** The period that starts at `start`, with what was agreed for it. */
export async function agreedPeriod(tx: Tx, row: StoredSubscription, start: Instant): Promise<AgreedPeriod> {
  const [terms, customer, published] = await Promise.all([
    termsHistory(tx, row.id),
    findCustomer(tx, row.customerId),
    publishedMeters(tx),
  ]);
  const isOnTestClock = customer?.testClockId != null;
  return await agreedBy(tx, row, start, { terms, isOnTestClock, published });
}

/** The same by what is known already. */
export async function agreedBy(
  tx: Tx,
  row: StoredSubscription,
  start: Instant,
  {
    terms,
    isOnTestClock,
    published,
  }: Pick<AgreedPeriod, "terms" | "isOnTestClock"> & { readonly published: readonly StoredMeter[] },
): Promise<AgreedPeriod> {
  const metersOf = (period: Period) =>
    metersOfPeriod(tx, published, { customerId: row.customerId, period, isOnTestClock });
  const periods = periodOf(row, start);
  return { ...periods, terms, isOnTestClock, meters: await metersOf(periods.period), metersOf };
}

/** Whether a subscription's next period to close ends at an instant, or a later one; null where none does, as after its end. */
export function endsAt(row: StoredSubscription, end: Instant): "next" | "later" | null {
  if (isBilledToItsEnd(row)) return null;
  let start = row.billedThrough;
  for (;;) {
    const { period, followingEnd } = periodOf(row, start);
    if (period.end === end) return start === row.billedThrough ? "next" : "later";
    if (period.end > end || followingEnd === null || period.end <= start) return null;
    start = period.end;
  }
}

/** Periods of several subscriptions as they are on an invoice: as the subscriptions began, then by id. */
export const inOrder = <Period>(
  periods: readonly Period[],
  rowOf: (period: Period) => StoredSubscription,
): Period[] =>
  periods.toSorted((one, other) => {
    const [{ startedAt, id }, after] = [rowOf(one), rowOf(other)];
    return startedAt - after.startedAt || (id < after.id ? -1 : 1);
  });
