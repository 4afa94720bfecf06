import { type Instant, instantOfEpochMs, type Period } from "../../domain/calendar/index.ts";
import type { BookedUsage } from "../../domain/invoicing/index.ts";
import { storedDecimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";
import type { Snapshot } from "../usage/usage-reads.ts";

/** What a closed period came to when it was rated last, void invoices left out. */
export interface ClosedRating {
  readonly subscriptionId: string;
  readonly periodStart: Instant;
  /** What that rating saw. */
  readonly snapshot: Snapshot;
  readonly booked: readonly BookedUsage[];
}

interface ClosedRow {
  readonly subscription_id: string;
  readonly start_ms: bigint;
  readonly snapshot: Snapshot;
  readonly booked: readonly {
    readonly terms_start_ms: number;
    readonly plan_key: string;
    readonly price_key: string;
    readonly quantity: string;
    readonly exact_minor: string;
  }[];
}

/** Of these subscriptions the closed periods that begin in a time, by subscription, ascending. */
export async function closedRatings(
  tx: Tx,
  subscriptionIds: readonly string[],
  beginning: Period,
): Promise<Map<string, ClosedRating[]>> {
  const found = await rows<ClosedRow>(
    tx,
    sql`with newest as materialized (
        select distinct on (run.subscription_id, run.period_start) run.*
        from json_array_elements_text(${JSON.stringify(subscriptionIds)}::text::json) as asked (id)
        join billing.rating_run as run on run.subscription_id = asked.id
        left join billing.invoice on invoice.id = run.invoice_id
        where run.period_start >= ${timestamp(beginning.start)} and run.period_start < ${timestamp(beginning.end)}
          and run.kind <> 'threshold' and invoice.status is distinct from 'void'
        order by run.subscription_id, run.period_start, run.revision desc
      )
      select subscription_id, (extract(epoch from period_start) * 1000)::int8 as start_ms, snapshot::text as snapshot, (
          select coalesce(json_agg(json_build_object('terms_start_ms', extract(epoch from terms_start) * 1000, 'plan_key', plan_key,
            'price_key', price_key, 'quantity', quantity::text, 'exact_minor', exact_minor::text)), '[]')
          from billing.rated_usage as rated
          where (rated.subscription_id, rated.period_start, rated.revision)
            = (newest.subscription_id, newest.period_start, newest.revision)
        ) as booked
      from newest order by 1, 2`,
  );
  const ratings = found.map(
    (row): ClosedRating => ({
      subscriptionId: row.subscription_id,
      periodStart: instantOfEpochMs(Number(row.start_ms)),
      snapshot: row.snapshot,
      booked: row.booked.map((price) => ({
        termsStart: price.terms_start_ms,
        planKey: price.plan_key,
        priceKey: price.price_key,
        quantity: storedDecimal(price.quantity),
        exactMinor: storedDecimal(price.exact_minor),
      })),
    }),
  );
  return Map.groupBy(ratings, ({ subscriptionId }) => subscriptionId);
}
