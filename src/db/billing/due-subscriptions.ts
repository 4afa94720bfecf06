import { and, asc, eq, isNull, lte, type SQL } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { sql, type Tx } from "../database.ts";
import { customer, subscription } from "../schema/billing.ts";

/** A place in the order in which periods are closed. */
export interface DuePlace {
  /** When the period could have been closed first. */
  readonly dueAt: Instant;
  readonly subscriptionId: string;
}

/** A subscription whose period, the one from `billedThrough` on, is to be closed. */
export interface DueSubscription extends DuePlace {
  readonly customerId: string;
  readonly billedThrough: Instant;
}

export interface DueQuery {
  /** By then it is their turn: they are due, and their own delay is over. */
  readonly by: Instant;
  /** Over how many seconds those delays are spread: see `closeDelaySeconds`. */
  readonly windowSeconds: number;
  /** Which customers, of how many shares that have none in common. */
  readonly lane: number;
  readonly lanes: number;
  /** Where the page before ended; null for the first one. */
  readonly after: DuePlace | null;
  readonly limit: number;
}

/** Subscriptions with a period to close, longest due first; none on test clocks. */
export async function dueSubscriptions(tx: Tx, query: DueQuery): Promise<DueSubscription[]> {
  const { by, windowSeconds, lane, lanes, after, limit } = query;
  const { nextCloseAt, id } = subscription;
  const found = await tx
    .select({
      dueAt: nextCloseAt,
      subscriptionId: id,
      customerId: subscription.customerId,
      billedThrough: subscription.billedThrough,
    })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .where(
      and(
        lte(nextCloseAt, by),
        isNull(customer.testClockId),
        windowSeconds === 0 ? undefined : sql`${nextCloseAt} <= ${delayed(by, windowSeconds)}`,
        lanes === 1 ? undefined : sql`${share(sql`${customer.id}`, lanes)} = ${lane}`,
        after === null
          ? undefined
          : sql`(${nextCloseAt}, ${id}) > (${isoOf(after.dueAt)}::timestamptz, ${after.subscriptionId})`,
      ),
    )
    .orderBy(asc(nextCloseAt), asc(id))
    .limit(limit);
  return found.flatMap(({ dueAt, ...due }) => (dueAt === null ? [] : [{ dueAt, ...due }]));
}

/** As `closeDelaySeconds` reckons it. */
const delayed = (by: Instant, windowSeconds: number): SQL =>
  sql`${isoOf(by)}::timestamptz - make_interval(secs => ${share(sql`${subscription.id}`, windowSeconds)})`;

const share = (id: SQL, of: number): SQL => sql`crc32(convert_to(${id}, 'UTF8')) % ${of}::bigint`;
