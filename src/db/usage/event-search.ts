import { SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { type Database, inSnapshot, rows, sql, sqlState, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { timestamp } from "../timestamp.ts";
import { customerNumber } from "./customer-number.ts";
import { eventColumns, type StoredEvent, type StoredEventRow, storedEvent } from "./usage-reads.ts";

/** Looking at everything that was asked for would take too long. */
export class EventSearchTooBroadError extends BillingError {
  readonly code = "search_too_broad";

  constructor() {
    super(
      "too many events would have to be looked at: ask for a shorter time, or name source and id",
      "from",
    );
  }
}

/** Newest first; the order of acceptance decides within one instant. */
export interface EventPosition {
  readonly time: Instant;
  readonly seq: bigint;
}

export interface EventFilter {
  readonly customerId: string;
  readonly from?: Instant | undefined;
  /** Exclusive. */
  readonly to?: Instant | undefined;
  readonly source?: string | undefined;
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  /** Members of the data as it was sent, by their paths; numbers and truth values as JSON writes them. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** How long a search may take before it is refused. */
export const searchMsMax = 5_000;

/**
 * A customer's accepted events, newest first. An index leads to customer and time; all else is looked at event by event.
 * @throws EventSearchTooBroadError
 */
export async function searchEvents(
  db: Database,
  filter: EventFilter,
  page: PageRequest<EventPosition>,
  statementMs = searchMsMax,
): Promise<Page<StoredEvent, EventPosition>> {
  return await limitedRead(db, statementMs, (tx) => findEvents(tx, filter, page));
}

/** Reads as of one moment, and not for longer than that. @throws EventSearchTooBroadError */
export async function limitedRead<T>(
  db: Database,
  statementMs: number,
  read: (tx: Tx) => Promise<T>,
): Promise<T> {
  return await inSnapshot(db, async (tx) => {
    try {
      await tx.execute(sql`select set_config('statement_timeout', ${String(statementMs)}, true)`);
      return await read(tx);
    } catch (error) {
      throw sqlState(error) === statementCanceled ? new EventSearchTooBroadError() : error;
    }
  });
}

const statementCanceled = "57014";

/** The same without a limit of its own. */
export async function findEvents(
  tx: Tx,
  filter: EventFilter,
  page: PageRequest<EventPosition>,
): Promise<Page<StoredEvent, EventPosition>> {
  const found = await rows<StoredEventRow>(
    tx,
    sql`select ${eventColumns} from usage.event as event
      where event.customer_number = ${customerNumber(filter.customerId)}
        and ${isAskedFor(filter, page)}
      order by event.time desc, event.seq desc limit ${rowsToRead(page)}`,
  );
  return pageOf(found.map(storedEvent), page, ({ time, seq }) => ({ time, seq }));
}

/** Whether a row called `event` has what a filter says beside its customer, and comes on this page. */
export function isAskedFor(filter: EventFilter, { after }: PageRequest<EventPosition>): SQL {
  const { from, to, source, id, type, properties = {} } = filter;
  const conditions = [
    from && sql`event.time >= ${timestamp(from)}`,
    to && sql`event.time < ${timestamp(to)}`,
    // The first of the two bounds the index, and the partitions.
    after && sql`event.time <= ${timestamp(after.time)}`,
    after && sql`(event.time, event.seq) < (${timestamp(after.time)}, ${after.seq.toString()}::int8)`,
    source && sql`event.source = ${source}`,
    id && sql`event.id = ${id}`,
    type && sql`event.type = ${type}`,
    ...Object.entries(properties).map(
      ([path, value]) => sql`event.data #>> ${`{${path.replaceAll(".", ",")}}`}::text[] = ${value}`,
    ),
  ];
  const asked = conditions.filter((condition) => condition instanceof SQL);
  return sql.join([sql`true`, ...asked], sql` and `);
}
