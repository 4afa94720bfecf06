import { and, desc, eq } from "drizzle-orm";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { UsageCorrectionKind } from "../../domain/corrections/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { correctionStanding, type UsageCorrectionStatus } from "../schema/usage-corrections.ts";

export { type UsageCorrectionStatus, usageCorrectionStatuses } from "../schema/usage-corrections.ts";

/** A correction as it was asked for, with its decision and where it stands. */
export type StoredCorrection = typeof correctionStanding.$inferSelect;

export async function findCorrection(tx: Tx, id: string): Promise<StoredCorrection | undefined> {
  const [found] = await tx.select().from(correctionStanding).where(eq(correctionStanding.id, id));
  return found;
}

export interface CorrectionFilter {
  readonly status?: UsageCorrectionStatus | undefined;
  readonly kind?: UsageCorrectionKind | undefined;
  /** Of whose events at least one is corrected. */
  readonly customerId?: string | undefined;
  readonly backfillId?: string | undefined;
  /** Who asked for it. */
  readonly requestedBy?: string | undefined;
}

export async function listCorrections(
  tx: Tx,
  { customerId, ...filter }: CorrectionFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCorrection, NewestFirst>> {
  const columns = ["status", "kind", "backfillId", "requestedBy"] as const;
  const found = await tx
    .select()
    .from(correctionStanding)
    .where(
      and(
        ...columns.map((name) =>
          filter[name] === undefined ? undefined : eq(correctionStanding[name], filter[name]),
        ),
        customerId === undefined ? undefined : isAboutCustomer(customerId),
        olderThan(correctionStanding.requestedAt, correctionStanding.id, page.after),
      ),
    )
    .orderBy(desc(correctionStanding.requestedAt), desc(correctionStanding.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ requestedAt, id }) => ({ at: requestedAt, id }));
}

const isAboutCustomer = (customerId: string) =>
  sql`exists (
    select from usage.correction_event asked join billing.customer on customer.number = asked.customer_number
    where asked.correction_id = ${correctionStanding.id} and customer.id = ${customerId})`;

/** One of the events that a correction is about. */
export interface CorrectionEvent {
  readonly source: string;
  readonly id: string;
  readonly customerId: string;
  readonly time: Instant;
  /** What an amended event says from then on. */
  readonly data: Record<string, unknown> | null;
  /** The event's newest correction when this one was asked for. */
  readonly afterSeq: bigint | null;
}

/** The first so many events of a correction, in the order in which they were accepted. */
export async function eventsOfCorrection(
  tx: Tx,
  correctionId: string,
  limit: number,
): Promise<CorrectionEvent[]> {
  const found = await rows<
    Omit<CorrectionEvent, "customerId" | "time" | "afterSeq"> & {
      customer_id: string;
      time_ms: string;
      after_seq: bigint | null;
    }
  >(
    tx,
    sql`select e.source, e.id, customer.id as customer_id, (extract(epoch from e.time) * 1000)::int8::text as time_ms,
          asked.data, asked.after_seq
        from usage.correction_event asked
        join usage.event e on e.seq = asked.event_seq and e.time = asked.event_time
        join billing.customer on customer.number = asked.customer_number
        where asked.correction_id = ${correctionId} order by asked.event_seq limit ${limit}`,
  );
  return found.map(({ customer_id: customerId, time_ms, after_seq: afterSeq, ...event }) => ({
    ...event,
    customerId,
    time: instantOfEpochMs(Number(time_ms)),
    afterSeq,
  }));
}
