import type { Instant } from "../../domain/calendar/index.ts";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import type { QuarantineReason } from "../schema/usage.ts";
import { timestamp } from "../timestamp.ts";
import { eventKey } from "./event-key.ts";
import { type EventFilter, type EventPosition, isAskedFor } from "./event-search.ts";
import { eventColumns, type StoredEvent, type StoredEventRow, storedEvent } from "./usage-reads.ts";

/** An event that does not count: as it was sent. */
export type UncountedEvent = Omit<StoredEvent, "contributions" | "standing" | "corrections">;

/** Everything that was ever sent under one key. */
export interface EventRecord {
  readonly seq: bigint;
  readonly time: Instant;
  /** Null when it waits in quarantine, or lies in the archive. */
  readonly accepted: StoredEvent | null;
  readonly quarantined: (UncountedEvent & { readonly reason: QuarantineReason }) | null;
  /** What contradicted it, the newest first. */
  readonly conflicts: readonly UncountedEvent[];
}

interface UncountedRow {
  readonly seq: bigint;
  readonly customer_id: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly time_ms: bigint;
  readonly recorded_ms: bigint;
}

const conflictsMax = 100;

/** Finds by its key what was sent, at once whatever was sent before; undefined when nothing came under it. */
export async function findEventRecord(tx: Tx, source: string, id: string): Promise<EventRecord | undefined> {
  const [known] = await rows<{ seq: bigint; time_ms: bigint }>(
    tx,
    sql`select event_seq as seq, ${epochMs("event_time")} as time_ms
      from usage.event_key where key = ${eventKey({ source, id })}::uuid`,
  );
  if (known === undefined) return undefined;
  const { seq } = known;
  const time = instantOfEpochMs(Number(known.time_ms));
  const [accepted] = await rows<StoredEventRow>(
    tx,
    sql`select ${eventColumns} from usage.event as event
      where event.seq = ${seq.toString()}::int8 and event.time = ${timestamp(time)}`,
  );
  const [quarantined] = await rows<QuarantinedRow>(
    tx,
    sql`select ${quarantinedColumns} from usage.pending_event where seq = ${seq.toString()}::int8`,
  );
  const conflicts = await rows<Omit<UncountedRow, "source" | "id">>(
    tx,
    sql`select event_seq as seq, customer_id, type, data, ${epochMs("time")} as time_ms, ${epochMs("recorded_at")} as recorded_ms
      from usage.event_conflict where event_seq = ${seq.toString()}::int8
      order by recorded_at desc, payload_hash limit ${conflictsMax}`,
  );
  return {
    seq,
    time,
    accepted: accepted === undefined ? null : storedEvent(accepted),
    quarantined: quarantined === undefined ? null : quarantinedEvent(quarantined),
    conflicts: conflicts.map((row) => uncounted({ ...row, source, id })),
  };
}

/** A customer's events that wait, for the customer to be known or for a meter; newest first. */
export async function quarantinedEvents(
  tx: Tx,
  filter: EventFilter,
  page: PageRequest<EventPosition>,
): Promise<Page<NonNullable<EventRecord["quarantined"]>, EventPosition>> {
  const found = await rows<QuarantinedRow>(
    tx,
    sql`select ${quarantinedColumns} from usage.pending_event as event
      where customer_id = ${filter.customerId} and ${isAskedFor(filter, page)}
      order by time desc, seq desc limit ${rowsToRead(page)}`,
  );
  return pageOf(found.map(quarantinedEvent), page, ({ time, seq }) => ({ time, seq }));
}

type QuarantinedRow = UncountedRow & { readonly reason: QuarantineReason };

const epochMs = (column: "time" | "recorded_at" | "event_time") =>
  sql.raw(`(extract(epoch from ${column}) * 1000)::int8`);

const quarantinedColumns = sql`seq, customer_id, source, id, type, data, reason, ${epochMs("time")} as time_ms,
  ${epochMs("recorded_at")} as recorded_ms`;

const quarantinedEvent = (row: QuarantinedRow) => ({ ...uncounted(row), reason: row.reason });

const uncounted = (row: UncountedRow): UncountedEvent => ({
  seq: row.seq,
  customerId: row.customer_id,
  source: row.source,
  id: row.id,
  type: row.type,
  data: row.data,
  time: instantOfEpochMs(Number(row.time_ms)),
  recordedAt: instantOfEpochMs(Number(row.recorded_ms)),
});
