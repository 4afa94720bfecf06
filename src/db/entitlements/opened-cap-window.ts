import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import { type EffectiveCap, lengthOfWindowMs } from "../../domain/entitlements/index.ts";
import { invariant } from "../../domain/errors.ts";
import { type Database, rows, sql } from "../database.ts";

/** When the window of a cap from first use began that is open now; who asks first after the one before was over opens it. */
export async function openedWindow(
  { orm }: Pick<Database, "orm">,
  { spender, eachUser, window, windowKey }: EffectiveCap,
  user: string | null,
  now: Instant,
): Promise<Instant> {
  invariant(window.type === "first_use", "only such a window is opened");
  const [row] = await rows<{ opened: string }>(
    orm,
    sql`select to_char(billing.first_use_window(${spender.number}, ${eachUser ? user : null}, ${windowKey}, ${isoOf(now)}::timestamptz,
      ${`${lengthOfWindowMs(window.length)} milliseconds`}::interval) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as opened`,
  );
  invariant(row !== undefined, "a window is opened");
  return instant(row.opened);
}
