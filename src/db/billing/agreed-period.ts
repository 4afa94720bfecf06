import { type Instant, type Period, periodContaining } from "../../domain/calendar/index.ts";
import type { Terms } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { metersOfPeriod, publishedMeters, type StoredMeter } from "../usage/meters-in-force.ts";
import { findCustomer } from "./customers.ts";
import { anchorOf, fullPeriodAt, type StoredSubscription, termsHistory } from "./subscriptions.ts";

/** What was agreed for a period, and the meters that measure it. */
export interface AgreedPeriod {
  readonly period: Period;
  readonly full: Period;
  readonly next: Period | null;
  readonly terms: readonly Terms[];
  readonly meters: readonly StoredMeter[];
  /** Those that measure another period of the subscription. */
  readonly metersOf: (period: Period) => Promise<readonly StoredMeter[]>;
}

/** The period that starts at `start`; shorter than the calendar's when the subscription ends inside it. */
export function periodOf(
  row: StoredSubscription,
  start: Instant,
): { period: Period; full: Period; next: Period | null } {
  const full = fullPeriodAt(row, start);
  const end = row.cancelAt !== null && row.cancelAt < full.end ? row.cancelAt : full.end;
  const endsHere = row.cancelAt !== null && row.cancelAt <= full.end;
  const next = endsHere ? null : periodContaining(anchorOf(row), full.end).period;
  return { period: { start, end }, full, next };
}

/** The period that starts at `start`, with what was agreed for it. */
export async function agreedPeriod(tx: Tx, row: StoredSubscription, start: Instant): Promise<AgreedPeriod> {
  const terms = await termsHistory(tx, row.id);
  const isOnTestClock = (await findCustomer(tx, row.customerId))?.testClockId != null;
  const published = await publishedMeters(tx);
  const metersOf = (period: Period) =>
    metersOfPeriod(tx, published, { customerId: row.customerId, period, isOnTestClock });
  const periods = periodOf(row, start);
  return { ...periods, terms, meters: await metersOf(periods.period), metersOf };
}
