import type { Instant } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";

/** Asks for one delivery again, whatever became of it. False when there is none. */
export async function replayDelivery(tx: Tx, id: string, now: Instant): Promise<boolean> {
  const replayed = await rows<{ id: string }>(
    tx,
    sql`update notice.delivery set state = 'waiting', finished_at = null, attempts_before = attempts,
          next_attempt_at = ${timestamp(now)}
        where id = ${id} returning id`,
  );
  return replayed.length > 0;
}

export interface ReplayRange {
  readonly endpointId: string;
  /** Of when it was recorded, by the wall clock: `[from, to)`. */
  readonly from: Instant;
  readonly to: Instant;
  /** `undelivered`: also what was never sent because the endpoint was disabled or not there yet. `all`: once more, too. */
  readonly which: "undelivered" | "all";
}

/** Asks for what an endpoint wants of a time, again or for the first time. Gives how many deliveries that are. */
export async function replayRange(
  tx: Tx,
  { endpointId, from, to, which }: ReplayRange,
  now: Instant,
): Promise<number> {
  const asked = await rows<{ id: string }>(
    tx,
    sql`insert into notice.delivery as known (id, notice_id, endpoint_id, receiver, next_attempt_at, created_at)
        select notice.id || '.' || endpoint.id, notice.id, endpoint.id, endpoint.id, ${timestamp(now)}, ${timestamp(now)}
        from notice.endpoint join notice.notice on (kinds is null or kind = any (kinds)) and kind <> 'webhook_endpoint.test'
        where endpoint.id = ${endpointId} and composed_at is not null
          and recorded_at >= ${timestamp(from)} and recorded_at < ${timestamp(to)}
        on conflict (notice_id, receiver) do update set state = 'waiting', finished_at = null, attempts_before = known.attempts,
          next_attempt_at = excluded.next_attempt_at
        where known.state <> 'delivered' or ${which === "all"}
        returning known.id`,
  );
  return asked.length;
}
