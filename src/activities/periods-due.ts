import { type AgreedPeriod, agreedBy, endsAt, inOrder, periodOf } from "../db/billing/agreed-period.ts";
import { isBilledToItsEnd } from "../db/billing/agreed-rows.ts";
import { type KnownCatalog, metersKnown } from "../db/billing/known-catalog.ts";
import { type PeriodStanding, standings } from "../db/billing/period-standing.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import { termsOfRows } from "../db/billing/terms-histories.ts";
import type { Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { invoicingOf } from "../domain/invoicing/index.ts";
import { withDueChanges } from "./apply-scheduled.ts";

/** A period that is next to be closed of its subscription, with what was agreed for it. */
export interface PeriodDue {
  readonly standing: PeriodStanding;
  readonly agreed: AgreedPeriod;
}

/** Periods that one invoice closes. */
export interface PeriodsDue {
  /** In the order in which they are on it, and in which credit pays them: as their subscriptions began, then by id. */
  readonly periods: readonly PeriodDue[];
  /** Subscriptions that are to be on it too, and have an earlier period to close first. */
  readonly behind: readonly StoredSubscription[];
}

/** What is agreed for the period that is next, by what stands. */
export async function agreedOf(
  tx: Tx,
  { row, isOnTestClock, metersPublished, terms: rows }: PeriodStanding,
  known: KnownCatalog,
): Promise<AgreedPeriod> {
  const terms = await termsOfRows(tx, rows, known.plans);
  const published = await metersKnown(tx, known, metersPublished);
  return await agreedBy(tx, row, row.billedThrough, { terms, isOnTestClock, published });
}

/**
 * What is closed together with a period: itself, and where its customer has so chosen for its end, the periods of his other
 * subscriptions in its currency that end then.
 */
export async function periodsDue(
  tx: Tx,
  own: PeriodDue,
  asOf: Instant,
  known: KnownCatalog,
): Promise<PeriodsDue> {
  const { invoicedWith, row } = own.standing;
  const { end } = own.agreed.period;
  if (
    invoicedWith === null ||
    isBilledToItsEnd(row) ||
    invoicingOf(invoicedWith.choices, end) === "separate"
  ) {
    return { periods: [own], behind: [] };
  }
  const asked = invoicedWith.others.map(({ subscriptionId, billedThrough: start }) => ({
    ...{ subscriptionId, start, asOf },
  }));
  const found = await upToDate(
    tx,
    (await standings(tx, asked)).flatMap((each) => each ?? []),
    end,
    asOf,
  );
  const ending = found.map((standing) => ({ standing, ends: endsAt(standing.row, end) }));
  const periods = [own];
  for (const { standing, ends } of ending) {
    if (ends === "next") periods.push({ standing, agreed: await agreedOf(tx, standing, known) });
  }
  return {
    periods: inOrder(periods, ({ standing }) => standing.row),
    behind: ending.filter(({ ends }) => ends === "later").map(({ standing }) => standing.row),
  };
}

/** With everything that was agreed until an instant made: it may move where a period ends. */
export async function upToDate(
  tx: Tx,
  found: readonly PeriodStanding[],
  until: Instant,
  asOf: Instant,
): Promise<PeriodStanding[]> {
  const changing = found.filter(({ row, nextScheduledAt }) => {
    const { end } = periodOf(row, row.billedThrough).period;
    const isDue = (at: Instant | null) => at !== null && at <= end && at <= until;
    return isDue(nextScheduledAt) || (row.status !== "canceled" && isDue(row.cancelAt));
  });
  if (changing.length === 0) return [...found];
  for (const { row } of changing) await withDueChanges(tx, row, row.billedThrough, until);
  const again = await standings(
    tx,
    found.map(({ row }) => ({ subscriptionId: row.id, start: row.billedThrough, asOf })),
  );
  return again.flatMap((each) => each ?? []);
}
