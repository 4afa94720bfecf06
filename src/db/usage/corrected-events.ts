import type { UsageCorrectionKind, UsageCorrectionReason } from "../../domain/corrections/index.ts";
import { sql } from "../database.ts";

/** What a correction did to one event. */
export interface CorrectionOfEvent {
  readonly id: string;
  readonly kind: UsageCorrectionKind;
  readonly reasonCode: UsageCorrectionReason;
  readonly note: string | null;
  readonly requestedBy: string;
  /** ISO 8601, as it is answered. */
  readonly bookedAt: string;
  /** What an amended event says from then on. */
  readonly data: Record<string, unknown> | null;
}

/** What counts now of a row called `event`, as rows called `c`. */
export const standingOfEvent = sql`(
  select meter, dimensions, quantity, value from usage.contribution
  where event_seq = event.seq and time = event.time
  group by meter, dimensions, quantity, value having sum(weight) > 0) as c`;

/** The booked corrections of a row called `event`, the oldest first, as a list of {@link CorrectionOfEvent}. */
export const correctionsOfEvent = sql`(
  select coalesce(json_agg(json_build_object('id', c.id, 'kind', c.kind, 'reasonCode', c.reason_code, 'note', c.note,
    'requestedBy', c.requested_by, 'data', e.data,
    'bookedAt', to_char(b.booked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by b.seq), '[]')
  from usage.correction_event e join usage.correction_booking b using (correction_id)
  join usage.correction c on c.id = e.correction_id
  where e.event_seq = event.seq)`;
