import type { Period } from "../../domain/calendar/index.ts";
import { decimal } from "../../domain/money/index.ts";
import type { StripeMeter, StripeMeters } from "../../stripe/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import type { Page, PageRequest } from "../page.ts";
import { timestamp } from "../timestamp.ts";

/** A customer's usage of a meter in a time, as it is counted here, as Stripe was told, and as Stripe has counted. Exact decimals. */
export interface MeterComparison {
  readonly meter: string;
  readonly version: number;
  readonly eventName: string;
  readonly customerId: string;
  readonly counted: string;
  readonly told: string;
  /** Null: Stripe has no such meter. */
  readonly atStripe: string | null;
  /** What is written down and not told yet; what Stripe has refused; what nobody knows to have been told. */
  readonly waiting: number;
  readonly refused: number;
  readonly unknown: number;
}

/** Whether all three say the same. */
export const agrees = ({ counted, told, atStripe }: MeterComparison): boolean =>
  decimal(counted).equals(decimal(told)) && Number(counted) === Number(atStripe);

interface ComparedRow extends Omit<MeterComparison, "atStripe"> {
  readonly number: bigint;
  readonly stripeCustomerId: string;
}

export interface MetersToCompare {
  /** Whole hours. */
  readonly period: Period;
  readonly customerId?: string | undefined;
}

/**
 * Usage that Stripe's meters were told of, held against what Stripe has counted, customer by customer. What Stripe has not looked
 * at yet, and hours that were too old to be told, show as differences.
 */
export async function compareMeters(
  tx: Tx,
  meters: Pick<StripeMeters, "counted" | "list">,
  { period, customerId }: MetersToCompare,
  page: PageRequest<bigint>,
): Promise<Page<MeterComparison, bigint>> {
  const found = await rows<ComparedRow>(
    tx,
    sql`with page as (
        select distinct customer.number, customer.id, customer.stripe_customer_id
        from stripe.meter_push push join billing.customer customer on customer.id = push.customer_id
        where customer.number > ${page.after ?? 0n} and customer.id = coalesce(${customerId ?? null}, customer.id)
          and push.window_start >= ${timestamp(period.start)} and push.window_start < ${timestamp(period.end)}
        order by customer.number limit ${page.limit + 1}
      ), told as (
        select push.meter, push.event_name, push.customer_id,
          coalesce(sum(push.value) filter (where push.state = 'sent'), 0) as told,
          count(*) filter (where push.state = 'planned')::int as waiting,
          count(*) filter (where push.state = 'refused')::int as refused,
          count(*) filter (where push.state = 'unknown')::int as unknown
        from page join stripe.meter_push push on push.customer_id = page.id
          and push.window_start >= ${timestamp(period.start)} and push.window_start < ${timestamp(period.end)}
        group by 1, 2, 3
      )
      select page.number, page.id as "customerId", page.stripe_customer_id as "stripeCustomerId", meter.key as meter, meter.version,
        told.event_name as "eventName", told.told::text as told, told.waiting, told.refused, told.unknown,
        coalesce((select sum(case meter.definition ->> 'aggregation' when 'count' then counted.count else counted.sum end)
          from usage.window counted where counted.customer_number = page.number and counted.meter = told.meter
            and counted.size = 'hour' and counted.start >= ${timestamp(period.start)}
            and counted.start < ${timestamp(period.end)}), 0)::text as counted
      from told join page on page.id = told.customer_id join catalog.meter meter on meter.number = told.meter
      order by page.number, told.event_name`,
  );
  const customers = [...new Set(found.map(({ number }) => number))];
  const shown = found.filter(({ number }) => customers.indexOf(number) < page.limit);
  const theirs = new Map((await meters.list()).map((meter) => [meter.eventName, meter]));
  const items: MeterComparison[] = [];
  for (const row of shown) {
    items.push(await compared(row, meters, theirs.get(row.eventName), period));
  }
  return { items, next: customers.length > page.limit ? customers[page.limit - 1] : undefined };
}

async function compared(
  { number: _number, stripeCustomerId, ...row }: ComparedRow,
  meters: Pick<StripeMeters, "counted">,
  theirs: StripeMeter | undefined,
  period: Period,
): Promise<MeterComparison> {
  if (theirs === undefined) return { ...row, atStripe: null };
  const { stripeMeterId } = theirs;
  return { ...row, atStripe: await meters.counted({ stripeMeterId, stripeCustomerId, period }) };
}
