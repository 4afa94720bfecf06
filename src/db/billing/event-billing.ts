import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import { type UnbilledUsage, unbilledUsage } from "../../domain/invoicing/index.ts";
import type { Dimensions } from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import { agreedPeriod } from "./agreed-period.ts";
import { isLineOf, ratedRows, sideOf } from "./line-events.ts";
import { anchoredPeriodAt, type StoredSubscription, subscriptionsOfCustomer } from "./subscriptions.ts";

/** Where a contribution was billed: the first run that saw it, and the line that run made of the price. */
export interface BilledPlace {
  readonly subscriptionId: string;
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  readonly revision: number;
  readonly planKey: string;
  readonly priceKey: string;
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  /** Null when the run found that it changes nothing, as a smaller value of a maximum does. */
  readonly line: number | null;
  /** The contribution was a part of the amount before, and is taken out of it. */
  readonly isTakenBack: boolean;
}

/** What a version of a meter made of an event, or took back, and where that is billed. */
export interface EventContribution {
  readonly meter: number;
  readonly meterKey: string;
  readonly meterVersion: number;
  readonly dimensions: Dimensions;
  readonly quantity: string;
  readonly value: string | null;
  readonly isTakenBack: boolean;
  readonly recordedAt: Instant;
  readonly billed: readonly BilledPlace[];
  /** Of the subscriptions that were in force, when none has billed it. */
  readonly unbilled: readonly (UnbilledUsage & {
    readonly subscriptionId: string;
    readonly period: Period;
  })[];
}

export interface BilledEvent {
  readonly seq: bigint;
  readonly time: Instant;
  readonly customerId: string;
}

/** Follows an accepted event to the lines that it is in, or says why it is in none. */
export async function eventBilling(tx: Tx, event: BilledEvent): Promise<EventContribution[]> {
  const contributions = await billedContributions(tx, event);
  const rest = contributions.filter(({ billed }) => billed.length === 0);
  const agreed = rest.length === 0 ? [] : await agreedAt(tx, event);
  return contributions.map((contribution) => ({
    ...contribution,
    unbilled:
      contribution.billed.length > 0
        ? []
        : agreed.map(({ row, ...period }) => ({
            subscriptionId: row.id,
            period: period.period,
            ...unbilledUsage(
              { ...contribution, time: event.time },
              {
                ...period,
                isClosed: event.time < row.billedThrough,
                closesAgain: row.nextCloseAt !== null,
                isMeasuredBy: period.meters.some(({ number }) => number === contribution.meter),
              },
            ),
          })),
  }));
}

async function agreedAt(tx: Tx, { customerId, time }: BilledEvent) {
  const inForce = (row: StoredSubscription) =>
    row.startedAt <= time && (row.cancelAt === null || time < row.cancelAt);
  const agreed = [];
  for (const row of (await subscriptionsOfCustomer(tx, customerId)).filter(inForce)) {
    agreed.push({ row, ...(await agreedPeriod(tx, row, anchoredPeriodAt(row, time).period.start)) });
  }
  return agreed;
}

type PlaceRow = Omit<BilledPlace, "periodStart" | "periodEnd"> & {
  readonly periodStart: number;
  readonly periodEnd: number;
};

interface ContributionRow extends Omit<EventContribution, "recordedAt" | "billed" | "unbilled"> {
  readonly recorded_ms: bigint;
  readonly billed: readonly PlaceRow[];
}

async function billedContributions(
  tx: Tx,
  { seq, time, customerId }: BilledEvent,
): Promise<Omit<EventContribution, "unbilled">[]> {
  const event = sql`${seq.toString()}::int8`;
  const side = sideOf("fact", {
    meter: "rated.meter",
    snapshot: "run.snapshot",
    meterBefore: "before.meter",
    snapshotBefore: "run_before.snapshot",
  });
  const found = await rows<ContributionRow>(
    tx,
    sql`with fact as materialized (
        select seq as fact_seq, recorded_xid, recorded_at, made.*, 1 as weight
        from usage.event
        cross join lateral unnest(meters, event.dimensions, quantities, distinct_values) as made (meter, dimensions, quantity, value)
        where seq = ${event} and time = ${timestamp(time)}
        union all
        select fact_seq, recorded_xid, recorded_at, meter, dimensions, quantity, value, weight
        from usage.later_contribution where event_seq = ${event}
      )
      select fact.meter, meter.key as "meterKey", meter.version as "meterVersion", named.key::json as dimensions,
        fact.quantity::text as quantity, fact.value, fact.weight < 0 as "isTakenBack",
        (extract(epoch from fact.recorded_at) * 1000)::int8 as recorded_ms, coalesce(place.list, '[]') as billed
      from fact join catalog.meter on meter.number = fact.meter join usage.dimensions as named on named.number = fact.dimensions
      cross join lateral (
        select json_agg(json_build_object('subscriptionId', run.subscription_id,
          'periodStart', extract(epoch from run.period_start) * 1000, 'periodEnd', extract(epoch from run.period_end) * 1000,
          'revision', run.revision, 'planKey', rated.plan_key, 'priceKey', rated.price_key, 'invoiceId', run.invoice_id,
          'invoiceNumber', invoice.number, 'line', line.line, 'isTakenBack', sided.side * fact.weight < 0)
          order by run.subscription_id, run.revision, rated.plan_key, rated.price_key) as list
        from ${ratedRows}
        cross join lateral (select ${side} as side) as sided
        left join billing.invoice on invoice.id = run.invoice_id
        left join billing.invoice_line as line on ${isLineOf}
        where run.subscription_id in (select id from billing.subscription where customer_id = ${customerId})
          and run.period_start <= ${timestamp(time)} and run.period_end > ${timestamp(time)}
          and rated.terms_start <= ${timestamp(time)} and rated.terms_end > ${timestamp(time)}
          and named.key::jsonb @> wanted.dimensions and sided.side is not null
          and invoice.status is distinct from 'void'
      ) as place
      order by meter.key, meter.version, fact.fact_seq, fact.weight`,
  );
  return found.map(({ recorded_ms, billed, ...rest }) => ({
    ...rest,
    recordedAt: instantOfEpochMs(Number(recorded_ms)),
    billed: billed.map(({ periodStart, periodEnd, ...place }) => ({
      ...place,
      periodStart: instantOfEpochMs(Number(periodStart)),
      periodEnd: instantOfEpochMs(Number(periodEnd)),
    })),
  }));
}
