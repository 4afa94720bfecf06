import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import {
  fitsAgainAt,
  lengthOfWindowMs,
  type MergedLimit,
  type OpenWindow,
  type UsedUntil,
  windowAt,
} from "../../domain/entitlements/index.ts";
import { invariant } from "../../domain/errors.ts";
import { canonicalJson, type Dimensions, eventAheadMinutesMax, inUnit } from "../../domain/metering/index.ts";
import { type Decimal, Fraction, zero } from "../../domain/money/index.ts";
import { type Database, rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { metersOfPeriod, type StoredMeter } from "../usage/meters-in-force.ts";
import { type UsageRequest, usageByWindow, usageQuantitiesOf } from "../usage/usage-quantities.ts";
import type { EntitlementFacts } from "./entitlement-facts.ts";

/** The window of a limit that is open now, and whose usage counts in it; null where that is not known. */
export interface LimitInWindow {
  readonly limit: MergedLimit;
  readonly meterKey: string;
  readonly scope: Dimensions | null;
  readonly window: OpenWindow;
}

/** Finds the window that is open; one of first use is opened by the first who asks after it, in a transaction of its own. */
export async function windowOfLimit(
  db: Database,
  facts: EntitlementFacts,
  { limit, meterKey, scope }: Omit<LimitInWindow, "window">,
): Promise<OpenWindow> {
  const { now, timeZone } = facts;
  const { window, since, cycle } = limit;
  const isOpened = window.type === "first_use" && scope !== null;
  const openedAt = isOpened
    ? await openedWindow(db, facts, {
        meter: meterKey,
        subject: scope,
        lengthMs: lengthOfWindowMs(window.length),
        since,
      })
    : null;
  return windowAt(window, { now, timeZone, since, cycle: cycle?.period ?? null, openedAt });
}

interface WantedWindow {
  readonly meter: string;
  readonly subject: Dimensions;
  readonly lengthMs: number;
  readonly since: Instant;
}

async function openedWindow(
  { orm }: Database,
  { customerId, windows, now }: EntitlementFacts,
  { meter, subject, lengthMs, since }: WantedWindow,
): Promise<Instant | null> {
  const wanted = canonicalJson(subject);
  const known = windows.find(
    (each) => each.meter === meter && each.lengthMs === lengthMs && canonicalJson(each.subject) === wanted,
  );
  if (known !== undefined) return known.openedAt;
  const soon = now + eventAheadMinutesMax * minuteMs;
  const [row] = await rows<{ ms: bigint | null }>(
    orm,
    sql`select (extract(epoch from billing.open_window(${customerId}, ${meter}, ${wanted}::text::jsonb, ${lengthMs}::int8,
      ${timestamp(since)}, ${timestamp(now)}, ${timestamp(soon)})) * 1000)::int8 as ms`,
  );
  return row?.ms == null ? null : instantOfEpochMs(Number(row.ms));
}

/** What is used of each limit, in their order, in the meter's unit: all of one moment, in one statement as a rule. Null where the scope is. */
export async function usedOfLimits(
  tx: Tx,
  facts: EntitlementFacts,
  limits: readonly LimitInWindow[],
): Promise<(Decimal | null)[]> {
  const asked = await Promise.all(limits.map((limit) => requestFor(tx, facts, limit)));
  const distinct = new Map(asked.flatMap((each) => (each === null ? [] : [[keyOf(each), each] as const])));
  const requests = [...distinct.values()];
  const quantities = requests.length === 0 ? [] : await usageQuantitiesOf(tx, requests);
  const used = new Map(
    [...distinct].map(([key, { meter }], index) => {
      const [row] = quantities[index] ?? [];
      return [key, row === undefined ? zero : inUnit(meter, Fraction.ofDecimal(row.quantity))];
    }),
  );
  return limits.map(({ scope }, index) => {
    const request = asked[index];
    if (scope === null) return null;
    return request == null ? zero : (used.get(keyOf(request)) ?? zero);
  });
}

export type LimitRequest = UsageRequest & { readonly meter: StoredMeter };

const keyOf = ({ meter, period, where = {} }: LimitRequest): string =>
  `${meter.number}/${period.start}/${period.end}/${canonicalJson(where)}`;

/** Null where there is nothing to read. */
export async function requestFor(
  tx: Tx,
  facts: EntitlementFacts,
  { meterKey, scope, window: { period } }: LimitInWindow,
): Promise<LimitRequest | null> {
  if (scope === null || period === null) return null;
  const meter = await meterOfWindow(tx, facts, meterKey, period);
  return {
    customerId: facts.customerId,
    meter,
    period: untilNow(period, meter, facts.now),
    groupBy: [],
    where: scope,
  };
}

/** A level that holds has no end yet: it counts until now. */
function untilNow({ start, end }: Period, { aggregation }: StoredMeter, now: Instant): Period {
  return aggregation === "time_weighted_sum" && start < now && now < end
    ? { start, end: now }
    : { start, end };
}

/** The version of a meter that measures a window: as of a billing period, the one in force when it began. */
async function meterOfWindow(
  tx: Tx,
  { customerId, meters, isOnTestClock }: EntitlementFacts,
  meterKey: string,
  period: Period,
): Promise<StoredMeter> {
  const versions = meters.filter(({ key }) => key === meterKey);
  const [meter] =
    versions.length === 1
      ? versions
      : await metersOfPeriod(tx, versions, { customerId, period, isOnTestClock });
  invariant(meter !== undefined, `the meter ${meterKey} of a feature was published`);
  return meter;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Of longer windows usage is looked at by the hour, so that there is not too much of it. */
const byTheMinuteMsMax = 24 * hourMs;

/**
 * When so much fits again into a rolling window if nothing more is used, to the minute, or to the hour where the window is longer
 * than a day; null when it never does.
 */
export async function fitsAgain(
  tx: Tx,
  facts: EntitlementFacts,
  limit: LimitInWindow,
  asked: Decimal,
): Promise<Instant | null> {
  const request = await requestFor(tx, facts, limit);
  const { window } = limit.limit;
  if (request === null || window.type !== "rolling") return null;
  const lengthMs = lengthOfWindowMs(window.length);
  const [size, sizeMs] =
    lengthMs <= byTheMinuteMsMax ? (["minute", minuteMs] as const) : (["hour", hourMs] as const);
  const found = await usageByWindow(tx, { ...request, size });
  const usage = found.map(
    ({ windowStart, quantity }): UsedUntil => ({
      end: instantOfEpochMs(windowStart + sizeMs),
      quantity: inUnit(request.meter, Fraction.ofDecimal(quantity)),
    }),
  );
  const at = fitsAgainAt(limit.limit.amount, asked, usage, lengthMs);
  return at === null ? null : instantOfEpochMs(at);
}
